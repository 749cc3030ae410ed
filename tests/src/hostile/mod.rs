//! Hostile inputs for every reader of bytes: valid inputs, damaged ones, and noise.
//!
//! A reader must accept any bytes or refuse them with the place. It never panics, and its memory
//! stays in proportion to the length of the input. Execution `n` of a seed is the same on every
//! machine. Inputs that once were findings are kept in `hostile/`.

mod damage;
mod model;
mod target;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

pub use target::Target;

use self::damage::Damage;
use crate::random::Random;

/// A meter of memory, by the command's counting allocator.
#[derive(Debug, Clone, Copy)]
pub struct Meter {
    /// Resets the peak.
    pub reset: fn(),
    /// The bytes allocated at the moment, and the peak since the reset.
    pub usage: fn() -> (usize, usize),
}

/// The bytes that any input may take, and bytes for each byte of it.
///
/// The frontend lowers one byte of a module to at most some tens of instructions, and a machine for
/// tokens has tables of its own.
const MEMORY: (usize, usize) = (64 << 20, 4096);

/// An input that was neither accepted nor refused properly.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The execution of the seed.
    pub number: u64,
    /// The input.
    pub input: Vec<u8>,
    /// The result of the input.
    pub what: String,
}

/// The results of many inputs.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// The number of inputs.
    pub executions: u64,
    /// The number of inputs that were accepted as valid.
    pub taken: u64,
    /// The greatest memory of an input.
    pub memory: usize,
    /// The longest time of an input.
    pub longest: Duration,
    /// All findings.
    pub findings: Vec<Finding>,
}

/// Inputs for a target.
pub struct Campaign {
    check: Box<target::Check>,
    damage: Damage,
    seed: u64,
}

impl std::fmt::Debug for Campaign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Campaign")
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

impl Campaign {
    /// The inputs of a seed.
    #[must_use]
    pub fn new(target: Target, seed: u64) -> Self {
        let (check, valid, words) = target.open();
        Self {
            check,
            damage: Damage::new(valid, words),
            seed,
        }
    }

    /// The input of an execution.
    #[must_use]
    pub fn input(&self, number: u64) -> Vec<u8> {
        let mut random = Random::new(self.seed);
        let mut random = Random::new(random.bits() ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        self.damage.input(&mut random)
    }

    /// Gives an input to the target, and returns whether it accepts it and the memory that it
    /// takes.
    ///
    /// # Errors
    /// If it panics, takes too much memory, or is refused without a place.
    pub fn give(&self, input: &[u8], meter: Meter) -> Result<(bool, usize), String> {
        let (before, _) = (meter.usage)();
        (meter.reset)();
        let taken = catch_unwind(AssertUnwindSafe(|| (self.check)(input)));
        let taken = taken.unwrap_or_else(|panic| {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!(
                "panics: {}",
                message.unwrap_or("without a message")
            ))
        });
        let memory = (meter.usage)().1.saturating_sub(before);
        let allowed = MEMORY.0 + MEMORY.1 * input.len();
        if memory > allowed {
            return Err(format!("takes {memory} bytes for {} of input", input.len()));
        }
        Ok((taken?, memory))
    }

    /// Gives inputs from an execution on, for the given time or the given number of inputs.
    #[must_use]
    pub fn run(&self, from: u64, time: Duration, most: u64, meter: Meter) -> Tally {
        let start = Instant::now();
        let mut tally = Tally::default();
        for number in from..from.saturating_add(most) {
            if start.elapsed() >= time {
                break;
            }
            let input = self.input(number);
            let begin = Instant::now();
            match self.give(&input, meter) {
                Ok((taken, memory)) => {
                    tally.taken += u64::from(taken);
                    tally.memory = tally.memory.max(memory);
                }
                Err(what) => tally.findings.push(Finding {
                    number,
                    input,
                    what,
                }),
            }
            tally.executions += 1;
            tally.longest = tally.longest.max(begin.elapsed());
        }
        tally
    }
}
