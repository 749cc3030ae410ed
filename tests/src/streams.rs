//! What programs put out.

use std::fmt;

/// The bytes that a program has put out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Streams {
    /// On the standard output.
    pub output: Vec<u8>,
    /// On the standard error.
    pub stderr: Vec<u8>,
}

impl Streams {
    pub(crate) fn new(output: &[u8], stderr: &[u8]) -> Self {
        Self {
            output: output.to_vec(),
            stderr: stderr.to_vec(),
        }
    }
}

impl fmt::Display for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [output, stderr] = [&self.output, &self.stderr].map(|bytes| bytes.escape_ascii());
        write!(f, "output \"{output}\", stderr \"{stderr}\"")
    }
}
