//! The choice of the machine that runs a program.

use std::path::Path;

use anyhow::Error;
use weightware::{Computer, Profile, profile_model};

use crate::args::{ModelArgs, ProgramArgs};
use crate::failure::{Failure, Result};
use crate::input::{Loaded, Ready, computer};
use crate::needs::Needs;
use crate::say;
use crate::units::flag;

/// The machine that a program runs on: a model folder, a profile that is named, or else the first
/// that holds the program.
pub(crate) struct Machine<'a>(pub(crate) &'a ModelArgs);

impl Machine<'_> {
    /// Reads a program and its input. A program that the default machine does not hold is lowered
    /// for the one that does, if no machine is named.
    pub(crate) fn load(
        &self,
        file: &Path,
        program: &ProgramArgs,
        quiet: bool,
    ) -> Result<(Computer, Loaded, Ready)> {
        let loaded = self.read(file, program, quiet)?;
        let (_, program, ready) = &loaded;
        if let (Some(_), None, false) = (self.0.machine.context(), &ready.program.turns, quiet) {
            say(&format!(
                "--context has no effect: the program has one context, since {}",
                program.why_one()
            ));
        }
        Ok(loaded)
    }

    fn read(
        &self,
        file: &Path,
        program: &ProgramArgs,
        quiet: bool,
    ) -> Result<(Computer, Loaded, Ready)> {
        let Self(args) = self;
        if args.folder.is_some() || args.machine.profile().is_some() {
            let computer = computer(args)?;
            let mut loaded = Loaded::read(file, program, computer.profile(), quiet)?;
            let mut ready = loaded.program(quiet)?;
            if ready.program.turns.is_some() && computer.check(&ready.program).is_err() {
                ready = loaded.without_handler(ready)?;
            }
            return Ok((computer, loaded, ready));
        }
        let (profile, loaded, ready) = first_that_holds(file, program, quiet)?;
        let computer = Computer::new(profile_model(args.machine.tuned(profile)?));
        let computer = computer.map_err(|error| Failure::Failed(Error::new(error)))?;
        Ok((computer, loaded, ready))
    }
}

/// A program, lowered for the first profile that holds it; for the default one if none does.
fn first_that_holds(
    file: &Path,
    args: &ProgramArgs,
    quiet: bool,
) -> Result<(Profile, Loaded, Ready)> {
    let default = Profile::default();
    let mut loaded = Loaded::read(file, args, Some(default), quiet)?;
    let ready = loaded.program(quiet)?;
    let Err(why) = Needs::new(&loaded, &ready).fits(&default) else {
        return Ok((default, loaded, ready));
    };
    for other in Profile::ALL.into_iter().filter(|other| *other != default) {
        let (loaded, ready) = loaded.lowered_for(other, &ready)?;
        if Needs::new(&loaded, &ready).fits(&other).is_ok() {
            if !quiet {
                say(&format!(
                    "{} runs this: by the profile {}, {why}",
                    flag(&other),
                    default.name
                ));
            }
            return Ok((other, loaded, ready));
        }
    }
    Ok((default, loaded, ready))
}
