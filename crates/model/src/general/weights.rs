//! The tensors of a general transformer, and the table of their names and shapes.

use super::{Config, Norm, Positions};
use crate::Matrix;

/// A linear map: `y = W x + b`.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// `[out, in]`.
    pub weight: Matrix,
    /// `[out]`.
    pub bias: Option<Vec<f64>>,
}

/// The learned numbers of a [`Norm`].
#[derive(Debug, Clone, PartialEq)]
pub struct NormWeights {
    /// `[d_model]`.
    pub scale: Vec<f64>,
    /// `[d_model]`, of [`Norm::Layer`] only.
    pub shift: Option<Vec<f64>>,
}

/// One layer: attention, then the feed-forward network.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Before attention.
    pub norm1: Option<NormWeights>,
    /// `[3 * heads * head_dim, d_model]`: all queries, all keys, all values. Head `h` has the rows
    /// from `h * head_dim` of each third.
    pub in_proj: Linear,
    /// `[heads]`: the learned factors of scores.
    pub temperature: Option<Vec<f64>>,
    /// `[d_model, heads * head_dim]`.
    pub out_proj: Linear,
    /// Before the feed-forward network.
    pub norm2: Option<NormWeights>,
    /// `[neurons, d_model]`, or twice as many rows: gates, then values.
    pub ff_in: Linear,
    /// `[d_model, neurons]`.
    pub ff_out: Linear,
}

/// All tensors of a model. Numbers of a model of 32-bit floats are 32-bit floats.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Embedding, `[vocab, d_model]`.
    pub tok: Matrix,
    /// Learned positions, `[context, d_model]`.
    pub positions: Option<Matrix>,
    /// The layers, first to last.
    pub layers: Vec<Layer>,
    /// Before the unembedding.
    pub norm: Option<NormWeights>,
    /// Unembedding, `[vocab, d_model]`, unless it is the embedding.
    pub head: Option<Matrix>,
}

/// The name and the shape of a tensor in `model.safetensors`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorShape {
    /// The name.
    pub name: String,
    /// One or two dimensions; a matrix is `[out, in]`.
    pub dims: Vec<usize>,
}

impl TensorShape {
    /// The number of entries; `usize::MAX` if that is not a number that memory could hold.
    #[must_use]
    pub fn len(&self) -> usize {
        self.dims.iter().copied().fold(1, usize::saturating_mul)
    }

    /// Whether it has no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Config {
    /// The tensors of a model of this configuration, in a fixed order.
    #[must_use]
    pub fn tensors(&self) -> Vec<TensorShape> {
        let mut shapes = Vec::new();
        let Ok(_) = Weights::assemble(self, |shape| {
            shapes.push(shape.clone());
            Ok::<_, core::convert::Infallible>(Vec::new())
        });
        shapes
    }

    /// The number of weights.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.tensors()
            .iter()
            .map(TensorShape::len)
            .fold(0, usize::saturating_add)
    }
}

impl Weights {
    /// Builds the weights of a configuration from the entries of each tensor, row by row.
    ///
    /// This is the table from which [`Config::tensors`] and the reader of files derive.
    ///
    /// # Errors
    /// The first error of `take`. Wrong numbers of entries are found by
    /// [`Model::validate`](super::Model::validate).
    pub fn assemble<E>(
        config: &Config,
        mut take: impl FnMut(&TensorShape) -> Result<Vec<f64>, E>,
    ) -> Result<Self, E> {
        let (d, width) = (config.d_model, config.attention_width());
        let mut of = |name: String, dims: &[usize]| {
            let dims = dims.to_vec();
            take(&TensorShape { name, dims })
        };
        let of = &mut of;
        let tok = matrix(of, "tok.weight".into(), config.vocab, d)?;
        let positions = match config.positions {
            Positions::Learned { context } => {
                Some(matrix(of, "positions.weight".into(), context, d)?)
            }
            _ => None,
        };
        let mut layers = Vec::new();
        for (i, &neurons) in config.neurons.iter().enumerate() {
            let rows = config.activation.rows() * neurons;
            let in_bias = (config.bias).then(|| format!("attn.{i}.in_proj_bias"));
            let bias = |name: &str| (config.bias).then(|| format!("{name}.{i}.bias"));
            let out_bias = (config.bias).then(|| format!("attn.{i}.out_proj.bias"));
            layers.push(Layer {
                norm1: norm(of, config, format!("norm1.{i}"))?,
                in_proj: linear(
                    of,
                    format!("attn.{i}.in_proj_weight"),
                    in_bias,
                    [3 * width, d],
                )?,
                temperature: match config.temperature {
                    true => Some(of(format!("attn.{i}.temperature"), &[config.heads])?),
                    false => None,
                },
                out_proj: linear(
                    of,
                    format!("attn.{i}.out_proj.weight"),
                    out_bias,
                    [d, width],
                )?,
                norm2: norm(of, config, format!("norm2.{i}"))?,
                ff_in: linear(of, format!("ff_in.{i}.weight"), bias("ff_in"), [rows, d])?,
                ff_out: linear(
                    of,
                    format!("ff_out.{i}.weight"),
                    bias("ff_out"),
                    [d, neurons],
                )?,
            });
        }
        let norm = norm(of, config, "norm".into())?;
        let head = match config.tied_embeddings {
            true => None,
            false => Some(matrix(of, "head.weight".into(), config.vocab, d)?),
        };
        Ok(Self {
            tok,
            positions,
            layers,
            norm,
            head,
        })
    }

