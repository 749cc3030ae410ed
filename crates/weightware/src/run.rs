//! The run of a program on a model: decoding in batches, the outcome, and the reason of the end.

use std::time::{Duration, Instant};

use weightware_compiler::machine::{Limit, Profile};
use weightware_isa::{Fault, Line, Outcome, Program, Token, TraceReader};
use weightware_model::TokenId;
use weightware_runtime::{Decoder, Engine, FinishReason, HorizonReason, KeyRange, Stats};

use crate::contexts::Contexts;
use crate::{Computer, Divergence, Error, Lockstep};

/// The most tokens that are decoded by one call of the decoder.
const BATCH: usize = 256;

/// The reason for which a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEnd {
    /// The program ended itself: it halted, exited or trapped.
    Outcome(Outcome),
    /// The limit on tokens is reached.
    MaxTokens,
    /// The next token would not be certified.
    Horizon {
        /// The position of that token, the prompt included.
        position: u64,
        /// The limit of the model that the run exceeds.
        reason: HorizonReason,
    },
    /// The model generated a token that the machine does not know: it is not a model of this
    /// machine.
    UnknownToken {
        /// The token's string.
        token: String,
    },
    /// The model generated a token that cannot occur there in the trace of any program
    /// ([`TraceReader::malformed`]): its weights are wrong or not the machine's, or the program is
    /// invalid.
    Derailed {
        /// The place of the token.
        at: Place,
        /// The token.
        token: Token,
    },
    /// In a [checked](Run::checked) run, the plain interpreter generates another token.
    Differs {
        /// The place of the token.
        at: Place,
        /// The interpreter's token.
        expected: Token,
        /// The model's token.
        found: Token,
    },
    /// In a [checked](Run::checked) run, the plain interpreter cannot continue, because the program
    /// is invalid. Later tokens of the model cannot be checked.
    Fault {
        /// The place of the first token that cannot be checked.
        at: Place,
        /// The fault of the program.
        fault: Fault,
    },
}

/// The limit of a profile that a run exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exceeded {
    /// The limit that the run exceeds.
    pub limit: Limit,
    /// The machine's address, if an address exceeds its limit.
    pub address: Option<i64>,
    /// The profile of the model that ran, whose limit it is.
    pub profile: Profile,
    /// A profile with a greater limit, which also has all memory that the program wrote, if there
    /// is one.
    pub further: Option<Profile>,
}

/// The memory that a run has written, and the memory that its model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryUsed {
    /// The greatest address of the machine that a store or the prompt has written.
    pub last_address: u64,
    /// The bytes of memory of the model.
    pub held: u64,
}

/// The place of a token in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The token's index in the trace, counted from 0.
    pub index: u64,
    /// The token's position, counted from 0 at the beginning of the prompt.
    pub position: u64,
}

/// The run of a program on a model: an iterator that decodes the tokens of the trace.
#[derive(Debug)]
pub struct Run<'c> {
    computer: &'c Computer,
    decoder: Decoder,
    reader: TraceReader,
    lockstep: Option<Lockstep<'c>>,
    /// The token that ended the run because the machine knows no such token.
    unknown: Option<TokenId>,
    limit: Option<u64>,
    contexts: Contexts,
    /// Tokens of the trace that were prefilled.
    resumed: u64,
    start: Instant,
    prefilled: Duration,
}

impl<'c> Run<'c> {
    pub(crate) fn new(
        computer: &'c Computer,
        prompt: &[TokenId],
        trace: &[Token],
        engine: Engine,
        limit: Option<u64>,
    ) -> Result<Self, Error> {
        computer.check_instructions(prompt)?;
        let mut decoder = Decoder::new(computer.model(), engine)?;
        let start = Instant::now();
        let mut reader = TraceReader::new();
        let mut contexts = Contexts::new(computer, prompt);
        let mut earlier = 0;
        for (&token, read) in trace.iter().zip(1..) {
            if reader.feed(token).is_some() && note(computer, &mut reader, &mut contexts) {
                earlier = read;
            }
        }
        // A prompt that is too long leaves the decoder at its horizon, where the run ends at once.
        let mut prefill = decoder.prefill(&contexts.prompt);
        if prefill.is_err() {
            reader = TraceReader::new();
        } else if earlier < trace.len() {
            let trace = &trace[earlier..];
            let ids: Vec<TokenId> = trace.iter().map(|&token| computer.id(token)).collect();
            prefill = decoder.prefill(&ids);
        }
        let _ = prefill;
        let prefilled = start.elapsed();
        let resumed = reader.tokens();
        Ok(Self {
            computer,
            decoder,
            reader,
            lockstep: None,
            unknown: None,
            limit: limit.map(|limit| limit.saturating_add(resumed)),
            contexts,
            resumed,
            start,
            prefilled,
        })
    }

