//! The runtime library: routines for the operators and host functions that the machine lacks.
//!
//! Routines are lowered like any other function. They are in two modules: `software/*.wat` uses the
//! machine's own instructions, memory or globals; `software/float.wasm` is compiled ahead of time
//! from `software/*.c`. Their imports stand for parts of the machine: `machine.NAME` for an
//! instruction, `trap.NAME` for a trap, `layout.NAME` for a number that the layout of memory
//! determines. Memory 1 is the hidden data.

use std::sync::OnceLock;

use crate::module::Module;

/// The index of the imported global that holds the length of the input.
pub(crate) const INPUT_LENGTH: u32 = 0;

/// The routines that use instructions of the machine.
pub(crate) fn routines() -> &'static Module<'static> {
    static BINARY: OnceLock<Vec<u8>> = OnceLock::new();
    static MODULE: OnceLock<Module<'static>> = OnceLock::new();
    MODULE.get_or_init(|| {
        let binary = BINARY.get_or_init(|| {
            let text = concat!(
                "(module",
                include_str!("../software/imports.wat"),
                include_str!("../software/wide.wat"),
                include_str!("../software/memory.wat"),
                include_str!("../software/input.wat"),
                include_str!("../software/wasi.wat"),
                ")",
            );
            wat::parse_str(text)
                .unwrap_or_else(|error| panic!("src/software/*.wat must parse: {error}"))
        });
        own(binary)
    })
}

/// The routines of floating point.
pub(crate) fn floats() -> &'static Module<'static> {
    static MODULE: OnceLock<Module<'static>> = OnceLock::new();
    MODULE.get_or_init(|| own(include_bytes!("../software/float.wasm")))
}

fn own(binary: &'static [u8]) -> Module<'static> {
    Module::parse_own(binary)
        .unwrap_or_else(|error| panic!("the runtime library must be valid: {error}"))
}
