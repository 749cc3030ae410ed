//! `completions` and `man`.

use std::io;
use std::path::Path;

use anyhow::Error;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Args;
use crate::failure::{Failure, Result};
use crate::say;

/// Prints a completion script.
pub(crate) fn completions(shell: Shell) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "weightware", &mut script);
    io::Write::write_all(&mut io::stdout(), &script).map_err(Failure::stdout)?;
    Ok(0)
}

/// Writes the manual pages into a folder.
pub(crate) fn manual(out: &Path) -> Result<u8> {
    let written =
        std::fs::create_dir_all(out).and_then(|()| clap_mangen::generate_to(Args::command(), out));
    written.map_err(|error| {
        Failure::Failed(Error::new(error).context(format!("--out {}", out.display())))
    })?;
    say(&format!(
        "{}: weightware.1 and a page for each command",
        out.display()
    ));
    Ok(0)
}
