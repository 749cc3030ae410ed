//! Serialisation of runs as text, with checkpoints.

use std::io::{self, Write};

use sha2::{Digest, Sha256};
use weightware_isa::{Program, Token};
use weightware_model::TokenId;

use crate::{Computer, Error};

/// A saved run: the tokens of its current context, those of its prompt and of its trace so far.
///
/// ```text
/// weightware-run 4 279 1 c0ff...  format, tokens of the prompt, number of the context, model
/// # machine --profile stock       the machine of the run, for people
/// <begin> 00 01 ...               the prompt
/// # sha256 9b2a...                the digest of all bytes before this line
/// 03 00 00 00 commit(...)         the trace so far, one instruction a line
/// # sha256 5f0c...                the digest of all bytes before this line
/// ```
/// Decoding is a function of the model and the tokens of a context so far, so no other state is
/// saved. The model is known by its [digest](Computer::digest).
///
/// A text ends with a digest, and a long text has further digests as checkpoints. If the writer was
/// killed, the text after the last digest is ignored, and a resumed run decodes those tokens again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedRun {
    /// The prompt of the context, in the model's ids.
    pub prompt: Vec<TokenId>,
    /// The trace of the context so far.
    pub trace: Vec<Token>,
    /// The number of the context, from 1.
    pub context: u64,
}

/// The beginning of a line with a digest.
const DIGEST: &str = "# sha256 ";

/// The beginning of the line with the machine.
const MACHINE: &str = "# machine ";

/// The number of bytes between checkpoints.
const CHECKPOINT: usize = 1 << 20;

impl SavedRun {
    /// The first words of a saved run; two numbers and the digest of the model follow.
    pub const MARK: &str = "weightware-run 4";

    /// The first words of a saved run in any format.
    const ANY_FORMAT: &str = "weightware-run ";

    /// Parses the text of a saved run, in the vocabulary of a computer's model.
    ///
    /// # Errors
    /// If the text is not a saved run, has another format, was changed since it was written, has a
    /// word that is not a token, or is truncated within the prompt; or if it was saved with another
    /// model than the computer's, on which it would not go on as it began.
    pub fn parse(text: &str, computer: &Computer) -> Result<Self, Error> {
        let (mark, _) = text.split_once('\n').unwrap_or((text, ""));
        let Header {
            length,
            context,
            model,
        } = header(mark)?;
        let verified = verified(text)?;
        if model != computer.digest() {
            return Err(Error::OtherModel {
                machine: machine(verified),
            });
        }
        let lines = verified.lines().skip(1);
        let lines: Vec<&str> = lines.filter(|line| !line.starts_with('#')).collect();
        let tokenizer = &computer.model().tokenizer;
        let mut prompt = tokenizer.encode(&lines.join("\n"))?;
        let stated = usize::try_from(length).unwrap_or(usize::MAX);
        if stated == 0 || stated > prompt.len() {
            return Err(Error::ShortPrompt {
                stated,
                found: prompt.len(),
            });
        }
        let trace = prompt.split_off(stated).into_iter();
        let trace = trace.map(|id| {
            let token = computer.meaning(id);
            token.ok_or_else(|| Error::MeaninglessToken(tokenizer.decode(&[id])))
        });
        let trace = trace.collect::<Result<_, _>>()?;
        Ok(Self {
            prompt,
            trace,
            context,
        })
    }

    /// The program of the run, parsed from the prompt.
    ///
    /// # Errors
    /// If the prompt is not the prompt of a program.
    pub fn program(&self, computer: &Computer) -> Result<Program, Error> {
        let text = computer.model().tokenizer.decode(&self.prompt);
        let program = computer.in_weights().with_prompt(&text)?;
        if computer.prompt(&program) == self.prompt {
            Ok(program)
        } else {
            Err(Error::NotAPrompt)
        }
    }
}

/// The machine that a text names, without what could control a terminal.
fn machine(text: &str) -> String {
    let line = text.lines().nth(1);
    let words = line.and_then(|line| line.strip_prefix(MACHINE));
    let words = words.unwrap_or("the model that it was saved with");
    words.chars().filter(|c| !c.is_control()).collect()
}

/// A first line, without its mark.
struct Header<'t> {
    /// The tokens of the prompt.
    length: u64,
    /// The number of the context.
    context: u64,
    /// The digest of the model.
    model: &'t str,
}

fn header(line: &str) -> Result<Header<'_>, Error> {
    if let Some(words) = line.strip_prefix(SavedRun::MARK) {
        let words: Vec<&str> = words.split_whitespace().collect();
        let [length, context, model] = words[..] else {
            return Err(Error::NotASavedRun);
        };
        let [Ok(length), Ok(context)] = [length, context].map(str::parse) else {
            return Err(Error::NotASavedRun);
        };
        return Ok(Header {
            length,
            context,
            model,
        });
    }
    let format = line.strip_prefix(SavedRun::ANY_FORMAT);
    let format = format.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    Err(format.map_or(Error::NotASavedRun, Error::OtherFormat))
}

/// The text before its last digest, which must be the digest of that text.
fn verified(text: &str) -> Result<&str, Error> {
    let mark = format!("\n{DIGEST}");
    let at = text.rfind(&mark).ok_or(Error::Altered(
        "the file has no digest: it was not written to its end, or was changed",
    ))?;
    let (before, last) = text.split_at(at + 1);
    let stated = last[DIGEST.len()..].lines().next().unwrap_or_default();
    match stated == format!("{:x}", Sha256::digest(before)) {
        true => Ok(before),
        false => Err(Error::Altered(
            "the digest is not that of the tokens before it: the file was changed",
        )),
    }
}

/// A writer that saves a run while it is decoded.
#[derive(Debug)]
pub struct RunWriter<W> {
    out: W,
    digest: Sha256,
    line_start: bool,
    /// Bytes since the last digest.
    since: usize,
}

impl<W: Write> RunWriter<W> {
    /// Begins a saved run: writes the prompt of the context of a number, in the ids of a computer's
    /// model, and its digest. `machine` tells people which machine that is, by the options that
    /// choose it; [`Error::OtherModel`] repeats it.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn new(
        out: W,
        computer: &Computer,
        machine: &str,
        prompt: &[TokenId],
        context: u64,
    ) -> io::Result<Self> {
        let mut writer = Self {
            out,
            digest: Sha256::new(),
            line_start: true,
            since: 0,
        };
        let text = computer.model().tokenizer.decode(prompt);
        let machine = machine.replace(['\r', '\n'], " ");
        writer.write(&format!(
            "{} {} {context} {}\n{MACHINE}{machine}\n{text}\n",
            SavedRun::MARK,
            prompt.len(),
            computer.digest(),
        ))?;
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

    /// Appends the digest of the text so far, and flushes the output.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn checkpoint(&mut self) -> io::Result<()> {
        if !self.line_start {
            self.write("\n")?;
            self.line_start = true;
        }
        let digest = self.digest.clone().finalize();
        self.write(&format!("{DIGEST}{digest:x}\n"))?;
        self.since = 0;
        self.out.flush()
    }

    /// Ends the saved run with a digest, and returns the output.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.checkpoint()?;
        Ok(self.out)
    }
}
