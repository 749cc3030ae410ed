//! Static validation of programs.

use crate::error::{Error, Kind};
use crate::{Immediate, Instruction, LIBRARY_AT, Op, Program, Turns};

impl Program {
    /// The number of `section` instructions before all others.
    #[must_use]
    pub fn leading_sections(&self) -> usize {
        self.code
            .iter()
            .take_while(|instruction| instruction.op == Op::Section)
            .count()
    }

    /// Checks the properties that do not depend on a run:
    ///
    /// - one data section for each leading `section`, and no other `section`; no data section in
    ///   the prompt of a later context;
    /// - targets that lie within the program and can be executed;
    /// - after every call, and only there, a `resume` that holds the index after itself;
    /// - after every `i64.const`, and only there, its high word;
    /// - a handler, if there is one, that is such a target, too; then the first data section has at
    ///   least [`Turns::FIRST_SECTION`] bytes;
    /// - frame sizes of at least 1;
    /// - a fourth byte of zero where only three are read.
    ///
    /// A valid program may still run into a [`Fault`](crate::Fault), such as a missing operand.
    ///
    /// # Errors
    /// The first instruction that is wrong.
    pub fn validate(&self) -> Result<(), Error> {
        let has_library = self
            .resident
            .as_ref()
            .is_some_and(|part| !part.library.is_empty());
        let most = if has_library {
            LIBRARY_AT as usize
        } else {
            1 << 24
        };
        if self.code.len() >= most {
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
        if let Some(Turns { handler, saved }) = &self.turns {
            self.check_target(*handler as usize).map_err(Error::new)?;
            // A later context's prompt has no data sections.
            if saved.is_some() && self.sections.is_empty() {
                return Ok(());
            }
        }
        let given = self.sections.len();
        if declared != given {
            return Err(Error::new(Kind::Sections { declared, given }));
        }
        let short = |first: &Vec<u8>| first.len() < Turns::FIRST_SECTION;
        if self.turns.is_some() && self.sections.first().is_some_and(short) {
            return Err(Error::new(Kind::ShortSection));
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
        let before = index.checked_sub(1).map(|before| self.code[before].op);
        let next = self.code.get(index + 1).map(|next| next.op);
        match instruction.op {
            Op::Resume if before != Some(Op::Call) => return Err(Kind::NoCall),
            Op::Resume if instruction.low() as usize != index + 1 => {
                return Err(Kind::ResumeIndex { wanted: index + 1 });
            }
            Op::Call if next != Some(Op::Resume) => return Err(Kind::NoResume),
            Op::I64ConstHigh if before != Some(Op::I64Const) => return Err(Kind::NoLowWord),
            Op::I64Const if next != Some(Op::I64ConstHigh) => return Err(Kind::NoHighWord),
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
            None if target > length => {
                let library = self.resident.as_ref();
                match library.and_then(|part| part.library_instruction(target)) {
                    Some(_) => Ok(()),
                    None => Err(Kind::Target { target, length }),
                }
            }
            Some(Instruction {
                op: op @ (Op::Resume | Op::I64ConstHigh | Op::Section),
                ..
            }) => Err(Kind::TargetOp { target, op: *op }),
            _ => Ok(()),
        }
    }
}