    /// Makes this a checked run: the plain interpreter compares each token after it is decoded. The
    /// first one that it does not confirm ends the run, and [`end`](Self::end) has the difference.
    /// `resumed` is the trace with which the run was [resumed](Computer::resume), if it was.
    #[must_use]
    pub fn checked(mut self, program: &'c Program, resumed: &[Token]) -> Self {
        let mut lockstep = Lockstep::from(self.computer.interpreter(program));
        let read = usize::try_from(self.reader.tokens()).unwrap_or(usize::MAX);
        for &token in resumed.iter().take(read) {
            let _ = lockstep.feed(token);
        }
        self.lockstep = Some(lockstep);
        self
    }

    /// Decodes one token; returns it with the line of the trace that it completes, if it does.
    pub fn step(&mut self) -> Option<(Token, Option<Line<'_>>)> {
        let mut id = [TokenId(0)];
        if self.left() == 0 || self.decoder.generate_into(&mut id) == 0 {
            return None;
        }
        let [id] = id;
        let Some(token) = self.computer.meaning(id) else {
            self.unknown = Some(id);
            return None;
        };
        if let Some(lockstep) = &mut self.lockstep {
            let _ = lockstep.feed(token);
        }
        if self.reader.feed(token).is_some() && self.contexts.keeps(token) {
            self.note();
        }
        Some((token, self.reader.last_line()))
    }

    /// Keeps a line that has just been completed; after the end of a context begins the next one,
    /// and returns whether it did.
    #[cold]
    fn note(&mut self) -> bool {
        if !note(self.computer, &mut self.reader, &mut self.contexts) {
            return false;
        }
        let start = Instant::now();
        self.contexts.keys = self.decoder.key_ranges().collect();
        self.decoder.reset();
        // A prompt that is too long leaves the decoder at its horizon, where the run ends.
        let _ = self.decoder.prefill(&self.contexts.prompt);
        self.contexts.reread_time += start.elapsed();
        true
    }

