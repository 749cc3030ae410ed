//! Reading of stdin.

use std::io::{self, IsTerminal, Read};

use anyhow::{Error, anyhow};

use crate::failure::{Failure, Result};
use crate::say;

/// The longest program, and the longest input, on stdin, in bytes.
const LONGEST: u64 = 1 << 28;

/// All of stdin, which holds `what`.
pub(crate) fn whole(what: &str, quiet: bool) -> Result<Vec<u8>> {
    up_to(what, LONGEST, quiet)
}

/// All of stdin, which holds `what`, of at most this many bytes.
pub(crate) fn up_to(what: &str, limit: u64, quiet: bool) -> Result<Vec<u8>> {
    let stdin = io::stdin();
    if stdin.is_terminal() && !quiet {
        let keys = if cfg!(windows) {
            "Ctrl-Z and Enter"
        } else {
            "Ctrl-D"
        };
        say(&format!(
            "stdin is read for {what}, up to its end: {keys} on a line of its own"
        ));
    }
    let mut bytes = Vec::new();
    let read = stdin
        .lock()
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes);
    read.map_err(|error| Failure::Failed(Error::new(error).context("reading stdin")))?;
    if bytes.len() as u64 > limit {
        return Err(Failure::Refused(anyhow!(
            "stdin holds more than the {limit} bytes that {what} may have; shorten it"
        )));
    }
    Ok(bytes)
}
