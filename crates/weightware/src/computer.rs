//! Programs running on a model.

use std::time::{Duration, Instant};

use weightware_certify::{Certified, Went};
use weightware_compiler::machine::{Exceeded, Profile};
use weightware_isa::{Line, Outcome, Program, Token, TraceReader, Vocabulary};
use weightware_model::{KeyBound, Model, TokenId};
use weightware_runtime::{Decoder, Engine, Finish, Reach, Stats, Why};

use crate::Error;

/// Tokens that are decoded in one go.
const BATCH: usize = 256;

/// A model, with the meaning of its tokens: what the machine's tokens are called decides, not their ids.
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

    /// Starts a run: the prompt is taken in, tokens are decoded as they are asked for. At most `limit` tokens.
    ///
    /// # Errors
    /// If the model cannot be decoded with this engine. A prompt beyond the horizon is not an error but an [`End`].
    pub fn run(
        &self,
        program: &Program,
        engine: Engine,
        limit: Option<u64>,
    ) -> Result<Run<'_>, Error> {
        self.resume(&self.prompt(program), &[], engine, limit)
    }

    /// Goes on with a run from its tokens: those of its prompt, in the model's ids, and those of its trace so far. At most
    /// `limit` more tokens.
    ///
    /// Takes the tokens in again, at the engine's speed; decoding is a function of the tokens alone.
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
        let mut decoder = Decoder::new(&self.model, engine)?;
        let start = Instant::now();
        // A prompt that is too long leaves the decoder at its horizon, where the run ends at once.
        let mut taken_in = decoder.prefill(prompt);
        let mut reader = TraceReader::new();
        if !trace.is_empty() && taken_in.is_ok() {
            let ids: Vec<TokenId> = trace.iter().map(|&token| self.id(token)).collect();
            taken_in = decoder.prefill(&ids);
            for &token in trace {
                let _ = reader.feed(token);
            }
        }
        let _ = taken_in;
        let prefilled = start.elapsed();
        let resumed = reader.tokens();
        Ok(Run {
            computer: self,
            decoder,
            reader,
            unknown: None,
            limit: limit.map(|limit| limit.saturating_add(resumed)),
            prompt_tokens: prompt.len() as u64,
            resumed,
            start,
            prefilled,
        })
    }

    /// Runs a program to its end, at most `limit` tokens, and keeps the certificate's books.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn certify(&self, program: &Program, limit: Option<u64>) -> Result<CertifiedRun, Error> {
        // Tokens between two looks at how far keys went.
        const LOOK: usize = 1 << 12;
        let mut certified = Certified::new(&self.model);
        for token in self.prompt(program) {
            certified.push(token);
        }
        let mut run = self.run(program, Engine::Plan, limit)?;
        certified.went(run.reach().map(went));
        while run.steps(LOOK, |token, _| certified.push(self.id(token))) > 0 {
            certified.went(run.reach().map(went));
        }
        certified.went(run.reach().map(went));
        Ok(CertifiedRun {
            position: (run.prompt_tokens() + run.reader().tokens()).saturating_sub(1),
            end: run.end(),
            reach: run.reach().collect(),
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

fn went(reach: Reach) -> Went {
    Went {
        layer: reach.layer,
        head: reach.head,
        index: reach.x[0].abs().max(reach.x[1].abs()) / 2.0,
        lift: reach.lift,
    }
}

/// What a program exhausts of a model.
#[derive(Debug, Clone)]
pub struct CertifiedRun {
    /// The last position, the prompt included.
    pub position: u64,
    /// How the run ended.
    pub end: End,
    /// How far the live keys of heads with a box went.
    pub reach: Vec<Reach>,
    /// What is proved of the run.
    pub certified: Certified,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// The program ended itself: it halted, exited or trapped.
    Outcome(Outcome),
    /// The limit on tokens is reached.
    Budget,
    /// The next token would not be certified.
    Horizon {
        /// Its position, the prompt included.
        position: u64,
        /// What is exceeded.
        why: String,
    },
    /// The model put out a token that means nothing here: it is not a model of this machine.
    Nonsense {
        /// The token's string.
        token: String,
    },
}

/// A program running on a model: an iterator of tokens.
#[derive(Debug)]
pub struct Run<'c> {
    computer: &'c Computer,
    decoder: Decoder,
    reader: TraceReader,
    /// The token that ended the run because the machine knows no such token.
    unknown: Option<TokenId>,
    limit: Option<u64>,
    prompt_tokens: u64,
    /// Tokens of the trace that were given.
    resumed: u64,
    start: Instant,
    prefilled: Duration,
}

impl Run<'_> {
    /// Decodes one token and tells the line that it completes, if it does.
    pub fn step(&mut self) -> Option<(Token, Option<Line<'_>>)> {
        let mut id = [TokenId(0)];
        if self.left() == 0 || self.decoder.fill(&mut id) == 0 {
            return None;
        }
        let [id] = id;
        let Some(token) = self.computer.meanings[id.0 as usize] else {
            self.unknown = Some(id);
            return None;
        };
        Some((token, self.reader.feed(token)))
    }

    /// Decodes so many tokens, fewer if the run ends, and shows each with the line that it completes, if it does; returns
    /// how many it has shown. Less is done for each than by [`step`](Self::step).
    pub fn steps(&mut self, most: usize, mut show: impl FnMut(Token, Option<Line<'_>>)) -> usize {
        let mut ids = [TokenId(0); BATCH];
        let mut shown = 0;
        while shown < most {
            let left = usize::try_from(self.left()).unwrap_or(usize::MAX);
            let wanted = left.min(most - shown).min(BATCH);
            let decoded = self.decoder.fill(&mut ids[..wanted]);
            for &id in &ids[..decoded] {
                let Some(token) = self.computer.meanings[id.0 as usize] else {
                    self.unknown = Some(id);
                    return shown;
                };
                show(token, self.reader.feed(token));
                shown += 1;
                // Of a model that goes on behind an outcome, the rest means nothing.
                if self.reader.outcome().is_some() {
                    return shown;
                }
            }
            if decoded < BATCH {
                break;
            }
        }
        shown
    }

    /// How many tokens may come: none behind the end.
    fn left(&self) -> u64 {
        if self.reader.outcome().is_some() || self.unknown.is_some() {
            return 0;
        }
        let limit = self.limit.unwrap_or(u64::MAX);
        limit.saturating_sub(self.reader.tokens())
    }

    /// Runs to the end.
    pub fn finish(&mut self) -> End {
        while self.steps(usize::MAX, |_, _| {}) > 0 {}
        self.end()
    }

    /// How the run ended; if it has not, the limit is its end.
    #[must_use]
    pub fn end(&self) -> End {
        if let Some(outcome) = self.reader.outcome() {
            return End::Outcome(outcome);
        }
        if let Some(id) = self.unknown {
            return End::Nonsense {
                token: self.string(id),
            };
        }
        match self.decoder.finish() {
            Some(Finish::Horizon { position, why }) => End::Horizon {
                position,
                why: why.to_string(),
            },
            Some(Finish::EndToken(id)) => End::Nonsense {
                token: self.string(id),
            },
            Some(Finish::Budget) | None => End::Budget,
        }
    }

    fn string(&self, id: TokenId) -> String {
        self.computer
            .model
            .tokenizer
            .string(id)
            .unwrap_or("?")
            .to_owned()
    }

    /// At the horizon, the profile of the compiled machine that goes further, if any.
    #[must_use]
    pub fn further(&self) -> Option<Profile> {
        let config = &self.computer.model.config;
        let profile = Profile::named(config.profile.as_deref()?)?;
        let memory = profile.memory;
        // Heads with the box of addresses.
        let of_memory = |bound: &&KeyBound| bound.max_abs_x == 2.0 * memory.reach as f64;
        let bound_of = |layer: usize, head: usize| {
            let mut bounds = config.key_bounds.iter();
            bounds.find(|bound| (bound.layer, bound.head) == (layer, head))
        };
        let address = |x: f64| (x / 2.0) as i64 + memory.centre;
        let reached = self.reach().filter(|reach| {
            let bound = bound_of(reach.layer, reach.head);
            bound.as_ref().is_some_and(of_memory)
        });
        let reached = reached.map(|reach| address(reach.x[1])).max().unwrap_or(0);
        match self.decoder.finish()? {
            Finish::Horizon {
                why: Why::LastPosition(last),
                ..
            } if last == profile.last_position => profile.further(Exceeded::Positions, reached),
            Finish::Horizon {
                why:
                    Why::KeyBound {
                        layer,
                        head,
                        x,
                        lift,
                    },
                ..
            } => {
                let bound = bound_of(layer, head)?;
                let outside = x.abs() > bound.max_abs_x;
                match (outside, lift > bound.max_lift) {
                    (true, _) if of_memory(&bound) => {
                        profile.further(Exceeded::Addresses, reached.max(address(x)))
                    }
                    (false, true) => profile.further(Exceeded::Stores, reached),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// What the trace says so far: output, outcome, counts.
    #[must_use]
    pub fn reader(&self) -> &TraceReader {
        &self.reader
    }

    /// What the decoder holds.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.decoder.stats()
    }

    /// How far the live keys of heads with a box went.
    pub fn reach(&self) -> impl Iterator<Item = Reach> + '_ {
        self.decoder.reach()
    }

    /// Tokens of the prompt, preamble included.
    #[must_use]
    pub fn prompt_tokens(&self) -> u64 {
        self.prompt_tokens
    }

    /// Tokens of the trace that were taken in, not decoded: those that a resumed run began with.
    #[must_use]
    pub fn resumed_tokens(&self) -> u64 {
        self.resumed
    }

    /// Time spent on the prompt.
    #[must_use]
    pub fn prefill_time(&self) -> Duration {
        self.prefilled
    }

    /// Time since the prompt was taken in.
    #[must_use]
    pub fn decode_time(&self) -> Duration {
        self.start.elapsed().saturating_sub(self.prefilled)
    }
}

impl Iterator for Run<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.step().map(|(token, _)| token)
    }
}
