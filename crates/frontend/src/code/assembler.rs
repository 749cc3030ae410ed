//! Instructions with labels, and calls with frames.

use std::collections::HashMap;

use weightware_isa::{Instruction, Op};

use super::inst::{Code, Inst, InstKind};
use super::label::{Label, Origin};
use crate::error::Error;
use crate::width::Bits;

/// Most instructions that addresses of three bytes reach, `}` included.
const CODE_LIMIT: usize = (1 << 24) - 1;

/// The code so far.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    code: Vec<Instruction>,
    origins: Vec<Origin>,
    /// The origin of the instructions that come next.
    pub(crate) here: Origin,
    labels: Vec<LabelState>,
    /// Labels that are used, where they are bound.
    bound: Vec<(usize, Label)>,
    /// Instructions whose low three bytes are a label's address.
    uses: Vec<(usize, Label)>,
    /// Instructions before this index are not rewritten: something jumps behind them.
    barrier: usize,
    /// Calls whose frame size is not yet known.
    calls: Vec<(usize, Label)>,
    /// Instructions that were taken away.
    taken: usize,
    /// Whether instructions are rewritten as they come.
    rewrites: bool,
    /// Labels of the thunks that call a function with so many words more.
    thunks: HashMap<(Label, u32), Label>,
}

#[derive(Debug, Clone, Copy, Default)]
struct LabelState {
    address: Option<usize>,
    used: bool,
    /// Of functions: values that a call pops from the stack and pushes there.
    effect: (usize, usize),
}

impl Assembler {
    /// No code yet; `rewrites`: whether instructions are rewritten as they come.
    pub(crate) fn new(rewrites: bool) -> Self {
        Self {
            rewrites,
            ..Self::default()
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.code.len()
    }

    /// The label of a function whose call pops and pushes so many values.
    pub(crate) fn function_label(&mut self, pops: usize, pushes: usize) -> Label {
        let label = self.label();
        self.labels[label.0 as usize].effect = (pops, pushes);
        label
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
            self.bound.push((self.code.len(), label));
        }
    }

    pub(crate) fn is_used(&self, label: Label) -> bool {
        self.labels[label.0 as usize].used
    }

    pub(crate) fn push(&mut self, instruction: Instruction) {
        self.code.push(instruction);
        self.origins.push(self.here);
    }

    /// Takes the last instructions back.
    pub(crate) fn pop(&mut self, count: usize) {
        let left = self.code.len() - count;
        self.code.truncate(left);
        self.origins.truncate(left);
    }

    /// The last instruction, or one before it, if it may be rewritten.
    pub(crate) fn nth_last(&self, back: usize) -> Option<Instruction> {
        let index = self.code.len().checked_sub(back + 1)?;
        (self.rewrites && index >= self.barrier).then(|| self.code[index])
    }

    pub(crate) fn replace_last(&mut self, op: Op) {
        if let Some(last) = self.code.last_mut() {
            last.op = op;
        }
    }

    /// Appends an instruction whose fourth immediate byte has a meaning of its own.
    pub(crate) fn emit_byte(&mut self, op: Op, low: u32, byte: u8) {
        self.push(Instruction::with_byte(op, low, byte));
    }

    /// Appends a jump to a label.
    pub(crate) fn branch(&mut self, op: Op, label: Label) {
        let op = self.condition(op);
        self.use_label(label);
        self.push(Instruction::new(op, 0));
    }

    /// Pushes the index of a label's instruction, to which something may jump.
    pub(crate) fn constant_label(&mut self, label: Label) {
        self.use_label(label);
        self.push(Instruction::new(Op::I32Const, 0));
        // Its value is not that which it has so far.
        self.barrier = self.code.len();
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

    /// Takes all code back, that of one function without its label, as insts.
    pub(crate) fn take(&mut self, arguments: usize, words: u32) -> Code {
        let code = std::mem::take(&mut self.code);
        let origins = std::mem::take(&mut self.origins);
        let uses: HashMap<usize, Label> = std::mem::take(&mut self.uses).into_iter().collect();
        let bound = std::mem::take(&mut self.bound);
        self.calls.clear();
        self.barrier = 0;
        self.taken += code.len();
        for &(_, label) in &bound {
            let state = &mut self.labels[label.0 as usize];
            (state.address, state.used) = (None, false);
        }
        let mut insts = Vec::with_capacity(code.len());
        let mut bound = bound.into_iter().peekable();
        let mut index = 0;
        while let Some(&instruction) = code.get(index) {
            let origin = origins[index];
            while let Some((_, label)) = bound.next_if(|&(at, _)| at == index) {
                insts.push(Inst {
                    kind: InstKind::Bind(label),
                    origin,
                });
            }
            let mut length = 1;
            let kind = match (instruction.op, uses.get(&index)) {
                (Op::Call, Some(&callee)) => {
                    length = 2;
                    let (pops, pushes) = self.labels[callee.0 as usize].effect;
                    InstKind::Call {
                        callee,
                        pops,
                        pushes,
                    }
                }
                (Op::I32Const, Some(&label)) => InstKind::Row(label),
                (Op::BrStack, _) => {
                    let row = bound.next_if(|&(at, _)| at == index + 1);
                    let (_, row) = row.expect("a row of branches has a label");
                    let mut targets = Vec::new();
                    while bound.peek().is_none_or(|&(at, _)| at > index + length)
                        && code
                            .get(index + length)
                            .is_some_and(|next| next.op == Op::Br)
                    {
                        targets.extend(uses.get(&(index + length)));
                        length += 1;
                    }
                    InstKind::Table { row, targets }
                }
                (op, Some(&label)) => InstKind::Jump(op, label),
                (Op::I64Const, None) => {
                    length = 2;
                    let [low, high] = [instruction, code[index + 1]].map(Instruction::immediate);
                    InstKind::Wide(u64::from(high) << 32 | u64::from(low))
                }
                (_, None) => InstKind::Op(instruction),
            };
            insts.push(Inst { kind, origin });
            index += length;
        }
        let origin = self.here;
        insts.extend(bound.map(|(_, label)| Inst {
            kind: InstKind::Bind(label),
            origin,
        }));
        Code {
            insts,
            arguments,
            words,
        }
    }

    /// Appends a function whose label is bound.
    pub(crate) fn put(&mut self, code: &Code) {
        self.taken = 0;
        for inst in &code.insts {
            self.here = inst.origin;
            match &inst.kind {
                InstKind::Op(instruction) => self.push(*instruction),
                InstKind::Wide(value) => self.bits(Bits::Double(*value)),
                InstKind::Jump(op, label) => {
                    self.use_label(*label);
                    self.push(Instruction::new(*op, 0));
                }
                InstKind::Call { callee, .. } => self.call(*callee),
                InstKind::Row(label) => self.constant_label(*label),
                InstKind::Table { row, targets } => {
                    self.push(Instruction::new(Op::BrStack, 0));
                    self.bind(*row);
                    for &label in targets {
                        self.use_label(label);
                        self.push(Instruction::new(Op::Br, 0));
                    }
                }
                InstKind::Bind(label) => {
                    self.labels[label.0 as usize].used = true;
                    self.bind(*label);
                }
            }
        }
        self.close_frame(code.words);
    }

    pub(crate) fn check_size(&self) -> Result<(), Error> {
        if self.code.len() + self.taken <= CODE_LIMIT {
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

fn too_large() -> Error {
    Error::too_large("the program has more than 2^24 instructions")
        .remedy("leave out code that is not needed")
}
