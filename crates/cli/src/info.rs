//! `info`: what a program needs, before it runs.

use std::io::{self, Write};

use weightware::Architecture;

use crate::args::InfoArgs;
use crate::contents::Contents;
use crate::failure::{Failure, HORIZON, Result};
use crate::folders;
use crate::input;
use crate::machine::Machine;
use crate::needs::Needs;
use crate::shape;

pub(crate) fn info(args: &InfoArgs) -> Result<u8> {
    let names_none = args.source.file.is_none() && args.model.program.is_none();
    if let (true, Some(folder)) = (names_none, &args.model.folder) {
        if folders::architecture(folder)? == Architecture::General {
            let model = folders::general_model(folder)?;
            return print(&match args.json {
                true => format!("{:#}\n", shape::json(&model)),
                false => shape::text(&model),
            });
        }
        let computer = input::computer(&args.model)?;
        if !computer.is_specialised() {
            let contents = Contents::read(folder, &computer)?;
            return print(&match args.json {
                true => format!("{:#}\n", contents.json()),
                false => contents.text(),
            });
        }
    }
    let machine = Machine(&args.model);
    let (computer, loaded, ready) = machine.load(
        args.source.file.as_deref(),
        &args.source.program,
        args.quiet,
    )?;
    computer
        .check(&ready.program)
        .map_err(|error| loaded.refused(error))?;
    let own = computer.profile();
    let mut needs = Needs::new(&loaded, &ready);
    if let Some(own) = &own
        && needs.fits(own).is_ok()
    {
        needs = needs.with_turn(&ready.program, own);
    }
    let model = computer.model();
    let (count, context) = (model.weights.count(), model.config.context);
    let text = match args.json {
        true => format!("{:#}\n", needs.json(own.as_ref(), &count, context)),
        false => needs.text(own.as_ref(), &count, context),
    };
    print(&text)?;
    Ok(match own.map(|own| needs.fits(&own)) {
        Some(Err(_)) => HORIZON,
        _ => 0,
    })
}

fn print(text: &str) -> Result<u8> {
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(Failure::stdout)?;
    Ok(0)
}
