//! The machine, as a graph: one short section per piece of hardware, its equations first.
//!
//! Every token of the trace asks the same question: which token comes next? The answer is put together from what
//! can be looked up in the past:
//!
//! | section | finds |
//! |---|---|
//! | `state` | byte index, cursor, stack depth, frame base, count of stores |
//! | `fetch` | the current instruction: class, byte count, end code, immediate |
//! | `stack` | the operands: words, and the byte of each at the current index |
//! | `locals` | the byte of a local or global |
//! | `calls` | where the current function was called |
//! | `memory` | the byte at an address, and whether the access is in bounds |
//! | `arithmetic` | copies, sums, differences, comparisons |
//! | `bits` | and, or, xor |
//! | `shift` | shifts and rotations |
//! | `multiply` | products |
//! | `divide` | digits of quotients, reversal |
//! | `sign` | magnitudes and signs |
//! | `extend` | extensions |
//! | `count` | leading and trailing zeros, ones |
//! | `wide` | 64-bit comparisons, two words joined |
//! | `next` | the next token, from the byte and the end code |

mod arithmetic;
mod bits;
mod calls;
mod columns;
mod count;
mod divide;
mod extend;
mod fetch;
mod locals;
mod memory;
mod multiply;
mod next;
mod nibbles;
mod powers;
mod shift;
mod sign;
mod stack;
mod state;
mod wide;

use weightware_isa::{Token, Vocabulary};
use weightware_model::Model;

use crate::assemble::{Blueprint, TokenRow};
use crate::form::{Dim, Form};
use crate::graph::{Graph, Output};
use crate::schedule::{Schedule, ScheduleError};
use columns::Columns;
use fetch::Fetched;
use nibbles::Nibbles;
use stack::Operands;
use state::State;
use wide::Lower;

/// Greater than any value that it must outweigh: words, addresses, their sums and differences, all below 2^33.1. It closes
/// gates, and so never multiplies.
const BIG: i64 = 1 << 34;

/// Greater than any position: pushes a position query below zero, where it finds `<begin>`, which answers 0.
const PUSH: i64 = 1 << 26;

/// Local words run from 0 to 2 * `LOCAL_CENTRE`, keys are centred; so does the operand stack.
const LOCAL_CENTRE: i64 = 1 << 13;

/// Positions order writes to locals and to the stack: 2^-25 * 2^24 is below 1.
const LOCAL_RECENCY: i32 = 25;

/// The middle of the memory, 128 KiB, around which addresses are centred.
const MEMORY_CENTRE: i64 = 1 << 16;

/// Addresses beyond the 128 KiB that are still exact: input stands there.
const MEMORY_MARGIN: i64 = 1 << 14;

/// A count of stores orders writes to memory: 2^-18 * 2^18 is not above 1.
const MEMORY_RECENCY: i32 = 18;

/// The greatest certified position. Up to 2^24, stock softmax in f64 attends to one position alone.
pub const LAST_POSITION: u64 = (1 << 24) - 1;

/// A group of instructions that can be left out. Every set of them makes a machine: none needs another, but for the high
/// words of products, which are there if both `Multiply` and `Wide` are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Module {
    /// Memory accesses out of bounds and calls beyond the last frame end the run.
    Traps,
    /// and, or, xor.
    Bits,
    /// Shifts and rotations.
    Shift,
    /// Multiplication.
    Multiply,
    /// Unsigned division, magnitudes and signs, from which the others are made.
    Divide,
    /// Extensions.
    Extend,
    /// clz, ctz, popcnt.
    Count,
    /// 64-bit comparisons, join.
    Wide,
}

impl Module {
    /// All modules.
    pub const ALL: [Module; 8] = [
        Module::Traps,
        Module::Bits,
        Module::Shift,
        Module::Multiply,
        Module::Divide,
        Module::Extend,
        Module::Count,
        Module::Wide,
    ];

    /// Its name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Module::Traps => "traps",
            Module::Bits => "bits",
            Module::Shift => "shift",
            Module::Multiply => "multiply",
            Module::Divide => "divide",
            Module::Extend => "extend",
            Module::Count => "count",
            Module::Wide => "wide",
        }
    }
}

/// A box of keys within which a lookup is exact.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// The name of the lookup.
    pub lookup: String,
    /// Greatest `|index|`.
    pub max_index: i64,
    /// Greatest `2^-recency * time`.
    pub max_lift: f64,
}

