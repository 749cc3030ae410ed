//! Instructions with labels, and the small rewritings of neighbours.

use std::collections::HashMap;

use weightware_isa::{Instruction, Op};

use crate::error::Error;

/// Most instructions that addresses of three bytes reach, `}` included.
const CODE_LIMIT: usize = (1 << 24) - 1;

/// A place in the code that is bound once and may be used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Label(u32);

/// Where an instruction comes from: an index of a function and a byte offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Origin {
    pub(crate) function: u32,
    pub(crate) offset: u32,
}

/// The code so far.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    code: Vec<Instruction>,
    origins: Vec<Origin>,
    /// The origin of the instructions that come next.
    pub(crate) here: Origin,
    labels: Vec<LabelState>,
    /// Instructions whose low three bytes are a label's address.
    uses: Vec<(usize, Label)>,
    /// Instructions before this index are not rewritten: something jumps behind them.
    barrier: usize,
    /// Calls whose frame size is not yet known.
    calls: Vec<(usize, Label)>,
    /// Labels of the thunks that call a function with so many words more.
    thunks: HashMap<(Label, u32), Label>,
}

#[derive(Debug, Clone, Copy, Default)]
struct LabelState {
    address: Option<usize>,
    used: bool,
}

impl Assembler {
    pub(crate) fn len(&self) -> usize {
        self.code.len()
    }

    pub(crate) fn label(&mut self) -> Label {
        let index =
            u32::try_from(self.labels.len()).expect("labels are fewer than bytes of a module");
        self.labels.push(LabelState::default());
        Label(index)
    }

    /// A label at the next instruction, to which later instructions jump back.
    pub(crate) fn bind_new(&mut self) -> Label {
        let label = self.label();
        self.labels[label.0 as usize].used = true;
        self.bind(label);
        label
    }

    pub(crate) fn bind(&mut self, label: Label) {
        let state = &mut self.labels[label.0 as usize];
        state.address = Some(self.code.len());
        if state.used {
            self.barrier = self.code.len();
        }
    }

    pub(crate) fn is_used(&self, label: Label) -> bool {
        self.labels[label.0 as usize].used
    }

    fn push(&mut self, instruction: Instruction) {
        self.code.push(instruction);
        self.origins.push(self.here);
    }

    fn pop(&mut self) {
        self.code.pop();
        self.origins.pop();
    }

    /// The last instruction, if it may be rewritten.
    fn last(&self) -> Option<Instruction> {
        self.nth_last(0)
    }

    fn nth_last(&self, back: usize) -> Option<Instruction> {
        let index = self.code.len().checked_sub(back + 1)?;
        (index >= self.barrier).then(|| self.code[index])
    }

    fn replace_last(&mut self, op: Op) {
        if let Some(last) = self.code.last_mut() {
            last.op = op;
        }
    }

    /// Takes the instruction back that pushed a constant, if the last one did.
    pub(crate) fn take_constant(&mut self) -> Option<u32> {
        let last = self.last().filter(|last| last.op == Op::I32Const)?;
        self.pop();
        Some(last.immediate())
    }

    pub(crate) fn constant(&mut self, value: u32) {
        self.push(Instruction::new(Op::I32Const, value));
    }

    pub(crate) fn op(&mut self, op: Op) {
        self.emit(op, 0);
    }

    /// Appends an instruction, or changes the ones before it to the same effect.
    pub(crate) fn emit(&mut self, op: Op, immediate: u32) {
        let Some(last) = self.last() else {
            return self.push(Instruction::new(op, immediate));
        };
        let same = last.immediate() == immediate;
        match (op, last.op) {
            (Op::LocalGet, Op::LocalSet) if same => self.replace_last(Op::LocalTee),
            // Compilers write a sign extension like this where WebAssembly has no instruction for it.
            (Op::I32ShrS, Op::I32Const) if self.shifted_left(last.immediate()) => {
                let op = if last.immediate() == 24 {
                    Op::I32Extend8S
                } else {
                    Op::I32Extend16S
                };
                (0..3).for_each(|_| self.pop());
                self.op(op);
            }
            (Op::Drop, Op::LocalTee) => self.replace_last(Op::LocalSet),
            (Op::Drop, Op::LocalGet | Op::GlobalGet | Op::I32Const) => self.pop(),
            (Op::I32Eqz, before) if inverse(before).is_some() => {
                self.replace_last(inverse(before).unwrap_or(before));
            }
            (Op::I32Eq, Op::I32Const) if last.immediate() == 0 => {
                self.pop();
                self.op(Op::I32Eqz);
            }
            _ => self.push(Instruction::new(op, immediate)),
        }
    }

    /// Whether a shift to the left by 16 or 24, the same count as that of the last constant, comes before that.
    fn shifted_left(&self, count: u32) -> bool {
        matches!(count, 16 | 24)
            && self
                .nth_last(1)
                .is_some_and(|before| before.op == Op::I32Shl)
            && self.nth_last(2) == Some(Instruction::new(Op::I32Const, count))
    }

    /// Appends an instruction whose fourth immediate byte has a meaning of its own.
    pub(crate) fn emit_byte(&mut self, op: Op, low: u32, byte: u8) {
        self.push(Instruction::with_byte(op, low, byte));
    }

