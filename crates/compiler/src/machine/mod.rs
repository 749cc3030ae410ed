//! The machine as a graph: one short section per piece of hardware, its equations first.
//!
//! Every token of the trace computes the next one from values that it looks up in earlier tokens:
//!
//! | section | finds |
//! |---|---|
//! | `state` | byte index, cursor, stack depth, frame base, count of stores |
//! | `fetch` | the current instruction: class, byte count, end code, immediate |
//! | `stack` | the operands: words, and the byte of each at the current index |
//! | `locals` | the byte of a local or global |
//! | `calls` | where the current function was called |
//! | `memory`, `cells` | the byte at an address, and whether the access is in bounds |
//! | `arithmetic` | copies, sums, differences, comparisons |
//! | `bits` | and, or, xor |
//! | `shift` | shifts and rotations |
//! | `multiply` | products |
//! | `divide` | digits of quotients, reversal |
//! | `sign` | magnitudes and signs |
//! | `extend` | extensions |
//! | `count` | leading and trailing zeros, ones |
//! | `wide` | 64-bit comparisons, two words joined |
//! | `turn` | whether the context is full, and numbers of the state |
//! | `rom` | instructions and memory that are in the weights |
//! | `next` | the next token, from the byte and the end code |

mod arithmetic;
mod bits;
mod calls;
mod cells;
pub(crate) mod columns;
mod count;
mod divide;
mod extend;
mod extension;
mod fetch;
mod locals;
mod memory;
mod multiply;
mod next;
mod nibbles;
#[doc(hidden)]
pub mod planned;
mod powers;
mod profile;
mod rom;
mod shift;
mod sign;
mod stack;
mod state;
mod turn;
mod wide;

use weightware_isa::{Token, Trap, Vocabulary};
use weightware_model::Model;

use crate::assemble::{Blueprint, LookupBound, TokenRow};
use crate::form::{Dim, LinearForm};
use crate::graph::Key;
use crate::graph::{Graph, Output};
use crate::schedule::{Schedule, ScheduleError, ScheduleErrorKind};
use columns::{Columns, code};
pub use extension::{Extension, UnknownExtension};
use fetch::Fetched;
pub(crate) use memory::SHIFT;
use nibbles::Nibbles;
use planned::Planned;
pub use profile::{KeySpan, Limit, Profile};
pub use rom::{GrowthError, Rom};
use stack::Operands;
use state::State;
use wide::Lower;

/// Greater than any value that it must outweigh: words, addresses, their sums and differences,
/// which are all below 2^33.1. It closes gates, and is never a factor.
pub(crate) const BIG: i64 = 1 << 34;

/// Greater than any term that is added to a result as a byte.
pub(crate) const BYTE_PUSH: i64 = 1 << 13;

/// Greater than any position. It pushes a position query below zero, where the query finds
/// `<begin>`, whose values are 0.
const PUSH: i64 = 1 << 27;

impl KeySpan {
    /// The index of a number: the number less the centre.
    fn centred(&self, graph: &Graph, number: impl Into<LinearForm>) -> LinearForm {
        number.into() - graph.constant(self.centre)
    }

    /// `number - 2 centre`. Times the number it is `index^2 - centre^2`, whose magnitude is at most
    /// `centre^2`.
    fn far_side(&self, graph: &Graph, number: impl Into<LinearForm>) -> LinearForm {
        number.into() - graph.constant(2 * self.centre)
    }

    /// The key of a number, given `number * far_side(number)`. No intermediate sum exceeds
    /// `centre^2`. The square of the number itself would be up to four times that, and push out the
    /// lowest bits of the lift.
    fn key(
        &self,
        graph: &Graph,
        number: impl Into<LinearForm>,
        product: Dim,
        time: LinearForm,
    ) -> Key {
        Key {
            index: self.centred(graph, number),
            square: product + graph.constant(self.centre * self.centre),
            time: time * self.factor,
            recency: self.exponent,
            clear: LinearForm::zero(),
        }
    }
}

