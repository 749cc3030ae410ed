//! `model.safetensors`: every matrix under its name, as 64-bit floats.

use std::collections::BTreeSet;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};

use crate::error::quoted;
use crate::{Error, LayerWeights, Matrix, Shape, Weights};

pub(crate) fn serialize(weights: &Weights, shape: &Shape) -> Result<Vec<u8>, SafeTensorError> {
    let tensors: Vec<(String, [usize; 2], Vec<u8>)> = weights
        .named(shape)
        .map(|(name, matrix, dims)| {
            let bytes = matrix
                .entries
                .iter()
                .flat_map(|w| w.to_le_bytes())
                .collect();
            (name, dims, bytes)
        })
        .collect();
    let views = tensors
        .iter()
        .map(|(name, dims, bytes)| Ok((name, TensorView::new(Dtype::F64, dims.to_vec(), bytes)?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()?;
    // PyTorch's loaders recognise their own layout by this mark. The map's type is the crate's,
    // which is not the standard library's without its feature `std`.
    let metadata = [("format".to_owned(), "pt".to_owned())];
    safetensors::serialize(views, Some(metadata.into_iter().collect()))
}

/// `neurons` has the count of every layer.
pub(crate) fn deserialize(
    bytes: &[u8],
    shape: &Shape,
    neurons: &[usize],
    path: &Path,
) -> Result<Weights, Error> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|e| Error::format(path, e, "use the file that an exporter wrote"))?;
    let mut unread: BTreeSet<&str> = file.names().into_iter().collect();
    let mut take = |name: String, rows: usize, cols: usize| {
        unread.remove(name.as_str());
        matrix(&file, &name, rows, cols).map_err(|e| e.in_file(path))
    };
    let Shape {
        d_model: d, vocab, ..
    } = *shape;
    let tok = take("tok.weight".into(), vocab, d)?;
    let head = take("head.weight".into(), vocab, d)?;
    let layers = neurons
        .iter()
        .enumerate()
        .map(|(i, &f)| {
            Ok(LayerWeights {
                in_proj: take(format!("attn.{i}.in_proj_weight"), 3 * d, d)?,
                out_proj: take(format!("attn.{i}.out_proj.weight"), d, d)?,
                ff_in: take(format!("ff_in.{i}.weight"), 2 * f, d)?,
                ff_out: take(format!("ff_out.{i}.weight"), d, f)?,
            })
        })
        .collect::<Result<_, Error>>()?;
    // A superfluous tensor, such as a bias, means that the file is a model of another architecture.
    if let Some(name) = unread.first() {
        return Err(Error::invalid(
            format!(
                "tensor {} does not belong to this architecture",
                quoted(name)
            ),
            "use weights of a model without biases and norms, and the config.json they came with",
        )
        .in_file(path));
    }
    Ok(Weights { tok, layers, head })
}

fn matrix(file: &SafeTensors<'_>, name: &str, rows: usize, cols: usize) -> Result<Matrix, Error> {
    let invalid = |what| Error::invalid(what, "use weights and config.json of the same model");
    let view = file
        .tensor(name)
        .map_err(|_| invalid(format!("tensor {name:?} is missing")))?;
    if view.dtype() != Dtype::F64 {
        return Err(invalid(format!(
            "tensor {name:?} is {:?}, must be F64",
            view.dtype()
        )));
    }
    if view.shape() != [rows, cols] {
        return Err(invalid(format!(
            "tensor {name:?} is {:?}, must be [{rows}, {cols}]",
            view.shape()
        )));
    }
    let (words, _) = view.data().as_chunks::<8>();
    let entries = words.iter().map(|&word| f64::from_le_bytes(word)).collect();
    Ok(Matrix {
        rows,
        cols,
        entries,
    })
}
