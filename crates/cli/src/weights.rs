//! `weights`.

use std::fs;

use anyhow::{Error, anyhow};
use weightware::{Compiled, Extension, WeightCount, compile, compile_rom};

use crate::args::WeightsArgs;
use crate::card::Contents;
use crate::failure::{Failure, Result};
use crate::thousands::thousands;
use crate::{builtin, card, library, names, say};

const FILES: [&str; 6] = [
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "generation_config.json",
    names::FILE,
    card::FILE,
];

/// Writes a model with library modules in its weights.
fn write_with_library(args: &WeightsArgs, wanted: &[String]) -> Result<u8> {
    if wanted.len() > 1 && wanted.iter().any(|name| name == "none") {
        return Err(Failure::Refused(anyhow!(
            "--rom: `none` stands for no module: leave it out, or the others"
        )));
    }
    let wanted = match wanted.iter().any(|name| name == "all") {
        true => builtin::names().map(str::to_owned).collect(),
        false => wanted.to_vec(),
    };
    let library = builtin::library(&wanted)?;
    let profile = args.machine.profile().unwrap_or_default();
    let compiled = compile_rom(args.machine.tuned(profile)?, library.resident().into());
    let Compiled { model, names, .. } =
        compiled.map_err(|error| Failure::Failed(Error::new(error)))?;
    model
        .save(&args.out)
        .map_err(|error| Failure::Failed(Error::new(error).context("--out")))?;
    library::write(&library, &[], &args.out)?;
    card::write_with_names(&model, &names, &Contents::Library(&library), &args.out)?;
    let count = model.weights.count();
    let modules = library.modules.iter().map(|module| &module.name[..]);
    let modules: Vec<&str> = modules.collect();
    say(&format!(
        "{}: a model with {} in its weights",
        args.out.display(),
        match modules.is_empty() {
            true => "no module".to_owned(),
            false => modules.join(", "),
        }
    ));
    say(&format!(
        "{} weights, of which {} are not zero",
        thousands(count.weights),
        thousands(count.nonzero)
    ));
    Ok(0)
}

pub(crate) fn write(args: &WeightsArgs) -> Result<u8> {
    if let Some(wanted) = &args.rom {
        return write_with_library(args, wanted);
    }
    let wanted = |module: &Extension| match &args.modules {
        Some(names) => names.iter().any(|name| name == module.name()),
        None => true,
    };
    let modules: Vec<_> = Extension::ALL.into_iter().filter(wanted).collect();
    let profile = args.machine.profile().unwrap_or_default();
    let compiled = compile(args.machine.tuned(profile)?, &modules)
        .map_err(|error| Failure::Failed(Error::new(error).context("--modules")))?;
    let Compiled {
        model,
        usage,
        names,
    } = &compiled;
    model
        .save(&args.out)
        .map_err(|error| Failure::Failed(Error::new(error).context("--out")))?;
    let contents = Contents::Machine(&modules);
    let has_card = card::write_with_names(model, names, &contents, &args.out)?;

    for file in FILES {
        let path = args.out.join(file);
        if file == card::FILE && !has_card {
            say(&format!(
                "{}: kept, since this command did not write it; remove or rename it for a model card",
                path.display()
            ));
            continue;
        }
        let size = fs::metadata(&path).map(|metadata| format!("{} bytes", metadata.len()));
        say(&format!(
            "{}: {}",
            path.display(),
            size.unwrap_or_else(|error| error.to_string())
        ));
    }
    let shape = &model.config.shape;
    let WeightCount {
        weights, nonzero, ..
    } = model.weights.count();
    say(&format!(
        "{} layers, d_model {}, {} heads of dimension 2, d_ffn {}, {} tokens in the vocabulary",
        shape.layers, shape.d_model, shape.heads, shape.d_ffn, shape.vocab
    ));
    say(&format!(
        "{weights} weights, of which {nonzero} are not zero; profile {}, certified up to position {}",
        model.config.profile.as_deref().unwrap_or("none"),
        model.config.last_position
    ));
    say(&format!("\n{usage}"));
    Ok(0)
}
