//! The output of programs.

use std::fmt;

/// The output of a program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Streams {
    /// The bytes on the standard output.
    pub output: Vec<u8>,
    /// The bytes on the standard error.
    pub stderr: Vec<u8>,
}

impl Streams {
    pub(crate) fn new(output: &[u8], stderr: &[u8]) -> Self {
        Self {
            output: output.to_vec(),
            stderr: stderr.to_vec(),
        }
    }

    /// Compares both streams, and describes the first lines that differ.
    pub(crate) fn are(&self, wanted: &Self) -> Result<(), String> {
        let found = [&self.output, &self.stderr];
        let wanted = [&wanted.output, &wanted.stderr];
        for ((found, wanted), name) in found.into_iter().zip(wanted).zip(["output", "error"]) {
            let pairs = found.iter().zip(wanted);
            let common = pairs.take_while(|(a, b)| a == b).count();
            if common < found.len().max(wanted.len()) {
                return Err(format!(
                    "the standard {name} differs from byte {common} on: \"{}\", not \"{}\"",
                    line_at(found, common),
                    line_at(wanted, common)
                ));
            }
        }
        Ok(())
    }
}

/// The line that contains a byte.
fn line_at(text: &[u8], at: usize) -> impl fmt::Display {
    let start = text[..at].iter().rposition(|&byte| byte == b'\n');
    let rest = &text[start.map_or(0, |newline| newline + 1)..];
    let line = rest.split(|&byte| byte == b'\n').next();
    line.unwrap_or_default().escape_ascii()
}

impl fmt::Display for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [output, stderr] = [&self.output, &self.stderr].map(|bytes| bytes.escape_ascii());
        write!(f, "output \"{output}\", stderr \"{stderr}\"")
    }
}
