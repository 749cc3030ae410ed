//! The decoder: a model, an engine, and the sequence so far.

use std::str::FromStr;

use weightware_model::{Attention, KeyRange, Model, TokenId};

use crate::argmax_cache::ArgmaxCache;
use crate::cache::{Cache, Hardmax, Hull, Softmax};
use crate::forward::{Observer, ResidualStream};
use crate::network::Network;
use crate::plan::PlanEngine;
use crate::sparse::Vector;
use crate::token_buffer::TokenBuffer;
use crate::{Error, FinishReason, HorizonReason, PrefillError, Stats};

/// How a decoder attends to past tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// Stock softmax over all past keys, scores scaled by `1 / sqrt(2)`: the definition of the
    /// model. O(n) per token.
    Softmax,
    /// The average value of the keys of the exactly greatest score, by a scan over all past keys:
    /// the oracle of [`Hull`](Self::Hull). O(n) per token.
    Hardmax,
    /// Exact hard-max by extreme-point search in the convex hull of the past keys. O(log n) per
    /// token.
    Hull,
    /// Exact hard-max by kernels that are specialised to the weights and compute only the numbers
    /// that matter. About constant per token.
    Plan,
    /// Exact hard-max by the machine code of these kernels, in builds with the feature `jit`. On
    /// processors other than x86-64 with AVX, kernels are interpreted as with
    /// [`Plan`](Self::Plan).
    Jit,
}

impl Engine {
    const ALL: [Self; 5] = [
        Self::Softmax,
        Self::Hardmax,
        Self::Hull,
        Self::Plan,
        Self::Jit,
    ];

    /// The engines of this build: all, except [`Jit`](Self::Jit) without the feature `jit`.
    pub fn available() -> impl ExactSizeIterator<Item = Self> + Clone {
        let count = Self::ALL.len() - usize::from(cfg!(not(feature = "jit")));
        Self::ALL.into_iter().take(count)
    }

    /// Whether this build has the engine.
    #[must_use]
    pub fn is_available(self) -> bool {
        self != Self::Jit || cfg!(feature = "jit")
    }

    /// Whether the engine decodes by kernels that are specialised to the weights.
    #[must_use]
    pub fn is_planned(self) -> bool {
        matches!(self, Self::Plan | Self::Jit)
    }

    /// Whether the engine scans all past keys, so that a token takes time in proportion to those
    /// before it.
    #[must_use]
    pub fn is_linear(self) -> bool {
        matches!(self, Self::Softmax | Self::Hardmax)
    }

    /// The engine's name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Softmax => "softmax",
            Self::Hardmax => "hardmax",
            Self::Hull => "hull",
            Self::Plan => "plan",
            Self::Jit => "jit",
        }
    }
}

/// By [name](Engine::name), of the engines of this build.
impl FromStr for Engine {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::available().find(|engine| engine.name() == name);
        found.ok_or_else(Error::unknown_engine)
    }
}

/// The options of a decoder besides its engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DecoderOptions {
    /// Lets a hard-max engine run a model that says it needs softmax.
    pub force: bool,
}

/// The query, key and value of a live head at one token.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct HeadActivation {
    /// The layer, from 0.
    pub layer: usize,
    /// The head's number in the weights.
    pub head: usize,
    /// The query.
    pub query: [f64; 2],
    /// The key that was appended.
    pub key: [f64; 2],
    /// The value that was appended; 0 where it cannot reach the residual stream.
    pub value: [f64; 2],
}

/// Greedy decoding of one sequence.
///
/// All engines compute the same projections with the same bits, the plan engine those that matter;
/// they differ in attention. See the crate's documentation for an example.
#[derive(Debug)]
pub struct Decoder {
    network: Network,
    cache: EngineState,
    engine: Engine,
    stream: ResidualStream,
    argmax_cache: ArgmaxCache,
    /// Tokens known: prompt and given. The last one given has not been through the layers yet.
    known: u64,
    pending: Option<TokenId>,
    /// The token that the stream predicts.
    next: Option<TokenId>,
    finish: Option<FinishReason>,
    /// Present while [`prefill_recorded`](Decoder::prefill_recorded) runs.
    record: Option<Record>,
}

/// The residual stream of one token: the embedding, then the stream after each half-layer.
#[derive(Debug)]
struct Record {
    d_model: usize,
    residual: Vec<Vec<f64>>,
}

impl Observer for Record {
    fn see(&mut self, x: &Vector) {
        self.residual.push(x[..self.d_model].to_vec());
    }
}

#[derive(Debug)]
enum EngineState {
    Softmax(Softmax),
    Hardmax(Hardmax),
    Hull(Hull),
    Plan(Box<PlanEngine>),
}

