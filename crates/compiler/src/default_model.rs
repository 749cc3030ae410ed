//! The default machine with its committed schedule, and machines of some of its modules.

use weightware_model::Model;

use crate::machine::{Extension, Machine, Profile};
use crate::names::Names;
use crate::schedule::{Schedule, ScheduleError};
use crate::search::solve;
use crate::usage::Usage;

/// The default model: all modules, the stock profile, 7 layers, `d_model` 36, 18 heads, `d_ffn` 36.
/// Built in milliseconds, always the same.
///
/// # Panics
/// If the committed schedule does not fit the machine; a test keeps it fitting.
#[must_use]
pub fn default_model() -> Model {
    profile_model(Profile::default())
}

/// The same with the numbers of a profile.
///
/// # Panics
/// As [`default_model`].
#[must_use]
pub fn profile_model(profile: Profile) -> Model {
    let assembled = scheduled(profile, &Extension::ALL)
        .and_then(|(machine, schedule)| machine.assemble(&schedule));
    assembled.unwrap_or_else(|error| {
        panic!("solve the schedule anew with `cargo xtask schedule`: {error}")
    })
}

/// Seeds that [`compile`] tries, and moves of each search.
const SEARCH: (u64, u32) = (32, 300_000);

/// A compiled machine.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// Its model.
    pub model: Model,
    /// The part of its shape that it uses.
    pub usage: Usage,
    /// The names of its heads, neurons and slots.
    pub names: Names,
}

/// Compiles a machine of a profile with some of the modules beside the core, in the profile's
/// shape. All modules together have a committed schedule, others are solved: a second or so.
///
/// The vocabulary has all instructions; what the model says of those whose module is left out means
/// nothing.
///
/// # Errors
/// If no schedule is found that fits, or the committed one does not.
pub fn compile(profile: Profile, modules: &[Extension]) -> Result<Compiled, ScheduleError> {
    let (machine, schedule) = scheduled(profile, modules)?;
    Ok(Compiled {
        model: machine.assemble(&schedule)?,
        usage: schedule.usage(&machine.graph),
        names: Names::new(&machine.graph, &schedule),
    })
}

/// A machine and its schedule.
fn scheduled(
    profile: Profile,
    modules: &[Extension],
) -> Result<(Machine, Schedule), ScheduleError> {
    let modules: Vec<_> = Extension::ALL
        .into_iter()
        .filter(|module| modules.contains(module))
        .collect();
    let machine = Machine::with_profile(profile, &modules);
    let schedule = if modules == Extension::ALL {
        Schedule::parse(&machine.graph, profile.schedule())?
    } else {
        let (seeds, moves) = SEARCH;
        let mut solved =
            (1..=seeds).map(|seed| solve(&machine.graph, profile.budget(), seed, moves));
        let first = solved.next().expect("a seed");
        first.or_else(|error| solved.find_map(Result::ok).ok_or(error))?
    };
    Ok((machine, schedule))
}
