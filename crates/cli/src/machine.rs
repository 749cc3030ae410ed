//! The choice of the machine that runs a program.

use std::path::Path;

use anyhow::{Error, anyhow};
use weightware::{Computer, Library, Profile, profile_model, rom_model};

use crate::args::{ModelArgs, ProgramArgs};
use crate::failure::{Failure, Result, printable};
use crate::input::{Loaded, Ready, computer};
use crate::needs::Needs;
use crate::say;
use crate::stored::Stored;
use crate::target::Target;
use crate::units::flag;
use crate::{grown, library};

/// The machine that a program runs on: a model folder, a profile that is named, or else the first
/// that holds the program.
pub(crate) struct Machine<'a>(pub(crate) &'a ModelArgs);

impl Machine<'_> {
    /// Reads a program and its input. A program that the default machine does not hold is lowered
    /// for the one that does, if no machine is named.
    pub(crate) fn load(
        &self,
        file: Option<&Path>,
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
        file: Option<&Path>,
        program: &ProgramArgs,
        quiet: bool,
    ) -> Result<(Computer, Loaded, Ready)> {
        let Self(args) = self;
        if let Some(name) = &args.program {
            return self.by_name(name, program, quiet);
        }
        let Some(file) = file else {
            return self.resident(program, quiet);
        };
        if args.folder.is_some() || args.machine.profile().is_some() {
            let mut computer = computer(args)?;
            if computer.is_specialised() {
                return self.resident_from(file, computer, program, quiet);
            }
            let mut loaded = Loaded::read(file, program, self.target(&computer)?, quiet)?;
            let mut ready = loaded.program(quiet)?;
            if ready.program.turns.is_some() && computer.check(&ready.program).is_err() {
                ready = loaded.without_handler(ready)?;
            }
            if let (Some(library), None, Some(profile)) =
                (loaded.library(), &args.folder, computer.profile())
            {
                computer = with_library(args.machine.tuned(profile)?, library)?;
            }
            let ready = placed(&computer, &loaded, ready)?;
            return Ok((computer, loaded, ready));
        }
        let (profile, loaded, ready) = first_that_holds(file, program, quiet)?;
        let profile = args.machine.tuned(profile)?;
        let computer = match loaded.library() {
            Some(library) => with_library(profile, library)?,
            None => Computer::new(profile_model(profile))
                .map_err(|error| Failure::Failed(Error::new(error)))?,
        };
        let ready = placed(&computer, &loaded, ready)?;
        Ok((computer, loaded, ready))
    }
}

impl Machine<'_> {
    /// The machine that programs are lowered for.
    fn target(&self, computer: &Computer) -> Result<Target> {
        let library = match &self.0.folder {
            Some(folder) => library::read(folder, computer)?.0,
            None => Library::default(),
        };
        Ok(Target {
            is_open: self.0.folder.is_none(),
            ..Target::of(computer, library)
        })
    }

    /// A program that was grown into the weights of a model, with its input.
    fn by_name(
        &self,
        name: &str,
        program: &ProgramArgs,
        quiet: bool,
    ) -> Result<(Computer, Loaded, Ready)> {
        let computer = computer(self.0)?;
        let folder = self.folder();
        if computer.is_specialised() {
            return Err(Failure::Refused(anyhow!(
                "the model {} has one program in its weights, without a name: leave out --program",
                folder.display()
            )));
        }
        let (library, programs) = library::read(folder, &computer)?;
        let Some(grown) = programs.iter().find(|grown| grown.name == name) else {
            return Err(Failure::Refused(anyhow!(
                "--program: the model {} has no program `{}` in its weights: it has {}; `weightware grow DIR --program FILE --as NAME` adds one",
                folder.display(),
                printable(name),
                grown::names(&programs)
            )));
        };
        let target = Target::of(&computer, library.before(grown.start));
        let mut loaded = Loaded::grown(folder, grown, program, target)?;
        if !computer.has_block(grown.start, &loaded.block()?) {
            return Err(Failure::Refused(anyhow!(
                "{}: the weights have another program than this file, or one that another version lowered; put back the file that `weightware grow` wrote, or grow this one under another name",
                grown.path(folder).display()
            )));
        }
        let ready = loaded.program(quiet)?;
        let ready = placed(&computer, &loaded, ready)?;
        Ok((computer, loaded, ready))
    }

    /// The options that choose a machine again, which may have a library in compiled weights.
    pub(crate) fn options(&self, computer: &Computer, library: Option<&Library>) -> String {
        if let Some(folder) = &self.0.folder {
            return format!("--model {}", printable(&folder.display().to_string()));
        }
        let mut options = flag(&computer.profile().unwrap_or_default());
        if let Some(tokens) = self.0.machine.context() {
            options += &format!(" --context {tokens}");
        }
        let Some(library) = library else {
            return options;
        };
        let modules = library.modules.iter().map(|module| &module.name[..]);
        let modules: Vec<&str> = modules.collect();
        format!(
            "--model DIR of `weightware weights --rom {} {options} --out DIR`",
            modules.join(",")
        )
    }

    /// The folder of the model.
    fn folder(&self) -> &Path {
        self.0.folder.as_deref().unwrap_or(Path::new("."))
    }

    /// The program that a model has in its weights, with its input.
    fn resident(&self, program: &ProgramArgs, quiet: bool) -> Result<(Computer, Loaded, Ready)> {
        let computer = computer(self.0)?;
        let folder = self.folder();
        if !computer.is_specialised() {
            let (_, programs) = library::read(folder, &computer)?;
            return Err(Failure::Refused(match programs.is_empty() {
                true => anyhow!(
                    "the model {} has no program in its weights: name a FILE to run",
                    folder.display()
                ),
                false => anyhow!(
                    "name a FILE to run, or by --program what the model {} has in its weights: {}",
                    folder.display(),
                    grown::names(&programs)
                ),
            }));
        }
        let stored = Stored::read(folder)?;
        let mut loaded = Loaded::stored(folder, &stored, program, self.target(&computer)?)?;
        let ready = loaded.program(quiet)?;
        let ready = placed(&computer, &loaded, ready)?;
        Ok((computer, loaded, ready))
    }

    /// A program in a file that a model has in its weights, too.
    fn resident_from(
        &self,
        file: &Path,
        computer: Computer,
        program: &ProgramArgs,
        quiet: bool,
    ) -> Result<(Computer, Loaded, Ready)> {
        let folder = self.folder();
        let stored = Stored::read(folder)?;
        let mut loaded = Loaded::read(file, program, self.target(&computer)?, quiet)?;
        loaded.fix(&stored)?;
        let ready = loaded.program(quiet)?;
        let ready = placed(&computer, &loaded, ready)?;
        Ok((computer, loaded, ready))
    }
}

/// A compiled machine with a library in its weights.
fn with_library(profile: Profile, library: &Library) -> Result<Computer> {
    let failed = |error: Error| Failure::Failed(error);
    let model = rom_model(profile, library.resident().into()).map_err(Error::new);
    let computer = Computer::new(model.map_err(failed)?);
    computer.map_err(Error::new).map_err(failed)
}

/// A program as a model runs it.
pub(crate) fn placed(computer: &Computer, loaded: &Loaded, ready: Ready) -> Result<Ready> {
    let program = computer.place(ready.program, loaded.inputs());
    Ok(Ready {
        program: program.map_err(|error| Failure::Refused(Error::new(error)))?,
        ..ready
    })
}

/// A program, lowered for the first profile that holds it; for the default one if none does.
pub(crate) fn first_that_holds(
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
