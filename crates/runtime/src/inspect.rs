//! One token's pass through the network, number by number.

use std::cmp::Ordering;
use std::num::NonZeroU64;

use thiserror::Error;
use weightware_hull::{ExactSum, Point, compare_scores};
use weightware_model::{Model, TokenId};

use crate::{Decoder, Engine, Error, HeadActivation, PrefillError};

/// What the last of some tokens became on its way through the layers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TokenPass {
    /// The position of the token, counted from 0.
    pub position: u64,
    /// The residual stream: of the embedding, then behind every half-layer.
    pub residual: Vec<Vec<f64>>,
    /// The live heads, in order.
    pub heads: Vec<HeadAttention>,
    /// The logits, by token id.
    pub logits: Vec<f64>,
    /// The token that the engine decodes next; none where that one would not be certified.
    pub next: Option<TokenId>,
}

/// What a live head asked, and who answered.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct HeadAttention {
    /// The layer, from 0.
    pub layer: usize,
    /// The head's number in the weights.
    pub head: usize,
    /// The query.
    pub query: [f64; 2],
    /// How many keys tie for the greatest score.
    pub winners: NonZeroU64,
    /// The position of the first of them.
    pub first: u64,
    /// The position of the last of them.
    pub last: u64,
    /// Their key; of several the first one's.
    pub key: [f64; 2],
    /// The average of their values, rounded once; 0 where it cannot reach the residual stream.
    pub value: [f64; 2],
}

/// Why a pass cannot be inspected.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InspectError {
    /// There is no such decoder.
    #[error(transparent)]
    Engine(#[from] Error),
    /// The engine leaves out most of the network.
    #[error("the {} engine computes only what matters of a token; inspect it by hull, softmax or hardmax", .0.name())]
    Planned(Engine),
    /// The tokens cannot be taken in.
    #[error(transparent)]
    Prefill(#[from] PrefillError),
    /// Nothing passes through the layers.
    #[error("there is no token to inspect; give at least one")]
    Empty,
    /// A key or query beyond the numbers whose scores are compared exactly.
    #[error(
        "layer {layer}, head {head}: a key or query is beyond the numbers whose scores are compared exactly, so that who answers is not known"
    )]
    Range {
        /// The layer.
        layer: usize,
        /// The head within the layer.
        head: usize,
    },
}

/// The best keys of a head so far.
struct Best {
    asked: HeadActivation,
    key: Point,
    winners: u64,
    first: u64,
    last: u64,
    sums: [ExactSum; 2],
}

/// Takes tokens through the layers and tells everything of the last one.
///
/// Which keys answer a head is found by comparing scores exactly with those of all tokens so far, whatever the engine. They go through the
/// layers twice, first to learn the queries: no key is kept.
///
/// # Errors
/// If the engine is planned or cannot decode the model, or the tokens cannot be taken in.
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
        for (best, offered) in bests.iter_mut().zip(decoder.head_activations()) {
            best.see(position, &offered)?;
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
    fn new(asked: HeadActivation) -> Self {
        Self {
            asked,
            key: Point::new(0.0, 0.0),
            winners: 0,
            first: 0,
            last: 0,
            sums: Default::default(),
        }
    }

    fn see(&mut self, position: u64, offered: &HeadActivation) -> Result<(), InspectError> {
        let [query, key] = [self.asked.query, offered.key].map(|[x, y]| Point::new(x, y));
        if !(query.in_domain() && key.in_domain()) {
            return Err(InspectError::Range {
                layer: offered.layer,
                head: offered.head,
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
        for (sum, value) in self.sums.iter_mut().zip(offered.value) {
            sum.add(value);
        }
        Ok(())
    }

    fn attention(&self) -> Option<HeadAttention> {
        Some(HeadAttention {
            layer: self.asked.layer,
            head: self.asked.head,
            query: self.asked.query,
            winners: NonZeroU64::new(self.winners)?,
            first: self.first,
            last: self.last,
            key: [self.key.x, self.key.y],
            value: [0, 1].map(|part| self.sums[part].mean(self.winners)),
        })
    }
}
