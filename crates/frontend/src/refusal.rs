//! Modules that are not valid, and valid ones of later versions of WebAssembly: which instruction, where.

use wasmparser::{
    BinaryReaderError, FunctionBody, Parser, Payload, TypeRef, Validator, WasmFeatures,
};

use crate::error::{Error, Place};
use crate::names;

/// Why the validator refuses a binary.
pub(crate) fn of(bytes: &[u8], error: BinaryReaderError) -> Error {
    let offset = error.offset();
    let place = locate(bytes, offset);
    // Later versions read some malformed binaries as well: only what the validator names as switched off is theirs.
    let said = error.message();
    let later = ["not enabled", "must be enabled", "without the gc feature"]
        .iter()
        .any(|part| said.contains(part));
    let is_later = later
        && Validator::new_with_features(WasmFeatures::all())
            .validate_all(bytes)
            .is_ok();
    let refused = match is_later {
        false => Error::from(error),
        true => Error::unsupported(error.message().to_owned()).remedy(
            "compile for WebAssembly 2.0 without SIMD or less: clang --target=wasm32 -mcpu=mvp",
        ),
    };
    refused.at(place.unwrap_or(Place {
        offset: Some(offset),
        ..Place::default()
    }))
}

/// The function and instruction at a byte, if it lies in a function's body.
fn locate(bytes: &[u8], offset: u64) -> Option<Place> {
    let mut index = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    index += u32::from(matches!(import.ok()?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => {
                if body.range().contains(&offset) {
                    return Some(Place {
                        offset: Some(offset),
                        function: Some((index, format!("#{index}"))),
                        instruction: instruction(&body, offset),
                    });
                }
                index += 1;
            }
            _ => {}
        }
    }
    None
}

fn instruction(body: &FunctionBody<'_>, offset: u64) -> Option<String> {
    let mut operators = body.get_operators_reader().ok()?;
    while !operators.eof() {
        let (operator, at) = operators.read_with_offset().ok()?;
        if at == offset {
            return Some(names::instruction(&operator));
        }
    }
    None
}
