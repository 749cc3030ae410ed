//! Instructions and memory in the weights: functions of the instruction's number and of the
//! address, as rows of neurons (see [`Table`]).
//!
//! ```text
//! closed  = base + count                        exact, in a slot of its own: a table's gates multiply it
//! c       = closed - 1                          the number of the current instruction
//! opcode += entry(c) - (origin + 5 c + 1)       from here on all columns of the opcode are fetched from the preamble, whose table
//!                                               of the operations has each with the immediate 0
//! immediate += low(c) + 2^16 high(c)            bytes 0 and 1; byte 2
//! fourth += byte 3
//! here   += byte(8 c + index)                   bytes of the immediate; from 4 on, of the next instruction's
//! record  = closed + 1                          the number of the instruction after a call and its `resume`: `return` copies it,
//!                                               in the prompt, too. The multiplier outputs its bytes
//! read    = asked, at most 2^24, at loads and dumps, else 0
//! memory  = byte(read), sign(read)              what a load finds at an address that was never written
//! ```
//! The tables are 0 at instructions of the prompt, so a program in the prompt runs as ever. No sum
//! is rounded, in any order of its terms: the entries of a table are below 2^16, and its argument
//! is at most an integer beyond its last entry. So the sum of the magnitudes of its terms is below
//! `2^17 n^2` for n entries in a row.

mod grow;
mod read;

pub use grow::GrowthError;

use std::collections::BTreeMap;
use std::sync::Arc;

use weightware_isa::{Instruction, Op, Program, Resident};

use super::columns::{Class, op_columns};
use super::state::State;
use super::{BIG, Machine, Parts};
use crate::form::{Dim, LinearForm};
use crate::graph::{Graph, Output};
use crate::table::Table;

/// The instructions and the memory that a model has in its weights.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rom {
    /// The whole code of a program, which its prompt then does not have. Empty if programs are in
    /// the prompt.
    pub program: Vec<Instruction>,
    /// The number of the first instruction of the program's handler, 0 if it has none.
    pub handler: u32,
    /// Bytes that the memory has before anything is written: their first address, and the bytes.
    pub memory: Vec<(u32, Vec<u8>)>,
    /// Code that programs may call: the number of the first instruction of each block, in ascending
    /// order, and the block.
    pub library: Vec<(u32, Arc<[Instruction]>)>,
}

/// Bytes of an instruction's line: an instruction has up to 8 bytes of immediate, its own and the
/// next one's.
const LINE: i64 = 8;

impl Rom {
    /// The part of a program that is in the weights.
    #[must_use]
    pub fn of(program: &Program) -> Self {
        let Some(resident) = &program.resident else {
            return Self::default();
        };
        let bytes = resident.memory.iter();
        let bytes = bytes.flat_map(|(first, run)| (*first..).zip(run.iter().copied()));
        let bytes: BTreeMap<u32, u8> = bytes.collect();
        Self {
            program: match resident.code {
                true => program.code.clone(),
                false => vec![],
            },
            handler: match (&program.turns, resident.code) {
                (Some(turns), true) => turns.handler,
                _ => 0,
            },
            memory: runs(bytes),
            library: resident.library.clone(),
        }
    }

    /// Whether a program is in the weights, so that its prompt has no instruction.
    #[must_use]
    pub fn is_specialised(&self) -> bool {
        !self.program.is_empty()
    }