/// The machine: its graph, what tokens embed to, and how tokens are scored.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The graph.
    pub graph: Graph,
    /// Boxes of the lookups whose keys depend on what a program does.
    pub bounds: Vec<Bound>,
    columns: Columns,
    end: Dim,
    nibbles: Option<Nibbles>,
}

impl Machine {
    /// The machine with the given modules beside the core.
    #[must_use]
    pub fn new(modules: &[Module]) -> Self {
        let mut graph = Graph::new();
        let columns = Columns::new(&mut graph);
        let end = graph.dim("end");
        let state = State::new(&mut graph, &columns);
        let fetched = Fetched::new(&mut graph, &columns, &state);
        let operands = Operands::new(&mut graph, &columns, &state, &fetched);
        let wide = modules.contains(&Module::Wide);
        let lower = wide.then(|| Lower::new(&mut graph, &columns, &state, &fetched));
        let mut machine = Self {
            graph,
            bounds: vec![],
            columns,
            end,
            nibbles: None,
        };
        let parts = Parts {
            state,
            fetched,
            operands,
            lower,
        };
        machine.stack_bytes(&parts);
        machine.locals(&parts);
        machine.calls(&parts);
        let size = machine.size(&parts);
        machine.memory(&parts, &size);
        machine.arithmetic(&parts);
        machine.comparisons(&parts);
        for module in modules {
            match module {
                Module::Bits => machine.bits(&parts),
                Module::Traps => {
                    machine.memory_traps(&parts);
                    machine.call_traps(&parts);
                }
                Module::Shift => machine.shift(&parts),
                Module::Multiply => machine.multiply(&parts),
                Module::Divide => {
                    machine.divide(&parts);
                    machine.sign(&parts);
                }
                Module::Extend => machine.extend(&parts, &size),
                Module::Count => machine.count(&parts, &size),
                Module::Wide => machine.wide(&parts, &size),
            }
        }
        machine.next_token(&parts);
        machine
    }

    /// The embedding of a token.
    #[must_use]
    pub fn embed(&self, token: Token) -> Vec<(Dim, i64)> {
        self.columns.embed(token)
    }

    /// Adds to the byte to be put out.
    fn add_to_result(&mut self, coefficient: i64, output: Output) {
        self.graph.add(self.columns.result, coefficient, output);
    }

    /// Adds `byte` to the result, negated or not, if `unless` is 0: `relu(byte - 2^10 unless)`.
    fn add_byte(&mut self, name: &str, coefficient: i64, byte: impl Into<Form>, unless: &Form) {
        let output = self
            .graph
            .relu(name, byte.into() - unless.clone() * (1 << 10));
        self.add_to_result(coefficient, output);
    }

    fn bound(&mut self, lookup: &str, max_index: i64, max_lift: f64) {
        self.bounds.push(Bound {
            lookup: lookup.to_owned(),
            max_index,
            max_lift,
        });
    }

    /// The model of the machine under a schedule.
    ///
    /// # Errors
    /// If the schedule does not fit the machine's graph.
    pub fn assemble(&self, schedule: &Schedule) -> Result<Model, ScheduleError> {
        let vocabulary = Vocabulary::new();
        let tokens = vocabulary.tokens().iter();
        let ends = vocabulary
            .tokens()
            .iter()
            .zip(0..)
            .filter(|(token, _)| token.ends_run());
        let blueprint = Blueprint {
            graph: &self.graph,
            schedule,
            tokens: tokens
                .map(|&token| TokenRow {
                    string: token.to_string(),
                    embedding: self.embed(token),
                    logit: self.logit(token),
                })
                .collect(),
            end_tokens: ends.map(|(_, id)| id).collect(),
            last_position: LAST_POSITION,
            bounds: &self.bounds,
        };
        blueprint.assemble()
    }
}

/// Where the byte index stands beside the size of a load or an extension.
pub(crate) struct Size {
    /// `relu(index - size + 1)`: bytes past the size.
    pub(crate) beyond: Dim,
    /// `relu(size - index)`: 0 past the size.
    pub(crate) within: Dim,
}

/// What the sections hand on.
pub(crate) struct Parts {
    pub(crate) state: State,
    pub(crate) fetched: Fetched,
    pub(crate) operands: Operands,
    pub(crate) lower: Option<Lower>,
}
