//! The decoder of general models: sequences, batches, blocks.

use std::sync::Arc;

use weightware_model::TokenId;
use weightware_model::general::{Dtype, Model};

use super::cache::HeadCache;
use super::engine::Engine;
use super::error::{Error, Kind};
use super::forward::{Caches, Pass, Row};
use super::network::Network;
use super::real::Real;
use super::report::HeadReport;

/// The number of a sequence in a [`Decoder`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Sequence(usize);

/// The tokens of a batch whose logits are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The last token of each entry.
    Last,
    /// Every token.
    All,
    /// None: the caches alone matter.
    None,
}

/// Logits after tokens, in the order of the batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Logits {
    vocab: usize,
    entries: Vec<f64>,
}

/// A general model, an engine, and sequences of tokens.
///
/// A token costs `O(weights)` and what the engine takes for each head. In a batch or in a prompt
/// the rows of a block, up to 64, share each pass over the weights; their results have the bits of
/// single tokens.
#[derive(Debug)]
pub struct Decoder {
    inner: Inner,
    engine: Engine,
    vocab: usize,
    longest: Option<usize>,
}

#[derive(Debug)]
enum Inner {
    Single(State<f32>),
    Double(State<f64>),
}

#[derive(Debug)]
struct State<R> {
    network: Arc<Network<R>>,
    pass: Pass<R>,
    /// The length of each sequence.
    lens: Vec<usize>,
    caches: Vec<Option<Caches<R>>>,
    reports: Vec<HeadReport>,
}

/// Rows of a block.
const BLOCK: usize = 64;

impl Logits {
    /// The number of tokens that have logits.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len() / self.vocab
    }

    /// Whether no token has logits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The logits of a token, by its index among those that have them.
    ///
    /// # Panics
    /// If there are not that many.
    #[must_use]
    pub fn row(&self, index: usize) -> &[f64] {
        &self.entries[index * self.vocab..][..self.vocab]
    }

    /// The logits after the last token that has them.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    pub fn last(&self) -> &[f64] {
        self.row(self.len() - 1)
    }

    /// The logits of each token.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> + '_ {
        self.entries.chunks_exact(self.vocab)
    }
}

impl Decoder {
    /// Makes a decoder without sequences.
    ///
    /// # Errors
    /// If the model is inconsistent, or the engine cannot run it.
    pub fn new(model: &Model, engine: Engine) -> Result<Self, Error> {
        model.validate().map_err(Kind::Model)?;
        engine.check(model.config.head_dim)?;
        let inner = match model.config.dtype {
            Dtype::Float32 => Inner::Single(State::new(model)),
            Dtype::Float64 => Inner::Double(State::new(model)),
        };
        Ok(Self {
            inner,
            engine,
            vocab: model.config.vocab,
            longest: model.config.longest(),
        })
    }

    /// Continues all sequences by another engine, with the keys and values that they have. The
    /// counts of the [reports](Self::reports) begin again.
    ///
    /// Takes `O(n)`, and what it takes to build hulls; `O(1)` from one budget of the sparse engine
    /// to a smaller one.
    ///
    /// # Errors
    /// If the engine cannot run the model. If a number is outside the range of exact comparison:
    /// then its sequence ends.
    pub fn switch(&mut self, engine: Engine) -> Result<(), Error> {
        let head_dim = match &self.inner {
            Inner::Single(state) => state.network.head_dim,
            Inner::Double(state) => state.network.head_dim,
        };
        engine.check(head_dim)?;
        self.engine = engine;
        Ok(match &mut self.inner {
            Inner::Single(state) => state.switch(engine),
            Inner::Double(state) => state.switch(engine),
        }?)
    }

