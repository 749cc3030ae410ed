//! A transformer with two-dimensional heads that learns to write, in minutes, and decodes by nested
//! hulls.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use weightware::general::{Budget, Decoder, Engine, Model, Sampler};

use crate::workspace;

/// The settings of the run.
const SETTINGS: &str = "crates/train/configs/demo.toml";
/// The folder of the run and of the model, in the target folder.
const FOLDER: &str = "demo-train";
const CHARACTERS: usize = 400;
/// The share of probability that a head may leave out.
const MASS_ERROR: f64 = 1e-3;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A text to learn from [default: sentences of a small generated grammar]
    #[arg(long)]
    text: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        let folder = workspace::target().join(FOLDER);
        println!(
            "training by {SETTINGS} into {}\n",
            workspace::shown(&folder)
        );
        let train = [
            "run",
            "--release",
            "--package",
            "weightware-train",
            "--",
            "run",
            SETTINGS,
        ];
        let mut command = workspace::cargo(&train);
        command.arg("--out").arg(&folder).arg("--resume");
        if let Some(text) = &self.text {
            command.arg("--text").arg(std::path::absolute(text)?);
        }
        let status = command.status().context("weightware-train")?;
        ensure!(status.success(), "training failed: {status}");
        write(&folder)
    }
}

/// Lets the model write by the sparse engine, and states what that leaves out.
fn write(folder: &std::path::Path) -> Result<()> {
    let model = Model::load(folder)?;
    let engine = Engine::Sparse(Budget::MassError(MASS_ERROR));
    let mut decoder = Decoder::new(&model, engine)?;
    let sequence = decoder.begin();
    let mut sampler = Sampler::new(0.7, 1);
    let prompt = model.tokenizer.encode("\n")?;
    let mut logits = decoder.read(sequence, &prompt)?;
    let mut written = Vec::new();
    for _ in 0..CHARACTERS {
        let token = sampler.draw(logits.last());
        written.push(token);
        logits = decoder.read(sequence, &[token])?;
    }
    println!(
        "\n{CHARACTERS} characters by the engine sparse, temperature 0.7:\n\n{}\n",
        model.tokenizer.decode(&written)
    );
    let all = decoder.work();
    println!(
        "a query used {:.1} of {:.1} keys; heads left out at most {:.1e} of their probability, as proved",
        all.keys as f64 / all.queries as f64,
        all.keys_before as f64 / all.queries as f64,
        all.missed
    );
    println!(
        "more: weightware generate --model {} --prompt 'The ' --temperature 0.7 --max-tokens 500",
        workspace::shown(folder)
    );
    Ok(())
}
