//! `cargo xtask programs`: the demo programs, compiled from C.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::workspace::{self, shown};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if a file would change
    #[arg(long)]
    check: bool,
}

const REMEDY: &str = "install clang and lld (Debian: apt install clang lld), or set $CLANG";

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        let folder = workspace::path("programs");
        let text = fs::read_to_string(folder.join("flags.txt")).context("programs/flags.txt")?;
        let flags: Vec<_> = text.split_whitespace().collect();
        let (clang, version) = clang()?;
        println!("{clang}: {version}");

        let mut sources = vec![];
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension() == Some(OsStr::new("c")) {
                sources.push(path);
            }
        }
        sources.sort();
        ensure!(!sources.is_empty(), "programs/ has no C files");

        let mut changed = 0;
        for source in sources {
            let path = source.with_extension("wasm");
            let new = compile(&clang, &flags, &source)?;
            let old = match fs::read(&path) {
                Ok(bytes) => Some(bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error).with_context(|| shown(&path)),
            };
            let verdict = match &old {
                None => format!("new, {} bytes", new.len()),
                Some(old) if *old == new => format!("unchanged, {} bytes", new.len()),
                Some(old) => format!("changed, {} bytes (were {})", new.len(), old.len()),
            };
            println!("{:28} {verdict}", shown(&path));
            if old.as_ref() != Some(&new) {
                changed += 1;
                if !self.check {
                    fs::write(&path, new).with_context(|| shown(&path))?;
                }
            }
        }
        ensure!(
            !self.check || changed == 0,
            "{changed} files are not what clang makes of their source"
        );
        Ok(())
    }
}

/// The first clang that there is, and its version.
fn clang() -> Result<(String, String)> {
    let named = std::env::var("CLANG").ok();
    let versions = (16..=21).rev().map(|version| format!("clang-{version}"));
    let candidates = named
        .into_iter()
        .chain(["clang".to_owned()])
        .chain(versions);
    for clang in candidates {
        if let Ok(text) = workspace::output(Command::new(&clang).arg("--version")) {
            let version = text.lines().next().unwrap_or_default().to_owned();
            return Ok((clang, version));
        }
    }
    bail!("there is no clang: {REMEDY}")
}

fn compile(clang: &str, flags: &[&str], source: &Path) -> Result<Vec<u8>> {
    let out = workspace::target().join("xtask-programs");
    fs::create_dir_all(&out)?;
    let out = out
        .join(source.file_name().unwrap_or_default())
        .with_extension("wasm");
    let mut command = workspace::command(clang, flags);
    let compiled = workspace::output(command.arg("-o").arg(&out).arg(source));
    if let Err(error) = compiled {
        let message = format!("{error:#}");
        // Clang looks for its linker under this name.
        if message.contains("wasm-ld") && message.contains("unable to execute") {
            bail!("{message}\nthe linker wasm-ld is missing: {REMEDY}");
        }
        bail!("{}: {message}", shown(source));
    }
    fs::read(&out).with_context(|| shown(&out))
}
