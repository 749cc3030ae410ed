//! Inspection of one token's forward pass: residual stream, winners of attention, logits.

use std::cmp::Ordering;
use std::num::NonZeroU64;

use thiserror::Error;
use weightware_hull::{ExactSum, Point, compare_scores};
use weightware_model::{Model, TokenId};

use crate::decoder::{Decoder, Engine, HeadActivation};
use crate::error::Error;
use crate::stop::PrefillError;

/// The numbers of one token's forward pass: residual stream, attention, logits.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TokenPass {
    /// The position of the token, counted from 0.
    pub position: u64,
    /// The residual stream: the embedding, then the stream after each half-layer.
    pub residual: Vec<Vec<f64>>,
    /// The attention of the live heads, in order.
    pub heads: Vec<HeadAttention>,
    /// The logit of each token id.
    pub logits: Vec<f64>,
    /// The token that the engine decodes next; `None` if that token would not be certified.
    pub next: Option<TokenId>,
}

/// The attention of a live head: its query, and the keys that win.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct HeadAttention {
    /// The layer, from 0.
    pub layer: usize,
    /// The head's index among all heads of the layer, dead ones included.
    pub head: usize,
    /// The query (x, y), as the head projects it: not scaled by 1/sqrt(2).
    pub query: [f64; 2],
    /// The number of keys that tie for the greatest score.
    pub winners: NonZeroU64,
    /// The position of the first winner.
    pub first: u64,
    /// The position of the last winner.
    pub last: u64,
    /// The key of the first winner.
    pub key: [f64; 2],
    /// The average of the winners' values, rounded once; 0 for a part that cannot reach the
    /// residual stream.
    pub value: [f64; 2],
}

/// The reason why a forward pass cannot be inspected.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The engine cannot decode the model.
    #[error(transparent)]
    Engine(#[from] Error),
    /// The engine skips most of the forward pass.
    #[error("the {} engine skips most of the forward pass; inspect by hull, softmax or hardmax", .0.name())]
    Planned(Engine),
    /// The tokens cannot be prefilled.
    #[error(transparent)]
    Prefill(#[from] PrefillError),
    /// The list of tokens is empty.
    #[error("there is no token to inspect; give at least one")]
    Empty,
    /// A key or query is outside the numbers whose scores are compared exactly.
    #[error(
        "layer {layer}, head {head}: a key or query is outside the numbers whose scores are compared exactly, so the winner is unknown; inspect an earlier token"
    )]
    Range {
        /// The layer.
        layer: usize,
        /// The head within the layer.
        head: usize,
    },
}

/// The winners of a head among the keys so far.
struct Best {
    activation: HeadActivation,
    key: Point,
    winners: u64,
    first: u64,
    last: u64,
    sums: [ExactSum; 2],
}

/// Prefills `tokens` and inspects the forward pass of the last one.
///
/// With every engine, exact comparison with the keys of all tokens finds the winners of a head. No
/// key is kept: the layers process the tokens twice, the first time for the queries.
///
/// # Errors
/// If the engine is planned or cannot decode the model, or the tokens cannot be prefilled.
pub fn inspect(
    model: &Model,
    engine: Engine,
    tokens: &[TokenId],
) -> Result<TokenPass, InspectError> {
    if engine.is_planned() {
        return Err(InspectError::Planned(engine));
    }
    let (&last, before) = tokens.split_last().ok_or(InspectError::Empty)?;
    let mut decoder = Decoder::new(model, engine)?;
    decoder.prefill(before)?;
    let residual = decoder.prefill_recorded(last)?;
    let logits = decoder.logits();
    let mut bests: Vec<Best> = decoder.head_activations().map(Best::new).collect();
    let next = decoder.generate(Some(1)).next();

    decoder.reset();
    for (&token, position) in tokens.iter().zip(0..) {
        decoder.prefill(&[token])?;
        for (best, appended) in bests.iter_mut().zip(decoder.head_activations()) {
            best.see(position, &appended)?;
        }
    }
    Ok(TokenPass {
        position: tokens.len() as u64 - 1,
        residual,
        heads: bests.iter().filter_map(Best::attention).collect(),
        logits,
        next,
    })
}

impl Best {
    fn new(activation: HeadActivation) -> Self {
        Self {
            activation,
            key: Point::new(0.0, 0.0),
            winners: 0,
            first: 0,
            last: 0,
            sums: Default::default(),
        }
    }

    fn see(&mut self, position: u64, appended: &HeadActivation) -> Result<(), InspectError> {
        let [query, key] = [self.activation.query, appended.key].map(|[x, y]| Point::new(x, y));
        if !(query.in_domain() && key.in_domain()) {
            return Err(InspectError::Range {
                layer: appended.layer,
                head: appended.head,
            });
        }
        let order = match self.winners {
            0 => Ordering::Greater,
            _ => compare_scores(query, key, self.key),
        };
        if order == Ordering::Less {
            return Ok(());
        }
        if order == Ordering::Greater {
            (self.key, self.winners, self.first) = (key, 0, position);
            self.sums = Default::default();
        }
        self.winners += 1;
        self.last = position;
        for (sum, value) in self.sums.iter_mut().zip(appended.value) {
            sum.add(value);
        }
        Ok(())
    }

    fn attention(&self) -> Option<HeadAttention> {
        Some(HeadAttention {
            layer: self.activation.layer,
            head: self.activation.head,
            query: self.activation.query,
            winners: NonZeroU64::new(self.winners)?,
            first: self.first,
            last: self.last,
            key: [self.key.x, self.key.y],
            value: [0, 1].map(|part| self.sums[part].mean(self.winners)),
        })
    }
}
