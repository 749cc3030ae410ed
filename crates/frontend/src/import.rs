//! Calls of imported functions: what the machine does for a program.

use wasmparser::{FuncType, ValType};
use weightware_isa::{Op, Trap};

use crate::error::{Error, printable};
use crate::function::Function;
use crate::linker::Unit;

impl Function<'_, '_> {
    /// Lowers the call of an imported function.
    pub(crate) fn call_import(&mut self, index: u32) -> Result<(), Error> {
        let import = &self.module.imports[index as usize];
        let ty = self.module.type_of(index);
        if self.unit == Unit::Software {
            let mut traps = Trap::ALL.into_iter();
            let trap = traps.find(|trap| trap.name() == import.name);
            self.linker.asm.op(trap.map_or(Op::Unreachable, Op::trap));
            self.stop();
            return Ok(());
        }
        match (import.module, import.name, ty.params(), ty.results()) {
            ("env", "putchar", [ValType::I32], []) => self.linker.asm.op(Op::Output),
            ("env", "putchar", [ValType::I32], [ValType::I32]) => {
                let word = self.scratch(0);
                let asm = &mut self.linker.asm;
                asm.emit(Op::LocalTee, word);
                asm.op(Op::Output);
                asm.emit(Op::LocalGet, word);
                asm.constant(0xff);
                asm.op(Op::I32And);
            }
            ("env", "getchar", [], [ValType::I32]) => self.linker.call_getchar(),
            (module, name, ..) => return Err(refusal(module, name, ty)),
        }
        Ok(())
    }
}

fn refusal(module: &str, name: &str, ty: &FuncType) -> Error {
    let list = |types: &[ValType]| {
        let names: Vec<String> = types.iter().map(ValType::to_string).collect();
        format!("({})", names.join(" "))
    };
    let path = printable(&format!("{module}.{name}"));
    let problem = format!(
        "the imported function `{path}` of type {} -> {} is not supported",
        list(ty.params()),
        list(ty.results())
    );
    Error::unsupported(problem).remedy(
        "a program may import env.putchar: (i32) -> () or (i32) -> (i32), and env.getchar: () -> (i32)",
    )
}