    /// Copies the decoder under another engine, with all sequences: see [`switch`](Self::switch).
    /// The copies share the weights.
    ///
    /// # Errors
    /// If the engine cannot run the model, or a number is outside the range of exact comparison.
    pub fn under(&self, engine: Engine) -> Result<Self, Error> {
        let inner = match &self.inner {
            Inner::Single(state) => Inner::Single(state.under(engine)?),
            Inner::Double(state) => Inner::Double(state.under(engine)?),
        };
        Ok(Self {
            inner,
            engine,
            ..*self
        })
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The number of tokens in the vocabulary.
    #[must_use]
    pub fn vocab(&self) -> usize {
        self.vocab
    }

    /// The longest sequence that the model can read, if its positions bound it.
    #[must_use]
    pub fn longest(&self) -> Option<usize> {
        self.longest
    }

    /// Begins an empty sequence.
    pub fn begin(&mut self) -> Sequence {
        let engine = self.engine;
        Sequence(match &mut self.inner {
            Inner::Single(state) => state.begin(engine),
            Inner::Double(state) => state.begin(engine),
        })
    }

    /// Begins a sequence as a copy of another. It takes the memory of its caches.
    ///
    /// # Errors
    /// If the sequence has ended.
    pub fn fork(&mut self, sequence: Sequence) -> Result<Sequence, Error> {
        let copy = match &mut self.inner {
            Inner::Single(state) => state.fork(sequence.0),
            Inner::Double(state) => state.fork(sequence.0),
        };
        Ok(Sequence(copy?))
    }

    /// Ends a sequence and frees its memory. Another may get its number.
    pub fn end(&mut self, sequence: Sequence) {
        match &mut self.inner {
            Inner::Single(state) => state.end(sequence.0),
            Inner::Double(state) => state.end(sequence.0),
        }
    }

    /// The tokens of a sequence; 0 if it has ended.
    #[must_use]
    pub fn len(&self, sequence: Sequence) -> usize {
        let lens = match &self.inner {
            Inner::Single(state) => &state.lens,
            Inner::Double(state) => &state.lens,
        };
        lens.get(sequence.0).copied().unwrap_or(0)
    }

    /// Takes back the latest tokens of a sequence, so that `len` are left.
    ///
    /// The sparse engine takes back 256 tokens at once, and all others at the cost of building its
    /// hulls again.
    ///
    /// # Errors
    /// If the sequence has ended or is shorter.
    pub fn truncate(&mut self, sequence: Sequence, len: usize) -> Result<(), Error> {
        Ok(match &mut self.inner {
            Inner::Single(state) => state.truncate(sequence.0, len),
            Inner::Double(state) => state.truncate(sequence.0, len),
        }?)
    }

    /// Appends tokens to a sequence, and returns the logits after the last.
    ///
    /// # Errors
    /// See [`read_batch`](Self::read_batch).
    pub fn read(&mut self, sequence: Sequence, tokens: &[TokenId]) -> Result<Logits, Error> {
        self.read_batch(&[(sequence, tokens)], Wanted::Last)
    }

    /// Appends tokens to sequences. A sequence may come several times.
    ///
    /// # Errors
    /// If a token is not in the vocabulary, a sequence has ended or would be longer than the
    /// model's positions: then nothing is read. If a number is not finite or, in the sparse engine,
    /// outside the range of exact comparison: then the sequences of the batch end.
    pub fn read_batch(
        &mut self,
        batch: &[(Sequence, &[TokenId])],
        wanted: Wanted,
    ) -> Result<Logits, Error> {
        let (vocab, longest) = (self.vocab, self.longest);
        let entries = match &mut self.inner {
            Inner::Single(state) => state.read(batch, wanted, vocab, longest),
            Inner::Double(state) => state.read(batch, wanted, vocab, longest),
        }?;
        Ok(Logits { vocab, entries })
    }

    /// The work of all heads together, under the number of the first.
    #[must_use]
    pub fn work(&self) -> HeadReport {
        let reports = self.reports().iter();
        reports.fold(HeadReport::default(), |all, head| all.with(head))
    }

    /// The work of each head, by layer and head.
    #[must_use]
    pub fn reports(&self) -> &[HeadReport] {
        match &self.inner {
            Inner::Single(state) => &state.reports,
            Inner::Double(state) => &state.reports,
        }
    }
}

impl<R: Real> State<R> {
    fn new(model: &Model) -> Self {
        Self::of(Arc::new(Network::new(model)))
    }

    /// A state without sequences.
    fn of(network: Arc<Network<R>>) -> Self {
        let heads = network.heads;
        let report = |number: usize| HeadReport {
            layer: number / heads,
            head: number % heads,
            ..HeadReport::default()
        };
        let reports = (0..network.layers.len() * heads).map(report).collect();
        Self {
            network,
            pass: Pass::default(),
            lens: Vec::new(),
            caches: Vec::new(),
            reports,
        }
    }

