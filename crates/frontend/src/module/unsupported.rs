//! Diagnosis of modules that the validator rejects: whether a module is invalid, or valid in a
//! later version of WebAssembly, and at which instruction.

use wasmparser::{
    BinaryReaderError, FunctionBody, Parser, Payload, TypeRef, Validator, WasmFeatures,
};

use crate::error::{Error, Place};
use crate::module::operator_name;

/// Features of versions later than 2.0, by proposal, except those that only add encodings. Each has
/// its description and a remedy.
const LATER: &[(WasmFeatures, &str, &str)] = &[
    (WasmFeatures::RELAXED_SIMD, "relaxed SIMD", NO_SIMD),
    (
        WasmFeatures::THREADS,
        "threads or shared memory, and one trace is one thread",
        "compile without -pthread and atomics",
    ),
    (
        WasmFeatures::EXCEPTIONS.union(WasmFeatures::LEGACY_EXCEPTIONS),
        "exceptions, which setjmp and C++ need too",
        "compile with -fno-exceptions, and return errors instead",
    ),
    (
        WasmFeatures::EXTENDED_CONST,
        "extended constant expressions",
        "link without -pie and shared libraries, or compile with -mcpu=mvp",
    ),
    (
        WasmFeatures::FUNCTION_REFERENCES
            .union(WasmFeatures::GC)
            .union(WasmFeatures::GC_TYPES),
        "typed references or garbage collection",
        "use a compiler that brings its own collector in linear memory",
    ),
    (WasmFeatures::WIDE_ARITHMETIC, "wide arithmetic", BASELINE),
    (
        WasmFeatures::CUSTOM_PAGE_SIZES,
        "custom page sizes",
        BASELINE,
    ),
];

const NO_SIMD: &str = "compile without SIMD: clang -mno-simd128 -mno-relaxed-simd";
const BASELINE: &str =
    "compile for WebAssembly 2.0 without SIMD or less: clang --target=wasm32 -mcpu=mvp";

/// Proposals that also add encodings, and so count only for a module that uses their feature.
const MEMORIES: WasmFeatures = WasmFeatures::MULTI_MEMORY;
const WIDE_ADDRESSES: WasmFeatures = WasmFeatures::MEMORY64;

/// The error for a binary that the validator rejects with a set of features.
pub(crate) fn explain(bytes: &[u8], error: BinaryReaderError, features: WasmFeatures) -> Error {
    let offset = error.offset();
    let place = locate(bytes, offset);
    let refused = match later(bytes, features) {
        None => Error::from(error),
        Some((what, remedy)) => {
            Error::later(format!("{}: the module uses {what}", error.message())).remedy(remedy)
        }
    };
    refused.at(place.unwrap_or(Place {
        offset: Some(offset),
        ..Place::default()
    }))
}

/// The feature of a later version with which a binary becomes valid that is not valid with a set of
/// features: its description and a remedy. `None` if the binary is invalid in later versions too.
fn later(bytes: &[u8], features: WasmFeatures) -> Option<(&'static str, &'static str)> {
    let (memories, wide) = memories(bytes);
    let mut base = features;
    let mut what = ("features of several later proposals", BASELINE);
    if memories > 1 {
        base |= MEMORIES;
        what = ("several memories", "link it into one memory");
    }
    if wide {
        base |= WIDE_ADDRESSES;
        what = ("64-bit memory", "compile for wasm32");
    }
    let valid = |features| {
        let mut validator = Validator::new_with_features(features);
        validator.validate_all(bytes).is_ok()
    };
    if base != features && valid(base) {
        return Some(what);
    }
    let single = LATER.iter().find(|&&(later, ..)| valid(base | later));
    if let Some(&(_, what, remedy)) = single {
        return Some((what, remedy));
    }
    let all = LATER.iter().fold(base, |all, &(later, ..)| all | later);
    valid(all).then_some(what)
}

/// The number of memories of a binary, and whether a memory or a table has 64-bit addresses. A
/// malformed binary is read up to the first error.
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

/// The function and the instruction at a byte offset, if it lies in a function's body.
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

/// The name of the instruction at a byte offset in a body.
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
