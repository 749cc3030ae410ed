//! General models: the public type, its reader and its predictions.

mod config;
mod network;
mod positions;
mod tensors;

use std::path::Path;

use candle_core::DType;

use crate::error::{Error, Kind};
use crate::folder::{GenerationConfig, read_json};
use crate::forward::{Prediction, decide};
use config::Config;
use tensors::Tensors;

/// A general model, run as plain softmax attention in its own arithmetic or in f64.
///
/// ```text
/// x = tok[idx] + positions(t)
/// for each layer:
///     q, k, v = in_proj norm1(x)                      rotary positions turn q and k
///     x = x + out_proj softmax(scale * temperature * q k^T + mask) v
///     x = x + ff_out act(ff_in norm2(x))
/// logits = head norm(x)
/// ```
///
/// For T tokens a pass takes `layers * heads * T^2 / 2` scores and memory that grows with T only:
/// scores exist for one head and one block of query rows at a time.
#[derive(Debug)]
pub struct GeneralForward {
    config: Config,
    tensors: Tensors,
    end_tokens: Vec<u32>,
}

impl GeneralForward {
    /// Reads `config.json`, `generation_config.json` and `model.safetensors` in `dir`, of a general
    /// model or of a plain executor.
    ///
    /// # Errors
    /// If a file cannot be read, a key of a general model is unknown, or a tensor is missing,
    /// superfluous or of another shape or format than the configuration says.
    pub fn load(dir: &Path) -> Result<Self, Error> {
        let config = Config::read(&dir.join("config.json"))?;
        let generation: GenerationConfig = read_json(&dir.join("generation_config.json"))?;
        Ok(Self {
            tensors: Tensors::read(&dir.join("model.safetensors"), &config)?,
            config,
            end_tokens: generation.eos_token_id,
        })
    }

    /// The model with all its numbers in 64 bits: the difference of logits is what rounding to 32
    /// bits does.
    ///
    /// # Errors
    /// If the tensor library refuses.
    pub fn in_f64(mut self) -> Result<Self, Error> {
        self.tensors = self.tensors.cast(DType::F64).map_err(Kind::Compute)?;
        Ok(self)
    }

    /// The number of tokens; ids are below it.
    #[must_use]
    pub fn vocab(&self) -> usize {
        self.config.vocab
    }

    /// The length of the longest sequence, if positions are learned.
    #[must_use]
    pub fn longest(&self) -> Option<usize> {
        self.config.longest()
    }

    /// The tokens after which decoding ends.
    #[must_use]
    pub fn end_tokens(&self) -> &[u32] {
        &self.end_tokens
    }

    /// Runs one teacher-forced pass: entry `p` has the `vocab` logits after `tokens[..=p]`.
    ///
    /// # Errors
    /// If a token is outside the vocabulary, or the sequence longer than learned positions.
    pub fn logits(&self, tokens: &[u32]) -> Result<Vec<Vec<f64>>, Error> {
        let vocab = self.config.vocab;
        if let Some(position) = tokens.iter().position(|&token| token as usize >= vocab) {
            let token = tokens[position];
            return Err(Kind::Token {
                position,
                token,
                vocab,
            }
            .into());
        }
        if let Some(context) = self.longest().filter(|&context| context < tokens.len()) {
            let length = tokens.len();
            return Err(Kind::TooLong { length, context }.into());
        }
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        let rows = network::forward(&self.config, &self.tensors, tokens);
        let rows = rows.and_then(|logits| logits.to_dtype(DType::F64)?.to_vec2());
        Ok(rows.map_err(Kind::Compute)?)
    }

    /// Runs one teacher-forced pass: entry `p` is the prediction after `tokens[..=p]`.
    ///
    /// # Errors
    /// Those of [`logits`](Self::logits), or if a logit is not finite.
    pub fn predict_all(&self, tokens: &[u32]) -> Result<Vec<Prediction>, Error> {
        let logits = self.logits(tokens)?;
        let rows = logits.iter().enumerate();
        rows.map(|(position, row)| decide(row).ok_or(Kind::NotFinite { position }.into()))
            .collect()
    }

    /// Decodes greedily: at most `max` tokens after `prompt`, ending with the first end token.
    ///
    /// Nothing is cached: every new token costs a pass over all tokens before it.
    ///
    /// # Errors
    /// If the prompt is empty, or those of [`predict_all`](Self::predict_all).
    pub fn greedy(&self, prompt: &[u32], max: usize) -> Result<Vec<u32>, Error> {
        let mut tokens = prompt.to_vec();
        for _ in 0..max {
            let predictions = self.predict_all(&tokens)?;
            let next = predictions.last().ok_or(Kind::EmptyPrompt)?.token;
            tokens.push(next);
            if self.end_tokens.contains(&next) {
                break;
            }
        }
        Ok(tokens.split_off(prompt.len()))
    }
}
