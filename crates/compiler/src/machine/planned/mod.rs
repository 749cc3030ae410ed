//! What is planned: features that later work adds to this machine, as far as they take hardware.
//! Scheduled together with the machine of today, they say what of it must be kept free;
//! ARCHITECTURE.md, "Hardware budget", says what was found. None of them is assembled to weights.
//!
//! | feature | adds |
//! |---|---|
//! | [`Planned::Anywhere`] | programs that begin anywhere in a context: `anywhere` |
//! | [`Planned::WordGet`], [`Planned::Dump`], [`Planned::Frames`], [`Planned::Interrupt`] | contexts that turn: `turn` |
//! | [`Planned::MergedShifts`] | a saving: `shifts` |
//! | [`Planned::Rom`], [`Planned::RomCalls`] | instructions in the weights: `rom` |
//!
//! Where a token leads elsewhere than to the instruction whose number stands before it (`{`, an
//! interrupted branch):
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

/// A feature that is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Planned {
    /// A program begins anywhere in a context, and several follow one another.
    Anywhere,
    /// `word.get`, `word.get64`: a word of the locals and globals by a number on the stack.
    WordGet,
    /// `dump`: the bytes of a stretch of memory, as many as the stack says, in one instruction.
    Dump,
    /// `frame.get`, `record` and `leave`: the frame base, the call that made the frame, and the way
    /// to the caller's frame.
    Frames,
    /// From a position on, a conditional branch that is taken enters a handler.
    Interrupt,
    /// One head for the shifts of each direction and width, instead of six in all.
    MergedShifts,
    /// Instructions in the weights.
    Rom,
    /// Instructions in the weights that call one another; they include [`Planned::Rom`].
    RomCalls,
}

impl Planned {
    /// All features.
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

    /// Those that the machine can do more with: all but the saving.
    pub const ADDED: [Planned; 7] = [
        Planned::Anywhere,
        Planned::WordGet,
        Planned::Dump,
        Planned::Frames,
        Planned::Interrupt,
        Planned::Rom,
        Planned::RomCalls,
    ];

    /// Its name in lower case.
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

/// What the sections of today hand to the features of tomorrow.
pub(super) struct Hooks {
    /// The frame base at an instruction that names a global.
    pub(super) frame_if_global: Dim,
    pub(super) record: Record,
    /// What the multiplier prints, if it is there.
    pub(super) product: Option<Dim>,
    pub(super) wait: Wait,
}

/// The call that made the current frame.
pub(super) struct Record {
    pub(super) resume_at: Dim,
    pub(super) frame_size: Dim,
}

/// What the next token waits for.
pub(super) struct Wait {
    /// 1 at a `br_if` that is not taken, -1 at a `br_unless` that is.
    pub(super) skip: Dim,
    /// Bytes still to come.
    pub(super) left: LinearForm,
}

impl Machine {
    /// The features that only add to the machine.
    pub(super) fn plan(&mut self, parts: &Parts, hooks: &Hooks) {
        for feature in self.planned.clone() {
            match feature {
                Planned::WordGet => self.word_get(parts, hooks),
                Planned::Dump => self.dump(parts),
                Planned::Frames => self.frames(parts, hooks),
                Planned::Interrupt => self.interrupt(parts, hooks),
                Planned::RomCalls => self.rom_returns(parts, hooks),
                // In the sections that they change.
                Planned::Anywhere | Planned::MergedShifts | Planned::Rom => {}
            }
        }
    }

    /// The features that are planned for this machine; none for one of today.
    #[must_use]
    #[doc(hidden)]
    pub fn planned(&self) -> &[Planned] {
        &self.planned
    }
}

/// Tokens before every prompt, the table of the instructions in the weights included.
pub(super) fn preamble(planned: &[Planned]) -> i64 {
    let table = match has_rom(planned) {
        true => rom_table().count(),
        false => 0,
    };
    i64::try_from(Program::PREAMBLE_LEN + table).expect("short")
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

/// `base + count`, the number of the current instruction and 1.
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

/// What tokens that lead elsewhere add to the target of a jump, and what of the word before them is
/// not to be read.
#[derive(Default)]
pub(super) struct Lead {
    pub(super) target: LinearForm,
    pub(super) word: LinearForm,
}

/// See the equations above.
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
            // `{` counts as a growth of the memory, by nothing.
            lead.word = cancel("cancel.word", word.clone()).into();
        }
        if interrupt {
            lead.target += columns.class;
        }
    }
    lead
}
