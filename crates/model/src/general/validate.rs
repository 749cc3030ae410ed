//! Validation of general models.

use super::{Config, Dtype, Model, Norm, Positions, TensorShape, Weights};
use crate::Error;
use crate::validate::{MAX_LAYERS, MAX_NEURONS, MAX_VOCAB, MAX_WIDTH, check_features};

impl Model {
    /// Checks that shapes agree and are within limits, that numbers are finite and of the model's
    /// format, that token strings are unique, and that slots and end tokens exist.
    ///
    /// # Errors
    /// If the model is not consistent; the error names the tensor or field.
    pub fn validate(&self) -> Result<(), Error> {
        self.config.validate()?;
        self.weights.validate(&self.config)?;
        let (vocab, strings) = (self.config.vocab, self.tokenizer.strings().len());
        if strings != vocab {
            return Err(Error::invalid(
                format!("the tokenizer has {strings} tokens, the shape says {vocab}"),
                "use the tokenizer the weights were made for",
            ));
        }
        self.tokenizer.validate()?;
        crate::validate::check_end_tokens(&self.end_tokens, vocab)
    }
}

impl Config {
    /// Checks that the configuration can be that of a model.
    ///
    /// # Errors
    /// If a dimension is 0 or beyond its limit, a number is not finite, or fields contradict each
    /// other.
    pub fn validate(&self) -> Result<(), Error> {
        let neurons = self.neurons.iter().copied();
        let limits = [
            ("layers", self.layers(), MAX_LAYERS),
            ("d_model", self.d_model, MAX_WIDTH),
            ("heads", self.heads, MAX_WIDTH),
            ("head_dim", self.head_dim, MAX_WIDTH),
            ("vocab", self.vocab, MAX_VOCAB),
            ("heads * head_dim", self.attention_width(), MAX_WIDTH),
            ("positions.context", self.longest().unwrap_or(1), MAX_VOCAB),
        ]
        .into_iter()
        .chain(neurons.map(|neurons| ("d_ffn", neurons, MAX_NEURONS)));
        for (name, value, limit) in limits {
            if value == 0 || value > limit {
                return Err(Error::invalid(
                    format!("{name} = {value} is not within 1 to {limit}"),
                    "state the shape of the weights",
                ));
            }
        }
        let epsilon = self
            .norm
            .map(|(Norm::Layer { epsilon } | Norm::Rms { epsilon })| epsilon);
        let base = match &self.positions {
            Positions::Sinusoidal { base } => Some(*base),
            Positions::Rotary(rotary) => Some(rotary.base),
            _ => None,
        };
        for (name, value) in [
            ("norm_epsilon", epsilon),
            ("positions.base", base),
            ("score_scale", Some(self.score_scale)),
        ] {
            if value.is_some_and(|value| !(value.is_finite() && value > 0.0)) {
                return Err(Error::invalid(
                    format!("{name} is not a positive number"),
                    "state the number that the model was trained with",
                ));
            }
        }
        if let Positions::Rotary(_) = self.positions
            && self.head_dim < 2
        {
            return Err(Error::invalid(
                "rotary positions turn pairs of coordinates, and head_dim = 1",
                "state the head_dim of the weights",
            ));
        }
        if self.head_product && !self.heads.is_multiple_of(2) {
            return Err(Error::invalid(
                format!(
                    "head_product multiplies pairs of heads, and heads = {}",
                    self.heads
                ),
                "state an even number of heads",
            ));
        }
        match &self.positions {
            Positions::Polynomial(features) => check_features(features, self.d_model),
            _ => Ok(()),
        }
    }
}

impl Weights {
    fn validate(&self, config: &Config) -> Result<(), Error> {
        let (must, is) = (config.tensors(), self.named());
        let differ = must
            .iter()
            .zip(&is)
            .position(|(must, (is, entries))| must != is || must.len() != entries.len());
        let first = differ.unwrap_or(must.len().min(is.len()));
        if differ.is_some() || must.len() != is.len() {
            let name = |shape: Option<&TensorShape>| match shape {
                Some(TensorShape { name, dims }) => format!("{name} {dims:?}"),
                None => "no tensor".to_owned(),
            };
            return Err(Error::invalid(
                format!(
                    "tensor {first} is {}, the configuration says {}",
                    name(is.get(first).map(|(shape, _)| shape)),
                    name(must.get(first)),
                ),
                "use weights and config.json of the same model",
            ));
        }
        for (tensor, entries) in is {
            let fits = |number: f64| match config.dtype {
                Dtype::Float64 => number.is_finite(),
                Dtype::Float32 => number.is_finite() && f64::from(number as f32) == number,
            };
            if let Some(at) = entries.iter().position(|&number| !fits(number)) {
                return Err(Error::invalid(
                    format!(
                        "{}: entry {at} is not a finite number of the model's dtype",
                        tensor.name
                    ),
                    "train or export the weights again",
                ));
            }
        }
        Ok(())
    }
}
