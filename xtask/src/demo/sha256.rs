//! SHA-256.

use anyhow::{Result, ensure};
use clap::Args;
use weightware::{Computer, Engine};

use super::{EngineArgument, exit_code};
use crate::figures::Figures;
use crate::live::{Show, watch};
use crate::workspace;

/// Messages and digests that NIST published with FIPS 180-4.
const VECTORS: [(&str, &str); 4] = [
    (
        "",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ),
    (
        "abc",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
    (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ),
    (
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
    ),
];

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The message; without one, the published test vectors
    text: Option<String>,
    #[command(flatten)]
    engine: EngineArgument,
}

impl Arguments {
    pub(super) fn run(self) -> Result<()> {
        let EngineArgument { engine } = self.engine;
        if let Some(text) = self.text {
            let (figures, digest) = compute(&text, engine, Show::Output)?;
            println!("{figures}");
            return check(&text, &digest);
        }
        for (text, _) in VECTORS {
            println!("SHA-256 of {text:?}:");
            let (figures, digest) = compute(text, engine, Show::Output)?;
            println!("{figures}");
            check(text, &digest)?;
        }
        Ok(())
    }
}

/// The digest of a message, computed by the transformer.
fn compute(text: &str, engine: Engine, show: Show) -> Result<(Figures, String)> {
    let program = workspace::program("sha256.wasm")?.program(text.as_bytes());
    let computer = Computer::default();
    let mut run = computer.run(&program, engine, None)?;
    let figures = watch(&mut run, engine, show, None)?;
    let code = exit_code(&run.end())?;
    ensure!(code == 0, "the program exited with code {code}");
    let digest = String::from_utf8_lossy(run.reader().output());
    Ok((figures, digest.trim_end().to_owned()))
}

fn check(text: &str, digest: &str) -> Result<()> {
    match VECTORS.iter().find(|(message, _)| *message == text) {
        Some((_, published)) => {
            ensure!(digest == *published, "wrong: the digest is {published}");
            println!("Checked: as published with FIPS 180-4.\n");
        }
        None => println!("No published digest to compare with: `sha256sum` tells."),
    }
    Ok(())
}
