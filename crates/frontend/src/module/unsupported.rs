//! Diagnosis of modules that the validator rejects: invalid, or valid in a later version of
//! WebAssembly; at which instruction.

use wasmparser::{
    BinaryReaderError, FunctionBody, Parser, Payload, TypeRef, Validator, WasmFeatures,
};

use crate::error::{Error, Place};
use crate::module::operator_name;

/// Features of versions later than 2.0, by proposal, except those that change nothing but which
/// encodings are read.
const LATER: &[WasmFeatures] = &[
    WasmFeatures::RELAXED_SIMD,
    WasmFeatures::THREADS,
    WasmFeatures::EXCEPTIONS.union(WasmFeatures::LEGACY_EXCEPTIONS),
    WasmFeatures::EXTENDED_CONST,
    WasmFeatures::FUNCTION_REFERENCES
        .union(WasmFeatures::GC)
        .union(WasmFeatures::GC_TYPES),
    WasmFeatures::WIDE_ARITHMETIC,
    WasmFeatures::CUSTOM_PAGE_SIZES,
];

/// Proposals that also read more encodings, and so count only for a module that uses what they add.
const MEMORIES: WasmFeatures = WasmFeatures::MULTI_MEMORY;
const WIDE_ADDRESSES: WasmFeatures = WasmFeatures::MEMORY64;

/// The error for a binary that the validator rejects with a set of features.
pub(crate) fn explain(bytes: &[u8], error: BinaryReaderError, features: WasmFeatures) -> Error {
    let offset = error.offset();
    let place = locate(bytes, offset);
    let refused = match is_later(bytes, features) {
        false => Error::from(error),
        true => Error::later(error.message().to_owned()).remedy(
            "compile for WebAssembly 2.0 without SIMD or less: clang --target=wasm32 -mcpu=mvp",
        ),
    };
    refused.at(place.unwrap_or(Place {
        offset: Some(offset),
        ..Place::default()
    }))
}

/// Whether a binary that is not valid with a set of features is valid with one of a later version,
/// or with all of these.
fn is_later(bytes: &[u8], features: WasmFeatures) -> bool {
    let (memories, wide) = memories(bytes);
    let several = if memories > 1 {
        MEMORIES
    } else {
        WasmFeatures::empty()
    };
    let wide = if wide {
        WIDE_ADDRESSES
    } else {
        WasmFeatures::empty()
    };
    let base = features | several | wide;
    let all = LATER.iter().fold(base, |all, &later| all | later);
    let each = LATER.iter().map(|&later| base | later);
    each.chain([all, base]).any(|features| {
        Validator::new_with_features(features)
            .validate_all(bytes)
            .is_ok()
    })
}

/// The number of memories of a binary, and whether a memory or a table has addresses of 64 bits, as
/// far as it can be read.
fn memories(bytes: &[u8]) -> (usize, bool) {
    let (mut count, mut wide) = (0, false);
    let mut parser = Parser::new(0);
    parser.set_features(WasmFeatures::all());
    for payload in parser.parse_all(bytes).map_while(Result::ok) {
        match payload {
            Payload::ImportSection(section) => {
                for import in section.into_imports().map_while(Result::ok) {
                    match import.ty {
                        TypeRef::Memory(memory) => {
                            count += 1;
                            wide |= memory.memory64;
                        }
                        TypeRef::Table(table) => wide |= table.table64,
                        _ => {}
                    }
                }
            }
            Payload::MemorySection(section) => {
                for memory in section.into_iter().map_while(Result::ok) {
                    count += 1;
                    wide |= memory.memory64;
                }
            }
            Payload::TableSection(section) => {
                wide |= section
                    .into_iter()
                    .map_while(Result::ok)
                    .any(|table| table.ty.table64);
            }
            _ => {}
        }
    }
    (count, wide)
}

/// The function and the instruction at a byte, if it lies in a function's body.
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

/// The name of the instruction at a byte of a body.
fn instruction(body: &FunctionBody<'_>, offset: u64) -> Option<String> {
    let mut operators = body.get_operators_reader().ok()?;
    while !operators.eof() {
        let (operator, at) = operators.read_with_offset().ok()?;
        if at == offset {
            return Some(operator_name::instruction(&operator));
        }
    }
    None
}
