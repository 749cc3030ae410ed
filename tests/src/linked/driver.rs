//! A driver: a module with an entry that calls its exports as the input directs.
//!
//! The input is a row of calls: the number of the case in two bytes, then the arguments, each with
//! as many bytes as its type has. For each call the entry outputs the results' bytes, then
//! [`DONE`]. So the calls of many assertions share a run and its state, and no computation before
//! the run can depend on an argument.

use wasm_encoder::{
    BlockType, DataCountSection, EntityType, ExportKind, ExportSection, Function, ImportSection,
    InstructionSink, Module, StartSection, ValType,
};
use wasmparser::ExternalKind;

use super::Value;
use super::merge::{HOST, Merged, number};

/// The name of the entry.
pub(crate) const ENTRY: &str = "main";

/// The byte after the results of a call.
pub(crate) const DONE: u8 = b'.';

/// The action of a case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Case {
    /// Calls an export of an instance, or outputs the value of a global.
    Export(usize, String),
    /// Outputs the 32-bit word at an address.
    Peek,
}

/// The functions that read and write numbers, in the order of their indices.
const READ_32: u32 = 0;
const READ_64: u32 = 1;
const WRITE_32: u32 = 2;
const WRITE_64: u32 = 3;

/// The types of a case's arguments and results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) parameters: Vec<wasmparser::ValType>,
    pub(crate) results: Vec<wasmparser::ValType>,
}

impl Merged {
    /// The types of a case; `None` if there is no such export.
    pub(crate) fn signature(&self, case: &Case) -> Option<Signature> {
        let Case::Export(instance, name) = case else {
            return Some(Signature {
                parameters: vec![wasmparser::ValType::I32],
                results: vec![wasmparser::ValType::I32],
            });
        };
        let &(kind, index) = self.exports.get(&(*instance, name.clone()))?;
        match kind {
            ExternalKind::Func => {
                let ty = &self.signatures[(index - HOST) as usize];
                Some(Signature {
                    parameters: ty.params().to_vec(),
                    results: ty.results().to_vec(),
                })
            }
            ExternalKind::Global => Some(Signature {
                parameters: vec![],
                results: vec![self.global_types[index as usize]],
            }),
            _ => None,
        }
    }

    /// Builds the module with an entry for these cases.
    pub(crate) fn driver(&self, cases: &[Case]) -> Vec<u8> {
        let (mut types, mut functions) = (self.types.clone(), self.functions.clone());
        let mut code = self.code.clone();
        let first = types.len();
        let signatures: [(&[ValType], &[ValType]); 6] = [
            (&[], &[ValType::I32]),
            (&[], &[ValType::I64]),
            (&[ValType::I32], &[]),
            (&[ValType::I64], &[]),
            (&[], &[ValType::I32]),
            (&[ValType::I32], &[]),
        ];
        for (parameters, results) in signatures {
            types
                .ty()
                .function(parameters.iter().copied(), results.iter().copied());
        }
        types.ty().function([], []);
        let mut imports = ImportSection::new();
        imports.import("env", "getchar", EntityType::Function(first + 4));
        imports.import("env", "putchar", EntityType::Function(first + 5));

        let routines = HOST + functions.len();
        for (at, routine) in [read(32), read(64), write(32), write(64)]
            .iter()
            .enumerate()
        {
            functions.function(first + at as u32);
            code.function(routine);
        }
        functions.function(first + 6);
        code.function(&self.entry(cases, routines));
        let entry = routines + 4;
        let start = match self.starts.as_slice() {
            [] => None,
            [start] => Some(*start),
            starts => {
                functions.function(first + 6);
                let mut function = Function::new([]);
                starts.iter().for_each(|&start| {
                    function.instructions().call(start);
                });
                function.instructions().end();
                code.function(&function);
                Some(entry + 1)
            }
        };
        let mut exports = ExportSection::new();
        exports.export(ENTRY, ExportKind::Func, entry);
        if !self.memories.is_empty() {
            exports.export("memory", ExportKind::Memory, 0);
        }

        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions);
        module.section(&self.tables).section(&self.memories);
        module.section(&self.globals).section(&exports);
        if let Some(function_index) = start {
            module.section(&StartSection { function_index });
        }
        module.section(&self.elements);
        if self.counts_data {
            let count = self.data.len();
            module.section(&DataCountSection { count });
        }
        module.section(&code).section(&self.data);
        module.finish()
    }

    /// A loop over the calls of the input, with a block for each case inside.
    fn entry(&self, cases: &[Case], routines: u32) -> Function {
        const CHOICE: u32 = 0;
        let mut locals = vec![ValType::I32];
        let mut firsts = vec![];
        for case in cases {
            firsts.push(locals.len() as u32);
            let signature = self.signature(case).unwrap_or_default();
            if signature.results.len() > 1 {
                locals.extend(signature.results.iter().map(|&ty| number(ty)));
            }
        }
        let mut function = Function::new_with_locals_types(locals);
        let mut code = function.instructions();
        code.loop_(BlockType::Empty).block(BlockType::Empty);
        let count = cases.len() as u32;
        cases.iter().for_each(|_| {
            code.block(BlockType::Empty);
        });
        code.call(0).local_tee(CHOICE).i32_const(-1).i32_eq();
        code.br_if(count);
        code.local_get(CHOICE)
            .call(0)
            .i32_const(8)
            .i32_shl()
            .i32_or();
        code.br_table(0..count, count).end();
        for (at, (case, first)) in cases.iter().zip(firsts).enumerate() {
            self.case(&mut code, case, first, routines);
            code.i32_const(i32::from(DONE)).call(1);
            code.br(count - at as u32).end();
        }
        // The last `end` closed the block around the cases.
        code.end().end();
        function
    }

    fn case(&self, code: &mut InstructionSink<'_>, case: &Case, first: u32, routines: u32) {
        let signature = self.signature(case).unwrap_or_default();
        for ty in signature.parameters {
            match number(ty) {
                ValType::I64 => code.call(routines + READ_64),
                ValType::F32 => code.call(routines + READ_32).f32_reinterpret_i32(),
                ValType::F64 => code.call(routines + READ_64).f64_reinterpret_i64(),
                _ => code.call(routines + READ_32),
            };
        }
        match case {
            Case::Export(instance, name) => {
                match self.exports.get(&(*instance, name.clone())) {
                    Some(&(ExternalKind::Global, index)) => code.global_get(index),
                    Some(&(_, index)) => code.call(index),
                    None => code.unreachable(),
                };
            }
            Case::Peek => {
                code.i32_load(wasm_encoder::MemArg {
                    offset: 0,
                    align: 0,
                    target: wasm_encoder::MemArgTarget::Memory(0),
                    ordering: None,
                });
            }
        }
        if let [ty] = signature.results[..] {
            write_number(code, number(ty), routines);
            return;
        }
        let locals = first..first + signature.results.len() as u32;
        for local in locals.clone().rev() {
            code.local_set(local);
        }
        for (local, &ty) in locals.zip(&signature.results) {
            code.local_get(local);
            write_number(code, number(ty), routines);
        }
    }
}

