//! Random modules, and random calls of their exports.

use arbitrary::Unstructured;
use wasm_smith::{Config, InstructionKind, InstructionKinds, Module};
use wasmparser::{Operator, Parser, Payload, ValType};

use super::rewrite::Rewriting;
use crate::linked::Value;
use crate::random::Random;

/// The features that modules may use. Enable those that the frontend lowers.
struct Features {
    /// 64-bit integers.
    wide: bool,
    /// Floating point, with canonical NaNs. Needs `wide`.
    floats: bool,
    /// A table and indirect calls; no instructions that change tables.
    tables: bool,
    /// `memory.fill`, `memory.copy` and the like.
    bulk: bool,
    /// Conversions to integers that do not trap.
    saturating: bool,
    /// `memory.grow` by more than 0 pages.
    growing: bool,
}

const FEATURES: Features = Features {
    wide: true,
    floats: true,
    tables: true,
    bulk: true,
    saturating: true,
    growing: true,
};

/// The number of function entries and loop iterations, over all calls, after which a module traps.
const FUEL: u32 = 100;

/// Generates the module of some bytes; it is a function of the bytes.
///
/// # Errors
/// If there are too few bytes, or the module is unsuitable.
pub(super) fn module(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut unstructured = Unstructured::new(bytes);
    let disallow_traps = unstructured.arbitrary().unwrap_or(true);
    let kinds = vec![
        InstructionKind::Numeric,
        InstructionKind::Parametric,
        InstructionKind::Variable,
        InstructionKind::Control,
        InstructionKind::Memory,
    ];
    let config = Config {
        allow_floats: FEATURES.floats,
        allow_start_export: true,
        allowed_instructions: InstructionKinds::new(&kinds),
        bulk_memory_enabled: FEATURES.bulk,
        canonicalize_nans: true,
        disallow_traps,
        exceptions_enabled: false,
        export_everything: true,
        extended_const_enabled: false,
        gc_enabled: false,
        compact_imports_enabled: false,
        max_data_segments: 4,
        max_element_segments: if FEATURES.tables { 4 } else { 0 },
        max_funcs: 6,
        max_globals: 5,
        max_imports: 0,
        max_instructions: 80,
        max_memories: 1,
        max_memory32_bytes: if FEATURES.growing { 2 << 16 } else { 1 << 16 },
        max_nesting_depth: 6,
        max_table_elements: 20,
        max_tables: usize::from(FEATURES.tables),
        max_types: 8,
        memory64_enabled: false,
        memory_max_size_required: true,
        min_funcs: 2,
        min_globals: 1,
        min_types: 3,
        min_memories: 1,
        multi_value_enabled: true,
        reference_types_enabled: false,
        relaxed_simd_enabled: false,
        saturating_float_to_int_enabled: FEATURES.saturating,
        sign_extension_ops_enabled: true,
        simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..Config::default()
    };
    let mut module = Module::new(config, &mut unstructured).map_err(|error| error.to_string())?;
    module
        .ensure_termination(FUEL)
        .map_err(|error| error.to_string())?;
    let rewriting = Rewriting {
        narrow: !FEATURES.wide,
        fixed_memory: !FEATURES.growing,
        ..Rewriting::default()
    };
    let wasm = rewriting.apply(&module.to_bytes())?;
    match leaves_nan_free(&wasm) {
        Ok(false) => Ok(wasm),
        Ok(true) => Err("converts floats, and the bits of a converted NaN are free".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the module converts between floats. The generator makes only the NaNs of arithmetic
/// canonical.
fn leaves_nan_free(wasm: &[u8]) -> wasmparser::Result<bool> {
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CodeSectionEntry(body) = payload? else {
            continue;
        };
        for operator in body.get_operators_reader()? {
            if let Operator::F32DemoteF64 | Operator::F64PromoteF32 = operator? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Random bytes for a module.
pub(super) fn bytes(random: &mut Random) -> Vec<u8> {
    let length = 200 + random.below(3_000);
    (0..length).map(|_| random.bits() as u8).collect()
}

/// An argument of that type.
pub(super) fn argument(random: &mut Random, ty: ValType) -> Value {
    let number = random.number();
    let bits = match ty {
        ValType::I64 => number,
        // Half of the time the bits of a number, otherwise any bits.
        ValType::F64 if random.below(2) == 0 => (number as i64 as f64).to_bits(),
        ValType::F64 => random.bits(),
        ValType::F32 if random.below(2) == 0 => (number as i64 as f32).to_bits().into(),
        ValType::F32 => random.bits() as u32 as u64,
        _ => number as u32 as u64,
    };
    Value { ty, bits }
}
