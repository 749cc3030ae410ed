//! `cargo xtask programs`: the demo programs, compiled from C.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
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

const REMEDY: &str = "install clang, lld and wasi-libc (Debian: apt install clang lld wasi-libc libclang-rt-dev-wasm32), or set $CLANG";

/// The versions of clang that build the committed files; other versions build other bytes. In
/// Debian 12, version 16 has no builtins for WASI.
pub(crate) const FREESTANDING: u32 = 16;
const WASI: u32 = 14;

/// A module to build, and its sources.
struct Build {
    out: PathBuf,
    /// The version of clang that builds the committed file.
    version: u32,
    sources: Vec<PathBuf>,
    flags: Vec<String>,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        let clangs = [FREESTANDING, WASI].map(clang);
        let [freestanding, wasi] = clangs;
        let (freestanding, wasi) = (freestanding?, wasi?);
        let mut changed = 0;
        for build in builds()? {
            let clang = if build.version == WASI {
                &wasi
            } else {
                &freestanding
            };
            let path = &build.out;
            let new = compile(clang, &build)?;
            let old = match fs::read(path) {
                Ok(bytes) => Some(bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error).with_context(|| shown(path)),
            };
            let verdict = match &old {
                None => format!("new, {} bytes", new.len()),
                Some(old) if *old == new => format!("unchanged, {} bytes", new.len()),
                Some(old) => format!("changed, {} bytes (were {})", new.len(), old.len()),
            };
            println!("{:28} {verdict}", shown(path));
            if old.as_ref() != Some(&new) {
                changed += 1;
                if !self.check {
                    fs::write(path, new).with_context(|| shown(path))?;
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

/// All modules: the programs without a C library, those with one, optimised and not, the long ones,
/// and the frontend's floating point.
fn builds() -> Result<Vec<Build>> {
    let mut builds = vec![];
    let folder = workspace::path("programs");
    for source in sources(&folder)? {
        builds.push(Build {
            version: FREESTANDING,
            out: source.with_extension("wasm"),
            flags: flags(&folder)?,
            sources: vec![source],
        });
    }
    let folder = workspace::path("programs/wasi");
    for source in sources(&folder)? {
        for level in ["O0", "O2"] {
            let mut flags = flags(&folder)?;
            flags.push(format!("-{level}"));
            builds.push(Build {
                version: WASI,
                out: source.with_extension(format!("{level}.wasm")),
                flags,
                sources: vec![source.clone()],
            });
        }
    }
    let folder = workspace::path("programs/long");
    let list = folder.join("programs.txt");
    let text = fs::read_to_string(&list).with_context(|| shown(&list))?;
    for source in sources(&folder)? {
        let name = source.file_stem().unwrap_or_default();
        let level = level(&text, &name.to_string_lossy());
        let level = level.with_context(|| format!("{} has no {}", shown(&list), shown(&source)))?;
        let mut flags = flags(&folder)?;
        flags.push(format!("-{level}"));
        builds.push(Build {
            version: WASI,
            out: source.with_extension("wasm"),
            flags,
            sources: vec![source],
        });
    }
    let folder = workspace::path("crates/frontend/src/software");
    builds.push(Build {
        version: WASI,
        out: folder.join("float.wasm"),
        flags: flags(&folder)?,
        sources: sources(&folder)?,
    });
    Ok(builds)
}

/// The optimisation level of a long program, from the list of lines of name, level and arguments.
fn level<'a>(list: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = list.lines().map(str::split_whitespace);
    let mut line = lines.find(|line| line.clone().next() == Some(name))?;
    line.nth(1)
}

/// The C files of a folder.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut sources = vec![];
    for entry in fs::read_dir(folder).with_context(|| shown(folder))? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("c")) {
            sources.push(path);
        }
    }
    sources.sort();
    ensure!(!sources.is_empty(), "{} has no C files", shown(folder));
    Ok(sources)
}

fn flags(folder: &Path) -> Result<Vec<String>> {
    let path = folder.join("flags.txt");
    let text = fs::read_to_string(&path).with_context(|| shown(&path))?;
    Ok(text.split_whitespace().map(ToOwned::to_owned).collect())
}

/// `$CLANG`, or the clang of that version, or else the first that exists; returns also its name.
pub(crate) fn clang(wanted: u32) -> Result<String> {
    let named = std::env::var("CLANG").ok();
    let versions = (14..=21).rev().map(|version| format!("clang-{version}"));
    let candidates = named
        .into_iter()
        .chain([format!("clang-{wanted}"), "clang".to_owned()])
        .chain(versions);
    for clang in candidates {
        if let Ok(text) = workspace::output(Command::new(&clang).arg("--version")) {
            let version = text.lines().next().unwrap_or_default();
            println!("{clang}: {version}");
            if !version.contains(&format!("version {wanted}.")) {
                println!("the committed files are made with clang {wanted}: expect other bytes");
            }
            return Ok(clang);
        }
    }
    bail!("there is no clang: {REMEDY}")
}

fn compile(clang: &str, build: &Build) -> Result<Vec<u8>> {
    let out = workspace::target().join("xtask-programs");
    fs::create_dir_all(&out)?;
    let out = out.join(build.out.file_name().unwrap_or_default());
    let flags: Vec<&str> = build.flags.iter().map(String::as_str).collect();
    let mut command = workspace::command(clang, &flags);
    let compiled = workspace::output(command.arg("-o").arg(&out).args(&build.sources));
    if let Err(error) = compiled {
        let message = format!("{error:#}");
        // Clang looks for its linker under this name.
        if message.contains("wasm-ld") && message.contains("unable to execute") {
            bail!("{message}\nthe linker wasm-ld is missing: {REMEDY}");
        }
        bail!("{}: {message}", shown(&build.out));
    }
    fs::read(&out).with_context(|| shown(&out))
}
