//! The decoder: a model, an engine, and the sequence so far.

use std::str::FromStr;

use weightware_model::{Attention, KeyRange, Model, TokenId};

use crate::argmax_cache::ArgmaxCache;
use crate::cache::{Cache, Hardmax, Hull, Softmax};
use crate::forward::{Observer, ResidualStream};
use crate::network::Network;
use crate::plan::PlanEngine;
use crate::sparse::{Vector, WIDTH};
use crate::token_buffer::TokenBuffer;
use crate::{Error, FinishReason, HorizonReason, PrefillError, Stats};

/// An algorithm by which a decoder attends to past tokens.
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
    /// Exact hard-max by kernels that are specialised to the weights, and compute only the numbers
    /// that can change the tokens. About constant per token.
    Plan,
    /// Exact hard-max by machine code of the kernels of [`Plan`](Self::Plan), in builds with the
    /// feature `jit`. On processors other than x86-64 with AVX, kernels are interpreted.
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

    /// Whether the engine scans all past keys, so that a token takes time in proportion to the
    /// number of tokens before it.
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

/// Parses the [name](Engine::name) of an engine of this build.
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
    /// Lets a hard-max engine run a model whose `config.json` states that it needs softmax.
    pub force: bool,
}

/// The query, key and value of a live head at one token.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct HeadActivation {
    /// The layer, from 0.
    pub layer: usize,
    /// The head's index among all heads of the layer, dead ones included.
    pub head: usize,
    /// The query (x, y), as the head projects it: not scaled by 1/sqrt(2).
    pub query: [f64; 2],
    /// The key that the token appends.
    pub key: [f64; 2],
    /// The value that the token appends; 0 for a part that cannot reach the residual stream.
    pub value: [f64; 2],
}

/// A greedy decoder of one sequence.
///
/// All engines compute the same projections with the same bits, the plan engines only those that
/// can change the tokens; engines differ in attention. The crate's documentation has an example.
#[derive(Debug)]
pub struct Decoder {
    network: Network,
    cache: EngineState,
    engine: Engine,
    stream: ResidualStream,
    argmax_cache: ArgmaxCache,
    /// The number of tokens of the prompt and the trace. The last one is pending while the layers
    /// have not processed it.
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
    /// If the model is inconsistent, if a layer has too many neurons, if it needs softmax and
    /// `engine` is another, or if the engine is not in this build.
    pub fn new(model: &Model, engine: Engine) -> Result<Self, Error> {
        Self::with_options(model, engine, DecoderOptions::default())
    }

    /// A decoder of an empty sequence, with options.
    ///
    /// # Errors
    /// The errors of [`new`](Self::new), except the one that [`DecoderOptions::force`] suppresses.
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
        let mut layers = network.layers.iter().enumerate();
        if let Some((number, layer)) = layers.find(|(_, layer)| layer.neurons.len() > WIDTH) {
            return Err(Error::too_wide(number, layer.neurons.len(), WIDTH));
        }
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

    /// Resets the decoder to the empty sequence.
    pub fn reset(&mut self) {
        self.cache.reset(&self.network);
        self.stream = ResidualStream::new(&self.network);
        self.known = 0;
        self.pending = None;
        self.next = None;
        self.finish = None;
    }

    /// Prefills a prompt, or further tokens after generated ones.
    ///
    /// # Errors
    /// If a token is unknown (then no token is processed), if the horizon comes before the prompt's
    /// end, or if decoding is finished.
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
    /// each half-layer. The result is empty with [`Engine::Plan`] and [`Engine::Jit`], which do not
    /// compute the whole stream.
    ///
    /// # Errors
    /// The errors of [`prefill`](Self::prefill).
    pub fn prefill_recorded(&mut self, token: TokenId) -> Result<Vec<Vec<f64>>, PrefillError> {
        self.record = Some(Record {
            d_model: self.network.d_model,
            residual: vec![],
        });
        let prefilled = self.prefill(&[token]);
        let record = self.record.take();
        prefilled?;
        Ok(record.map(|record| record.residual).unwrap_or_default())
    }

    /// Generates tokens one by one: at most `limit`, up to and including an end token, or up to the
    /// horizon.
    ///
    /// The iterator is lazy: the layers process a token when the next one is requested.
    /// [`finish_reason`](Self::finish_reason) has the reason of its end. Without a prompt it is
    /// empty.
    pub fn generate(&mut self, limit: Option<u64>) -> Generate<'_> {
        if self.finish == Some(FinishReason::MaxTokens) {
            self.finish = None;
        }
        Generate {
            left: limit,
            decoder: self,
        }
    }

    /// The reason for which decoding ended; `None` if it has not ended.
    #[must_use]
    pub fn finish_reason(&self) -> Option<FinishReason> {
        self.finish
    }

    /// The number of tokens of the sequence so far, the prompt included.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.known
    }

    /// Whether the sequence has no tokens yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known == 0
    }

    /// The logits of the last prediction: after a prompt, those at its last token.
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

    /// The engine of the decoder.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The counts of the decoder's work and memory. Takes O(heads).
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

    /// The kernel that predicted the last token, as text: its assumptions, and one instruction a
    /// line. The crate's PLAN.md describes the text.
    ///
    /// The kernel is the one that ran for the last token that the layers processed; they process
    /// the token generated last when the next one is requested. `None` if that token was the first,
    /// which the whole network computes, with engines other than [`Engine::Plan`] and
    /// [`Engine::Jit`], and if no plan holds. The text is generated on request, at no cost for
    /// decoding.
    #[must_use]
    pub fn kernel(&self) -> Option<String> {
        match &self.cache {
            EngineState::Plan(planned) => planned.kernel(),
            _ => None,
        }
    }

    /// The queries, keys and values of the live heads, in order, at the last token that the layers
    /// processed. They serve studies of attention. The iterator is empty with [`Engine::Plan`] and
    /// [`Engine::Jit`], which do not compute all of them.
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

    /// The extent of the live keys of each head with a key box in the sequence so far, in order.
    /// Heads without a live key are left out.
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

    /// Generates tokens into a slice until it is full, up to and including an end token, or up to
    /// the horizon; returns their number. If the slice is not full,
    /// [`finish_reason`](Self::finish_reason) has the reason, unless there is no prompt.
    ///
    /// The tokens are those of [`generate`](Self::generate), which is slower.
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
            // The layers have not processed the pending token yet.
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

    /// Processes the last token of the sequence; predicts the next one if `predict`.
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

    /// Runs the whole network for a token; predicts the next one if `predict`.
    fn forward(&mut self, token: TokenId, predict: bool) -> Result<(), HorizonReason> {
        match self.record.take() {
            None => self.through_layers(token, &mut ())?,
            Some(mut record) => {
                // A pending token runs first, and must not be recorded.
                record.residual.clear();
                let result = self.through_layers(token, &mut record);
                self.record = Some(record);
                result?;
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

    /// Ends decoding at the horizon, after the tokens of the sequence so far.
    fn horizon(&mut self, reason: HorizonReason) -> (u64, HorizonReason) {
        let position = self.known;
        self.finish = Some(FinishReason::Horizon { position, reason });
        (position, reason)
    }
}

/// An iterator of the tokens that a decoder generates, made by [`Decoder::generate`].
#[derive(Debug)]
#[must_use = "tokens are generated as they are requested"]
pub struct Generate<'a> {
    decoder: &'a mut Decoder,
    left: Option<u64>,
}

impl Generate<'_> {
    /// The reason for which the iterator ended; `None` if it has not ended.
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