    /// Decodes up to `most` tokens, fewer if the run or its context ends, and calls `show` with
    /// each one and the line that it completes, if it does. Returns the number of tokens, 0 only at
    /// the end. This is faster than [`step`](Self::step).
    pub fn steps(&mut self, most: usize, mut show: impl FnMut(Token, Option<Line<'_>>)) -> usize {
        let mut ids = [TokenId(0); BATCH];
        let mut shown = 0;
        while shown < most {
            let left = usize::try_from(self.left()).unwrap_or(usize::MAX);
            let wanted = left.min(most - shown).min(BATCH);
            let decoded = self.decoder.generate_into(&mut ids[..wanted]);
            for &id in &ids[..decoded] {
                let Some(token) = self.computer.meaning(id) else {
                    self.unknown = Some(id);
                    return shown;
                };
                let line = self.reader.feed(token);
                let ends = line.is_some();
                show(token, line);
                shown += 1;
                if let Some(lockstep) = &mut self.lockstep
                    && lockstep.feed(token).is_err()
                {
                    return shown;
                }
                // Tokens after the end have no meaning, nor have those of a context that ended.
                let turned = ends && self.contexts.keeps(token) && self.note();
                if turned || self.reader.ended() {
                    return shown;
                }
            }
            if decoded == 0 || self.decoder.finish_reason().is_some() {
                break;
            }
        }
        shown
    }

    /// Decodes at most this many tokens, and returns how many: [`steps`](Self::steps) that shows
    /// nothing. It is not generic, so that a caller without optimisation runs it as fast.
    pub fn advance(&mut self, most: usize) -> usize {
        self.steps(most, |_, _| {})
    }

    /// The number of tokens that may still come: none after the end.
    fn left(&self) -> u64 {
        if self.reader.ended() || self.unknown.is_some() || self.divergence().is_some() {
            return 0;
        }
        let limit = self.limit.unwrap_or(u64::MAX);
        limit.saturating_sub(self.reader.tokens())
    }

    /// Decodes the rest of the run, and returns the reason of its end.
    pub fn finish(&mut self) -> RunEnd {
        while self.advance(usize::MAX) > 0 {}
        self.end()
    }

    /// The reason for which the run ended; [`RunEnd::MaxTokens`] if it has not ended.
    #[must_use]
    pub fn end(&self) -> RunEnd {
        let divergence = self.divergence();
        if let Some((at, Divergence::Fault(fault))) = divergence {
            return RunEnd::Fault { at, fault };
        }
        if let Some(index) = self.reader.malformed()
            && let Some(&token) = self
                .reader
                .unfinished()
                .and_then(|line| line.tokens().last())
        {
            let at = self.place(index);
            return RunEnd::Derailed { at, token };
        }
        if let Some((at, Divergence::Differs { expected, found })) = divergence {
            return RunEnd::Differs {
                at,
                expected,
                found,
            };
        }
        if let Some(outcome) = self.reader.outcome() {
            return RunEnd::Outcome(outcome);
        }
        if let Some(id) = self.unknown {
            return RunEnd::UnknownToken {
                token: self.string(id),
            };
        }
        match self.decoder.finish_reason() {
            Some(FinishReason::Horizon { position, reason }) => {
                RunEnd::Horizon { position, reason }
            }
            Some(FinishReason::EndToken(id)) => RunEnd::UnknownToken {
                token: self.string(id),
            },
            Some(FinishReason::MaxTokens) | None => RunEnd::MaxTokens,
        }
    }

    /// The divergence of a [checked](Self::checked) run from the plain interpreter, with its place,
    /// if there is one.
    #[must_use]
    pub fn divergence(&self) -> Option<(Place, Divergence)> {
        let lockstep = self.lockstep.as_ref()?;
        Some((self.place(lockstep.agreed()), lockstep.divergence()?))
    }

    /// The number of tokens of a [checked](Self::checked) run that the plain interpreter has
    /// confirmed, resumed tokens included; `None` if the run is not checked.
    #[must_use]
    pub fn agreed(&self) -> Option<u64> {
        self.lockstep.as_ref().map(Lockstep::agreed)
    }

    fn place(&self, index: u64) -> Place {
        Place {
            index,
            position: self.prompt_tokens() + index.saturating_sub(self.contexts.tokens),
        }
    }

    fn string(&self, id: TokenId) -> String {
        self.computer
            .model()
            .tokenizer
            .string(id)
            .unwrap_or("?")
            .to_owned()
    }

    /// The limit that a run at its horizon exceeds, in the terms of a profile of the compiled
    /// machine.
    #[must_use]
    pub fn exceeded(&self) -> Option<Exceeded> {
        let config = &self.computer.model().config;
        let profile = self.computer.profile()?;
        let FinishReason::Horizon { reason, .. } = self.decoder.finish_reason()? else {
            return None;
        };
        let written = profile.last_address(config, self.key_ranges());
        let (limit, address) = match reason {
            HorizonReason::LastPosition(last) if last == profile.last_position => {
                (Limit::Positions, None)
            }
            HorizonReason::KeyBound {
                layer,
                head,
                x,
                lift,
            } => {
                let key = KeyRange {
                    layer,
                    head,
                    x: [x; 2],
                    lift,
                };
                let limit = profile.limit_of(config, &key)?;
                let address = profile.last_address(config, [key]);
                (limit, Some(address).filter(|_| limit == Limit::Addresses))
            }
            _ => return None,
        };
        let last = written.max(address.unwrap_or(0));
        Some(Exceeded {
            limit,
            address,
            profile,
            further: profile.further(limit, last),
        })
    }

    /// The reader of the trace so far: output, outcome, counts.
    #[must_use]
    pub fn reader(&self) -> &TraceReader {
        &self.reader
    }

    /// The counts of the decoder's work and memory.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.decoder.stats()
    }

    /// The text of the plan's kernel for the last token ([`Decoder::kernel`]); none with other
    /// engines.
    #[must_use]
    pub fn kernel(&self) -> Option<String> {
        self.decoder.kernel()
    }

