//! A model of the machine.

use weightware_certify::RunCertificate;
use weightware_isa::{Program, Token, Vocabulary};
use weightware_model::{Model, TokenId};
use weightware_runtime::{Engine, KeyRange};

use crate::{Error, Run, RunEnd};

/// A model, with the meaning of its tokens: what the machine's tokens are called decides, not their
/// ids.
#[derive(Debug, Clone)]
pub struct Computer {
    model: Model,
    /// By id of the model.
    meanings: Vec<Option<Token>>,
    /// By id of the machine's vocabulary.
    ids: Vec<TokenId>,
    vocabulary: Vocabulary,
}

impl Default for Computer {
    fn default() -> Self {
        Self::new(weightware_compiler::default_model()).expect("the compiled model has every token")
    }
}

impl Computer {
    /// A computer that runs on the given model, the compiled one or one from a folder.
    ///
    /// # Errors
    /// If the model lacks one of the machine's tokens.
    pub fn new(model: Model) -> Result<Self, Error> {
        let vocabulary = Vocabulary::new();
        let tokenizer = &model.tokenizer;
        let meanings = tokenizer
            .strings()
            .iter()
            .map(|string| vocabulary.parse(string))
            .collect();
        let ids = vocabulary.tokens().iter().map(|token| {
            let string = token.to_string();
            tokenizer.id(&string).ok_or(Error::MissingToken(string))
        });
        let ids = ids.collect::<Result<_, _>>()?;
        Ok(Self {
            model,
            meanings,
            ids,
            vocabulary,
        })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The whole prompt of a program, preamble included, in the model's ids.
    #[must_use]
    pub fn prompt(&self, program: &Program) -> Vec<TokenId> {
        program.full_prompt().map(|token| self.id(token)).collect()
    }

    /// Starts a run: the prompt is taken in, tokens are decoded as they are asked for. At most
    /// `limit` tokens.
    ///
    /// # Errors
    /// If the model cannot be decoded with this engine. A prompt beyond the horizon is not an error
    /// but an [`RunEnd`].
    pub fn run(
        &self,
        program: &Program,
        engine: Engine,
        limit: Option<u64>,
    ) -> Result<Run<'_>, Error> {
        self.resume(&self.prompt(program), &[], engine, limit)
    }

    /// Goes on with a run from its tokens: those of its prompt, in the model's ids, and those of
    /// its trace so far. At most `limit` more tokens.
    ///
    /// Takes the tokens in again, at the engine's speed; decoding is a function of the tokens
    /// alone.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn resume(
        &self,
        prompt: &[TokenId],
        trace: &[Token],
        engine: Engine,
        limit: Option<u64>,
    ) -> Result<Run<'_>, Error> {
        Run::new(self, prompt, trace, engine, limit)
    }

    /// Runs a program to its end, at most `limit` tokens, and keeps the certificate's books.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn certify(&self, program: &Program, limit: Option<u64>) -> Result<CertifiedRun, Error> {
        // Tokens between two looks at how far keys went.
        const LOOK: usize = 1 << 12;
        let mut certified = RunCertificate::new(&self.model);
        for token in self.prompt(program) {
            certified.push(token);
        }
        let mut run = self.run(program, Engine::Plan, limit)?;
        certified.record_keys(run.key_ranges());
        while run.steps(LOOK, |token, _| certified.push(self.id(token))) > 0 {
            certified.record_keys(run.key_ranges());
        }
        certified.record_keys(run.key_ranges());
        Ok(CertifiedRun {
            position: (run.prompt_tokens() + run.reader().tokens()).saturating_sub(1),
            end: run.end(),
            key_ranges: run.key_ranges().collect(),
            certified,
        })
    }

    /// The model's id of a token.
    #[must_use]
    pub fn id(&self, token: Token) -> TokenId {
        self.ids[self.vocabulary.id(token) as usize]
    }

    /// The token of a model's id, if the machine knows it.
    #[must_use]
    pub fn meaning(&self, id: TokenId) -> Option<Token> {
        self.meanings.get(id.0 as usize).copied().flatten()
    }
}

/// What a program exhausts of a model.
#[derive(Debug, Clone)]
pub struct CertifiedRun {
    /// The last position, the prompt included.
    pub position: u64,
    /// How the run ended.
    pub end: RunEnd,
    /// How far the live keys of heads with a box went.
    pub key_ranges: Vec<KeyRange>,
    /// What is proved of the run.
    pub certified: RunCertificate,
}
