//! Reader of the exported folder: `config.json`, `generation_config.json`, `model.safetensors`.

use std::{collections::HashMap, fs, path::Path};

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, de::DeserializeOwned};

use crate::error::{Error, Kind};

/// The part of `config.json` that the network needs. The fields about caches and horizons are not
/// read.
#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    pub(crate) layers: usize,
    pub(crate) d_model: usize,
    pub(crate) heads: usize,
    pub(crate) d_ffn: Neurons,
    pub(crate) vocab: usize,
    pub(crate) position_features: Vec<PositionFeature>,
}

/// The neurons of all layers: a number if all have as many, else a list.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "a number of neurons, or a list with one for each layer"
)]
pub(crate) enum Neurons {
    Equal(usize),
    Each(Vec<usize>),
}

impl Neurons {
    /// The neurons of a layer; 0 beyond the list.
    pub(crate) fn of(&self, layer: usize) -> usize {
        match self {
            Self::Equal(neurons) => *neurons,
            Self::Each(neurons) => neurons.get(layer).copied().unwrap_or(0),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct PositionFeature {
    pub(crate) slot: usize,
    pub(crate) coefficients: [f64; 3],
}

#[derive(Debug, Deserialize)]
pub(crate) struct GenerationConfig {
    pub(crate) eos_token_id: Vec<u32>,
}

/// One layer's matrices, each `[out, in]`.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) in_proj: Tensor,
    pub(crate) out_proj: Tensor,
    pub(crate) ff_in: Tensor,
    pub(crate) ff_out: Tensor,
}

/// The content of a folder.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) config: Config,
    pub(crate) end_tokens: Vec<u32>,
    pub(crate) tok: Tensor,
    pub(crate) layers: Vec<Layer>,
    pub(crate) head: Tensor,
}

impl Folder {
    pub(crate) fn read(dir: &Path) -> Result<Self, Error> {
        let config_path = dir.join("config.json");
        let config: Config = read_json(&config_path)?;
        if let Some(reason) = config.fault() {
            return Err(Kind::Folder {
                path: config_path,
                reason,
            }
            .into());
        }
        let generation: GenerationConfig = read_json(&dir.join("generation_config.json"))?;

        let path = dir.join("model.safetensors");
        let mut tensors =
            candle_core::safetensors::load(&path, &Device::Cpu).map_err(|source| {
                Kind::Tensors {
                    path: path.clone(),
                    source,
                }
            })?;
        let (d, vocab) = (config.d_model, config.vocab);
        let mut take = |name: String, rows, cols| take(&mut tensors, &path, &name, (rows, cols));
        let tok = take("tok.weight".into(), vocab, d)?;
        let head = take("head.weight".into(), vocab, d)?;
        let mut layers = Vec::new();
        for i in 0..config.layers {
            let f = config.d_ffn.of(i);
            layers.push(Layer {
                in_proj: take(format!("attn.{i}.in_proj_weight"), 3 * d, d)?,
                out_proj: take(format!("attn.{i}.out_proj.weight"), d, d)?,
                ff_in: take(format!("ff_in.{i}.weight"), 2 * f, d)?,
                ff_out: take(format!("ff_out.{i}.weight"), d, f)?,
            });
        }
        if let Some(name) = tensors.keys().min() {
            let reason = format!("tensor {name} has no place in this network");
            return Err(Kind::Folder { path, reason }.into());
        }
        Ok(Self {
            config,
            end_tokens: generation.eos_token_id,
            tok,
            layers,
            head,
        })
    }
}

impl Config {
    /// The reason why this is no model, if there is one.
    pub(crate) fn fault(&self) -> Option<String> {
        let Self { d_model, heads, .. } = *self;
        if heads == 0 || d_model == 0 || !d_model.is_multiple_of(heads) {
            return Some(format!("d_model {d_model} is no multiple of heads {heads}"));
        }
        if self.vocab == 0 {
            return Some("the vocabulary is empty".into());
        }
        let beyond = self
            .position_features
            .iter()
            .find(|feature| feature.slot >= d_model)?;
        Some(format!(
            "a position feature is in slot {}, but d_model is {d_model}",
            beyond.slot
        ))
    }
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = fs::read_to_string(path).map_err(|source| Kind::Read {
        path: path.into(),
        source,
    })?;
    Ok(serde_json::from_str(&text).map_err(|source| Kind::Json {
        path: path.into(),
        source,
    })?)
}

fn take(
    tensors: &mut HashMap<String, Tensor>,
    path: &Path,
    name: &str,
    shape: (usize, usize),
) -> Result<Tensor, Error> {
    let fault = |reason| {
        Error::from(Kind::Folder {
            path: path.into(),
            reason,
        })
    };
    let tensor = tensors
        .remove(name)
        .ok_or_else(|| fault(format!("tensor {name} is missing")))?;
    if tensor.dtype() != DType::F64 || tensor.dims() != [shape.0, shape.1] {
        let (dtype, dims) = (tensor.dtype(), tensor.dims());
        return Err(fault(format!(
            "tensor {name} is {dtype:?} {dims:?}, not F64 {shape:?}"
        )));
    }
    Ok(tensor)
}
