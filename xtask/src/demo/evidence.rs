//! Further evidence that no interpreter assists the weights.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use weightware::{Decoder, Engine, Model};
use weightware_isa::Op;

use super::proof::Recorded;
use crate::thousands::thousands;
use crate::workspace;

/// The crates that decode.
const DECODING: [&str; 4] = ["runtime", "analysis", "model", "hull"];

/// Prints and checks the evidence.
pub(super) fn show(model: &Model, runs: &[Recorded]) -> Result<()> {
    println!("\nWhat decodes knows no program:");

    let names = names();
    let mut files = 0;
    for package in DECODING {
        let folder = workspace::path("crates").join(package).join("src");
        files += search(&folder, &names)?;
    }
    println!(
        "- {files} source files of crates/{{{}}} hold none of the {} names of opcodes that are not plain words:\n  \
         grep -rnE '(i32|local|global|trap)\\.[a-z]|br_(if|unless)' crates/{{{0}}}/src",
        DECODING.join(","),
        names.len(),
    );

    let mut command = workspace::cargo(&["tree", "-p", "weightware-runtime", "-e", "normal"]);
    command.args(["--prefix", "none", "--format", "{p}"]);
    let tree = workspace::output(&mut command)?;
    let own = own_packages(&tree);
    let mut decoding = DECODING.map(|package| format!("weightware-{package}"));
    decoding.sort_unstable();
    ensure!(
        own == decoding,
        "wrong: the runtime depends on {}",
        own.join(", ")
    );
    println!(
        "- of this workspace, the runtime depends on weightware-analysis, -hull and -model alone:\n  \
         cargo tree -p weightware-runtime -e normal"
    );

    let tokens = renamed(model, runs)?;
    println!(
        "- with every token renamed (t0, t1, ...) the same {} tokens come out.",
        thousands(tokens)
    );
    Ok(())
}

/// The names of opcodes that are not words of English or of Rust.
fn names() -> Vec<&'static str> {
    let names = Op::ALL.iter().map(|op| op.spec().name);
    names.filter(|name| name.contains(['.', '_'])).collect()
}

/// Searches a folder's files for the names, and counts the files.
fn search(folder: &Path, names: &[&str]) -> Result<usize> {
    let mut files = 0;
    for entry in fs::read_dir(folder).with_context(|| workspace::shown(folder))? {
        let path = entry?.path();
        if path.is_dir() {
            files += search(&path, names)?;
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| workspace::shown(&path))?;
        let found = names.iter().find(|name| text.contains(**name));
        ensure!(
            found.is_none(),
            "wrong: {} holds {:?}",
            workspace::shown(&path),
            found
        );
        files += 1;
    }
    Ok(files)
}

/// The workspace's own packages in the output of `cargo tree`, each once.
fn own_packages(tree: &str) -> Vec<&str> {
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    let mut own: Vec<_> = names
        .filter(|name| name.starts_with("weightware"))
        .collect();
    own.sort_unstable();
    own.dedup();
    own
}

/// Decodes the runs again with every token renamed, and returns the number of tokens compared.
fn renamed(model: &Model, runs: &[Recorded]) -> Result<u64> {
    let mut model = model.clone();
    let vocab = model.config.shape.vocab;
    model.tokenizer =
        weightware_model::Tokenizer::new((0..vocab).map(|id| format!("t{id}")).collect());
    let mut compared = 0;
    for run in runs {
        let (prompt, trace) = run.tokens.split_at(run.prompt);
        let mut decoder = Decoder::new(&model, Engine::Hull)?;
        decoder.prefill(prompt)?;
        ensure!(
            decoder.generate(None).eq(trace.iter().copied()),
            "wrong: {} depends on what tokens are called",
            run.name
        );
        compared += trace.len() as u64;
    }
    Ok(compared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_for_opcodes_of_more_than_a_word() {
        let names = names();
        assert!(names.contains(&"i32.const") && names.contains(&"br_if"));
        assert!(!names.contains(&"return"));
    }

    #[test]
    fn finds_an_opcode() {
        let folder = workspace::path("crates/isa/src");
        assert!(search(&folder, &["i32.add"]).is_err());
        assert!(search(&folder, &["no such name"]).is_ok());
    }

    #[test]
    fn lists_packages_once() {
        let tree = "weightware-runtime v0.1.0 (path)\nweightware-hull v0.1.0\nrobust v1.2.0\nweightware-hull v0.1.0 (*)\n";
        assert_eq!(
            own_packages(tree),
            ["weightware-hull", "weightware-runtime"]
        );
    }
}
