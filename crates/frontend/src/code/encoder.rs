//! Encoding of functions as instructions with addresses: fixups resolve labels, and thunks make
//! calls from large frames.

use std::collections::HashMap;

use weightware_isa::{Instruction, Op};

use super::inst::{Code, InstKind};
use super::label::{Label, LabelMap, Origin};
use crate::error::Error;

/// The greatest number of instructions that addresses of three bytes reach, `}` included.
const CODE_LIMIT: usize = (1 << 24) - 1;

/// Words by which one call can raise the frame base.
const LARGEST_STEP: u32 = 255;

/// An encoder: the program so far.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    code: Vec<Instruction>,
    origins: Vec<Origin>,
    addresses: LabelMap<usize>,
    /// Labels of code that is elsewhere, and its numbers.
    absolute: LabelMap<u32>,
    /// Instructions whose low three bytes are an address.
    fixups: Vec<(usize, Target)>,
    /// The address of each thunk, by the function that it calls and the number of words by which it
    /// raises the frame base first.
    thunks: HashMap<(Label, u32), usize>,
}

#[derive(Debug, Clone, Copy)]
enum Target {
    Label(Label),
    Address(usize),
}

impl Encoder {
    /// Appends a function.
    pub(crate) fn function(&mut self, label: Label, code: &Code) -> Result<(), Error> {
        self.bind(label);
        self.body(code);
        check_size(self.code.len())
    }

    /// Appends the entry code, moves it to the front, binds `end` to the end of the program, and
    /// resolves all addresses. `before` instructions will precede the entry code.
    pub(crate) fn finish(
        mut self,
        entry: &Code,
        end: Label,
        before: usize,
    ) -> Result<(Vec<Instruction>, Vec<Origin>), Error> {
        let first = self.code.len();
        self.body(entry);
        self.bind(end);
        let count = self.code.len();
        check_size(count + before)?;
        let moved = |address: usize| match address {
            end if end == count => before + count,
            entry if entry >= first => before + entry - first,
            function => before + function + (count - first),
        };
        self.resolve(moved);
        self.code.rotate_left(first);
        self.origins.rotate_left(first);
        Ok((self.code, self.origins))
    }

    /// Binds a label to the number of an instruction elsewhere.
    pub(crate) fn bind_absolute(&mut self, label: Label, number: u32) {
        self.absolute.insert(label, number);
    }

    /// The number of the instruction at a label, if the code begins with a number.
    ///
    /// # Panics
    /// If the label is not bound.
    pub(crate) fn address(&self, label: Label, first: u32) -> u32 {
        let place = self.addresses.get(&label);
        first + *place.expect("the label of a function is bound") as u32
    }

    /// Resolves all addresses of code without an entry, which begins with a number.
    pub(crate) fn finish_at(mut self, first: u32) -> Result<Vec<Instruction>, Error> {
        check_size(self.code.len() + first as usize)?;
        self.resolve(|address| first as usize + address);
        Ok(self.code)
    }

    /// Resolves all addresses; `moved` is where the code at an address will be.
    fn resolve(&mut self, moved: impl Fn(usize) -> usize) {
        for &(index, target) in &self.fixups {
            let of_label = |label: &Label| self.addresses.get(label).copied();
            let number = match target {
                Target::Label(label) => match self.absolute.get(&label) {
                    Some(&number) => number as usize,
                    None => moved(of_label(&label).expect("every used label is bound")),
                },
                Target::Address(address) => moved(address),
            };
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let [b0, b1, b2, _] = number.to_le_bytes();
            let immediate = &mut self.code[index].immediate;
            *immediate = [b0, b1, b2, immediate[3]];
        }
        for at in 0..self.code.len() {
            if self.code[at].op == Op::Resume {
                let next = u32::try_from(moved(at) + 1).unwrap_or(u32::MAX);
                self.code[at] = Instruction::new(Op::Resume, next);
            }
        }
    }

