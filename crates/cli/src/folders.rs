//! Model folders of both kinds.

use std::path::Path;

use anyhow::{Error, anyhow};
use weightware::{Architecture, Model, general};

use crate::failure::{self, Failure, Result};

/// The kind of a folder's model.
pub(crate) fn architecture(folder: &Path) -> Result<Architecture> {
    Architecture::of(folder).map_err(|error| unusable(folder, error))
}

/// The plain model in a folder.
pub(crate) fn model(folder: &Path) -> Result<Model> {
    Model::load(folder).map_err(|error| unusable(folder, error))
}

/// The general model in a folder, or the plain one as a general one.
pub(crate) fn general_model(folder: &Path) -> Result<general::Model> {
    general::Model::load(folder).map_err(|error| unusable(folder, error))
}

fn unusable(folder: &Path, error: weightware::ModelError) -> Failure {
    let missing = error.is_io();
    let error = Error::new(error).context(format!("the model {}", folder.display()));
    Failure::Refused(match missing {
        true => anyhow!(
            "{}; `weightware weights --out DIR` writes a model folder",
            failure::chain(&error)
        ),
        false => error,
    })
}