    /// Whether two have the same tables: they differ in nothing that a circuit reads.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.places() == other.places()
            && self.immediates() == other.immediates()
            && self.bytes() == other.bytes()
            && self.memory() == other.memory()
    }

    /// The name of the ability to have code in the weights, beside those of the modules.
    pub const NAME: &'static str = "rom";

    /// The name of the restriction to a program in the weights.
    pub const SPECIALISED: &'static str = "specialised";

    /// Nothing, or the shortest program.
    #[must_use]
    pub fn blank(specialised: bool) -> Self {
        let program = match specialised {
            true => vec![Instruction::new(Op::End, 0)],
            false => vec![],
        };
        Self {
            program,
            ..Self::default()
        }
    }

    /// The position of `{`.
    const ORIGIN: i64 = Program::LONG_PREAMBLE_LEN as i64;

    /// The position of an operation in the table of the preamble.
    fn entry(op: Op) -> i64 {
        (Program::OPERATIONS_AT + 5 * op as usize) as i64
    }

    /// The code in the weights: the number of the first instruction of each block, and the block.
    fn blocks(&self) -> impl Iterator<Item = (i64, &[Instruction])> {
        let library = self.library.iter();
        let library = library.map(|(first, code)| (i64::from(*first), &code[..]));
        std::iter::once((0, &self.program[..])).chain(library)
    }

    /// For each number of an instruction: the correction of the opcode's place, byte 3 of the
    /// immediate.
    fn places(&self) -> Table {
        let row = |(instruction, number): (&Instruction, i64)| {
            let [.., fourth] = read_bytes(instruction);
            let in_order = Self::ORIGIN + 5 * number + 1;
            [Self::entry(instruction.op) - in_order, fourth]
        };
        let runs = self.blocks().map(|(first, code)| {
            let rows: Vec<[i64; 2]> = code.iter().zip(first..).map(row).collect();
            (first, rows)
        });
        let mut runs: Vec<_> = runs.collect();
        // In the prompt the number is -1. Then the place is that of a byte, since a token of the
        // table must not find itself.
        let byte = Program::OPERATIONS_AT as i64 - 1;
        let (first, program) = &mut runs[0];
        *first = -1;
        program.insert(0, [byte - (Self::ORIGIN - 4), 0]);
        if self.is_specialised() {
            // The instructions of the preamble, to which an interrupted jump leads.
            *first = Program::INTERRUPT;
            for op in [Op::Br, Op::Interrupt] {
                program.insert(0, row((&Instruction::new(op, 0), Program::INTERRUPT)));
            }
            program[1][0] -= 5;
            // `}`, which follows `{`.
            program.push([-5 * self.program.len() as i64, 0]);
        }
        Table::new(2, runs)
    }

    /// For each number of an instruction: bytes 0 and 1 of the immediate, byte 2.
    fn immediates(&self) -> Table {
        let runs = self.blocks().map(|(first, code)| {
            let rows = code.iter().map(|instruction| {
                let [low, high, _] = read_bytes(instruction);
                [low, high]
            });
            (first, rows.collect())
        });
        Table::new(2, runs)
    }

    /// For each byte of each instruction's line, the byte that the instruction may output.
    fn bytes(&self) -> Table {
        let runs = self.blocks().map(|(first, code)| {
            let next = code.iter().skip(1).map(|next| (next.op, next.immediate));
            let next = next.chain([(Op::Drop, [0; 4])]);
            let lines = code.iter().zip(next).flat_map(|(instruction, (op, high))| {
                let low = match is_shown(instruction.op) {
                    true => instruction.immediate,
                    false => [0; 4],
                };
                let high = if op == Op::I64ConstHigh { high } else { [0; 4] };
                [low, high]
            });
            let rows: Vec<[i64; 1]> = lines.flatten().map(|byte| [byte.into()]).collect();
            (LINE * first, rows)
        });
        // The jump in the preamble leads to the handler.
        let jump = match self.is_specialised() {
            true => self
                .handler
                .to_le_bytes()
                .map(|byte| [byte.into()])
                .to_vec(),
            false => vec![],
        };
        let jump = std::iter::once((LINE * (Program::INTERRUPT + 1), jump));
        Table::new(1, jump.chain(runs))
    }

    /// For each address the byte, and whether it is 128 or more.
    fn memory(&self) -> Table {
        let runs = self.memory.iter().map(|(first, bytes)| {
            let rows: Vec<[i64; 2]> = bytes
                .iter()
                .map(|&byte| [byte.into(), i64::from(byte >> 7)])
                .collect();
            (i64::from(*first), rows)
        });
        Table::new(2, runs)
    }
}

impl From<Resident> for Rom {
    /// A library, for programs whose code is in the prompt.
    fn from(resident: Resident) -> Self {
        Self::of(&Program {
            resident: Some(Resident {
                code: false,
                ..resident
            }),
            ..Program::default()
        })
    }
}

/// The address from which on the weights have no byte.
const MEMORY_END: i64 = 1 << 24;

/// Whether an instruction outputs bytes of its immediate.
fn is_shown(op: Op) -> bool {
    matches!(
        op_columns(op).class,
        Class::Immediate | Class::Call | Class::BrIf | Class::BrUnless
    )
}

/// The bytes of an instruction's immediate that circuits read as a number: two as one, the third,
/// the fourth.
fn read_bytes(instruction: &Instruction) -> [i64; 3] {
    let [b0, b1, b2, b3] = instruction.immediate.map(i64::from);
    match op_columns(instruction.op).class {
        Class::Call => [0, 0, b3],
        class if is_shown(instruction.op) || class == Class::None => [0; 3],
        _ => [b0 + 256 * b1, b2, b3],
    }
}

/// Zeros between the bytes of a run: with more, the run ends. Memory that is not in the weights is
/// zero, too.
const ZEROS: u32 = 64;

