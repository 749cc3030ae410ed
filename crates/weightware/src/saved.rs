//! Runs as text.

use std::fmt::Write as _;
use std::io::{self, Write};

use sha2::{Digest, Sha256};
use weightware_isa::{Program, Token};
use weightware_model::TokenId;

use crate::{Computer, Error};

/// The tokens of a run, as far as it has come.
///
/// ```text
/// weightware-run 2 279          format, tokens of the prompt
/// <begin> 00 01 ...             the prompt
/// # sha256 9b2a...              the digest of all bytes before this line
/// 03 00 00 00 commit(...)       the trace so far, one instruction a line
/// # sha256 5f0c...              the digest of all bytes before this line
/// ```
/// Decoding is a function of the tokens so far: nothing else has to be kept.
///
/// A text ends with a digest, and a long one holds some on the way: what a writer that was killed
/// left after the last one is not read. A run that goes on decodes those tokens again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedRun {
    /// The prompt, in the model's ids.
    pub prompt: Vec<TokenId>,
    /// The trace so far.
    pub trace: Vec<Token>,
}

/// What a line with a digest begins with.
const DIGEST: &str = "# sha256 ";

/// Bytes after which a long text gets a digest.
const CHECKPOINT: usize = 1 << 20;

impl SavedRun {
    /// What a saved run begins with; the number of the prompt's tokens follows.
    pub const MARK: &str = "weightware-run 2";

    /// Reads a run's text, in the vocabulary of a computer's model.
    ///
    /// # Errors
    /// If it is none, was changed since it was written, holds a word that is no token, or is cut
    /// off within the prompt.
    pub fn parse(text: &str, computer: &Computer) -> Result<Self, Error> {
        let (mark, _) = text.split_once('\n').unwrap_or((text, ""));
        let length = mark
            .strip_prefix(Self::MARK)
            .and_then(|length| length.trim().parse::<usize>().ok())
            .ok_or(Error::NotASavedRun)?;
        let verified = verified(text)?;
        let lines = verified.lines().skip(1);
        let tokens: Vec<&str> = lines.filter(|line| !line.starts_with('#')).collect();
        let tokenizer = &computer.model().tokenizer;
        let mut prompt = tokenizer.encode(&tokens.join("\n"))?;
        if length == 0 || length > prompt.len() {
            return Err(Error::ShortPrompt {
                stated: length,
                found: prompt.len(),
            });
        }
        let trace = prompt.split_off(length).into_iter();
        let trace = trace.map(|id| {
            let token = computer.meaning(id);
            token.ok_or_else(|| Error::MeaninglessToken(tokenizer.decode(&[id])))
        });
        Ok(Self {
            trace: trace.collect::<Result<_, _>>()?,
            prompt,
        })
    }

    /// The program whose prompt it is.
    ///
    /// # Errors
    /// If there is none.
    pub fn program(&self, computer: &Computer) -> Result<Program, Error> {
        let text = computer.model().tokenizer.decode(&self.prompt);
        let program: Program = text.parse()?;
        if computer.prompt(&program) == self.prompt {
            Ok(program)
        } else {
            Err(Error::NotAPrompt)
        }
    }
}

/// The text before its last digest, which must be that text's.
fn verified(text: &str) -> Result<&str, Error> {
    let mark = format!("\n{DIGEST}");
    let at = text.rfind(&mark).ok_or(Error::Altered(
        "the file has no digest: it was not written to its end, or was changed",
    ))?;
    let (before, last) = text.split_at(at + 1);
    let stated = last[DIGEST.len()..].lines().next().unwrap_or_default();
    match stated == hex(Sha256::digest(before)) {
        true => Ok(before),
        false => Err(Error::Altered(
            "the digest is not that of the tokens before it: the file was changed",
        )),
    }
}

fn hex(digest: impl IntoIterator<Item = u8>) -> String {
    digest.into_iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Writes a run's text while the run goes on.
#[derive(Debug)]
pub struct RunWriter<W> {
    out: W,
    digest: Sha256,
    line_start: bool,
    /// Bytes since the last digest.
    since: usize,
}

impl<W: Write> RunWriter<W> {
    /// Begins with the prompt, in the ids of a computer's model, and its digest.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn new(out: W, computer: &Computer, prompt: &[TokenId]) -> io::Result<Self> {
        let mut writer = Self {
            out,
            digest: Sha256::new(),
            line_start: true,
            since: 0,
        };
        let text = computer.model().tokenizer.decode(prompt);
        writer.write(&format!("{} {}\n{text}\n", SavedRun::MARK, prompt.len()))?;
        writer.checkpoint()?;
        Ok(writer)
    }

    /// Appends a token of the trace.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn token(&mut self, token: Token) -> io::Result<()> {
        self.line_start = token.ends_instruction();
        let end = if self.line_start { '\n' } else { ' ' };
        self.write(&format!("{token}{end}"))?;
        match self.since >= CHECKPOINT {
            true => self.checkpoint(),
            false => Ok(()),
        }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.digest.update(text);
        self.since += text.len();
        self.out.write_all(text.as_bytes())
    }

    /// Appends the digest of what is written, and flushes.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn checkpoint(&mut self) -> io::Result<()> {
        if !self.line_start {
            self.write("\n")?;
            self.line_start = true;
        }
        let digest = hex(self.digest.clone().finalize());
        self.write(&format!("{DIGEST}{digest}\n"))?;
        self.since = 0;
        self.out.flush()
    }

    /// Appends the last digest, and returns the output.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.checkpoint()?;
        Ok(self.out)
    }
}