impl EngineState {
    fn new(model: &Model, network: &Network, engine: Engine) -> Self {
        let heads = network.heads().count();
        match engine {
            Engine::Softmax => Self::Softmax(Softmax::new(heads)),
            Engine::Hardmax => Self::Hardmax(Hardmax::new(heads)),
            Engine::Hull => Self::Hull(Hull::new(network)),
            Engine::Plan => Self::Plan(Box::new(PlanEngine::new(model, network, false))),
            Engine::Jit => Self::Plan(Box::new(PlanEngine::new(model, network, true))),
        }
    }

    fn reset(&mut self, network: &Network) {
        let heads = network.heads().count();
        match self {
            Self::Softmax(cache) => *cache = Softmax::new(heads),
            Self::Hardmax(cache) => *cache = Hardmax::new(heads),
            Self::Hull(cache) => *cache = Hull::new(network),
            Self::Plan(planned) => planned.reset(),
        }
    }
}

impl Decoder {
    /// A decoder of an empty sequence.
    ///
    /// # Errors
    /// If the model is inconsistent, or says that it needs softmax and `engine` is another, or the
    /// engine is not in this build.
    pub fn new(model: &Model, engine: Engine) -> Result<Self, Error> {
        Self::with_options(model, engine, DecoderOptions::default())
    }

    /// A decoder of an empty sequence, with options.
    ///
    /// # Errors
    /// The errors of [`new`](Self::new), except those that the options overrule.
    pub fn with_options(
        model: &Model,
        engine: Engine,
        options: DecoderOptions,
    ) -> Result<Self, Error> {
        if !engine.is_available() {
            return Err(Error::lacking(engine.name()));
        }
        model.validate().map_err(Error::model)?;
        let needs_softmax = model.config.attention == Attention::Softmax;
        if needs_softmax && engine != Engine::Softmax && !options.force {
            return Err(Error::needs_softmax(engine.name()));
        }
        let network = Network::new(model);
        Ok(Self {
            cache: EngineState::new(model, &network, engine),
            stream: ResidualStream::new(&network),
            network,
            engine,
            argmax_cache: ArgmaxCache::default(),
            known: 0,
            pending: None,
            next: None,
            finish: None,
            record: None,
        })
    }

    /// Forgets the sequence.
    pub fn reset(&mut self) {
        self.cache.reset(&self.network);
        self.stream = ResidualStream::new(&self.network);
        self.known = 0;
        self.pending = None;
        self.next = None;
        self.finish = None;
    }

    /// Processes a prompt, or further tokens after generated ones.
    ///
    /// # Errors
    /// If a token is unknown (then no token is processed), the horizon comes before the prompt's
    /// end, or decoding had finished.
    pub fn prefill(&mut self, tokens: &[TokenId]) -> Result<(), PrefillError> {
        let vocab = self.network.vocab;
        if let Some(index) = tokens.iter().position(|t| t.0 as usize >= vocab) {
            return Err(PrefillError::UnknownToken {
                index,
                token: tokens[index],
                vocab,
            });
        }
        match self.finish {
            None | Some(FinishReason::MaxTokens) => self.finish = None,
            Some(_) => return Err(PrefillError::Finished),
        }
        let stop = |(position, reason)| PrefillError::Horizon { position, reason };
        for &token in tokens {
            if let Some(given) = self.pending.take() {
                self.advance(given, false).map_err(stop)?;
            }
            if self.known > self.network.last_position {
                return Err(stop(
                    self.horizon(HorizonReason::LastPosition(self.network.last_position)),
                ));
            }
            self.known += 1;
            self.pending = Some(token);
        }
        match self.pending.take() {
            Some(last) => self.advance(last, true).map_err(stop),
            None => Ok(()),
        }
    }

    /// Prefills one token and returns its residual stream: the embedding, then the stream after
    /// each half-layer. Empty with [`Engine::Plan`] and [`Engine::Jit`], which compute less.
    ///
    /// # Errors
    /// The errors of [`prefill`](Self::prefill).
    pub fn prefill_recorded(&mut self, token: TokenId) -> Result<Vec<Vec<f64>>, PrefillError> {
        self.record = Some(Record {
            d_model: self.network.d_model,
            residual: vec![],
        });
        let taken_in = self.prefill(&[token]);
        let record = self.record.take();
        taken_in?;
        Ok(record.map(|record| record.residual).unwrap_or_default())
    }

