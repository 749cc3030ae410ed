//! Checkpoints: all that the rest of a run depends on, in one safetensors file.
//!
//! Tensors are `weights.NAME` in the model's format, the moments `first.NAME` and `second.NAME` in
//! 64-bit floats, and `curve`. The metadata's key `state` is JSON: the settings as TOML, the steps
//! done, and the sums of the row of the curve that is not yet complete. There is no state of random
//! numbers, since batches are functions of the seed and the step. Equal runs write equal bytes.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::optimiser::Moments;
use crate::settings::Settings;
use crate::transformer::Transformer;

/// The state of a run between two steps, beside weights and moments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The settings, as TOML.
    pub settings: String,
    /// Steps that are done.
    pub step: usize,
    /// Sum of the losses since the last row of the curve.
    pub losses: f64,
    /// Sum of the norms of gradients since the last row of the curve.
    pub norms: f64,
    /// The curve.
    #[serde(skip)]
    pub curve: Vec<Row>,
}

/// A row of the curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Steps done.
    pub step: usize,
    /// Mean training loss since the row before, in nats.
    pub loss: f64,
    /// Mean norm of gradients before clipping.
    pub norm: f64,
    /// Loss and accuracy of the first test, or NaN where it was not measured.
    pub test: [f64; 2],
}

impl Row {
    const COLUMNS: usize = 5;

    fn entries(&self) -> [f64; Self::COLUMNS] {
        [
            self.step as f64,
            self.loss,
            self.norm,
            self.test[0],
            self.test[1],
        ]
    }
}

impl State {
    /// Before the first step.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.to_toml(),
            step: 0,
            losses: 0.0,
            norms: 0.0,
            curve: Vec::new(),
        }
    }

    /// Writes a checkpoint; a reader sees the old file or the new one, never a part.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path, model: &Transformer, moments: &Moments) -> Result<()> {
        let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
        let bytes = |entries: &[f64]| entries.iter().flat_map(|x| x.to_le_bytes()).collect();
        for (i, (shape, variable)) in model.variables().iter().enumerate() {
            let flat = variable.flatten_all()?;
            let (dtype, weights) = match variable.dtype() {
                DType::F64 => (Dtype::F64, bytes(&flat.to_vec1()?)),
                _ => {
                    let entries: Vec<f32> = flat.to_vec1()?;
                    (
                        Dtype::F32,
                        entries.iter().flat_map(|x| x.to_le_bytes()).collect(),
                    )
                }
            };
            let name = &shape.name;
            tensors.push((
                format!("weights.{name}"),
                dtype,
                shape.dims.clone(),
                weights,
            ));
            for (kind, moments) in [("first", &moments.first), ("second", &moments.second)] {
                let moments = bytes(&moments[i]);
                tensors.push((
                    format!("{kind}.{name}"),
                    Dtype::F64,
                    shape.dims.clone(),
                    moments,
                ));
            }
        }
        let curve: Vec<f64> = self.curve.iter().flat_map(Row::entries).collect();
        let dims = vec![self.curve.len(), Row::COLUMNS];
        tensors.push(("curve".into(), Dtype::F64, dims, bytes(&curve)));

        let defect = |e: &dyn std::fmt::Display| {
            Error::invalid(path.display(), e, "report this as a defect")
        };
        let views = tensors
            .iter()
            .map(|(name, dtype, dims, bytes)| {
                Ok((name, TensorView::new(*dtype, dims.clone(), bytes)?))
            })
            .collect::<core::result::Result<Vec<_>, safetensors::SafeTensorError>>()
            .map_err(|e| defect(&e))?;
        let state = serde_json::to_string(self).map_err(|e| defect(&e))?;
        let metadata = HashMap::from([("state".to_owned(), state)]);
        let bytes = safetensors::serialize(views, Some(metadata)).map_err(|e| defect(&e))?;
        replace(path, &bytes)
    }

    /// Reads a checkpoint into a model of the same configuration.
    ///
    /// # Errors
    /// If the file cannot be read, or is not a checkpoint of `settings`.
    pub fn load(
        path: &Path,
        settings: &Settings,
        model: &Transformer,
        moments: &mut Moments,
    ) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        let wrong = |problem: String| {
            Error::invalid(path.display(), problem, "delete the folder to begin again")
        };
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| wrong(e.to_string()))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| wrong(e.to_string()))?;
        let state = metadata
            .metadata()
            .as_ref()
            .and_then(|map| map.get("state"));
        let state = state.ok_or_else(|| wrong("it has no state".into()))?;
        let mut state: Self = serde_json::from_str(state).map_err(|e| wrong(e.to_string()))?;
        if state.settings != settings.to_toml() {
            return Err(wrong("it was written with other settings".into()));
        }
        let entries = |name: &str, dtype: Dtype, dims: Option<&[usize]>| {
            let tensor = file.tensor(name).map_err(|e| wrong(e.to_string()))?;
            if tensor.dtype() != dtype || dims.is_some_and(|dims| tensor.shape() != dims) {
                return Err(wrong(format!("tensor {name} has another shape")));
            }
            Ok(match dtype {
                Dtype::F32 => {
                    let words = tensor.data().as_chunks::<4>().0.iter();
                    words
                        .map(|&word| f64::from(f32::from_le_bytes(word)))
                        .collect()
                }
                _ => {
                    let words = tensor.data().as_chunks::<8>().0.iter();
                    words
                        .map(|&word| f64::from_le_bytes(word))
                        .collect::<Vec<f64>>()
                }
            })
        };
        for (i, (shape, variable)) in model.variables().iter().enumerate() {
            let dtype = if variable.dtype() == DType::F64 {
                Dtype::F64
            } else {
                Dtype::F32
            };
            let (name, dims) = (&shape.name, Some(&shape.dims[..]));
            let weights = entries(&format!("weights.{name}"), dtype, dims)?;
            let weights = Tensor::from_vec(weights, shape.dims.clone(), &Device::Cpu)?;
            variable.set(&weights.to_dtype(variable.dtype())?)?;
            moments.first[i] = entries(&format!("first.{name}"), Dtype::F64, dims)?;
            moments.second[i] = entries(&format!("second.{name}"), Dtype::F64, dims)?;
        }
        let curve = entries("curve", Dtype::F64, None)?;
        let rows = curve.as_chunks::<{ Row::COLUMNS }>().0.iter();
        state.curve = rows
            .map(|&[step, loss, norm, test, accuracy]| Row {
                step: step as usize,
                loss,
                norm,
                test: [test, accuracy],
            })
            .collect();
        Ok(state)
    }
}

/// Writes a file whole: under another name, then renamed.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = Path::new(&name);
    let write = || -> std::io::Result<()> {
        let mut file = File::create(new)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|e| Error::io(new, e))?;
    std::fs::rename(new, path).map_err(|e| Error::io(path, e))
}
