//! `tokens`.

use std::io::{self, BufWriter, Write};

use weightware::Program;

use crate::args::TokensArgs;
use crate::failure::{Failure, Result};
use crate::input::Loaded;

pub(crate) fn print(args: &TokensArgs) -> Result<u8> {
    let profile = args.machine.profile().unwrap_or_default();
    let mut loaded = Loaded::read(
        &args.source.file,
        &args.source.program,
        Some(profile),
        args.quiet,
    )?;
    let ready = loaded.program(args.quiet)?;
    write(
        &ready.program,
        args,
        &mut BufWriter::new(io::stdout().lock()),
    )
    .map_err(Failure::stdout)?;
    Ok(0)
}

fn write(program: &Program, args: &TokensArgs, out: &mut impl Write) -> io::Result<()> {
    if args.full {
        let preamble: Vec<String> = program.preamble().map(|token| token.to_string()).collect();
        let end = if args.lines { '\n' } else { ' ' };
        write!(out, "{}{end}", preamble.join(" "))?;
    }
    if args.lines {
        writeln!(out, "{program:#}")?;
    } else {
        writeln!(out, "{program}")?;
    }
    out.flush()
}