    fn under(&self, engine: Engine) -> Result<Self, Kind> {
        let mut other = Self::of(Arc::clone(&self.network));
        engine.check(other.network.head_dim)?;
        for (caches, &len) in self.caches.iter().zip(&self.lens) {
            let caches = caches.as_ref().map(|caches| {
                let copies = caches.iter().enumerate().map(|(at, cache)| {
                    let copy = cache.under(engine, self.network.head_dim);
                    copy.map_err(|source| self.network.at_head(at, source))
                });
                copies.collect::<Result<_, _>>()
            });
            other.caches.push(caches.transpose()?);
            other.lens.push(len);
        }
        Ok(other)
    }

    fn switch(&mut self, engine: Engine) -> Result<(), Kind> {
        self.reports = Self::of(Arc::clone(&self.network)).reports;
        let head_dim = self.network.head_dim;
        for sequence in 0..self.caches.len() {
            let mut caches = self.caches[sequence].iter_mut().flatten().enumerate();
            let switched = caches.try_for_each(|(at, cache)| {
                let switched = cache.switch(engine, head_dim);
                switched.map_err(|source| self.network.at_head(at, source))
            });
            if let Err(error) = switched {
                self.end(sequence);
                return Err(error);
            }
        }
        Ok(())
    }

    fn place(&mut self, len: usize, caches: Caches<R>) -> usize {
        let free = self.caches.iter().position(Option::is_none);
        let at = free.unwrap_or(self.caches.len());
        if at == self.caches.len() {
            self.caches.push(None);
            self.lens.push(0);
        }
        self.caches[at] = Some(caches);
        self.lens[at] = len;
        at
    }

    fn begin(&mut self, engine: Engine) -> usize {
        let count = self.network.layers.len() * self.network.heads;
        let head_dim = self.network.head_dim;
        let caches = (0..count).map(|_| HeadCache::new(engine, head_dim));
        self.place(0, caches.collect())
    }

    fn fork(&mut self, sequence: usize) -> Result<usize, Kind> {
        let caches = self.caches.get(sequence).cloned().flatten();
        let caches = caches.ok_or(Kind::NoSequence)?;
        Ok(self.place(self.lens[sequence], caches))
    }

    fn end(&mut self, sequence: usize) {
        if let Some(caches) = self.caches.get_mut(sequence) {
            *caches = None;
            self.lens[sequence] = 0;
        }
    }

    fn truncate(&mut self, sequence: usize, wanted: usize) -> Result<(), Kind> {
        let caches = self.caches.get_mut(sequence).and_then(Option::as_mut);
        let caches = caches.ok_or(Kind::NoSequence)?;
        let len = self.lens[sequence];
        if wanted > len {
            return Err(Kind::Truncate { len, wanted });
        }
        for cache in caches {
            cache.truncate(wanted);
        }
        self.lens[sequence] = wanted;
        Ok(())
    }

    fn read(
        &mut self,
        batch: &[(Sequence, &[TokenId])],
        wanted: Wanted,
        vocab: usize,
        longest: Option<usize>,
    ) -> Result<Vec<f64>, Kind> {
        let mut lens = self.lens.clone();
        let mut rows = Vec::new();
        for &(Sequence(sequence), tokens) in batch {
            if !self.caches.get(sequence).is_some_and(Option::is_some) {
                return Err(Kind::NoSequence);
            }
            for (i, &token) in tokens.iter().enumerate() {
                if token.0 as usize >= vocab {
                    let token = token.0;
                    return Err(Kind::Token { token, vocab });
                }
                rows.push(Row {
                    sequence,
                    token,
                    position: lens[sequence],
                    wanted: match wanted {
                        Wanted::Last => i + 1 == tokens.len(),
                        Wanted::All => true,
                        Wanted::None => false,
                    },
                });
                lens[sequence] += 1;
            }
            let wanted = lens[sequence];
            if let Some(most) = longest.filter(|&most| wanted > most) {
                return Err(Kind::Context { wanted, most });
            }
        }
        let mut logits = Vec::new();
        for block in rows.chunks(BLOCK) {
            let Self {
                network,
                pass,
                caches,
                reports,
                ..
            } = self;
            if let Err(error) = pass.run(network, block, caches, reports, &mut logits) {
                for &(Sequence(sequence), _) in batch {
                    self.end(sequence);
                }
                return Err(error);
            }
        }
        self.lens = lens;
        Ok(logits)
    }
}
