//! Instrumentation that counts executed instructions: the module counts in an exported global.

use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, ExportKind, ExportSection, GlobalSection, GlobalType, Instruction,
    Module, SectionId, ValType,
};
use wasmparser::{Operator, Parser, Payload, TypeRef};

/// The name of the exported count.
pub(super) const COUNT: &str = "weightware.count";

/// Rewrites a module so that it counts its executed instructions. `block`, `loop`, `else` and `end`
/// do not count, and neither does unreachable code after a branch.
///
/// # Errors
/// If it cannot be read, or exports nothing.
pub(super) fn counting(wasm: &[u8]) -> Result<Vec<u8>, String> {
    let mut counting = Counting {
        global: globals(wasm)?,
        declared: false,
        exported: false,
    };
    let mut module = Module::new();
    let done = counting.parse_core_module(&mut module, Parser::new(0), wasm);
    done.map_err(|error| error.to_string())?;
    match counting.exported {
        true => Ok(module.finish()),
        false => Err("the module exports nothing".into()),
    }
}

/// The number of globals of a module, including imported ones.
fn globals(wasm: &[u8]) -> Result<u32, String> {
    let mut count = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(|error| error.to_string())? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let ty = import.map_err(|error| error.to_string())?.ty;
                    count += u32::from(matches!(ty, TypeRef::Global(_)));
                }
            }
            Payload::GlobalSection(section) => count += section.count(),
            _ => {}
        }
    }
    Ok(count)
}

struct Counting {
    /// The index of the global that counts.
    global: u32,
    declared: bool,
    exported: bool,
}

impl Counting {
    fn declare(&mut self, globals: &mut GlobalSection) {
        self.declared = true;
        let ty = GlobalType {
            val_type: ValType::I64,
            mutable: true,
            shared: false,
        };
        globals.global(ty, &ConstExpr::i64_const(0));
    }
}

impl Reencode for Counting {
    type Error = Infallible;

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Error<Infallible>> {
        let unreachable_after = [
            SectionId::Export,
            SectionId::Start,
            SectionId::Element,
            SectionId::DataCount,
            SectionId::Code,
            SectionId::Data,
        ];
        if !self.declared && before.is_some_and(|before| unreachable_after.contains(&before)) {
            let mut globals = GlobalSection::new();
            self.declare(&mut globals);
            module.section(&globals);
        }
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        wasm_encoder::reencode::utils::parse_global_section(self, globals, section)?;
        self.declare(globals);
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        wasm_encoder::reencode::utils::parse_export_section(self, exports, section)?;
        exports.export(COUNT, ExportKind::Global, self.global);
        self.exported = true;
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: wasmparser::FunctionBody<'_>,
    ) -> Result<(), Error<Infallible>> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            let structure = matches!(
                operator,
                Operator::Block { .. } | Operator::Loop { .. } | Operator::Else | Operator::End
            );
            if !structure {
                function
                    .instruction(&Instruction::GlobalGet(self.global))
                    .instruction(&Instruction::I64Const(1))
                    .instruction(&Instruction::I64Add)
                    .instruction(&Instruction::GlobalSet(self.global));
            }
            function.instruction(&self.instruction(operator)?);
        }
        code.function(&function);
        Ok(())
    }
}
