//! Planned features: circuits that later work adds to this machine, to measure the hardware that
//! they need. They are scheduled together with today's machine, and the result says how much of it
//! must stay free; the section "Hardware budget" of ARCHITECTURE.md has the findings. No planned
//! feature is assembled to weights.
//!
//! | feature | adds |
//! |---|---|
//! | [`Planned::Anywhere`] | programs that begin anywhere in a context: `anywhere` |
//! | [`Planned::MergedShifts`] | a saving: `shifts` |
//!
//! `{` leads to another instruction than the one whose number precedes it.
//!
//! ```text
//! class^2  = -1 at `{`                                       0 at least at all other tokens
//! cancel   = relu(target - 2^34 (1 + class^2))               target there, else 0
//! base     = target - cancel - count + 1 + byte              byte = -1 at `{`
//! ```

pub(super) mod anywhere;
mod shifts;
mod tokens;

use super::columns::Columns;
use super::{BIG, Machine};
use crate::form::{Dim, LinearForm};
use crate::graph::Graph;
pub(super) use shifts::unless as unless_shift;

/// A feature that the default machine lacks, and that a machine may be built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Planned {
    /// A program may begin anywhere in a context, and several may follow one another.
    Anywhere,
    /// One head for the shifts of each direction and width, instead of six in all.
    MergedShifts,
}

impl Planned {
    /// All features; [`Planned::ADDED`] leaves out the one that only saves heads.
    pub const ALL: [Planned; 2] = [Planned::Anywhere, Planned::MergedShifts];

    /// The features that extend the machine: all except the saving.
    pub const ADDED: [Planned; 1] = [Planned::Anywhere];

    /// The feature's name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Planned::Anywhere => "anywhere",
            Planned::MergedShifts => "merged-shifts",
        }
    }

    /// The feature of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|planned| planned.name() == name)
    }
}

impl Machine {
    /// The planned features of this machine; none for today's machine.
    #[must_use]
    #[doc(hidden)]
    pub fn planned(&self) -> &[Planned] {
        &self.planned
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