    /// Each tensor's name, shape and entries, in the order of [`Config::tensors`].
    #[must_use]
    pub fn named(&self) -> Vec<(TensorShape, &[f64])> {
        let mut named = Named(Vec::new());
        named.matrix("tok.weight", &self.tok);
        if let Some(positions) = &self.positions {
            named.matrix("positions.weight", positions);
        }
        for (i, layer) in self.layers.iter().enumerate() {
            let attn = |name: &str| format!("attn.{i}.{name}");
            named.norm(&format!("norm1.{i}"), layer.norm1.as_ref());
            named.linear(&attn("in_proj_"), &layer.in_proj);
            if let Some(temperature) = &layer.temperature {
                named.vector(attn("temperature"), temperature);
            }
            named.linear(&attn("out_proj."), &layer.out_proj);
            named.norm(&format!("norm2.{i}"), layer.norm2.as_ref());
            named.linear(&format!("ff_in.{i}."), &layer.ff_in);
            named.linear(&format!("ff_out.{i}."), &layer.ff_out);
        }
        named.norm("norm", self.norm.as_ref());
        if let Some(head) = &self.head {
            named.matrix("head.weight", head);
        }
        named.0
    }

    /// The unembedding, `[vocab, d_model]`.
    #[must_use]
    pub fn unembedding(&self) -> &Matrix {
        self.head.as_ref().unwrap_or(&self.tok)
    }
}

fn matrix<E>(
    of: &mut impl FnMut(String, &[usize]) -> Result<Vec<f64>, E>,
    name: String,
    rows: usize,
    cols: usize,
) -> Result<Matrix, E> {
    Ok(Matrix {
        rows,
        cols,
        entries: of(name, &[rows, cols])?,
    })
}

fn linear<E>(
    of: &mut impl FnMut(String, &[usize]) -> Result<Vec<f64>, E>,
    name: String,
    bias: Option<String>,
    [rows, cols]: [usize; 2],
) -> Result<Linear, E> {
    Ok(Linear {
        weight: matrix(of, name, rows, cols)?,
        bias: bias.map(|name| of(name, &[rows])).transpose()?,
    })
}

fn norm<E>(
    of: &mut impl FnMut(String, &[usize]) -> Result<Vec<f64>, E>,
    config: &Config,
    name: String,
) -> Result<Option<NormWeights>, E> {
    let Some(norm) = config.norm else {
        return Ok(None);
    };
    let dims = [config.d_model];
    Ok(Some(NormWeights {
        scale: of(format!("{name}.weight"), &dims)?,
        shift: match norm {
            Norm::Layer { .. } => Some(of(format!("{name}.bias"), &dims)?),
            Norm::Rms { .. } => None,
        },
    }))
}

/// Tensors under their names, as [`Weights::named`] lists them.
struct Named<'a>(Vec<(TensorShape, &'a [f64])>);

impl<'a> Named<'a> {
    fn vector(&mut self, name: String, entries: &'a [f64]) {
        let dims = vec![entries.len()];
        self.0.push((TensorShape { name, dims }, entries));
    }

    fn matrix(&mut self, name: &str, matrix: &'a Matrix) {
        let (name, dims) = (name.to_owned(), vec![matrix.rows, matrix.cols]);
        self.0.push((TensorShape { name, dims }, &matrix.entries));
    }

    fn linear(&mut self, prefix: &str, linear: &'a Linear) {
        self.matrix(&format!("{prefix}weight"), &linear.weight);
        if let Some(bias) = &linear.bias {
            self.vector(format!("{prefix}bias"), bias);
        }
    }

    fn norm(&mut self, prefix: &str, norm: Option<&'a NormWeights>) {
        let Some(norm) = norm else { return };
        self.vector(format!("{prefix}.weight"), &norm.scale);
        if let Some(shift) = &norm.shift {
            self.vector(format!("{prefix}.bias"), shift);
        }
    }
}
