//! Planned features: circuits that later work adds to this machine, to measure the hardware that
//! they need. They are scheduled together with today's machine, and the result says how much of it
//! must stay free; the section "Hardware budget" of ARCHITECTURE.md has the findings. No planned
//! feature is assembled to weights.
//!
//! | feature | adds |
//! |---|---|
//! | [`Planned::Anywhere`] | programs that begin anywhere in a context: `anywhere` |
//! | [`Planned::WordGet`], [`Planned::Dump`], [`Planned::Frames`], [`Planned::Interrupt`] | contexts that turn: `turn` |
//! | [`Planned::MergedShifts`] | a saving: `shifts` |
//! | [`Planned::Rom`], [`Planned::RomCalls`] | instructions in the weights: `rom` |
//!
//! Some tokens lead to another instruction than the one whose number precedes them: `{`, and the
//! end of an interrupted branch.
//!
//! ```text
//! class^2  = -1 at such a token                              0 at least at all others
//! cancel   = relu(target - 2^34 (1 + class^2))               target there, else 0
//! base     = target - cancel - count + 1 + byte + class      byte = -1 at `{`; class = the handler at an interrupted branch
//! ```

pub(super) mod anywhere;
mod rom;
mod shifts;
mod tokens;
mod turn;

use weightware_isa::Program;

use super::columns::Columns;
use super::{BIG, Machine, Parts};
use crate::form::{Dim, LinearForm};
use crate::graph::{Graph, Output};
pub(super) use rom::Rom;
pub use rom::{LADDERS, ROM_BASE, table as rom_table};
pub(super) use shifts::unless as unless_shift;
pub use tokens::PlannedToken;
pub use turn::{HANDLER, interrupts_after};

/// A feature that the default machine lacks, and that a machine may be built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Planned {
    /// A program may begin anywhere in a context, and several may follow one another.
    Anywhere,
    /// `word.get` and `word.get64`: the word of the locals and globals whose number is on the
    /// stack.
    WordGet,
    /// `dump`: the bytes of a range of memory, whose length is on the stack, in one instruction.
    Dump,
    /// `frame.get`, `record` and `leave`: the frame base, the call that made the frame, and the
    /// return to the caller's frame.
    Frames,
    /// A taken conditional branch after a given position enters a handler.
    Interrupt,
    /// One head for the shifts of each direction and width, instead of six in all.
    MergedShifts,
    /// Instructions in the weights.
    Rom,
    /// Instructions in the weights that call one another; they include [`Planned::Rom`].
    RomCalls,
}

impl Planned {
    /// All features; [`Planned::ADDED`] leaves out the one that only saves heads.
    pub const ALL: [Planned; 8] = [
        Planned::Anywhere,
        Planned::WordGet,
        Planned::Dump,
        Planned::Frames,
        Planned::Interrupt,
        Planned::Rom,
        Planned::RomCalls,
        Planned::MergedShifts,
    ];

    /// The features that extend the machine: all except the saving.
    pub const ADDED: [Planned; 7] = [
        Planned::Anywhere,
        Planned::WordGet,
        Planned::Dump,
        Planned::Frames,
        Planned::Interrupt,
        Planned::Rom,
        Planned::RomCalls,
    ];

    /// The feature's name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Planned::Anywhere => "anywhere",
            Planned::WordGet => "word-get",
            Planned::Dump => "dump",
            Planned::Frames => "frames",
            Planned::Interrupt => "interrupt",
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
    /// The frame base at an instruction that names a global.
    pub(super) frame_if_global: Dim,
    pub(super) record: Record,
    /// The dimension that the multiplier copies to the trace, if there is a multiplier.
    pub(super) product: Option<Dim>,
    pub(super) wait: Wait,
}

/// The call that made the current frame.
pub(super) struct Record {
    pub(super) resume_at: Dim,
    pub(super) frame_size: Dim,
}

/// The bytes that the trace must have before the end token.
pub(super) struct Wait {
    /// 1 at a `br_if` that is not taken, -1 at a `br_unless` that is taken.
    pub(super) skip: Dim,
    /// The number of bytes still to come.
    pub(super) left: LinearForm,
}

impl Machine {
    /// Adds the features that only add circuits to the machine.
    pub(super) fn plan(&mut self, parts: &Parts, hooks: &Hooks) {
        for feature in self.planned.clone() {
            match feature {
                Planned::WordGet => self.word_get(parts, hooks),
                Planned::Dump => self.dump(parts),
                Planned::Frames => self.frames(parts, hooks),
                Planned::Interrupt => self.interrupt(parts, hooks),
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
    let anywhere = planned.contains(&Planned::Anywhere);
    let interrupt = planned.contains(&Planned::Interrupt);
    if anywhere || interrupt {
        let elsewhere = (graph.one() + columns.class_squared) * BIG;
        let mut cancel = |name: &str, number: LinearForm| {
            let cancelled = graph.relu(name, number - elsewhere.clone());
            graph.hold(name, cancelled)
        };
        lead.target = -cancel("cancel", target.into());
        if anywhere {
            lead.target += columns.byte;
            // `{` counts as a growth of the memory by 0 pages.
            lead.word = cancel("cancel.word", word.clone()).into();
        }
        if interrupt {
            lead.target += columns.class;
        }
    }
    lead
}