    /// Appends a jump to a label.
    pub(crate) fn branch(&mut self, mut op: Op, label: Label) {
        if matches!(op, Op::BrIf | Op::BrUnless) {
            let inverted = if op == Op::BrIf {
                Op::BrUnless
            } else {
                Op::BrIf
            };
            let zero = Some(Instruction::new(Op::I32Const, 0));
            if self.last().is_some_and(|last| last.op == Op::I32Eqz) {
                self.pop();
                op = inverted;
            } else if self.last().is_some_and(|last| last.op == Op::I32Ne)
                && self.nth_last(1) == zero
            {
                self.pop();
                self.pop();
            }
        }
        self.use_label(label);
        self.push(Instruction::new(op, 0));
    }

    fn use_label(&mut self, label: Label) {
        self.labels[label.0 as usize].used = true;
        self.uses.push((self.code.len(), label));
    }

    /// Appends a call with the frame that [`Assembler::close_frame`] will give it.
    pub(crate) fn call(&mut self, label: Label) {
        self.calls.push((self.code.len(), label));
        self.call_with(label, 1);
    }

    fn call_with(&mut self, label: Label, frame: u8) {
        self.use_label(label);
        self.emit_byte(Op::Call, 0, frame);
        self.push(Instruction::new(Op::Resume, 0));
        self.barrier = self.code.len();
    }

    /// Sets the frame size of all calls since the last time, at the end of a function. A frame beyond 255 words is
    /// left in steps, through thunks behind the function.
    pub(crate) fn close_frame(&mut self, words: u32) {
        let words = words.max(1);
        for (index, label) in std::mem::take(&mut self.calls) {
            let (byte, target) = match u8::try_from(words) {
                Ok(byte) => (byte, label),
                Err(_) => (255, self.thunk(label, words - 255)),
            };
            self.code[index].immediate[3] = byte;
            if target != label {
                let found = self.uses.binary_search_by_key(&index, |&(at, _)| at);
                self.uses[found.expect("a call uses a label")].1 = target;
            }
        }
    }

    /// A label of code that calls a function with so many words between its own frame and the callee's.
    fn thunk(&mut self, label: Label, words: u32) -> Label {
        let mut steps = Vec::new();
        let mut left = words;
        let mut known = None;
        loop {
            if let Some(&thunk) = self.thunks.get(&(label, left)) {
                known = Some(thunk);
                break;
            }
            steps.push(left);
            match left.checked_sub(255) {
                Some(rest) if rest > 0 => left = rest,
                _ => break,
            }
        }
        let mut target = known.unwrap_or(label);
        for left in steps.into_iter().rev() {
            let thunk = self.bind_new();
            self.call_with(target, u8::try_from(left).unwrap_or(255));
            self.push(Instruction::new(Op::Return, 0));
            self.thunks.insert((label, left), thunk);
            target = thunk;
        }
        target
    }

    /// Sets a constant after the fact.
    pub(crate) fn patch_constant(&mut self, index: usize, value: u32) {
        self.code[index] = Instruction::new(Op::I32Const, value);
    }

    pub(crate) fn check_size(&self) -> Result<(), Error> {
        if self.code.len() <= CODE_LIMIT {
            Ok(())
        } else {
            Err(too_large())
        }
    }

    /// The code, the part from `first` on before all else, and the origins. Addresses are those of a program in which
    /// so many other instructions stand before it.
    pub(crate) fn finish(
        mut self,
        first: usize,
        before: usize,
    ) -> Result<(Vec<Instruction>, Vec<Origin>), Error> {
        let count = self.code.len();
        if count + before > CODE_LIMIT {
            return Err(too_large());
        }
        let moved = |address: usize| match address {
            end if end == count => before + count,
            early if early >= first => before + early - first,
            late => before + late + (count - first),
        };
        for &(index, label) in &self.uses {
            let address = self.labels[label.0 as usize]
                .address
                .expect("every used label is bound");
            let [b0, b1, b2, _] = u32::try_from(moved(address))
                .unwrap_or(u32::MAX)
                .to_le_bytes();
            let immediate = &mut self.code[index].immediate;
            *immediate = [b0, b1, b2, immediate[3]];
        }
        self.code.rotate_left(first);
        self.origins.rotate_left(first);
        for (instruction, next) in self.code.iter_mut().zip(before as u32 + 1..) {
            if instruction.op == Op::Resume {
                *instruction = Instruction::new(Op::Resume, next);
            }
        }
        Ok((self.code, self.origins))
    }
}

/// The comparison that is true where the other is false.
fn inverse(op: Op) -> Option<Op> {
    Some(match op {
        Op::I32Eq => Op::I32Ne,
        Op::I32Ne => Op::I32Eq,
        Op::I32LtS => Op::I32GeS,
        Op::I32GeS => Op::I32LtS,
        Op::I32GtS => Op::I32LeS,
        Op::I32LeS => Op::I32GtS,
        Op::I32LtU => Op::I32GeU,
        Op::I32GeU => Op::I32LtU,
        Op::I32GtU => Op::I32LeU,
        Op::I32LeU => Op::I32GtU,
        _ => return None,
    })
}

fn too_large() -> Error {
    Error::too_large("the program has more than 2^24 instructions")
        .remedy("leave out code that is not needed")
}