/// The machine: its graph, the embedding of its tokens, and their logits.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The dimensions and writers that make up the machine.
    pub graph: Graph,
    /// Boxes of the lookups whose keys depend on the program.
    pub bounds: Vec<LookupBound>,
    profile: Profile,
    extensions: Vec<Extension>,
    columns: Columns,
    end: Dim,
    nibbles: Option<Nibbles>,
    planned: Vec<Planned>,
    pub(crate) rom: Option<Rom>,
}

impl Machine {
    /// Builds the machine of the default profile with the given modules besides the core.
    #[must_use]
    pub fn new(modules: &[Extension]) -> Self {
        Self::with_profile(Profile::default(), modules)
    }

    /// Builds the machine of a profile with the given modules besides the core. Machines of
    /// different profiles differ only in numbers, so that one schedule serves them all.
    #[must_use]
    pub fn with_profile(profile: Profile, modules: &[Extension]) -> Self {
        Self::with_planned(profile, modules, &[], None)
    }

    /// Builds the machine of a profile with all modules, and with instructions and memory in its
    /// weights.
    ///
    /// # Panics
    /// If blocks of the library or runs of the memory are not in ascending order, or overlap.
    #[must_use]
    pub fn with_rom(profile: Profile, rom: Rom) -> Self {
        Self::with_planned(profile, &Extension::ALL, &[], Some(rom))
    }

    /// Builds a machine with planned features, to measure the hardware that they need. A feature
    /// that needs a missing module is left out, too. No planned feature can be assembled yet.
    #[must_use]
    #[doc(hidden)]
    pub fn with_planned(
        profile: Profile,
        modules: &[Extension],
        planned: &[Planned],
        rom: Option<Rom>,
    ) -> Self {
        let mut graph = Graph::new();
        let columns = Columns::new(&mut graph);
        let end = graph.dim("end");
        let turns = modules.contains(&Extension::Turn);
        let (state, in_weights) =
            State::new(&mut graph, &columns, &profile, planned, turns, rom.as_ref());
        let fetched = Fetched::new(&mut graph, &columns, &state, in_weights);
        let operands = Operands::new(&mut graph, &columns, &state, &fetched, &profile);
        let wide = modules.contains(&Extension::Wide);
        let lower = wide.then(|| Lower::new(&mut graph, &columns, &state, &fetched, &profile));
        let mut machine = Self {
            graph,
            bounds: vec![],
            profile,
            extensions: modules.to_vec(),
            columns,
            end,
            nibbles: None,
            planned: planned.to_vec(),
            rom,
        };
        let parts = Parts {
            state,
            fetched,
            operands,
            lower,
        };
        machine.stack_bytes(&parts);
        machine.locals(&parts);
        let recorded = machine.calls(&parts);
        let size = machine.size(&parts);
        let missed = machine.memory(&parts, &size);
        machine.arithmetic(&parts);
        machine.comparisons(&parts);
        let mut product = None;
        for module in modules {
            match module {
                Extension::Bits => machine.bits(&parts),
                Extension::Traps => {
                    machine.memory_traps(&parts);
                    machine.call_traps(&parts);
                }
                Extension::Shift => machine.shift(&parts),
                Extension::Multiply => product = Some(machine.multiply(&parts)),
                Extension::Divide => {
                    machine.divide(&parts);
                    machine.sign(&parts);
                }
                Extension::Extend => machine.extend(&parts, &size),
                Extension::Count => machine.count(&parts, &size),
                Extension::Wide => machine.wide(&parts, &size),
                Extension::Turn => {
                    machine.dump(&parts);
                    machine.probe(&parts, missed);
                }
            }
        }
        if let Some(product) = product {
            machine.number(&parts, product);
            if let Some(recorded) = recorded {
                machine.return_number(&parts, recorded, product);
            }
        }
        machine.next_token(&parts);
        machine
    }

