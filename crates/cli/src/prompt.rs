//! `tokens`.

use std::io::{self, BufWriter, Write};

use weightware::Program;

use crate::args::TokensArgs;
use crate::failure::{Failure, Result};
use crate::input::Loaded;
use crate::machine::Machine;

pub(crate) fn print(args: &TokensArgs) -> Result<u8> {
    let (file, program) = (args.source.file.as_deref(), &args.source.program);
    let ready = match (&args.machine.folder, file) {
        (Some(_), _) | (None, None) => Machine(&args.machine).load(file, program, args.quiet)?.2,
        (None, Some(file)) => {
            let profile = args.machine.machine.profile().unwrap_or_default();
            Loaded::read(file, program, Some(profile), args.quiet)?.program(args.quiet)?
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    write(&ready.program, args, &mut out).map_err(Failure::stdout)?;
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
