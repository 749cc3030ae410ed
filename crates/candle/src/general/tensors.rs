//! The tensors of a general model.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Result as Computed, Tensor};

use super::config::{Config, Dtype, Norm, Positions};
use crate::error::{Error, Kind};

/// A linear map, `[out, in]` and `[out]`.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) weight: Tensor,
    pub(crate) bias: Option<Tensor>,
}

#[derive(Debug)]
pub(crate) struct NormWeights {
    pub(crate) scale: Tensor,
    pub(crate) shift: Option<Tensor>,
}

#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) norm1: Option<NormWeights>,
    pub(crate) in_proj: Map,
    pub(crate) temperature: Option<Tensor>,
    pub(crate) out_proj: Map,
    pub(crate) norm2: Option<NormWeights>,
    pub(crate) ff_in: Map,
    pub(crate) ff_out: Map,
}

#[derive(Debug)]
pub(crate) struct Tensors {
    pub(crate) tok: Tensor,
    pub(crate) positions: Option<Tensor>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) norm: Option<NormWeights>,
    pub(crate) head: Option<Tensor>,
}

/// The tensors of a file that are not taken yet.
struct File<'f> {
    path: &'f Path,
    tensors: HashMap<String, Tensor>,
    dtype: DType,
}

impl File<'_> {
    fn take(&mut self, name: &str, dims: &[usize]) -> Result<Tensor, Error> {
        let fault = |reason| Kind::Folder {
            path: self.path.into(),
            reason,
        };
        let tensor = self.tensors.remove(name);
        let tensor = tensor.ok_or_else(|| fault(format!("tensor {name} is missing")))?;
        if tensor.dtype() != self.dtype || tensor.dims() != dims {
            let (dtype, is) = (tensor.dtype(), tensor.dims());
            let must = self.dtype;
            let reason = format!("tensor {name} is {dtype:?} {is:?}, not {must:?} {dims:?}");
            return Err(fault(reason).into());
        }
        Ok(tensor)
    }

    fn map(&mut self, prefix: &str, dims: [usize; 2], bias: bool) -> Result<Map, Error> {
        let weight = self.take(&format!("{prefix}weight"), &dims)?;
        let bias = bias.then(|| self.take(&format!("{prefix}bias"), &dims[..1]));
        Ok(Map {
            weight,
            bias: bias.transpose()?,
        })
    }

    fn norm(&mut self, config: &Config, name: &str) -> Result<Option<NormWeights>, Error> {
        if config.norm == Norm::None {
            return Ok(None);
        }
        let dims = [config.d_model];
        let scale = self.take(&format!("{name}.weight"), &dims)?;
        let has_shift = config.norm == Norm::Layer;
        let shift = has_shift.then(|| self.take(&format!("{name}.bias"), &dims));
        Ok(Some(NormWeights {
            scale,
            shift: shift.transpose()?,
        }))
    }
}

impl Tensors {
    /// Reads exactly the tensors that the configuration says.
    pub(crate) fn read(path: &Path, config: &Config) -> Result<Self, Error> {
        let tensors = candle_core::safetensors::load(path, &Device::Cpu);
        let tensors = tensors.map_err(|source| Kind::Tensors {
            path: path.into(),
            source,
        })?;
        let dtype = match config.dtype {
            Dtype::Float32 => DType::F32,
            Dtype::Float64 => DType::F64,
        };
        let mut file = File {
            path,
            tensors,
            dtype,
        };
        let (d, width, vocab) = (config.d_model, config.width(), config.vocab);
        let tok = file.take("tok.weight", &[vocab, d])?;
        let positions = match config.positions {
            Positions::Learned { context } => Some(file.take("positions.weight", &[context, d])?),
            _ => None,
        };
        let mut layers = Vec::new();
        for i in 0..config.layers {
            let neurons = config.d_ffn.of(i);
            let rows = config.activation.rows() * neurons;
            let bias = config.bias;
            let temperature = (config.temperature)
                .then(|| file.take(&format!("attn.{i}.temperature"), &[config.heads]));
            layers.push(Layer {
                temperature: temperature.transpose()?,
                norm1: file.norm(config, &format!("norm1.{i}"))?,
                in_proj: file.map(&format!("attn.{i}.in_proj_"), [3 * width, d], bias)?,
                out_proj: file.map(&format!("attn.{i}.out_proj."), [d, width], bias)?,
                norm2: file.norm(config, &format!("norm2.{i}"))?,
                ff_in: file.map(&format!("ff_in.{i}."), [rows, d], bias)?,
                ff_out: file.map(&format!("ff_out.{i}."), [d, neurons], bias)?,
            });
        }
        let norm = file.norm(config, "norm")?;
        let head = match config.tied_embeddings {
            true => None,
            false => Some(file.take("head.weight", &[vocab, d])?),
        };
        if let Some(name) = file.tensors.keys().min() {
            let reason = format!("tensor {name} has no place in this network");
            let path = path.into();
            return Err(Kind::Folder { path, reason }.into());
        }
        Ok(Self {
            tok,
            positions,
            layers,
            norm,
            head,
        })
    }

    pub(crate) fn cast(self, dtype: DType) -> Computed<Self> {
        let tensor = |tensor: Option<Tensor>| tensor.map(|t| t.to_dtype(dtype)).transpose();
        let map = |map: Map| -> Computed<Map> {
            Ok(Map {
                weight: map.weight.to_dtype(dtype)?,
                bias: tensor(map.bias)?,
            })
        };
        let norm = |norm: Option<NormWeights>| -> Computed<Option<NormWeights>> {
            let Some(norm) = norm else { return Ok(None) };
            Ok(Some(NormWeights {
                scale: norm.scale.to_dtype(dtype)?,
                shift: tensor(norm.shift)?,
            }))
        };
        let layer = |layer: Layer| -> Computed<Layer> {
            Ok(Layer {
                norm1: norm(layer.norm1)?,
                in_proj: map(layer.in_proj)?,
                temperature: tensor(layer.temperature)?,
                out_proj: map(layer.out_proj)?,
                norm2: norm(layer.norm2)?,
                ff_in: map(layer.ff_in)?,
                ff_out: map(layer.ff_out)?,
            })
        };
        Ok(Self {
            tok: self.tok.to_dtype(dtype)?,
            positions: tensor(self.positions)?,
            layers: self
                .layers
                .into_iter()
                .map(layer)
                .collect::<Computed<_>>()?,
            norm: norm(self.norm)?,
            head: tensor(self.head)?,
        })
    }
}
