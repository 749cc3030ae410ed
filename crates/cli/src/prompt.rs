//! `tokens`.

use std::io::{self, BufWriter, Write};

use weightware::{Library, Program};

use crate::args::TokensArgs;
use crate::failure::{Failure, Result};
use crate::input::Loaded;
use crate::machine::Machine;

pub(crate) fn print(args: &TokensArgs) -> Result<u8> {
    let (file, program) = (&args.source.file, &args.source.program);
    let program = match args.machine.folder {
        Some(_) => {
            let (_, _, ready) = Machine(&args.machine).load(Some(file), program, args.quiet)?;
            ready.program
        }
        None => {
            let profile = args.machine.machine.profile().unwrap_or_default();
            let mut loaded = Loaded::read(file, program, Some(profile), args.quiet)?;
            let ready = loaded.program(args.quiet)?;
            Program {
                resident: loaded.library().map(Library::resident),
                ..ready.program
            }
        }
    };
    write(&program, args, &mut BufWriter::new(io::stdout().lock())).map_err(Failure::stdout)?;
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
