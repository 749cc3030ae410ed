//! Optimisations of the lowered code, one function at a time but for [`Pass::Inline`].
//!
//! Each pass keeps what a function does: its results, its output, its traps and their order, its accesses of memory and
//! of globals; but not how deep calls may nest. None executes a loop or a call. Each can be left out, by [`Options::passes`](crate::Options::passes).

mod cfg;
mod coalesce_locals;
mod copy_propagation;
mod dead_stores;
mod inline;
mod jump_threading;
mod split_webs;
mod stackify;

use std::collections::HashSet;
use std::fmt;

use crate::code::{Callee, Label};
use crate::code::{Code, InstKind};
use cfg::Cfg;

/// An optimisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Pass {
    /// Neighbouring instructions become shorter ones as they are made; constants are folded.
    Peephole,
    /// Calls of functions that are called in one place, or very short, become the functions' code.
    Inline,
    /// Jumps to jumps, jumps to what comes next, code that no way leads to.
    JumpThreading,
    /// A local that is a copy of another, or of a constant, is replaced by that.
    CopyPropagation,
    /// Writes that nothing reads, and values that are computed to be dropped.
    DeadStores,
    /// A value that is written to a local and read when it would lie on top of the stack stays there.
    Stackify,
    /// Locals that are never alive together share a word, copies first: the frame becomes small.
    CoalesceLocals,
}

/// A set of optimisations.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Passes(u8);

impl fmt::Debug for Passes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passes = Pass::ALL.into_iter().filter(|&pass| self.contains(pass));
        f.debug_set().entries(passes).finish()
    }
}

impl Pass {
    /// All of them.
    pub const ALL: [Pass; 7] = [
        Pass::Peephole,
        Pass::Inline,
        Pass::JumpThreading,
        Pass::CopyPropagation,
        Pass::DeadStores,
        Pass::Stackify,
        Pass::CoalesceLocals,
    ];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Passes {
    /// All optimisations.
    #[must_use]
    pub const fn all() -> Self {
        Self((1 << Pass::ALL.len()) - 1)
    }

    /// None.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// These and that one.
    #[must_use]
    pub const fn with(self, pass: Pass) -> Self {
        Self(self.0 | pass.bit())
    }

    /// These but that one.
    #[must_use]
    pub const fn without(self, pass: Pass) -> Self {
        Self(self.0 & !pass.bit())
    }

    /// Whether that one is among them.
    #[must_use]
    pub const fn contains(self, pass: Pass) -> bool {
        self.0 & pass.bit() != 0
    }
}

impl FromIterator<Pass> for Passes {
    fn from_iter<I: IntoIterator<Item = Pass>>(passes: I) -> Self {
        passes.into_iter().fold(Self::none(), Self::with)
    }
}

/// Most often that the passes are repeated. What one makes possible for another is seldom more than that.
const ROUNDS: usize = 4;

/// A pass over a function; whether it changed anything.
type Run = fn(&mut Code) -> bool;

/// The passes that make work for one another.
const REPEATED: [(Pass, Run); 4] = [
    (Pass::JumpThreading, jump_threading::run),
    (Pass::CopyPropagation, copy_propagation::run),
    (Pass::DeadStores, dead_stores::run),
    (Pass::Stackify, stackify::run),
];

/// Runs those passes over all functions, by their labels. Those in `kept` are called from elsewhere too, those in
/// `elements` through tables. Functions that nobody calls any more vanish. `fresh` makes labels.
pub(crate) fn run(
    functions: &mut Vec<(Label, Code)>,
    passes: Passes,
    kept: &HashSet<Label>,
    elements: &HashSet<Label>,
    fresh: impl FnMut() -> Label,
) {
    for (_, code) in functions.iter_mut() {
        rewrite(code, passes);
    }
    if passes.contains(Pass::Inline) {
        inline::run(functions, kept, elements, fresh);
        for (_, code) in functions.iter_mut() {
            rewrite(code, passes);
        }
    }
    for (_, code) in functions {
        finish(code, passes);
    }
}

/// Runs passes until they find nothing more.
fn rewrite(code: &mut Code, passes: Passes) {
    if passes.contains(Pass::CoalesceLocals) {
        coalesce_locals::run(code, false);
    }
    for _ in 0..ROUNDS {
        let mut changed = false;
        for (pass, run) in REPEATED {
            changed |= passes.contains(pass) && run(code);
        }
        if !changed {
            break;
        }
    }
}

/// What comes last.
fn finish(code: &mut Code, passes: Passes) {
    if passes.contains(Pass::JumpThreading)
        && jump_threading::run_last(code)
        && passes.contains(Pass::DeadStores)
    {
        dead_stores::run(code);
    }
    if passes.contains(Pass::CoalesceLocals) {
        coalesce_locals::run(code, true);
    }
    code.words = code.words.max(operands(code));
}

/// The most operands that a function pushes below those of a call. A frame is as large, so that the operand stack is
/// within its bounds wherever the frames are within theirs.
fn operands(code: &Code) -> u32 {
    let cfg = Cfg::new(code);
    let heights = cfg.heights(code);
    let below = code.insts.iter().zip(heights).filter_map(|(inst, height)| {
        let InstKind::Call(Callee { pops, .. }) = inst.kind else {
            return None;
        };
        height?.checked_sub(pops)
    });
    u32::try_from(below.max().unwrap_or(0)).unwrap_or(u32::MAX)
}
