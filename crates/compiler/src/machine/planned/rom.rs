//! Instructions in the weights: instructions whose number is at least 2^20 are in no prompt. A
//! function of the instruction's number is a ladder of neurons, with one rung for each instruction.
//!
//! ```text
//! closed  = base + count                        exact, in a slot of its own: rungs multiply it
//! c       = closed - 1                          number of the current instruction; in the weights from 2^20 on
//! ladder  f(x) = sum of s[j] relu(x - j)        s: the second differences of f; 0 below 2^20
//! opcode += f(c)                                the place, after the preamble, of an instruction with this opcode and this fourth byte, and
//!                                               three bytes 0 between them: columns are fetched from there
//! immediate += f(c)
//! here   += f(8 c + index)
//! return_to = f(c) = c + 1, else 0              calls in the weights
//! record  = opcode + 5 - 2^12 return_to         below 0 for such a call: `return` copies zeros from `<begin>`
//! product += relu(-record) / 2^12               and the multiplier outputs return_to, for at most 2^11 - 5 positions of the table
//! ```
//! With a program anywhere, `5 c + origin` is subtracted first: `opcode -= relu(origin + 2^27 (c -
//! 2^20))`.

use weightware_isa::{Instruction, Op, Program, Token};

use super::super::columns::Class;
use super::super::{BIG, Machine, PUSH, Parts};
use super::{Hooks, Planned};
use crate::form::{Dim, LinearForm};
use crate::graph::{Graph, Output};

/// The number of the first instruction in the weights.
pub const ROM_BASE: i64 = 1 << 20;

/// The prefixes of the names of the ladders' neurons.
pub const LADDERS: [&str; 3] = ["rom.opcode", "rom.immediate", "rom.here"];

/// The factor of a return address relative to the position of a table entry, as a power of two.
const RETURN_SCALE: u32 = 12;

/// The code in the weights, for counting and for tests: `x -- 2 x + 0x01010101`, and `x -- 4 x +
/// 0x03030303`, which calls it.
const CODE: [Instruction; 9] = [
    Instruction::new(Op::LocalSet, 1),
    Instruction::new(Op::LocalGet, 1),
    Instruction::new(Op::LocalGet, 1),
    Instruction::new(Op::I32Add, 0),
    Instruction::new(Op::I32Const, 0x0101_0101),
    Instruction::new(Op::I32Add, 0),
    Instruction::new(Op::Return, 0),
    Instruction::with_byte(Op::Call, ROM_BASE as u32, 7),
    Instruction::new(Op::Br, ROM_BASE as u32),
];

/// The instructions after the preamble: every pair of an opcode and a fourth byte, with zeros
/// between.
pub fn table() -> impl Iterator<Item = Token> {
    let program = Program {
        code: entries(),
        ..Program::default()
    };
    let mut tokens: Vec<_> = program.prompt().skip(1).collect();
    tokens.pop();
    tokens.into_iter()
}

/// The table's entry for an instruction. From its fourth byte on, `here` is a byte of the entry,
/// too.
fn entry(instruction: &Instruction) -> Instruction {
    let [.., fourth] = match instruction.op {
        Op::Call => instruction.immediate,
        _ => [0; 4],
    };
    Instruction::with_byte(instruction.op, 0, fourth)
}

