//! Far positions: every instruction, and random programs, after thousands and millions of tokens.
//!
//! A [`Case`] is code that executes an instruction on operands whose result shows mistakes, or a
//! random program. A [`Course`] is one program that runs from the first position to the last: it
//! idles in a loop until the position of a case, executes the case, and idles again. So millions of
//! tokens are decoded once for hundreds of cases, and every token is compared with the plain
//! interpreter. Courses take turns in the surroundings of their cases ([`Setting`]).
//!
//! Cases may trap and exit. The model has no end tokens here, so that decoding continues after
//! them. An instruction that ends the run has then no effect
//! ([`Interpreter::go_on`](weightware_isa::Interpreter::go_on)). [`endings`] are runs with end
//! tokens.

mod cases;
mod course;
mod coverage;
mod ending;
mod judge;
mod lead;
mod memory;
mod program;
mod run;
mod setting;
mod writer;

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use weightware::{Model, Profile};
use weightware_isa::Op;

use cases::has_cases;
pub use cases::is_executed;
pub use course::{Course, Ends, Stop};
pub use coverage::Coverage;
pub use ending::{Ending, endings};
pub use judge::{Failure, reduce};
pub(crate) use lead::best;
pub use lead::{Lead, Leads};
pub use run::{Difference, Ran, run};
pub use setting::{Code, Setting};

use crate::horizon::most_stores;
use crate::random::Random;

/// The instructions that programs contain.
static EXECUTED: LazyLock<Vec<Op>> = LazyLock::new(|| {
    Op::ALL
        .iter()
        .copied()
        .filter(|&op| has_cases(op))
        .collect()
});

/// The kind of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An instruction on operands whose result shows mistakes.
    Op(Op),
    /// A random program.
    Program,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Op(op) => write!(f, "{op}"),
            Self::Program => f.write_str("program"),
        }
    }
}

impl Kind {
    /// The kind of the case with that number: three instructions, then a program, unless all are of
    /// one kind.
    #[must_use]
    pub fn of(number: u64, only: Option<Self>) -> Self {
        if let Some(only) = only {
            return only;
        }
        if number % 4 == 3 {
            return Self::Program;
        }
        let at = (number / 4 * 3 + number % 4) % EXECUTED.len() as u64;
        Self::Op(EXECUTED[at as usize])
    }
}

/// A case, a function of its number and seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Case {
    /// Its number.
    pub number: u64,
    /// Its kind.
    pub kind: Kind,
    /// The seed of its operands.
    pub seed: u64,
    /// The position at which it is to begin.
    pub position: u64,
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if name == "program" {
            return Ok(Self::Program);
        }
        let op = EXECUTED.iter().find(|op| op.spec().name == name);
        op.map(|&op| Self::Op(op))
            .ok_or_else(|| "no such instruction is executed".into())
    }
}

/// The number of cases of a course.
pub const PER_COURSE: u64 = 500;

/// The least position that counts as far.
pub const FAR: u64 = 1_000_000;

impl Case {
    /// The case of a number. A quarter of all cases begin before [`FAR`], most of them early, and
    /// 15 of 100 begin in the last twentieth.
    #[must_use]
    pub fn new(number: u64, seed: u64, only: Option<Kind>, last_position: u64) -> Self {
        let last = last_position as f64;
        let far = (FAR as f64).min(last / 4.0);
        let late = last * 0.95;
        // Consecutive numbers are far apart.
        let share = (number as f64 * 0.618_033_988_749_894_9).fract();
        let position = match share {
            ..0.25 => far.powf(0.5 + 2.0 * share),
            ..0.85 => far + (late - far) * (share - 0.25) / 0.6,
            _ => late + (last - late) * (share - 0.85) / 0.15,
        };
        Self {
            number,
            kind: Kind::of(number, only),
            seed: Random::new(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).bits(),
            position: position as u64,
        }
    }
}

/// The model without end tokens, and the limits of its courses.
#[must_use]
pub fn endless(mut model: Model, profile: Profile) -> (Model, Ends) {
    let ends = Ends {
        profile,
        last_position: model.config.last_position,
        stores: most_stores(&model).unwrap_or(u64::MAX),
    };
    model.end_tokens.clear();
    (model, ends)
}

/// The courses of the given number of cases.
pub fn courses(
    ends: &Ends,
    count: u64,
    seed: u64,
    only: Option<Kind>,
) -> impl Iterator<Item = (Setting, Vec<Case>)> {
    let last = ends.last_position;
    let courses = count.div_ceil(PER_COURSE);
    (0..courses).map(move |course| {
        let numbers = course * PER_COURSE..((course + 1) * PER_COURSE).min(count);
        let cases = numbers.map(|number| Case::new(number, seed, only, last));
        (setting(course * PER_COURSE), cases.collect())
    })
}

/// The setting of the case with that number.
#[must_use]
pub fn setting(number: u64) -> Setting {
    let course = number / PER_COURSE;
    Setting::ALL[course as usize % Setting::ALL.len()]
}
