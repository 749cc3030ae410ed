//! A builder of the intermediate code, one function at a time: appends instructions, binds labels.
//!
//! With the pass `Peephole` it rewrites the last instructions as it appends (see `peephole`).

use weightware_isa::{Instruction, Op};

use super::encoder::check_size;
use super::inst::{Code, Inst, InstKind};
use super::label::{Callee, Label, LabelSet, Origin};
use crate::error::Error;
use crate::width::Bits;

/// The function that is being built.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    insts: Vec<Inst>,
    /// The origin of the instructions that are appended next.
    pub(crate) here: Origin,
    /// Labels of all functions so far.
    labels: u32,
    /// Labels of this function that are the target of an instruction.
    used: LabelSet,
    /// Instructions of all functions so far, as they will be encoded.
    size: usize,
    /// Whether the last instructions are rewritten.
    rewrites: bool,
}

impl Builder {
    /// An empty function; `rewrites`: whether to rewrite the last instructions while appending.
    pub(crate) fn new(rewrites: bool) -> Self {
        Self {
            rewrites,
            ..Self::default()
        }
    }

    /// A new label.
    pub(crate) fn label(&mut self) -> Label {
        self.labels = self.labels.checked_add(1).expect("fewer labels than bytes");
        Label(self.labels)
    }

    /// A new label bound to the next instruction, to which later instructions jump back.
    pub(crate) fn bind_new(&mut self) -> Label {
        let label = self.label();
        self.used.insert(label);
        self.bind(label);
        label
    }

    /// Binds a label to the next instruction. An unused label is dropped, since a bound label ends
    /// peephole patterns.
    pub(crate) fn bind(&mut self, label: Label) {
        if self.used.contains(&label) {
            self.append(InstKind::Bind(label));
        }
    }

    pub(crate) fn is_used(&self, label: Label) -> bool {
        self.used.contains(&label)
    }

    /// Appends an instruction as it is.
    pub(super) fn append(&mut self, kind: InstKind) {
        let origin = self.here;
        let inst = Inst { kind, origin };
        self.size += inst.encoded_size();
        self.insts.push(inst);
    }

    /// Removes the last instructions.
    pub(super) fn remove_last(&mut self, count: usize) {
        let removed = self.insts.drain(self.insts.len() - count..);
        self.size -= removed.map(|inst| inst.encoded_size()).sum::<usize>();
    }

    /// The last instruction (`back` = 0), or one before it, if the builder rewrites.
    pub(super) fn nth_last(&self, back: usize) -> Option<&Inst> {
        let index = self.insts.len().checked_sub(back + 1)?;
        self.rewrites.then(|| &self.insts[index])
    }

    /// Gives the last instruction another opcode.
    pub(super) fn replace_last(&mut self, op: Op) {
        if let Some(Inst {
            kind: InstKind::Op(last),
            ..
        }) = self.insts.last_mut()
        {
            last.op = op;
        }
    }

    pub(crate) fn constant(&mut self, value: u32) {
        self.append(InstKind::Op(Instruction::new(Op::I32Const, value)));
    }

    pub(crate) fn bits(&mut self, bits: Bits) {
        match bits {
            Bits::Word(value) => self.constant(value),
            Bits::Double(value) => self.append(InstKind::Wide(value)),
        }
    }

    /// Appends an instruction whose immediate is a number of three bytes and a separate byte.
    pub(crate) fn emit_byte(&mut self, op: Op, low: u32, byte: u8) {
        self.append(InstKind::Op(Instruction::with_byte(op, low, byte)));
    }

    /// Appends a jump to a label.
    pub(crate) fn branch(&mut self, op: Op, label: Label) {
        let op = self.simplify_condition(op);
        self.used.insert(label);
        self.append(InstKind::Jump(op, label));
    }

    /// Appends a call; the encoder adds the size of the caller's frame.
    pub(crate) fn call(&mut self, callee: Callee) {
        self.append(InstKind::Call(callee));
    }

    /// Pushes the index of the instruction that a label is bound to.
    pub(crate) fn label_index(&mut self, label: Label) {
        self.used.insert(label);
        self.append(InstKind::LabelIndex(label));
    }

    /// Appends a jump through a row of branches. The address of a branch is on the stack.
    pub(crate) fn jump_table(&mut self, row: Label, targets: Vec<Label>) {
        self.used.extend(targets.iter().copied());
        self.append(InstKind::Table { row, targets });
    }

    /// Checks that a program can have this many instructions.
    ///
    /// # Errors
    /// If it cannot.
    pub(crate) fn check_size(&self) -> Result<(), Error> {
        check_size(self.size)
    }

    /// Takes the finished function, which has `arguments` parameters and `words` words in its
    /// frame.
    pub(crate) fn finish(&mut self, arguments: usize, words: u32) -> Code {
        self.used.clear();
        Code {
            insts: std::mem::take(&mut self.insts),
            arguments,
            words,
        }
    }
}
