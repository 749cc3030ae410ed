//! Validation: the invariants of a consistent model.

use crate::{Config, Error, LayerWeights, Matrix, Model, PositionFeature, Shape, TokenId, Weights};

/// Limits on every dimension of a model, so that a small file cannot make a reader reserve much
/// memory.
pub(crate) const MAX_LAYERS: usize = 1 << 10;
pub(crate) const MAX_WIDTH: usize = 1 << 16;
pub(crate) const MAX_VOCAB: usize = 1 << 24;
pub(crate) const MAX_NEURONS: usize = 1 << 24;

impl Model {
    /// Checks that shapes agree and are within limits, that numbers are finite, that token strings
    /// are unique words, and that slots, heads and end tokens exist.
    ///
    /// [`save`](Self::save) and [`load`](Self::load) call this; a decoder calls it too, since the
    /// fields are public.
    ///
    /// # Errors
    /// If the model is not consistent; the error names the tensor or field.
    pub fn validate(&self) -> Result<(), Error> {
        self.config.validate()?;
        self.weights.validate(&self.config.shape)?;
        let vocab = self.config.shape.vocab;
        let strings = self.tokenizer.strings().len();
        if strings != vocab {
            return Err(Error::invalid(
                format!("the tokenizer has {strings} tokens, the shape says {vocab}"),
                "use the tokenizer the weights were made for",
            ));
        }
        self.tokenizer.validate()?;
        self.validate_end_tokens()
    }

    pub(crate) fn validate_end_tokens(&self) -> Result<(), Error> {
        check_end_tokens(&self.end_tokens, self.config.shape.vocab)
    }
}

pub(crate) fn check_end_tokens(end_tokens: &[TokenId], vocab: usize) -> Result<(), Error> {
    match end_tokens.iter().find(|t| t.0 as usize >= vocab) {
        Some(token) => Err(Error::invalid(
            format!("end token {} is not below vocab = {vocab}", token.0),
            "name end tokens by ids of this vocabulary",
        )),
        None => Ok(()),
    }
}

/// Checks that polynomials of the position are finite, and in slots of their own.
pub(crate) fn check_features(features: &[PositionFeature], d_model: usize) -> Result<(), Error> {
    let mut taken = vec![false; d_model];
    for (i, feature) in features.iter().enumerate() {
        let wrong = if !feature.coefficients.iter().all(|c| c.is_finite()) {
            "has a coefficient that is not finite"
        } else {
            match taken.get_mut(feature.slot) {
                None => "names a slot that is not below d_model",
                Some(true) => "names a slot that has a feature already",
                Some(free) => {
                    *free = true;
                    continue;
                }
            }
        };
        return Err(Error::invalid(
            format!("position_features[{i}] {wrong}"),
            "state one finite polynomial per slot",
        ));
    }
    Ok(())
}

impl Shape {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let limits = [
            ("layers", self.layers, MAX_LAYERS),
            ("d_model", self.d_model, MAX_WIDTH),
            ("heads", self.heads, MAX_WIDTH),
            ("d_ffn", self.d_ffn, MAX_NEURONS),
            ("vocab", self.vocab, MAX_VOCAB),
        ];
        for (name, value, limit) in limits {
            if value == 0 || value > limit {
                return Err(Error::invalid(
                    format!("{name} = {value} is not within 1 to {limit}"),
                    "state the shape of the weights",
                ));
            }
        }
        if self.d_model != 2 * self.heads {
            return Err(Error::invalid(
                format!(
                    "d_model = {} is not 2 * heads = 2 * {}",
                    self.d_model, self.heads
                ),
                "heads have dimension 2: use a model of that architecture",
            ));
        }
        Ok(())
    }
}

impl Config {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        self.shape.validate()?;
        check_features(&self.position_features, self.shape.d_model)?;
        for (i, bound) in self.key_bounds.iter().enumerate() {
            let wrong = if bound.layer >= self.shape.layers {
                "names a layer that does not exist"
            } else if bound.head >= self.shape.heads {
                "names a head that does not exist"
            } else if !(bound.max_abs_x.is_finite() && bound.max_lift.is_finite()) {
                "has a limit that is not finite"
            } else {
                continue;
            };
            return Err(Error::invalid(
                format!("key_bounds[{i}] {wrong}"),
                "state finite boxes of existing heads",
            ));
        }
        Ok(())
    }
}

impl Weights {
    /// Every matrix with its tensor name and its required shape, in a fixed order.
    pub(crate) fn named<'a>(
        &'a self,
        shape: &Shape,
    ) -> impl Iterator<Item = (String, &'a Matrix, [usize; 2])> {
        let Shape {
            d_model: d, vocab, ..
        } = *shape;
        let layers = self.layers.iter().enumerate().flat_map(move |(i, layer)| {
            let f = layer.neurons();
            [
                (
                    format!("attn.{i}.in_proj_weight"),
                    &layer.in_proj,
                    [3 * d, d],
                ),
                (format!("attn.{i}.out_proj.weight"), &layer.out_proj, [d, d]),
                (format!("ff_in.{i}.weight"), &layer.ff_in, [2 * f, d]),
                (format!("ff_out.{i}.weight"), &layer.ff_out, [d, f]),
            ]
        });
        let ends = [
            ("tok.weight".to_owned(), &self.tok, [vocab, d]),
            ("head.weight".to_owned(), &self.head, [vocab, d]),
        ];
        ends.into_iter().chain(layers)
    }

    pub(crate) fn validate(&self, shape: &Shape) -> Result<(), Error> {
        if self.layers.len() != shape.layers {
            return Err(Error::invalid(
                format!(
                    "there are {} layers of weights, the shape says {}",
                    self.layers.len(),
                    shape.layers
                ),
                "state the shape of the weights",
            ));
        }
        let widest = self.layers.iter().map(LayerWeights::neurons).max();
        if widest != Some(shape.d_ffn) || self.layers.iter().any(|layer| layer.neurons() == 0) {
            let widths: Vec<_> = self.layers.iter().map(LayerWeights::neurons).collect();
            return Err(Error::invalid(
                format!(
                    "the layers have {widths:?} neurons, the shape says d_ffn = {}",
                    shape.d_ffn
                ),
                "state the neurons of the widest layer, and at least one in each",
            ));
        }
        for (name, matrix, [rows, cols]) in self.named(shape) {
            let fits = (matrix.rows, matrix.cols) == (rows, cols)
                && rows.checked_mul(cols) == Some(matrix.entries.len());
            if !fits {
                return Err(Error::invalid(
                    format!(
                        "{name} is [{}, {}] with {} entries, must be [{rows}, {cols}]",
                        matrix.rows,
                        matrix.cols,
                        matrix.entries.len()
                    ),
                    "use weights and config.json of the same model",
                ));
            }
            if let Some(i) = matrix.entries.iter().position(|w| !w.is_finite()) {
                return Err(Error::invalid(
                    format!("{name}[{}, {}] is not finite", i / cols, i % cols),
                    "build the weights anew",
                ));
            }
        }
        Ok(())
    }
}
