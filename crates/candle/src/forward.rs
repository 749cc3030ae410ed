//! The network: embedding, layers and unembedding as plain tensor operations.

use std::path::Path;

use candle_core::{Device, Result as Computed, Tensor};

use crate::attention;
use crate::error::{Error, Kind};
use crate::folder::Folder;

/// An exported model, run as plain softmax attention in f64.
#[derive(Debug)]
pub struct PlainForward {
    folder: Folder,
}

/// The model's prediction at one position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// The token of the greatest logit, the lowest id of equal ones: the next token of greedy
    /// decoding.
    pub token: u32,
    /// How much its logit exceeds the second greatest; infinite if there is no second token.
    pub margin: f64,
}

impl PlainForward {
    /// Reads `config.json`, `generation_config.json` and `model.safetensors` in `dir`.
    ///
    /// # Errors
    /// If a file cannot be read, or a tensor is missing, superfluous, not f64 or of another shape
    /// than the configuration says.
    pub fn load(dir: &Path) -> Result<Self, Error> {
        Ok(Self {
            folder: Folder::read(dir)?,
        })
    }

    /// The tokens after which decoding ends.
    #[must_use]
    pub fn end_tokens(&self) -> &[u32] {
        &self.folder.end_tokens
    }

    /// Runs one teacher-forced pass: entry `p` is the prediction after `tokens[..=p]`.
    ///
    /// # Errors
    /// If a token is outside the vocabulary, or a logit is not finite.
    pub fn predict_all(&self, tokens: &[u32]) -> Result<Vec<Prediction>, Error> {
        let vocab = self.folder.config.vocab;
        if let Some(position) = tokens.iter().position(|&token| token as usize >= vocab) {
            return Err(Kind::Token {
                position,
                token: tokens[position],
                vocab,
            }
            .into());
        }
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        let logits = self
            .logits(tokens)
            .and_then(|logits| logits.to_vec2())
            .map_err(Kind::Compute)?;
        let decide = |(position, row): (usize, &Vec<f64>)| {
            decide(row).ok_or(Kind::NotFinite { position }.into())
        };
        logits.iter().enumerate().map(decide).collect()
    }

    /// Runs one teacher-forced pass: entry `p` is the token of the greatest logit after
    /// `tokens[..=p]`.
    ///
    /// # Errors
    /// If a token is outside the vocabulary, or a logit is not finite.
    pub fn argmax_all(&self, tokens: &[u32]) -> Result<Vec<u32>, Error> {
        Ok(self
            .predict_all(tokens)?
            .iter()
            .map(|prediction| prediction.token)
            .collect())
    }

    /// Decodes greedily: at most `max` tokens after `prompt`, ending with the first end token.
    ///
    /// Nothing is cached: every new token costs a pass over all tokens before it. Use it for runs
    /// of some hundred tokens, and confirm longer ones with [`Self::argmax_all`].
    ///
    /// # Errors
    /// If the prompt is empty, a token is outside the vocabulary, or a logit is not finite.
    pub fn greedy(&self, prompt: &[u32], max: usize) -> Result<Vec<u32>, Error> {
        let mut tokens = prompt.to_vec();
        for _ in 0..max {
            let next = *self.argmax_all(&tokens)?.last().ok_or(Kind::EmptyPrompt)?;
            tokens.push(next);
            if self.end_tokens().contains(&next) {
                break;
            }
        }
        Ok(tokens.split_off(prompt.len()))
    }

    /// The logits at every position, `[T, vocab]`.
    fn logits(&self, tokens: &[u32]) -> Computed<Tensor> {
        let Folder {
            config,
            tok,
            layers,
            head,
            ..
        } = &self.folder;
        let tokens = Tensor::new(tokens, &Device::Cpu)?;
        let mut x =
            (tok.index_select(&tokens, 0)? + self.position_embedding(tokens.elem_count())?)?;
        for layer in layers {
            let y = attention::causal(&linear(&x, &layer.in_proj)?, config.heads)?;
            x = (x + linear(&y, &layer.out_proj)?)?;
            let hidden = linear(&x, &layer.ff_in)?;
            let neurons = layer.ff_out.dim(1)?;
            let gate = hidden.narrow(1, 0, neurons)?;
            let value = hidden.narrow(1, neurons, neurons)?;
            x = (x + linear(&(gate.relu()? * value)?, &layer.ff_out)?)?;
        }
        linear(&x, head)
    }

    /// The position embedding, `[T, d_model]`: in each feature's slot its polynomial of the
    /// position by Horner's rule, zero elsewhere.
    fn position_embedding(&self, tokens: usize) -> Computed<Tensor> {
        let width = self.folder.config.d_model;
        let mut entries = vec![0.0; tokens * width];
        for (t, row) in entries.chunks_exact_mut(width).enumerate() {
            let t = t as f64;
            for feature in &self.folder.config.position_features {
                let [constant, linear, quadratic] = feature.coefficients;
                row[feature.slot] = constant + t * (linear + quadratic * t);
            }
        }
        Tensor::from_vec(entries, (tokens, width), &Device::Cpu)
    }
}

/// `x W^T`, the function of `nn.Linear` without bias.
pub(crate) fn linear(x: &Tensor, weight: &Tensor) -> Computed<Tensor> {
    x.matmul(&weight.t()?)
}

/// The greatest logit, the lowest token of equals; `None` if one is not finite.
pub(crate) fn decide(logits: &[f64]) -> Option<Prediction> {
    let mut best = (0, f64::NEG_INFINITY);
    let mut second = f64::NEG_INFINITY;
    for (token, &logit) in (0..).zip(logits) {
        if !logit.is_finite() {
            return None;
        }
        if logit > best.1 {
            second = best.1;
            best = (token, logit);
        } else if logit > second {
            second = logit;
        }
    }
    Some(Prediction {
        token: best.0,
        margin: best.1 - second,
    })
}