    fn bind(&mut self, label: Label) {
        self.addresses.insert(label, self.code.len());
    }

    fn push(&mut self, instruction: Instruction, origin: Origin) {
        self.code.push(instruction);
        self.origins.push(origin);
    }

    /// Appends an instruction whose low three bytes will be an address.
    fn push_address(&mut self, instruction: Instruction, target: Target, origin: Origin) {
        self.fixups.push((self.code.len(), target));
        self.push(instruction, origin);
    }

    fn push_call(&mut self, target: Target, frame: u32, origin: Origin) {
        let frame = u8::try_from(frame).unwrap_or(u8::MAX);
        self.push_address(Instruction::with_byte(Op::Call, 0, frame), target, origin);
        self.push(Instruction::new(Op::Resume, 0), origin);
    }

    /// Appends the instructions of a function, then the thunks that its calls need.
    fn body(&mut self, code: &Code) {
        let words = code.words.max(1);
        // Fixups of calls that must go through thunks.
        let mut far_calls = Vec::new();
        let mut last = Origin::default();
        for inst in &code.insts {
            let origin = inst.origin;
            last = origin;
            match &inst.kind {
                InstKind::Op(instruction) => self.push(*instruction, origin),
                InstKind::Wide(value) => {
                    let [low, high] = [*value as u32, (*value >> 32) as u32];
                    self.push(Instruction::new(Op::I64Const, low), origin);
                    self.push(Instruction::new(Op::I64ConstHigh, high), origin);
                }
                InstKind::Jump(op, label) => {
                    let target = Target::Label(*label);
                    self.push_address(Instruction::new(*op, 0), target, origin);
                }
                InstKind::Call(callee) => {
                    if words > LARGEST_STEP {
                        far_calls.push((self.fixups.len(), callee.label));
                    }
                    self.push_call(Target::Label(callee.label), words, origin);
                }
                InstKind::LabelIndex(label) => {
                    let constant = Instruction::new(Op::I32Const, 0);
                    self.push_address(constant, Target::Label(*label), origin);
                }
                InstKind::Table { row, targets } => {
                    self.push(Instruction::new(Op::BrStack, 0), origin);
                    self.bind(*row);
                    for &label in targets {
                        let target = Target::Label(label);
                        self.push_address(Instruction::new(Op::Br, 0), target, origin);
                    }
                }
                InstKind::Bind(label) => self.bind(*label),
            }
        }
        for (fixup, callee) in far_calls {
            self.fixups[fixup].1 = self.thunk(callee, words - LARGEST_STEP, last);
        }
    }

    /// Code that calls a function after raising the frame base by `words`: a chain of thunks, each
    /// of which raises it by one step.
    fn thunk(&mut self, callee: Label, words: u32, origin: Origin) -> Target {
        let mut target = Target::Label(callee);
        let mut steps = Vec::new();
        let mut left = words;
        loop {
            if let Some(&thunk) = self.thunks.get(&(callee, left)) {
                target = Target::Address(thunk);
                break;
            }
            steps.push(left);
            match left.checked_sub(LARGEST_STEP) {
                Some(rest) if rest > 0 => left = rest,
                _ => break,
            }
        }
        for left in steps.into_iter().rev() {
            let address = self.code.len();
            self.push_call(target, left.min(LARGEST_STEP), origin);
            self.push(Instruction::new(Op::Return, 0), origin);
            self.thunks.insert((callee, left), address);
            target = Target::Address(address);
        }
        target
    }
}

/// Checks that addresses reach this many instructions.
///
/// # Errors
/// If they do not.
pub(super) fn check_size(instructions: usize) -> Result<(), Error> {
    if instructions <= CODE_LIMIT {
        return Ok(());
    }
    Err(
        Error::too_large("the program has more than 2^24 instructions")
            .remedy("leave out code that is not needed"),
    )
}