/// The runs of bytes with their addresses in ascending order. No run begins or ends with zero.
fn runs(bytes: impl IntoIterator<Item = (u32, u8)>) -> Vec<(u32, Vec<u8>)> {
    let mut runs: Vec<(u32, Vec<u8>)> = vec![];
    for (address, byte) in bytes.into_iter().filter(|&(_, byte)| byte != 0) {
        match runs.last_mut() {
            Some((start, run)) if address - *start <= run.len() as u32 + ZEROS => {
                run.resize((address - *start) as usize, 0);
                run.push(byte);
            }
            _ => runs.push((address, vec![byte])),
        }
    }
    runs
}

/// The current instruction, if instructions may be in the weights.
pub(crate) struct InWeights {
    /// The number of the next instruction.
    closed: Dim,
    fourth: Output,
    immediates: Table,
    bytes: Table,
    is_all: bool,
}

/// `base + count`, exact. The count is lifted, so it is looked up at its own position: a neuron
/// that reads the lifted number would overflow.
pub(super) fn closed(graph: &mut Graph, base: Output, count: LinearForm) -> Dim {
    let (time, positions) = (graph.time(), graph.positions());
    let [count] = graph.lookup("count.own", time, &positions, [count]);
    let closed = graph.hold("closed", base);
    graph.add(closed, 1, count);
    closed
}

impl InWeights {
    /// Corrects the place of the current instruction's opcode.
    pub(super) fn new(graph: &mut Graph, rom: &Rom, opcode: Dim, closed: Dim) -> Self {
        let number = closed - graph.one();
        let outputs = graph.table("rom.code", number, rom.places());
        let [place, fourth] = outputs[..] else {
            unreachable!("the table has two columns")
        };
        graph.add(opcode, 1, place);
        Self {
            closed,
            fourth,
            immediates: rom.immediates(),
            bytes: rom.bytes(),
            is_all: rom.is_specialised(),
        }
    }

    /// Whether all instructions are in the weights.
    pub(super) const fn is_all(&self) -> bool {
        self.is_all
    }

    /// Adds the immediate of an instruction in the weights. Returns the whole immediate.
    pub(super) fn immediate(
        &self,
        graph: &mut Graph,
        index: Dim,
        [immediate, fourth, here]: [Dim; 3],
    ) -> LinearForm {
        let number = self.closed - graph.one();
        let outputs = graph.table("rom.immediate", number, self.immediates.clone());
        let [low, high] = outputs[..] else {
            unreachable!("the table has two columns")
        };
        graph.add(immediate, 1, low);
        let high = graph.hold("immediate.high", high);
        graph.add(fourth, 1, self.fourth);
        let place = (self.closed - graph.one()) * LINE + index;
        let bytes = graph.table("rom.bytes", place, self.bytes.clone());
        graph.add(here, 1, bytes[0]);
        immediate + high * (1 << 16)
    }
}

impl State {
    /// The number of the instruction after a call and its `resume`, if instructions may be in the
    /// weights.
    pub(super) fn after_call(&self, graph: &Graph) -> Option<LinearForm> {
        self.closed.map(|closed| closed + graph.one())
    }
}

impl Machine {
    /// Outputs the number that a call recorded, at `return`.
    pub(super) fn return_number(&mut self, parts: &Parts, recorded: Dim, product: Dim) {
        let unless = parts.fetched.class.unless(Class::Return);
        let number = self.graph.relu("return.number", recorded - unless * BIG);
        self.graph.add(product, 1, number);
    }

    /// The byte of the weights at an address that a load or a dump asks for, and its sign.
    pub(super) fn preset(&mut self, parts: &Parts, asked: &LinearForm) -> Option<[Dim; 2]> {
        let rom = self.rom.as_ref()?;
        let class = &parts.fetched.class;
        let graph = &mut self.graph;
        let read = graph.dim("rom.read");
        let end = graph.one() * MEMORY_END;
        for (name, unless) in [
            (
                "rom.read",
                class.unless_either(Class::Load, Class::LoadSigned),
            ),
            ("rom.read.dump", class.unless(Class::Dump)),
        ] {
            let address = asked.clone() - unless * BIG;
            let below = graph.relu(name, address.clone());
            graph.add(read, 1, below);
            let beyond = graph.relu(&format!("{name}.beyond"), address - end.clone());
            graph.add(read, -1, beyond);
        }
        let outputs = graph.table("rom.memory", read, rom.memory());
        let [byte, sign] = outputs[..] else {
            unreachable!("the table has two columns")
        };
        Some([graph.hold("rom.byte", byte), graph.hold("rom.sign", sign)])
    }
}