    /// The embedding of a token.
    #[must_use]
    pub fn embed(&self, token: Token) -> Vec<(Dim, i64)> {
        let mut row = self.columns.embed(token);
        row.extend(
            self.budget(token)
                .map(|budget| (self.columns.budget, budget)),
        );
        self.embed_plans(token, &mut row);
        row
    }

    /// Adds a term to the byte to output.
    fn add_to_result(&mut self, coefficient: i64, output: Output) {
        self.graph.add(self.columns.result, coefficient, output);
    }

    /// Adds `byte` to the result, negated or not, if `unless` is 0: `relu(byte - 2^13 unless)`. The
    /// push outweighs any value in place of a byte: two lookups of nibbles that find other tokens
    /// of the prompt return at most 16 * 287 + 287.
    fn add_byte(
        &mut self,
        name: &str,
        coefficient: i64,
        byte: impl Into<LinearForm>,
        unless: &LinearForm,
    ) {
        let output = self
            .graph
            .relu(name, byte.into() - unless.clone() * BYTE_PUSH);
        self.add_to_result(coefficient, output);
    }

    fn bound(&mut self, lookup: &str, span: KeySpan) {
        self.bounds.push(LookupBound {
            lookup: lookup.to_owned(),
            max_index: span.reach,
            max_lift: span.lift(),
        });
    }

    /// Generates a trap if `excess`, an integer, is positive: the end code rises from 0, the code
    /// of a byte.
    fn trap_if(&mut self, name: &str, excess: LinearForm, trap: Trap) {
        let one = self.graph.one();
        for (offset, sign) in [(0, 1), (1, -1)] {
            let step = self.graph.relu(name, excess.clone() - one * offset);
            self.graph.add(self.end, sign * code::trap(trap), step);
        }
    }

    /// The dimension of the end token's code.
    pub(crate) fn end_dim(&self) -> Dim {
        self.end
    }

    /// The dimension of the byte to output.
    pub(crate) fn result_dim(&self) -> Dim {
        self.columns.result
    }

    /// The names of its groups of instructions, the core first.
    fn modules(&self) -> Vec<String> {
        let extensions = self.extensions.iter().map(|extension| extension.name());
        let names = std::iter::once(Extension::CORE).chain(extensions);
        let rom = self.rom.as_ref().map(|_| Rom::NAME);
        let specialised = self.rom.as_ref().is_some_and(Rom::is_specialised);
        let specialised = specialised.then_some(Rom::SPECIALISED);
        names
            .chain(rom)
            .chain(specialised)
            .map(str::to_owned)
            .collect()
    }

    /// The machine's profile.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Assembles the model of the machine under a schedule.
    ///
    /// # Errors
    /// If the schedule does not fit the machine's graph, or the machine has planned features.
    pub fn assemble(&self, schedule: &Schedule) -> Result<Model, ScheduleError> {
        if let Some(planned) = self.planned.first() {
            let feature = planned.name();
            return Err(ScheduleErrorKind::Planned { feature }.into());
        }
        let vocabulary = Vocabulary::new();
        let tokens = vocabulary.tokens().iter();
        let ends = vocabulary
            .tokens()
            .iter()
            .zip(0..)
            .filter(|(token, _)| token.ends_run());
        let turns = self.extensions.contains(&Extension::Turn);
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
            profile: Some(self.profile.name),
            modules: Some(self.modules()),
            context: turns.then_some(self.profile.context),
            last_position: self.profile.last_position,
            bounds: &self.bounds,
        };
        blueprint.assemble()
    }
}

/// The byte index relative to the size of a load or an extension.
pub(crate) struct Size {
    /// `relu(index - size + 1)`: the number of bytes past the size.
    pub(crate) beyond: Dim,
    /// `relu(size - index)`: 0 past the size.
    pub(crate) within: Dim,
}

/// The dimensions that sections share.
pub(crate) struct Parts {
    pub(crate) state: State,
    pub(crate) fetched: Fetched,
    pub(crate) operands: Operands,
    pub(crate) lower: Option<Lower>,
}
