//! What a program must satisfy beyond being made of instructions.

use crate::error::{Error, Kind};
use crate::{Immediate, Instruction, Op, Program};

impl Program {
    /// How many `section` instructions stand first.
    #[must_use]
    pub fn leading_sections(&self) -> usize {
        self.code
            .iter()
            .take_while(|instruction| instruction.op == Op::Section)
            .count()
    }

    /// Checks what can be checked without running the program: one data section for each leading `section`, no other
    /// `section`; targets within the program that can be executed; behind every call, and only there, a `resume` that
    /// holds the index behind itself; frame sizes of at least 1; no fourth byte where three are read.
    ///
    /// A valid program may still run into a [`Fault`](crate::Fault), such as a missing operand.
    ///
    /// # Errors
    /// The first instruction that is wrong.
    pub fn validate(&self) -> Result<(), Error> {
        if self.code.len() >= 1 << 24 {
            return Err(Error::new(Kind::TooLong));
        }
        let declared = self.leading_sections();
        for (index, &instruction) in self.code.iter().enumerate() {
            let checked = if instruction.op == Op::Section && index >= declared {
                Err(Kind::LateSection)
            } else {
                self.check(index, instruction)
            };
            checked.map_err(|kind| {
                Error::new(kind)
                    .at_instruction(index)
                    .at_token(instruction.op.spec().name)
            })?;
        }
        let given = self.sections.len();
        if declared != given {
            return Err(Error::new(Kind::Sections { declared, given }));
        }
        Ok(())
    }

    fn check(&self, index: usize, instruction: Instruction) -> Result<(), Kind> {
        let fourth = instruction.immediate[3];
        match instruction.op.immediate_kind() {
            Immediate::Index | Immediate::Target if fourth != 0 => return Err(Kind::FourthByte),
            Immediate::Call if fourth == 0 => return Err(Kind::NoFrame),
            _ => {}
        }
        match instruction.op {
            Op::Resume => {
                if index == 0 || self.code[index - 1].op != Op::Call {
                    return Err(Kind::NoCall);
                }
                let wanted = index + 1;
                if instruction.low() as usize != wanted {
                    return Err(Kind::ResumeIndex { wanted });
                }
            }
            Op::Call
                if self
                    .code
                    .get(index + 1)
                    .is_none_or(|next| next.op != Op::Resume) =>
            {
                return Err(Kind::NoResume);
            }
            _ => {}
        }
        match instruction.op.immediate_kind() {
            Immediate::Target | Immediate::Call => self.check_target(instruction.low() as usize),
            _ => Ok(()),
        }
    }

    fn check_target(&self, target: usize) -> Result<(), Kind> {
        let length = self.code.len();
        match self.code.get(target) {
            None if target > length => Err(Kind::Target { target, length }),
            Some(Instruction {
                op: op @ (Op::Resume | Op::Section),
                ..
            }) => Err(Kind::TargetOp { target, op: *op }),
            _ => Ok(()),
        }
    }
}
