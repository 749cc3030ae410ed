//! Reasons for the end of decoding.

use std::fmt;

use thiserror::Error;
use weightware_model::TokenId;

/// The reason why a decoder generates no more tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FinishReason {
    /// The last token was one of the model's end tokens.
    EndToken(TokenId),
    /// The limit of [`Decoder::generate`](crate::Decoder::generate) is reached; another call
    /// continues.
    MaxTokens,
    /// The horizon is reached: further tokens would not be certified.
    Horizon {
        /// The position (counted from 0, the prompt included) of the first token that is not
        /// generated.
        position: u64,
        /// The limit that is exceeded.
        reason: HorizonReason,
    },
}

impl fmt::Display for FinishReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndToken(token) => write!(f, "end token {}", token.0),
            Self::MaxTokens => f.write_str("token limit reached"),
            Self::Horizon { position, reason } => {
                write!(f, "horizon at position {position}: {reason}")
            }
        }
    }
}

/// The limit of a model that a sequence exceeds.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum HorizonReason {
    /// The model's `last_position` is reached.
    LastPosition(u64),
    /// A live key lies outside the box of its head in the model's `key_bounds`.
    KeyBound {
        /// The layer.
        layer: usize,
        /// The head within the layer.
        head: usize,
        /// The key's `x`.
        x: f64,
        /// The key's `y + (x / 2)^2`.
        lift: f64,
    },
    /// A query, key or value is outside the range of numbers in which the engines compute exactly.
    Range {
        /// The layer.
        layer: usize,
        /// The head within the layer.
        head: usize,
    },
    /// A number of the residual stream or a logit overflows.
    Overflow,
    /// A head has more distinct keys than the 2^32 - 1 that an index holds.
    Full {
        /// The layer.
        layer: usize,
        /// The head within the layer.
        head: usize,
    },
}

impl fmt::Display for HorizonReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LastPosition(last) => write!(f, "the model is certified up to position {last}"),
            Self::KeyBound {
                layer,
                head,
                x,
                lift,
            } => {
                write!(
                    f,
                    "layer {layer}, head {head}: key x = {x}, lift = {lift} is out of bounds"
                )
            }
            Self::Range { layer, head } => {
                write!(
                    f,
                    "layer {layer}, head {head}: a query, key or value is out of range"
                )
            }
            Self::Overflow => f.write_str("the residual stream or the logits overflow"),
            Self::Full { layer, head } => {
                write!(f, "layer {layer}, head {head}: too many distinct keys")
            }
        }
    }
}

/// The reason why a prompt was not prefilled completely.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum PrefillError {
    /// A token is not in the vocabulary; no token of the prompt was processed.
    #[error("token {} of the prompt, id {}, is not in the vocabulary of {vocab}", .index, .token.0)]
    UnknownToken {
        /// Its index in the slice.
        index: usize,
        /// The token.
        token: TokenId,
        /// The number of tokens in the vocabulary.
        vocab: usize,
    },
    /// The prompt reaches the horizon: further tokens would not be certified. Decoding is finished.
    #[error("horizon at position {position}: {reason}")]
    Horizon {
        /// The position of the first token that is not certified.
        position: u64,
        /// The limit that is exceeded.
        reason: HorizonReason,
    },
    /// The decoder has generated an end token or reached the horizon;
    /// [`Decoder::reset`](crate::Decoder::reset) it first.
    #[error("decoding is finished")]
    Finished,
}
