//! Runs in files: `--save` and `--resume`.
//!
//! ```text
//! weightware-run 1 279          format, tokens of the prompt
//! <begin> 00 01 ...             the prompt
//! 03 00 00 00 commit(...)       the trace so far, one instruction a line
//! ```
//! Decoding is a function of the tokens so far: nothing else has to be kept.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Error, anyhow};
use weightware::{Computer, Token, TokenId};

use crate::failure::{Failure, Result};

const MARK: &str = "weightware-run 1";

/// A file that is written while a run goes on.
pub(crate) struct Saver {
    file: BufWriter<File>,
    path: PathBuf,
}

impl Saver {
    /// Begins a file with the tokens so far.
    pub(crate) fn create(
        path: &Path,
        computer: &Computer,
        prompt: &[TokenId],
        trace: &[Token],
    ) -> Result<Self> {
        let mut saver = Self {
            file: BufWriter::new(File::create(path).map_err(|error| failed(path, error))?),
            path: path.to_owned(),
        };
        let text = computer.model().tokenizer.decode(prompt);
        saver.write(&format!("{MARK} {}\n{text}\n", prompt.len()))?;
        for &token in trace {
            saver.token(token)?;
        }
        Ok(saver)
    }

    pub(crate) fn token(&mut self, token: Token) -> Result<()> {
        let end = if token.ends_instruction() { '\n' } else { ' ' };
        self.write(&format!("{token}{end}"))
    }

    fn write(&mut self, text: &str) -> Result<()> {
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|error| failed(&self.path, error))
    }

    /// Writes what is left, and tells where it is.
    pub(crate) fn close(mut self) -> Result<PathBuf> {
        self.file
            .flush()
            .map_err(|error| failed(&self.path, error))?;
        Ok(self.path)
    }
}

fn failed(path: &Path, error: std::io::Error) -> Failure {
    Failure::Failed(Error::new(error).context(format!("--save {}", path.display())))
}

/// The prompt and the trace of a saved run.
pub(crate) fn read(path: &Path, computer: &Computer) -> Result<(Vec<TokenId>, Vec<Token>)> {
    let refused =
        |error: Error| Failure::Refused(error.context(format!("--resume {}", path.display())));
    let text = fs::read_to_string(path).map_err(|error| refused(Error::new(error)))?;
    let (mark, tokens) = text.split_once('\n').unwrap_or((&text, ""));
    let length = mark
        .strip_prefix(MARK)
        .map(|length| length.trim().parse::<usize>());
    let Some(Ok(length)) = length else {
        return Err(refused(anyhow!(
            "this is no saved run: it does not begin with `{MARK}` and a number; --save FILE writes one"
        )));
    };
    let mut prompt = computer
        .model()
        .tokenizer
        .encode(tokens)
        .map_err(|error| refused(Error::new(error)))?;
    if length == 0 || length > prompt.len() {
        return Err(refused(anyhow!(
            "the prompt should have {length} tokens, the file has {}",
            prompt.len()
        )));
    }
    let trace = prompt.split_off(length);
    let meaning = |id: TokenId| {
        let string = computer.model().tokenizer.string(id).unwrap_or("?");
        computer
            .meaning(id)
            .ok_or_else(|| refused(anyhow!("`{string}` is no token of the machine")))
    };
    let trace = trace.into_iter().map(meaning).collect::<Result<_>>()?;
    Ok((prompt, trace))
}
