//! `--version`.

use std::io::{self, Write};

use sha2::{Digest, Sha256};
use weightware::default_model;

use crate::failure::{Failure, Result};

/// Prints the version and the digest of the weights, which is that of the file `model.safetensors`
/// that `weights` writes. Not by the parser of arguments, which would compile them for every
/// command.
pub(crate) fn print() -> Result<u8> {
    let weights = default_model().to_safetensors();
    let weights = weights.map_err(|error| Failure::Failed(error.into()))?;
    let digest = Sha256::digest(weights);
    writeln!(
        io::stdout(),
        "weightware {}\nweights: sha256 {digest:x} (model.safetensors, profile stock)",
        env!("CARGO_PKG_VERSION")
    )
    .map_err(Failure::stdout)?;
    Ok(0)
}
