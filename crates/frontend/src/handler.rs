//! The handler: the part of a program that carries it from one context to the next.
//!
//! An interrupted jump enters the handler, with the jump's target on the stack. The handler saves
//! the state in memory after the program's own (the *state area*), writes to the trace all blocks
//! of memory that were written, and ends the context. The next one begins with that part of the
//! trace; there the handler restores the state and continues.
//!
//! | part of the state | saved | restored |
//! |---|---|---|
//! | place | the target that `interrupt` pushed | `continue` |
//! | operands | popped by `local.set_raw`, eight bytes each | pushed by `local.get_raw` |
//! | words | `local.get_raw` of the current frame | `local.set_raw` |
//! | frames | `return` is executed by `step`, whose interrupt shows the return address | the original `call` is executed by `step` |
//! | pages | the word that the program keeps | `memory.grown` |
//! | memory | `dump` | `dump`, in the prompt |
//!
//! State area, from its base on: mode, place, count of operands, count of frames, end of the area,
//! frame base, pages; then operands, the top first; then the words of each frame, the innermost
//! first, each but the first followed by a record of the return address and the number of words.

use std::collections::HashMap;

use weightware_isa::{BLOCK, FRAME_LIMIT, Immediate, Instruction, Op, Program, Turns};

/// Words after every frame, for the handler's own use: a pointer, a count, a place.
const POINTER: u32 = (1 << 14) - 2;
const COUNT: u32 = POINTER + 1;
const PLACE: u32 = POINTER + 2;

/// The greatest address at which the state area may begin: accesses to it name 255 pages, and it
/// has less than 2^19 bytes.
const LAST_BASE: u32 = (255 << 16) - (1 << 19);

/// Fields of the state area.
const MODE: u32 = 0;
const TARGET: u32 = 4;
const OPERANDS: u32 = 8;
const FRAMES: u32 = 12;
const END: u32 = 16;
const FRAME: u32 = 20;
const PAGES: u32 = 24;
const FIRST: u32 = 32;

/// Values of the mode: the program runs, its frames are being left, or entered again.
const UNWINDING: u32 = 1;
const REWINDING: u32 = 2;

/// The addresses of a program's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The address after the memory before it grows.
    pub(crate) initial: u32,
    /// The address after the largest memory.
    pub(crate) end: u32,
    /// The words of a frame that code outside the program may use.
    pub(crate) words: u32,
    /// The address of the state area, if it is given.
    pub(crate) state: Option<u32>,
    /// The number of the program's first instruction.
    pub(crate) first: u32,
}

/// Appends the handler to a program. Returns false, and changes nothing, if the program cannot go
/// on in another context.
pub(crate) fn append(program: &mut Program, memory: Extent) -> bool {
    let ends = program.code.iter().zip(&program.sections);
    let ends =
        ends.map(|(section, bytes)| section.low() as usize + bytes.len().max(Turns::FIRST_SECTION));
    let used = ends.max().unwrap_or(0).max(memory.end as usize);
    let after = used.next_multiple_of(BLOCK as usize);
    let base = match memory.state {
        Some(state) if state as usize >= after => state.next_multiple_of(BLOCK) as usize,
        Some(_) => return false,
        None => after,
    };
    let words = words(program).max(memory.words);
    let grown = grown(program);
    let (Some(base), Ok(grown)) = (
        u32::try_from(base).ok().filter(|&base| base <= LAST_BASE),
        grown,
    ) else {
        return false;
    };
    if words > FRAME_LIMIT {
        return false;
    }
    let mut handler = Assembler {
        memory,
        base,
        first: memory.first + program.code.len() as u32,
        code: Vec::new(),
        labels: HashMap::new(),
        fixups: Vec::new(),
    };
    // Where the program ended.
    handler.op(Op::End);
    handler.save(words, grown);
    handler.restore(words, grown);
    let entry = handler.labels[&Label::Interrupted];
    if let Some(first) = program.sections.first_mut() {
        first.resize(first.len().max(Turns::FIRST_SECTION), 0);
    }
    program.code.extend(handler.finish());
    program.turns = Some(Turns {
        handler: entry,
        saved: None,
    });
    true
}

