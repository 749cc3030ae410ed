//! `model.safetensors` of a general model, in 32- or 64-bit floats.

use std::collections::BTreeSet;
use std::path::Path;

use safetensors::tensor::{Dtype as Format, SafeTensorError, SafeTensors, TensorView};

use super::{Config, Dtype, TensorShape, Weights};
use crate::Error;
use crate::error::quoted;

fn format(dtype: Dtype) -> Format {
    match dtype {
        Dtype::Float32 => Format::F32,
        Dtype::Float64 => Format::F64,
    }
}

pub(super) fn serialize(weights: &Weights, dtype: Dtype) -> Result<Vec<u8>, SafeTensorError> {
    let bytes_of = |entries: &[f64]| -> Vec<u8> {
        match dtype {
            Dtype::Float32 => entries
                .iter()
                .flat_map(|&entry| (entry as f32).to_le_bytes())
                .collect(),
            Dtype::Float64 => entries
                .iter()
                .flat_map(|entry| entry.to_le_bytes())
                .collect(),
        }
    };
    let tensors: Vec<(TensorShape, Vec<u8>)> = weights
        .named()
        .into_iter()
        .map(|(shape, entries)| (shape, bytes_of(entries)))
        .collect();
    let views = tensors
        .iter()
        .map(|(shape, bytes)| {
            let view = TensorView::new(format(dtype), shape.dims.clone(), bytes)?;
            Ok((&shape.name, view))
        })
        .collect::<Result<Vec<_>, SafeTensorError>>()?;
    let metadata = [("format".to_owned(), "pt".to_owned())];
    safetensors::serialize(views, Some(metadata.into_iter().collect()))
}

pub(super) fn deserialize(bytes: &[u8], config: &Config, path: &Path) -> Result<Weights, Error> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|e| Error::format(path, e, "use the file that an exporter wrote"))?;
    let mut unread: BTreeSet<&str> = file.names().into_iter().collect();
    let weights = Weights::assemble(config, |shape| {
        unread.remove(shape.name.as_str());
        entries(&file, shape, config.dtype).map_err(|e| e.in_file(path))
    })?;
    if let Some(name) = unread.first() {
        return Err(Error::invalid(
            format!("tensor {} is not one of config.json's model", quoted(name)),
            "use weights and config.json of the same model",
        )
        .in_file(path));
    }
    Ok(weights)
}

fn entries(file: &SafeTensors<'_>, shape: &TensorShape, dtype: Dtype) -> Result<Vec<f64>, Error> {
    let TensorShape { name, dims } = shape;
    let invalid = |what| Error::invalid(what, "use weights and config.json of the same model");
    let view = file
        .tensor(name)
        .map_err(|_| invalid(format!("tensor {name:?} is missing")))?;
    let must = format(dtype);
    if view.dtype() != must {
        return Err(invalid(format!(
            "tensor {name:?} is {:?}, must be {must:?}",
            view.dtype()
        )));
    }
    if view.shape() != &dims[..] {
        return Err(invalid(format!(
            "tensor {name:?} is {:?}, must be {dims:?}",
            view.shape()
        )));
    }
    Ok(match dtype {
        Dtype::Float32 => {
            let (words, _) = view.data().as_chunks::<4>();
            let entries = words
                .iter()
                .map(|&word| f64::from(f32::from_le_bytes(word)));
            entries.collect()
        }
        Dtype::Float64 => {
            let (words, _) = view.data().as_chunks::<8>();
            words.iter().map(|&word| f64::from_le_bytes(word)).collect()
        }
    })
}
