//! `info`: what a program needs, before it runs.

use std::io::{self, Write};

use crate::args::InfoArgs;
use crate::failure::{Failure, HORIZON, Result};
use crate::machine::Machine;
use crate::needs::Needs;

pub(crate) fn info(args: &InfoArgs) -> Result<u8> {
    let machine = Machine(&args.model);
    let (computer, loaded, ready) =
        machine.load(Some(&args.source.file), &args.source.program, args.quiet)?;
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
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(Failure::stdout)?;
    Ok(match own.map(|own| needs.fits(&own)) {
        Some(Err(_)) => HORIZON,
        _ => 0,
    })
}
