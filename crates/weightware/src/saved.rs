//! Runs as text.

use weightware_isa::{Program, Token};
use weightware_model::TokenId;

use crate::{Computer, Error};

/// The tokens of a run, as far as it has come.
///
/// ```text
/// weightware-run 1 279          format, tokens of the prompt
/// <begin> 00 01 ...             the prompt
/// 03 00 00 00 commit(...)       the trace so far, one instruction a line
/// ```
/// Decoding is a function of the tokens so far: nothing else has to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedRun {
    /// The prompt, in the model's ids.
    pub prompt: Vec<TokenId>,
    /// The trace so far.
    pub trace: Vec<Token>,
}

impl SavedRun {
    /// What a saved run begins with; the number of the prompt's tokens follows.
    pub const MARK: &str = "weightware-run 1";

    /// Reads a run's text, in the vocabulary of a computer's model.
    ///
    /// # Errors
    /// If it is none, holds a word that is no token, or is cut off within the prompt.
    pub fn parse(text: &str, computer: &Computer) -> Result<Self, Error> {
        let (mark, tokens) = text.split_once('\n').unwrap_or((text, ""));
        let length = mark
            .strip_prefix(Self::MARK)
            .and_then(|length| length.trim().parse::<usize>().ok())
            .ok_or(Error::NotASavedRun)?;
        let tokenizer = &computer.model().tokenizer;
        let mut prompt = tokenizer.encode(tokens)?;
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