    /// The extent of the live keys of heads with a key box.
    pub fn key_ranges(&self) -> impl Iterator<Item = KeyRange> + '_ {
        self.decoder.key_ranges()
    }

    /// The extent of the live keys of heads with a key box, at the end of the context before this
    /// one; empty in the first.
    #[must_use]
    pub fn key_ranges_before(&self) -> &[KeyRange] {
        &self.contexts.keys
    }

    /// The share of the certified positions that this context has used, from 0 to 1.
    #[must_use]
    pub fn share_of_horizon(&self) -> f64 {
        let tokens = self.reader.tokens() - self.contexts.tokens;
        self.share_of_positions(self.prompt_tokens() + tokens)
    }

    /// The share of the certified positions that the longest context so far has used, from 0 to 1.
    #[must_use]
    pub fn longest_share_of_horizon(&self) -> f64 {
        self.share_of_positions(self.contexts.longest(self.reader.tokens()))
    }

    fn share_of_positions(&self, used: u64) -> f64 {
        let last = self.computer.model().config.last_position;
        used as f64 / (last as f64 + 1.0)
    }

    /// The memory that the run has written, if the model has a profile.
    #[must_use]
    pub fn memory_used(&self) -> Option<MemoryUsed> {
        let config = &self.computer.model().config;
        let profile = self.computer.profile()?;
        Some(MemoryUsed {
            last_address: profile
                .last_address(config, self.key_ranges())
                .unsigned_abs(),
            held: profile.memory_bytes(),
        })
    }

    /// The number of contexts so far.
    #[must_use]
    pub fn contexts(&self) -> u64 {
        self.contexts.ended + 1
    }

    /// Whether the program can go on in another context when this one is full.
    #[must_use]
    pub fn turns(&self) -> bool {
        self.contexts.go_on()
    }

    /// Whether a turn goes on: the state is being saved or restored.
    #[must_use]
    pub fn turning(&self) -> bool {
        self.contexts.turning()
    }

    /// The number of tokens of the trace that belong to turns: from `interrupted` to `turned`, and
    /// from there to `continued`.
    #[must_use]
    pub fn turn_tokens(&self) -> u64 {
        self.contexts.turns(self.reader.tokens())
    }

    /// The number of tokens of the prompts of all contexts after the first.
    #[must_use]
    pub fn reread_tokens(&self) -> u64 {
        self.contexts.reread
    }

    /// The time that the prefill of these prompts took.
    #[must_use]
    pub fn reread_time(&self) -> Duration {
        self.contexts.reread_time
    }

    /// This context's prompt, preamble included, in the model's ids.
    #[must_use]
    pub fn prompt(&self) -> &[TokenId] {
        &self.contexts.prompt
    }

    /// The number of tokens of the prompt that the run began with, preamble included.
    #[must_use]
    pub fn first_prompt_tokens(&self) -> u64 {
        self.contexts.first
    }

    /// The number of tokens of this context's prompt, preamble included.
    #[must_use]
    pub fn prompt_tokens(&self) -> u64 {
        self.contexts.prompt.len() as u64
    }

    /// The number of tokens of the trace before this context.
    #[must_use]
    pub fn earlier_tokens(&self) -> u64 {
        self.contexts.tokens
    }

    /// The number of tokens of the trace that were prefilled, not decoded, when the run was
    /// resumed.
    #[must_use]
    pub fn resumed_tokens(&self) -> u64 {
        self.resumed
    }

    /// The time that the prefill took, resumed tokens included.
    #[must_use]
    pub fn prefill_time(&self) -> Duration {
        self.prefilled
    }

    /// The time since the end of the prefill, without that of later contexts' prompts.
    #[must_use]
    pub fn decode_time(&self) -> Duration {
        let prefilled = self.prefilled + self.contexts.reread_time;
        self.start.elapsed().saturating_sub(prefilled)
    }
}

/// Keeps the line that a trace has just completed, if the contexts need it; at the end of a context
/// goes on to the next one's prompt, and returns whether it did.
fn note(computer: &Computer, reader: &mut TraceReader, contexts: &mut Contexts) -> bool {
    let tokens = reader.tokens();
    let Some(line) = reader.last_line() else {
        return false;
    };
    contexts.read(computer, line, tokens);
    let turned = line.end() == Some(Token::Turned) && contexts.go_on();
    if turned {
        contexts.turn(tokens);
        reader.turn();
    }
    turned
}

impl Iterator for Run<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.step().map(|(token, _)| token)
    }
}
