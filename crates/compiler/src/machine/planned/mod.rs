//! Planned features: circuits that later work adds to this machine, to measure the hardware that
//! they need. They are scheduled together with today's machine, and the result says how much of it
//! must stay free; the section "Hardware budget" of ARCHITECTURE.md has the findings. No planned
//! feature is assembled to weights.
//!
//! | feature | adds |
//! |---|---|
//! | [`Planned::Anywhere`] | programs that begin anywhere in a context: `anywhere` |
//! | [`Planned::MergedShifts`] | a saving: `shifts` |
//! | [`Planned::Rom`], [`Planned::RomCalls`] | instructions in the weights: `rom` |
//!
//! `{` leads to another instruction than the one whose number precedes it.
//!
//! ```text
//! class^2  = -1 at `{`                                       0 at least at all other tokens
//! cancel   = relu(target - 2^34 (1 + class^2))               target there, else 0
//! base     = target - cancel - count + 1 + byte              byte = -1 at `{`
//! ```

pub(super) mod anywhere;
mod rom;
mod shifts;
mod tokens;

use weightware_isa::Program;

use super::columns::Columns;
use super::{BIG, Machine, Parts};
use crate::form::{Dim, LinearForm};
use crate::graph::{Graph, Output};
pub(super) use rom::Rom;
pub use rom::{LADDERS, ROM_BASE, table as rom_table};
pub(super) use shifts::unless as unless_shift;

/// A feature that the default machine lacks, and that a machine may be built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Planned {
    /// A program may begin anywhere in a context, and several may follow one another.
    Anywhere,
    /// One head for the shifts of each direction and width, instead of six in all.
    MergedShifts,
    /// Instructions in the weights.
    Rom,
    /// Instructions in the weights that call one another; they include [`Planned::Rom`].
    RomCalls,
}

impl Planned {
    /// All features; [`Planned::ADDED`] leaves out the one that only saves heads.
    pub const ALL: [Planned; 4] = [
        Planned::Anywhere,
        Planned::Rom,
        Planned::RomCalls,
        Planned::MergedShifts,
    ];

    /// The features that extend the machine: all except the saving.
    pub const ADDED: [Planned; 3] = [Planned::Anywhere, Planned::Rom, Planned::RomCalls];

    /// The feature's name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Planned::Anywhere => "anywhere",
            Planned::MergedShifts => "merged-shifts",
            Planned::Rom => "rom",
            Planned::RomCalls => "rom-calls",
        }
    }

    /// The feature of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|planned| planned.name() == name)
    }
}

/// Dimensions of today's sections that planned features read.
pub(super) struct Hooks {
    /// The place of the `resume` after the call that made the current frame.
    pub(super) resume_at: Dim,
    /// The dimension that the multiplier copies to the trace, if there is a multiplier.
    pub(super) product: Option<Dim>,
}

impl Machine {
    /// Adds the features that only add circuits to the machine.
    pub(super) fn plan(&mut self, parts: &Parts, hooks: &Hooks) {
        for feature in self.planned.clone() {
            match feature {
                Planned::RomCalls => self.rom_returns(parts, hooks),
                // These change other sections.
                Planned::Anywhere | Planned::MergedShifts | Planned::Rom => {}
            }
        }
    }

    /// The planned features of this machine; none for today's machine.
    #[must_use]
    #[doc(hidden)]
    pub fn planned(&self) -> &[Planned] {
        &self.planned
    }
}

/// The number of tokens before every prompt, the table of the instructions in the weights included.
pub(super) fn preamble(planned: &[Planned]) -> i64 {
    let table = match has_rom(planned) {
        true => rom_table().count(),
        false => 0,
    };
    i64::try_from(Program::PREAMBLE_LEN + table).expect("a preamble has fewer than 2^63 tokens")
}

pub(super) fn has_rom(planned: &[Planned]) -> bool {
    planned.contains(&Planned::Rom) || planned.contains(&Planned::RomCalls)
}

/// The count of instructions; exact if a ladder reads it.
pub(super) fn count(graph: &mut Graph, count: Output, planned: &[Planned]) -> LinearForm {
    match has_rom(planned) {
        true => graph.hold_lifted("count", count),
        false => graph.hold("count", count).into(),
    }
}

/// `base + count`: the number of the current instruction, plus 1.
pub(super) fn closed(
    graph: &mut Graph,
    base: Output,
    count: LinearForm,
    planned: &[Planned],
) -> LinearForm {
    match has_rom(planned) {
        true => rom::closed(graph, base, count),
        false => graph.hold("base", base) + count,
    }
}

/// The corrections at tokens that lead elsewhere: a term for the target of a jump, and the part of
/// the preceding word that must not be read.
#[derive(Default)]
pub(super) struct Lead {
    pub(super) target: LinearForm,
    pub(super) word: LinearForm,
}

/// The corrections `cancel` and `base` of the equations in the module's header.
pub(super) fn lead(
    graph: &mut Graph,
    columns: &Columns,
    target: Dim,
    word: &LinearForm,
    planned: &[Planned],
) -> Lead {
    let mut lead = Lead::default();
    if planned.contains(&Planned::Anywhere) {
        let elsewhere = (graph.one() + columns.class_squared) * BIG;
        let mut cancel = |name: &str, number: LinearForm| {
            let cancelled = graph.relu(name, number - elsewhere.clone());
            graph.hold(name, cancelled)
        };
        lead.target = columns.byte - cancel("cancel", target.into());
        // `{` counts as a growth of the memory by 0 pages.
        lead.word = cancel("cancel.word", word.clone()).into();
    }
    lead
}
