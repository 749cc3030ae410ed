//! The default machine with its committed schedule, and machines with some modules only.

use weightware_model::Model;

use crate::machine::{Extension, Machine, Profile, Rom};
use crate::names::Names;
use crate::schedule::{Schedule, ScheduleError};
use crate::search::solve;
use crate::usage::Usage;

/// The default model: all modules, the stock profile, 7 layers, `d_model` 36, 18 heads, `d_ffn` 36.
/// It is built in milliseconds and always the same.
///
/// # Panics
/// If the committed schedule does not fit the machine; a test keeps it fitting.
#[must_use]
pub fn default_model() -> Model {
    profile_model(Profile::default())
}

/// The model of a profile, with all modules and the profile's committed schedule.
///
/// # Panics
/// If the committed schedule does not fit the machine; a test keeps it fitting.
#[must_use]
pub fn profile_model(profile: Profile) -> Model {
    let assembled = scheduled(profile, &Extension::ALL)
        .and_then(|(machine, schedule)| machine.assemble(&schedule));
    assembled.unwrap_or_else(|error| {
        panic!("the committed schedule does not fit; solve it again with `cargo xtask schedule`: {error}")
    })
}

/// The seeds that [`compile`] tries, and the moves of each search.
const SEARCH: (u64, u32) = (32, 300_000);

/// A compiled machine: its model, what it uses of its shape, and its names.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The model.
    pub model: Model,
    /// How much of its shape the model uses.
    pub usage: Usage,
    /// The names of the model's heads, neurons and slots.
    pub names: Names,
}

/// Compiles the machine of a profile, with some of the modules besides the core, in the profile's
/// shape. The machine with all modules has a committed schedule; any other schedule is solved
/// within about a second.
///
/// The vocabulary has all instructions. The model's tokens for an instruction whose module is left
/// out are meaningless.
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

/// The model of a profile with instructions and memory in its weights, with all modules and the
/// committed schedule for such machines.
///
/// # Errors
/// If the committed schedule does not fit.
///
/// # Panics
/// If blocks of the library or runs of the memory are not in ascending order, or overlap.
pub fn rom_model(profile: Profile, rom: Rom) -> Result<Model, ScheduleError> {
    compile_rom(profile, rom).map(|compiled| compiled.model)
}

/// Compiles a machine with instructions and memory in its weights: see [`rom_model`].
///
/// # Errors
/// If the committed schedule does not fit.
///
/// # Panics
/// If blocks of the library or runs of the memory are not in ascending order, or overlap.
pub fn compile_rom(profile: Profile, rom: Rom) -> Result<Compiled, ScheduleError> {
    let specialised = rom.is_specialised();
    let machine = Machine::with_rom(profile, rom);
    let schedule = Schedule::parse(&machine.graph, profile.rom_schedule(specialised))?;
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
        let first = solved.next().expect("SEARCH has a seed");
        first.or_else(|error| solved.find_map(Result::ok).ok_or(error))?
    };
    Ok((machine, schedule))
}
