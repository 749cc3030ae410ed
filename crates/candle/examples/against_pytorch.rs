//! Compares two stock forward passes that share no line: candle's and
//! `examples/pytorch/general.py`.
//!
//! ```text
//! cargo run --release -p weightware-candle --example against_pytorch -- \
//!     [--python PYTHON] [MODEL_DIR [TOKENS]]
//! ```
//!
//! It compares the logits of the folder MODEL_DIR on TOKENS random tokens (100), or those of random
//! models of every kind. Differences are relative to the logit, and absolute where it is below 1.
//! The exit status is 1 if one is beyond what rounding explains.
#![allow(clippy::print_stdout, unreachable_pub)] // an example may talk

use std::{env, error::Error, fs, path::Path, process::Command, process::ExitCode};

use weightware_candle::GeneralForward;

#[path = "../tests/general/mod.rs"]
#[allow(dead_code)]
mod general;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The greatest difference that passes.
const TOLERANCES: [(&str, f64); 2] = [("float32", 1e-4), ("float64", 1e-11)];

fn main() -> Result<ExitCode> {
    let mut arguments: Vec<_> = env::args().skip(1).collect();
    let mut python = "python3".to_owned();
    if let Some(at) = arguments.iter().position(|argument| argument == "--python") {
        let program = arguments.get(at + 1).cloned();
        python = program.ok_or("--python needs a program")?;
        arguments.drain(at..at + 2);
    }
    let mut passed = true;
    match arguments.as_slice() {
        [] => {
            for (dtype, tolerance) in TOLERANCES {
                let mut worst = 0.0;
                let configs = general::configs(dtype);
                for (seed, config) in (1..).zip(&configs) {
                    let dir = tempfile::tempdir()?;
                    general::Folder::random(config.clone(), seed).write(dir.path());
                    let difference = compare(&python, dir.path(), 40)?;
                    if difference.is_nan() || difference > tolerance {
                        println!("{difference:.1e} {config}");
                        passed = false;
                    }
                    worst = greatest(worst, difference);
                }
                println!("{} models in {dtype}: {worst:.1e}", configs.len());
            }
        }
        [dir, rest @ ..] if rest.len() <= 1 => {
            let dir = Path::new(dir);
            let length = rest.first().map_or(Ok(100), |length| length.parse())?;
            let difference = compare(&python, dir, length)?;
            println!("{difference:.1e}");
            let config: serde_json::Value = read(&dir.join("config.json"))?;
            let limit = TOLERANCES
                .iter()
                .find(|(dtype, _)| config["dtype"] == *dtype);
            passed = limit.is_some_and(|(_, limit)| difference <= *limit);
        }
        _ => return Err("usage: against_pytorch [--python PYTHON] [MODEL_DIR [TOKENS]]".into()),
    }
    Ok(if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The greatest difference of a logit after each of `length` random tokens; at most as many as
/// there are learned positions.
fn compare(python: &str, dir: &Path, length: usize) -> Result<f64> {
    let model = GeneralForward::load(dir)?;
    let length = model
        .longest()
        .map_or(length, |longest| length.min(longest));
    let mut state = 1_u64;
    let mut draw = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as u32 % model.vocab() as u32
    };
    let tokens: Vec<u32> = (0..length).map(&mut draw).collect();
    let own = model.logits(&tokens)?;

    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), text(dir, &tokens)?)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/pytorch/general.py");
    let mut command = Command::new(python);
    command
        .arg(script)
        .arg(dir)
        .args(["logits", "--tokens"])
        .arg(file.path());
    let output = command
        .output()
        .map_err(|error| format!("{python}: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().into());
    }
    let rows = String::from_utf8(output.stdout)?;
    let rows = rows.lines().map(serde_json::from_str);
    let others: Vec<Vec<f64>> = rows.collect::<std::result::Result<_, _>>()?;
    if own.len() != others.len() || others.iter().any(|row| row.len() != model.vocab()) {
        return Err("the forward passes have other numbers of logits".into());
    }
    let pairs = own.iter().flatten().zip(others.iter().flatten());
    let differences = pairs.map(|(own, other)| (own - other).abs() / own.abs().max(1.0));
    Ok(differences.fold(0.0, greatest))
}

/// The greater number, or NaN if one is.
fn greatest(a: f64, b: f64) -> f64 {
    if a.is_nan() || b <= a { a } else { b }
}

/// The tokens as text of the folder's `tokenizer.json`.
fn text(dir: &Path, tokens: &[u32]) -> Result<String> {
    let tokenizer: serde_json::Value = read(&dir.join("tokenizer.json"))?;
    let vocab = tokenizer["model"]["vocab"]
        .as_object()
        .ok_or("tokenizer.json has no vocab")?;
    let string = |&id: &u32| {
        let mut entries = vocab.iter();
        let entry = entries.find(|(_, value)| value.as_u64() == Some(u64::from(id)));
        entry
            .map(|(string, _)| string.clone())
            .ok_or(format!("token {id} has no string"))
    };
    let strings = tokens
        .iter()
        .map(string)
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let is_words = tokenizer["pre_tokenizer"]["type"] == "WhitespaceSplit";
    Ok(strings.join(if is_words { " " } else { "" }))
}

fn read(path: &Path) -> Result<serde_json::Value> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}
