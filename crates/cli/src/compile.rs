//! `compile`.

use std::fs;

use anyhow::{Context, Error};
use weightware::{Compiled, Computer, Profile, Rom, compile_rom};

use crate::args::{CompileArgs, ProgramArgs};
use crate::card::{self, Contents};
use crate::failure::{Failure, Result};
use crate::input::Loaded;
use crate::machine::{first_that_holds, placed};
use crate::thousands::thousands;
use crate::{library, say};

pub(crate) fn compile(args: &CompileArgs) -> Result<u8> {
    let given = &args.source.program;
    let without_input = given.without_input("weightware run --model DIR -- ARGS")?;
    let (profile, mut loaded) = load(args, &without_input)?;
    let ready = loaded.with_fixed_state(profile)?;
    let program = ready.program.clone().specialised(loaded.inputs());
    let rom = Rom::of(&program);
    let failed = |error: Error| Failure::Failed(error);
    let compiled = compile_rom(args.machine.tuned(profile)?, rom).map_err(Error::new);
    let Compiled { model, names, .. } = compiled.map_err(failed)?;
    let saved = model.save(&args.out).map_err(Error::new);
    saved.map_err(|error| failed(error.context("--out")))?;
    let stored = loaded.stored_as(given);
    stored.write(&args.out, loaded.bytes())?;
    if let Some(library) = loaded.library() {
        library::write(library, &[], &args.out)?;
    }

    let count = model.weights.count();
    let neurons: usize = model
        .weights
        .layers
        .iter()
        .map(|layer| layer.neurons())
        .sum();
    let computer = Computer::new(model).map_err(Error::new).map_err(failed)?;
    let ready = placed(&computer, &loaded, ready)?;
    let prompt: Vec<String> = ready
        .program
        .full_prompt()
        .map(|token| token.to_string())
        .collect();
    let path = args.out.join("prompt.txt");
    let written = fs::write(&path, prompt.join(" ") + "\n");
    let written = written.with_context(|| path.display().to_string());
    written.map_err(failed)?;

    let rom = computer.rom().map_or((0, 0), |rom| {
        let bytes: usize = rom.memory.iter().map(|(_, run)| run.len()).sum();
        (rom.program.len(), bytes)
    });
    let contents = Contents::Program {
        name: &stored.name,
        instructions: rom.0,
        bytes: rom.1,
    };
    card::write_with_names(computer.model(), &names, &contents, &args.out)?;
    let size = fs::metadata(args.out.join("model.safetensors")).map_or(0, |file| file.len());
    say(&format!(
        "{}: {} instructions and {} bytes of data in the weights, by {} neurons",
        args.out.display(),
        thousands(rom.0 as u64),
        thousands(rom.1 as u64),
        thousands(neurons as u64),
    ));
    say(&format!(
        "{} weights, of which {} are not zero; model.safetensors has {} bytes; prompt: {} tokens",
        thousands(count.weights),
        thousands(count.nonzero),
        thousands(size),
        thousands(prompt.len() as u64),
    ));
    Ok(0)
}

/// The program, without input, and the profile of the machine for it.
fn load(args: &CompileArgs, program: &ProgramArgs) -> Result<(Profile, Loaded)> {
    let file = &args.source.file;
    match args.machine.profile() {
        Some(profile) => {
            let mut loaded = Loaded::read(file, program, Some(profile), args.quiet)?;
            loaded.program(args.quiet)?;
            Ok((profile, loaded))
        }
        None => {
            let (profile, loaded, _) = first_that_holds(file, program, args.quiet)?;
            Ok((profile, loaded))
        }
    }
}
