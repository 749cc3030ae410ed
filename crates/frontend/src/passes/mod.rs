//! The pass pipeline: optimisations of the intermediate code. [`Pass::Inline`] is interprocedural;
//! the others see one function at a time.
//!
//! Each pass preserves a function's results, its output, its traps and their order, and its
//! accesses of memory and of globals, but not the depth to which calls may nest. No pass evaluates
//! a loop or a call at compile time. [`Options::passes`](crate::Options::passes) selects the
//! passes.

mod cfg;
mod coalesce_locals;
mod copy_propagation;
mod dead_stores;
mod inline;
mod jump_threading;
mod split_webs;
mod stackify;

pub(crate) use inline::{SHORT, SHORT_IN_WEIGHTS};
use std::collections::HashSet;
use std::fmt;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, available_parallelism};

use crate::code::{Callee, Code, InstKind, Label};
use cfg::Cfg;

/// An optimisation pass over the intermediate code of functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Pass {
    /// Peephole rewriting of adjacent instructions as they are appended, constant folding included.
    Peephole,
    /// Inlining of functions that have one call site or are very short.
    Inline,
    /// Jump threading, duplication of short epilogues, branch inversion, and removal of
    /// unreachable code.
    JumpThreading,
    /// Copy and constant propagation from writes of locals to reads.
    CopyPropagation,
    /// Dead-store elimination, and elimination of values that are computed only to be dropped.
    DeadStores,
    /// Stackification: a value stays on the operand stack instead of passing through a local.
    Stackify,
    /// Live-range splitting, copy coalescing, and sharing of frame words between locals that are
    /// not live together.
    CoalesceLocals,
}

/// A set of optimisation passes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Passes(u8);

impl fmt::Debug for Passes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passes = Pass::ALL.into_iter().filter(|&pass| self.contains(pass));
        f.debug_set().entries(passes).finish()
    }
}

impl Pass {
    /// All passes, in the order of their declaration.
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
    /// The set of all passes.
    #[must_use]
    pub const fn all() -> Self {
        Self((1 << Pass::ALL.len()) - 1)
    }

    /// The empty set of passes.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// The set with a pass added.
    #[must_use]
    pub const fn with(self, pass: Pass) -> Self {
        Self(self.0 | pass.bit())
    }

    /// The set with a pass removed.
    #[must_use]
    pub const fn without(self, pass: Pass) -> Self {
        Self(self.0 & !pass.bit())
    }

    /// Whether a pass is in the set.
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

/// The most rounds of the repeated passes. They seldom change the code after that.
const MOST_ROUNDS: usize = 4;

/// The instructions of a module from which on several threads rewrite its functions.
const PARALLEL: usize = 1 << 14;

/// A pass over a function, which returns whether it changed anything.
type Run = fn(&mut Code) -> bool;

/// The passes that create opportunities for one another.
const REPEATED: [(Pass, Run); 4] = [
    (Pass::JumpThreading, jump_threading::run),
    (Pass::CopyPropagation, copy_propagation::run),
    (Pass::DeadStores, dead_stores::run),
    (Pass::Stackify, stackify::run),
];

/// Runs passes over all functions, by their labels. The entry code calls those in `kept`; calls
/// through tables may reach those in `elements`. Functions without callers after inlining are
/// removed. Functions of up to `short` instructions are inlined. `fresh` allocates labels.
pub(crate) fn run(
    functions: &mut Vec<(Label, Code)>,
    (passes, short): (Passes, usize),
    kept: &HashSet<Label>,
    elements: &HashSet<Label>,
    fresh: impl FnMut() -> Label,
) {
    each(functions, |code| rewrite(code, passes));
    if passes.contains(Pass::Inline) {
        inline::run(functions, short, kept, elements, fresh);
        each(functions, |code| rewrite(code, passes));
    }
    each(functions, |code| finish(code, passes));
}

/// Runs a pass over all functions: over many instructions on all cores.
fn each(functions: &mut [(Label, Code)], pass: impl Fn(&mut Code) + Sync) {
    let insts = functions.iter().map(|(_, code)| code.insts.len());
    let threads = match insts.sum::<usize>() < PARALLEL {
        true => 1,
        false => available_parallelism().map_or(1, NonZero::get),
    };
    let queue = Mutex::new(functions.iter_mut());
    // A pass that panics ends the scope, so a poisoned queue loses nothing.
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        while let Some((_, code)) = next() {
            pass(code);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
}

/// Runs the repeated passes until they change nothing, or [`MOST_ROUNDS`] times.
fn rewrite(code: &mut Code, passes: Passes) {
    if passes.contains(Pass::CoalesceLocals) {
        coalesce_locals::run(code, false);
    }
    for _ in 0..MOST_ROUNDS {
        let mut changed = false;
        for (pass, run) in REPEATED {
            changed |= passes.contains(pass) && run(code);
        }
        if !changed {
            break;
        }
    }
}

/// Runs the last passes: tail duplication and the allocation of frame words.
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
    code.words = code.words.max(operands_below_calls(code));
}

/// The most operands that lie on the stack below those of a call. A frame has at least as many
/// words, so the operand stack cannot overflow before the frames do.
fn operands_below_calls(code: &Code) -> u32 {
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
