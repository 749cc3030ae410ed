//! A plain executor as a general model.

use super::{Activation, Config, Dtype, Layer, Linear, Model, Positions, Weights};
use crate::Matrix;

impl From<&crate::Model> for Model {
    /// A general model with equal logits at each position. Horizon and boxes of keys, which bound
    /// what an executor may be used for, have no place in it.
    fn from(plain: &crate::Model) -> Self {
        let shape = plain.config.shape;
        let linear = |weight: &Matrix| Linear {
            weight: weight.clone(),
            bias: None,
        };
        let layers = plain.weights.layers.iter();
        Self {
            config: Config {
                d_model: shape.d_model,
                heads: shape.heads,
                head_dim: 2,
                neurons: layers.clone().map(crate::LayerWeights::neurons).collect(),
                vocab: shape.vocab,
                dtype: Dtype::Float64,
                norm: None,
                activation: Activation::GatedRelu,
                bias: false,
                positions: Positions::Polynomial(plain.config.position_features.clone()),
                tied_embeddings: false,
                score_scale: core::f64::consts::FRAC_1_SQRT_2,
                temperature: false,
                head_product: false,
                context: None,
            },
            weights: Weights {
                tok: plain.weights.tok.clone(),
                positions: None,
                layers: layers
                    .map(|layer| Layer {
                        norm1: None,
                        in_proj: linear(&layer.in_proj),
                        temperature: None,
                        out_proj: linear(&layer.out_proj),
                        norm2: None,
                        ff_in: linear(&layer.ff_in),
                        ff_out: linear(&layer.ff_out),
                    })
                    .collect(),
                norm: None,
                head: Some(plain.weights.head.clone()),
            },
            tokenizer: plain.tokenizer.clone(),
            end_tokens: plain.end_tokens.clone(),
        }
    }
}
