//! `weights`.

use std::fs;

use anyhow::Error;
use weightware::{Extension, compile};

use crate::args::WeightsArgs;
use crate::failure::{Failure, Result};
use crate::say;

const FILES: [&str; 4] = [
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "generation_config.json",
];

pub(crate) fn write(args: &WeightsArgs) -> Result<u8> {
    let wanted = |module: &Extension| match &args.modules {
        Some(names) => names.iter().any(|name| name == module.name()),
        None => true,
    };
    let modules: Vec<_> = Extension::ALL.into_iter().filter(wanted).collect();
    let (model, usage) = compile(args.machine.profile().unwrap_or_default(), &modules)
        .map_err(|error| Failure::Failed(Error::new(error).context("--modules")))?;
    model
        .save(&args.out)
        .map_err(|error| Failure::Failed(Error::new(error).context("--out")))?;

    for file in FILES {
        let path = args.out.join(file);
        let size = fs::metadata(&path).map(|metadata| format!("{} bytes", metadata.len()));
        say(&format!(
            "{}: {}",
            path.display(),
            size.unwrap_or_else(|error| error.to_string())
        ));
    }
    let shape = &model.config.shape;
    let weights = &model.weights;
    let layers = weights.layers.iter();
    let matrices =
        layers.flat_map(|layer| [&layer.in_proj, &layer.out_proj, &layer.ff_in, &layer.ff_out]);
    let entries = || {
        matrices
            .clone()
            .chain([&weights.tok, &weights.head])
            .flat_map(|matrix| &matrix.entries)
    };
    say(&format!(
        "{} layers, d_model {}, {} heads of dimension 2, d_ffn {}, {} tokens in the vocabulary",
        shape.layers, shape.d_model, shape.heads, shape.d_ffn, shape.vocab
    ));
    say(&format!(
        "{} weights, of which {} are not zero; profile {}, certified up to position {}",
        entries().count(),
        entries().filter(|&&weight| weight != 0.0).count(),
        model.config.profile.as_deref().unwrap_or("none"),
        model.config.last_position
    ));
    say(&format!("\n{usage}"));
    Ok(0)
}