fn entries() -> Vec<Instruction> {
    let mut entries: Vec<Instruction> = vec![];
    for instruction in &CODE {
        let entry = entry(instruction);
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    entries
}

/// The position of an instruction's entry.
fn place(instruction: &Instruction) -> i64 {
    let entry = entry(instruction);
    let at = entries().iter().position(|other| *other == entry);
    (Program::PREAMBLE_LEN + 5 * at.expect("the table has an entry for every instruction of CODE"))
        as i64
}

/// `base + count`, exact. The count is lifted, so it is looked up at its own position: a rung that
/// reads the lifted number would overflow.
pub(super) fn closed(graph: &mut Graph, base: Output, count: LinearForm) -> LinearForm {
    let (time, positions) = (graph.time(), graph.positions());
    let [count] = graph.lookup("count.own", time, &positions, [count]);
    let closed = graph.hold("closed", base);
    graph.add(closed, 1, count);
    closed.into()
}

/// The current instruction, if it is in the weights.
pub(crate) struct Rom {
    /// The instruction's number.
    number: LinearForm,
    /// At a call in the weights, the number of the next instruction.
    return_to: Option<Dim>,
}

impl Rom {
    pub(in super::super) fn new(
        graph: &mut Graph,
        opcode: Dim,
        closed: LinearForm,
        origin: &LinearForm,
        planned: &[Planned],
    ) -> Option<Self> {
        if !super::has_rom(planned) {
            return None;
        }
        let one = graph.one();
        let number = closed - one;
        let anywhere = planned.contains(&Planned::Anywhere);
        if anywhere {
            let beyond = number.clone() - one * ROM_BASE;
            let away = graph.relu("rom.away", origin.clone() + beyond * PUSH);
            graph.add(opcode, -1, away);
        }
        let start = super::preamble(planned) + 1;
        let places = CODE.iter().zip(0..).map(|(instruction, at)| {
            let sequential = match anywhere {
                true => 5 * (ROM_BASE + at) + 1 - PUSH * at,
                false => 5 * (ROM_BASE + at) + start,
            };
            place(instruction) - sequential
        });
        let mut columns = vec![(opcode, places.collect())];
        let return_to = planned
            .contains(&Planned::RomCalls)
            .then(|| graph.dim("rom.return_to"));
        if let Some(dim) = return_to {
            columns.push((
                dim,
                (1..).take(CODE.len()).map(|at| ROM_BASE + at).collect(),
            ));
        }
        ladder(graph, LADDERS[0], &number, ROM_BASE, &columns);
        Some(Self { number, return_to })
    }

    /// Adds the bytes of the immediate.
    pub(in super::super) fn immediate(
        &self,
        graph: &mut Graph,
        index: Dim,
        immediate: Dim,
        here: Dim,
    ) {
        let low = CODE.iter().map(|instruction| instruction.low().into());
        let columns = [(immediate, low.collect())];
        ladder(graph, LADDERS[1], &self.number, ROM_BASE, &columns);
        let bytes = CODE.iter().flat_map(|instruction| {
            let mut bytes = [0; 8];
            let there = entry(instruction).immediate;
            for (byte, (all, there)) in bytes
                .iter_mut()
                .zip(instruction.immediate.iter().zip(there))
            {
                *byte = i64::from(*all) - i64::from(there);
            }
            bytes
        });
        let columns = [(here, bytes.collect())];
        let place = self.number.clone() * 8 + index;
        ladder(graph, LADDERS[2], &place, 8 * ROM_BASE, &columns);
    }

    /// The term of a call in the weights that is subtracted from the recorded position.
    pub(in super::super) fn remembered(&self) -> LinearForm {
        let scaled = |dim: Dim| dim * (1 << RETURN_SCALE);
        self.return_to.map_or_else(LinearForm::zero, scaled)
    }
}

impl Machine {
    /// Adds the `return` to a call in the weights. Its bytes come from the recorded position, which
    /// is below zero.
    pub(super) fn rom_returns(&mut self, parts: &Parts, hooks: &Hooks) {
        let Some(product) = hooks.product else {
            return;
        };
        let prints = parts.fetched.class.unless(Class::Return);
        let graph = &mut self.graph;
        let remembered = graph.relu("rom.return", -(hooks.resume_at + prints * BIG));
        graph.add_scaled(product, 1, RETURN_SCALE, remembered);
    }
}

/// Adds a function of an integer to each of some dimensions: 0 before `first`, the given values
/// from `first` on, and a straight line after the last value.
fn ladder(
    graph: &mut Graph,
    name: &str,
    argument: &LinearForm,
    first: i64,
    columns: &[(Dim, Vec<i64>)],
) {
    let longest = columns.iter().map(|(_, values)| values.len()).max();
    for rung in 0..longest.unwrap_or(0) {
        let second_difference = |values: &Vec<i64>| {
            let value = |at: usize| at.checked_sub(2).map_or(0, |at| values[at]);
            value(rung + 2) - 2 * value(rung + 1) + value(rung)
        };
        let shares: Vec<_> = columns
            .iter()
            .map(|(dim, values)| (*dim, second_difference(values)))
            .filter(|&(_, share)| share != 0)
            .collect();
        if shares.is_empty() {
            continue;
        }
        let at = graph.constant(first + rung as i64 - 1);
        let rung = graph.relu(name, argument.clone() - at);
        for (dim, share) in shares {
            graph.add(dim, share, rung);
        }
    }
}
