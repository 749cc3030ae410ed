//! The choice of the machine that runs a program.

use std::path::Path;

use anyhow::Error;
use weightware::{Computer, Profile, profile_model};

use crate::args::{MachineArgs, ProgramArgs};
use crate::failure::{Failure, Result};
use crate::input::{Loaded, Ready, computer};
use crate::needs::Needs;
use crate::say;
use crate::units::flag;

/// The machine that a program runs on: a model folder, a profile that is named, or else the first
/// that holds the program.
pub(crate) struct Machine<'a> {
    folder: Option<&'a Path>,
    args: &'a MachineArgs,
}

impl<'a> Machine<'a> {
    pub(crate) fn of(folder: Option<&'a Path>, args: &'a MachineArgs) -> Self {
        Self { folder, args }
    }

    /// Reads a program and its input. A program that the default machine does not hold is lowered
    /// for the one that does, if no machine is named.
    pub(crate) fn load(
        &self,
        file: &Path,
        args: &ProgramArgs,
        quiet: bool,
    ) -> Result<(Computer, Loaded, Ready)> {
        if self.folder.is_some() || self.args.profile().is_some() {
            let computer = computer(self.folder, self.args)?;
            let mut loaded = Loaded::read(file, args, computer.profile(), quiet)?;
            let ready = loaded.program(quiet)?;
            return Ok((computer, loaded, ready));
        }
        let (profile, loaded, ready) = first_that_holds(file, args, quiet)?;
        let computer = Computer::new(profile_model(profile));
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