/// The most words of a frame that may have been written, the globals of the first frame included.
fn words(program: &Program) -> u32 {
    program.code.iter().map(words_of).max().unwrap_or(0)
}

/// The words of a frame that an instruction shows to be in use.
pub(crate) fn words_of(instruction: &Instruction) -> u32 {
    match instruction.op {
        Op::LocalGet | Op::LocalSet | Op::LocalTee => instruction.low() + 1,
        Op::LocalGet64 | Op::LocalSet64 | Op::LocalTee64 => instruction.low() + 1,
        Op::GlobalGet | Op::GlobalSet | Op::GlobalGet64 | Op::GlobalSet64 => instruction.low() + 1,
        op if op.immediate_kind() == Immediate::Call => instruction.immediate[3].into(),
        _ => 0,
    }
}

/// The word that holds the pages by which the memory has grown, if the program grows it; an error
/// if no such word is known.
fn grown(program: &Program) -> Result<Option<u32>, ()> {
    let mut known = None;
    for pair in program.code.windows(2) {
        match pair {
            [
                before,
                Instruction {
                    op: Op::MemoryGrown,
                    ..
                },
            ] if before.op == Op::GlobalGet => {
                known = Some(before.low());
            }
            [
                _,
                Instruction {
                    op: Op::MemoryGrown,
                    ..
                },
            ] => return Err(()),
            _ => {}
        }
    }
    Ok(known)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Label {
    Interrupted,
    Running,
    PopOperand,
    PoppedOperands,
    SaveWords,
    SavedWords,
    Record,
    Unwind,
    Return,
    LeftFrame,
    Saved,
    SaveBlock,
    NextBlock,
    SavePage,
    NextPage,
    Refuse,
    Rewind,
    NoRecord,
    RestoreWords,
    RestoredWords,
    EnteredFrame,
    RestoredFrames,
    PushOperand,
    PushedOperands,
}

struct Assembler {
    memory: Extent,
    /// The first address of the state area.
    base: u32,
    /// The index of the first instruction.
    first: u32,
    code: Vec<Instruction>,
    labels: HashMap<Label, u32>,
    fixups: Vec<(usize, Label)>,
}

impl Assembler {
    fn here(&self) -> u32 {
        self.first + self.code.len() as u32
    }

    fn bind(&mut self, label: Label) {
        self.labels.insert(label, self.here());
    }

    fn op(&mut self, op: Op) {
        self.emit(op, 0);
    }

    fn emit(&mut self, op: Op, immediate: u32) {
        self.code.push(Instruction::new(op, immediate));
    }

    fn constant(&mut self, value: u32) {
        self.emit(Op::I32Const, value);
    }

    fn get(&mut self, word: u32) {
        self.emit(Op::GlobalGet, word);
    }

    fn set(&mut self, word: u32) {
        self.emit(Op::GlobalSet, word);
    }

    /// Adds a constant to a word.
    fn advance(&mut self, word: u32, by: i32) {
        self.get(word);
        self.constant(by.cast_unsigned());
        self.op(Op::I32Add);
        self.set(word);
    }

    /// An access at an offset from the address on the stack. The machine's own bound is out of
    /// reach.
    fn access(&mut self, op: Op, offset: u32) {
        self.code.push(Instruction::with_byte(op, offset, u8::MAX));
    }

    fn load(&mut self, field: u32) {
        self.constant(self.base);
        self.access(Op::I32Load, field);
    }

    /// Stores what `value` pushes in a field.
    fn store(&mut self, field: u32, value: impl FnOnce(&mut Self)) {
        self.constant(self.base);
        value(self);
        self.access(Op::I32Store, field);
    }

    fn branch(&mut self, op: Op, label: Label) {
        self.fixups.push((self.code.len(), label));
        self.emit(op, 0);
    }

    fn label_index(&mut self, label: Label) {
        self.branch(Op::I32Const, label);
    }

    /// Jumps into a sequence of three instructions for each word, the last one first, so that the
    /// first `COUNT` words are processed; binds `end` after it.
    fn for_words(&mut self, words: u32, end: Label, each: impl Fn(&mut Self, u32)) {
        self.label_index(end);
        self.get(COUNT);
        self.constant(3);
        self.op(Op::I32Mul);
        self.op(Op::I32Sub);
        self.op(Op::BrStack);
        for word in (0..words).rev() {
            each(self, word);
        }
        self.bind(end);
    }

    fn save(&mut self, words: u32, grown: Option<u32>) {
        self.bind(Label::Interrupted);
        self.set(PLACE);
        self.load(MODE);
        self.branch(Op::BrUnless, Label::Running);
        self.load(MODE);
        self.constant(REWINDING);
        self.op(Op::I32Sub);
        self.branch(Op::BrIf, Label::LeftFrame);
        self.branch(Op::Br, Label::EnteredFrame);

        self.bind(Label::Running);
        self.store(TARGET, |code| code.get(PLACE));
        // The words after the frame must not reach the handler's own.
        self.op(Op::FrameGet);
        self.constant(POINTER - words);
        self.op(Op::I32GeU);
        self.branch(Op::BrIf, Label::Refuse);
        self.op(Op::DepthGet);
        self.set(COUNT);
        self.store(OPERANDS, |code| code.get(COUNT));
        self.constant(self.base + FIRST);
        self.set(POINTER);
        self.bind(Label::PopOperand);
        self.get(COUNT);
        self.branch(Op::BrUnless, Label::PoppedOperands);
        self.emit(Op::LocalSetRaw, words);
        self.get(POINTER);
        self.emit(Op::LocalGetRaw, words);
        self.access(Op::I64Store, 0);
        self.advance(POINTER, 8);
        self.advance(COUNT, -1);
        self.branch(Op::Br, Label::PopOperand);

        self.bind(Label::PoppedOperands);
        if let Some(word) = grown {
            self.store(PAGES, |code| code.get(word));
        }
        self.store(MODE, |code| code.constant(UNWINDING));
        self.store(FRAMES, |code| code.constant(0));
        self.constant(words);
        self.set(COUNT);
        self.constant(0);
        self.set(PLACE);

        self.bind(Label::SaveWords);
        self.for_words(words, Label::SavedWords, |code, word| {
            code.get(POINTER);
            code.emit(Op::LocalGetRaw, word);
            code.access(Op::I64Store, 8 * word);
        });
        self.get(POINTER);
        self.get(COUNT);
        self.constant(3);
        self.op(Op::I32Shl);
        self.op(Op::I32Add);
        self.set(POINTER);
        self.get(PLACE);
        self.branch(Op::BrUnless, Label::Unwind);
        self.bind(Label::Record);
        self.get(POINTER);
        self.get(PLACE);
        self.access(Op::I32Store, 0);
        self.get(POINTER);
        self.get(COUNT);
        self.access(Op::I32Store, 4);
        self.advance(POINTER, 8);
        self.load(FRAMES);
        self.set(COUNT);
        self.advance(COUNT, 1);
        self.store(FRAMES, |code| code.get(COUNT));

        self.bind(Label::Unwind);
        self.op(Op::FrameGet);
        self.set(COUNT);
        self.get(COUNT);
        self.branch(Op::BrUnless, Label::Saved);
        self.store(FRAME, |code| code.get(COUNT));
        self.label_index(Label::Return);
        self.op(Op::Step);
        self.bind(Label::Return);
        self.op(Op::Return);
        // The return address is the place.
        self.bind(Label::LeftFrame);
        self.load(FRAME);
        self.op(Op::FrameGet);
        self.op(Op::I32Sub);
        self.set(COUNT);
        self.branch(Op::Br, Label::SaveWords);

        self.bind(Label::Refuse);
        self.op(Op::Refuse);

        self.bind(Label::Saved);
        self.store(END, |code| code.get(POINTER));
        // The blocks of the state area and of the program's own memory, the last one first.
        self.get(POINTER);
        self.constant(BLOCK - 1);
        self.op(Op::I32Add);
        self.constant(BLOCK.wrapping_neg());
        self.op(Op::I32And);
        self.set(POINTER);
        self.branch(Op::Save, Label::SaveBlock);
        match grown {
            None => self.save_blocks([Label::SaveBlock, Label::NextBlock], 0),
            Some(word) => {
                self.save_blocks([Label::SaveBlock, Label::NextBlock], self.memory.end);
                self.constant(self.memory.initial);
                self.get(word);
                self.constant(16);
                self.op(Op::I32Shl);
                self.op(Op::I32Add);
                self.set(POINTER);
                self.save_blocks([Label::SavePage, Label::NextPage], 0);
            }
        }
        self.op(Op::Turn);
    }

    /// Writes to the trace the blocks before `POINTER` that were written, down to a multiple of the
    /// block.
    fn save_blocks(&mut self, [each, next]: [Label; 2], until: u32) {
        self.bind(each);
        self.get(POINTER);
        self.constant(BLOCK.wrapping_neg());
        self.op(Op::I32Add);
        self.emit(Op::LocalTee, POINTER);
        self.emit(Op::Probe, BLOCK / 2);
        self.branch(Op::BrUnless, next);
        self.get(POINTER);
        self.get(POINTER);
        self.emit(Op::Dump, 0);
        self.op(Op::Drop);
        self.op(Op::Drop);
        self.bind(next);
        self.get(POINTER);
        if until > 0 {
            self.constant(until);
            self.op(Op::I32Sub);
        }
        self.branch(Op::BrIf, each);
    }

    fn restore(&mut self, words: u32, grown: Option<u32>) {
        if grown.is_some() {
            self.load(PAGES);
            self.op(Op::MemoryGrown);
        }
        self.store(MODE, |code| code.constant(REWINDING));
        self.load(END);
        self.set(POINTER);

        self.bind(Label::Rewind);
        self.constant(words);
        self.set(COUNT);
        self.load(FRAMES);
        self.branch(Op::BrUnless, Label::NoRecord);
        self.advance(POINTER, -8);
        self.get(POINTER);
        self.access(Op::I32Load, 4);
        self.set(COUNT);
        self.get(POINTER);
        self.access(Op::I32Load, 0);
        self.set(PLACE);
        self.bind(Label::NoRecord);
        self.get(POINTER);
        self.get(COUNT);
        self.constant(3);
        self.op(Op::I32Shl);
        self.op(Op::I32Sub);
        self.set(POINTER);
        self.bind(Label::RestoreWords);
        self.for_words(words, Label::RestoredWords, |code, word| {
            code.get(POINTER);
            code.access(Op::I64Load, 8 * word);
            code.emit(Op::LocalSetRaw, word);
        });
        self.load(FRAMES);
        self.set(COUNT);
        self.get(COUNT);
        self.branch(Op::BrUnless, Label::RestoredFrames);
        self.advance(COUNT, -1);
        self.store(FRAMES, |code| code.get(COUNT));
        // The call is two instructions before the return address.
        self.get(PLACE);
        self.constant(2);
        self.op(Op::I32Sub);
        self.op(Op::Step);
        self.bind(Label::EnteredFrame);
        self.branch(Op::Br, Label::Rewind);

        self.bind(Label::RestoredFrames);
        self.load(OPERANDS);
        self.set(COUNT);
        self.constant(self.base + FIRST);
        self.set(POINTER);
        self.bind(Label::PushOperand);
        self.get(COUNT);
        self.branch(Op::BrUnless, Label::PushedOperands);
        self.advance(COUNT, -1);
        self.get(POINTER);
        self.get(COUNT);
        self.constant(3);
        self.op(Op::I32Shl);
        self.op(Op::I32Add);
        self.access(Op::I64Load, 0);
        self.emit(Op::LocalSetRaw, words);
        self.emit(Op::LocalGetRaw, words);
        self.branch(Op::Br, Label::PushOperand);
        self.bind(Label::PushedOperands);
        self.store(MODE, |code| code.constant(0));
        self.load(TARGET);
        self.op(Op::Continue);
    }

    fn finish(mut self) -> Vec<Instruction> {
        for (at, label) in self.fixups {
            let op = self.code[at].op;
            self.code[at] = Instruction::new(op, self.labels[&label]);
        }
        self.code
    }
}