/// `number -- `, outputs the number's bytes.
fn write_number(code: &mut InstructionSink<'_>, ty: ValType, routines: u32) {
    match ty {
        ValType::I64 => code.call(routines + WRITE_64),
        ValType::F32 => code.i32_reinterpret_f32().call(routines + WRITE_32),
        ValType::F64 => code.i64_reinterpret_f64().call(routines + WRITE_64),
        _ => code.call(routines + WRITE_32),
    };
}

/// ` -- number`, read from the input, the lowest byte first.
fn read(bits: i32) -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    for shift in (0..bits).step_by(8) {
        code.call(0);
        if bits == 64 {
            code.i64_extend_i32_u();
        }
        match (shift, bits) {
            (0, _) => continue,
            (_, 64) => code.i64_const(shift.into()).i64_shl().i64_or(),
            _ => code.i32_const(shift).i32_shl().i32_or(),
        };
    }
    code.end();
    function
}

/// `number -- `, written to the output, the lowest byte first.
fn write(bits: i32) -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    for shift in (0..bits).step_by(8) {
        code.local_get(0);
        match (shift, bits) {
            (0, _) => &mut code,
            (_, 64) => code.i64_const(shift.into()).i64_shr_u(),
            _ => code.i32_const(shift).i32_shr_u(),
        };
        if bits == 64 {
            code.i32_wrap_i64();
        }
        code.call(1);
    }
    code.end();
    function
}

/// The number of bytes of a number.
pub(crate) fn width(ty: wasmparser::ValType) -> usize {
    match ty {
        wasmparser::ValType::I64 | wasmparser::ValType::F64 => 8,
        _ => 4,
    }
}

/// Appends a call to an input.
pub(crate) fn encode(input: &mut Vec<u8>, case: usize, arguments: &[Value]) {
    let case = u16::try_from(case).expect("a driver has fewer than 2^16 cases");
    input.extend(case.to_le_bytes());
    for argument in arguments {
        input.extend(&argument.bits.to_le_bytes()[..width(argument.ty)]);
    }
}

/// Removes the results of a call from the front of an output; `None` if the call did not return.
pub(crate) fn decode(output: &mut &[u8], results: &[wasmparser::ValType]) -> Option<Vec<u64>> {
    let mut rest = *output;
    let mut values = vec![];
    for &ty in results {
        let (bytes, after) = rest.split_at_checked(width(ty))?;
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        values.push(u64::from_le_bytes(word));
        rest = after;
    }
    *output = rest.strip_prefix(&[DONE])?;
    Some(values)
}