    /// Generates tokens one by one: at most `limit`, up to and including an end token, or up to the
    /// horizon.
    ///
    /// The iterator is lazy: a token goes through the layers when the next one is requested.
    /// [`finish_reason`](Self::finish_reason) says why it ended. Before a prompt it is empty.
    pub fn generate(&mut self, limit: Option<u64>) -> Generate<'_> {
        if self.finish == Some(FinishReason::MaxTokens) {
            self.finish = None;
        }
        Generate {
            left: limit,
            decoder: self,
        }
    }

    /// Why the last [`generate`](Self::generate) ended; `None` if it did not.
    #[must_use]
    pub fn finish_reason(&self) -> Option<FinishReason> {
        self.finish
    }

    /// The number of tokens so far, the prompt included.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.known
    }

    /// Whether there are no tokens yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known == 0
    }

    /// The logits from which the last prediction was made: after a prompt, those of its last token.
    ///
    /// The plan engine computes no logits while decoding. This method then runs all tokens through
    /// the hull engine.
    #[must_use]
    pub fn logits(&self) -> Vec<f64> {
        match &self.cache {
            EngineState::Plan(planned) => planned.logits(&self.network),
            _ => self.network.unembed.logits(&self.stream.x),
        }
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Counts of the decoder's work and memory. Takes O(heads).
    #[must_use]
    pub fn stats(&self) -> Stats {
        let live_heads = self.network.heads().count();
        let values = self
            .network
            .heads()
            .flat_map(|h| h.answers)
            .flatten()
            .count();
        let (cached_bytes, (key_streams, value_streams)) = match &self.cache {
            EngineState::Softmax(cache) => (cache.bytes(), (live_heads, values)),
            EngineState::Hardmax(cache) => (cache.bytes(), (live_heads, values)),
            EngineState::Hull(cache) => (cache.bytes(), cache.sharing()),
            EngineState::Plan(planned) => (planned.bytes(), planned.streams()),
        };
        let (planned, deoptimizations, bailouts) = match &self.cache {
            EngineState::Plan(planned) => planned.deoptimizations(),
            _ => Default::default(),
        };
        Stats {
            tokens: self.known - u64::from(self.pending.is_some()),
            cached_bytes,
            live_heads,
            key_streams,
            value_streams,
            planned,
            deoptimizations,
            bailouts,
        }
    }

    /// The kernel that predicted the last token, as text: what it assumes, and one instruction a
    /// line. The crate's PLAN.md describes the text.
    ///
    /// The kernel is the one that ran for the last token that went through the layers; the
    /// token generated last goes through them when the next one is requested. `None` if that
    /// token was the first, which the whole network computes, with engines other than
    /// [`Engine::Plan`] and [`Engine::Jit`], and where no plan holds. The text is written now, and
    /// decoding does nothing for it.
    #[must_use]
    pub fn kernel(&self) -> Option<String> {
        match &self.cache {
            EngineState::Plan(planned) => planned.kernel(),
            _ => None,
        }
    }

    /// The queries, keys and values of the live heads at the last token that went through the
    /// layers, in order: for studies of attention, such as recording the keys and queries of a
    /// head. Nothing with [`Engine::Plan`] and [`Engine::Jit`], which compute less.
    pub fn head_activations(&self) -> impl Iterator<Item = HeadActivation> + '_ {
        let layers = self.network.layers.iter().enumerate();
        let heads = layers.flat_map(|(layer, its)| its.heads.iter().map(move |h| (layer, h)));
        heads
            .zip(self.stream.calls(&self.network))
            .map(|((layer, head), call)| HeadActivation {
                layer,
                head: head.number,
                query: [call.query.x, call.query.y],
                key: [call.key.x, call.key.y],
                value: call.value,
            })
    }

    /// The extent of the live keys of heads with a box in the sequence so far, in order; heads
    /// without a live key are left out.
    pub fn key_ranges(&self) -> impl Iterator<Item = KeyRange> + '_ {
        let mut reached: Vec<_> = match &self.cache {
            EngineState::Plan(planned) => planned.reach(&self.network),
            _ => self.stream.reached(&self.network).collect(),
        };
        reached.sort_unstable_by_key(|&(layer, head, _)| (layer, head));
        reached
            .into_iter()
            .filter(|(_, _, [least, greatest, _])| least <= greatest)
            .map(|(layer, head, [least, greatest, lift])| KeyRange {
                layer,
                head,
                x: [least, greatest],
                lift,
            })
    }

    /// Generates up to as many tokens as fit, up to and including an end token, or up to the
    /// horizon; returns how many. If they are fewer, [`finish_reason`](Self::finish_reason) says
    /// why, unless there was no prompt.
    ///
    /// The tokens are those of [`generate`](Self::generate), with less work for each.
    pub fn generate_into(&mut self, tokens: &mut [TokenId]) -> usize {
        if self.finish == Some(FinishReason::MaxTokens) {
            self.finish = None;
        }
        if self.finish.is_some() || self.known == 0 {
            return 0;
        }
        let last = self.network.last_position;
        let positions = last.saturating_add(1).saturating_sub(self.known);
        let room = tokens
            .len()
            .min(usize::try_from(positions).unwrap_or(usize::MAX));
        let mut buffer = TokenBuffer::into(&mut tokens[..room]);
        while !buffer.is_full() && self.finish.is_none() {
            let before = buffer.count();
            // The token given last has not been through the layers yet.
            let result = match (self.pending.take(), &mut self.cache) {
                (None, _) => {
                    buffer.extend(self.next);
                    Ok(())
                }
                (Some(given), EngineState::Plan(planned)) => {
                    planned.decode_many(&self.network, given, &mut buffer)
                }
                (Some(given), _) => {
                    let result = self.forward(given, true);
                    if result.is_ok() {
                        buffer.extend(self.next);
                    }
                    result
                }
            };
            self.known += (buffer.count() - before) as u64;
            if let Err(reason) = result {
                self.horizon(reason);
                return buffer.count();
            }
            let Some(last) = buffer.last().filter(|_| buffer.count() > before) else {
                break;
            };
            (self.next, self.pending) = (Some(last), Some(last));
            if self.network.ends[last.0 as usize] {
                self.finish = Some(FinishReason::EndToken(last));
            }
        }
        let count = buffer.count();
        if count == room && room < tokens.len() && self.finish.is_none() {
            self.horizon(HorizonReason::LastPosition(last));
        }
        count
    }

    /// Runs the last known token through the layers; predicts the next if `predict`.
    #[inline]
    fn advance(&mut self, token: TokenId, predict: bool) -> Result<(), (u64, HorizonReason)> {
        if let EngineState::Plan(planned) = &mut self.cache {
            return match planned.advance(&self.network, token, predict) {
                Ok(next) => {
                    self.next = next;
                    Ok(())
                }
                Err(why) => Err(self.horizon(why)),
            };
        }
        self.forward(token, predict)
            .map_err(|why| self.horizon(why))
    }

    /// Runs a token through the whole network; predicts the next if `predict`.
    fn forward(&mut self, token: TokenId, predict: bool) -> Result<(), HorizonReason> {
        match self.record.take() {
            None => self.through_layers(token, &mut ())?,
            Some(mut record) => {
                // The token generated last may pass first, if it has not yet.
                record.residual.clear();
                let passed = self.through_layers(token, &mut record);
                self.record = Some(record);
                passed?;
            }
        }
        let Self {
            network, stream, ..
        } = self;
        if predict {
            self.next = self.argmax_cache.predict(&network.unembed, &stream.x);
            if self.next.is_none() {
                return Err(HorizonReason::Overflow);
            }
        }
        Ok(())
    }

    #[inline]
    fn through_layers(
        &mut self,
        token: TokenId,
        observer: &mut impl Observer,
    ) -> Result<(), HorizonReason> {
        let Self {
            network, stream, ..
        } = self;
        let at = self.known - 1;
        match &mut self.cache {
            EngineState::Softmax(cache) => {
                stream.forward_observed(network, cache, token, at, observer)
            }
            EngineState::Hardmax(cache) => {
                stream.forward_observed(network, cache, token, at, observer)
            }
            EngineState::Hull(cache) => {
                stream.forward_observed(network, cache, token, at, observer)
            }
            EngineState::Plan(_) => unreachable!("a plan engine never runs the whole network here"),
        }
    }

    /// Ends decoding before the token after those known.
    fn horizon(&mut self, reason: HorizonReason) -> (u64, HorizonReason) {
        let position = self.known;
        self.finish = Some(FinishReason::Horizon { position, reason });
        (position, reason)
    }
}

/// The tokens that a decoder generates.
#[derive(Debug)]
#[must_use = "tokens are generated as they are requested"]
pub struct Generate<'a> {
    decoder: &'a mut Decoder,
    left: Option<u64>,
}

impl Generate<'_> {
    /// Why the tokens ended; `None` while they have not.
    #[must_use]
    pub fn finish_reason(&self) -> Option<FinishReason> {
        self.decoder.finish
    }
}

impl Iterator for Generate<'_> {
    type Item = TokenId;

    fn next(&mut self) -> Option<TokenId> {
        let decoder = &mut *self.decoder;
        if decoder.finish.is_some() || decoder.known == 0 {
            return None;
        }
        if self.left == Some(0) {
            decoder.finish = Some(FinishReason::MaxTokens);
            return None;
        }
        let mut token = [TokenId(0)];
        if decoder.generate_into(&mut token) == 0 {
            return None;
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        Some(token[0])
    }
}
