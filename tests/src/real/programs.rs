//! Real programs: sources of crates, compiled with a driver.

use std::fs;
use std::path::{Path, PathBuf};

use super::build::{Shell, folder};
use super::manifest::{Real, path};
use super::{Judge, Measured, Verdict, page};

/// The page.
const PAGE: &str = "../docs/programs.md";

/// Flags of every program. The stack stands first, so that a call that exceeds it traps.
pub(super) const FLAGS: &str =
    "--target=wasm32-wasi -O2 -s -w -Wl,--stack-first -Wl,-z,stack-size=65536";

/// The compiler of every program; the sizes in the page are those of this version.
const COMPILERS: [&str; 2] = ["clang-14", "clang"];

impl Real {
    /// Compiles the program, unless that was done before, and runs it.
    ///
    /// # Errors
    /// If files cannot be read or written.
    pub fn measure(&self, judge: &mut Judge) -> Result<Measured, String> {
        let input = self.input()?;
        Ok(match self.module() {
            Ok(wasm) => judge.measure(&wasm, &input),
            Err(problem) => Measured::without(Verdict::Unknown(problem)),
        })
    }

    /// The module, compiled again if the command or the driver has changed.
    fn module(&self) -> Result<Vec<u8>, String> {
        let shell = Shell::new(&[])?;
        let command = self.command(&shell)?;
        let driver = self.folder().join("main.c");
        let key = format!("{command}\n\n{}", super::manifest::text(&driver)?);
        let folder = folder().join("programs");
        let (out, made) = (
            folder.join(&self.name),
            folder.join(format!("{}.key", self.name)),
        );
        let at = |error: std::io::Error| format!("{}: {error}", out.display());
        fs::create_dir_all(&folder).map_err(at)?;
        let same = fs::read_to_string(&made).is_ok_and(|old| old == key);
        if !same || !out.exists() {
            shell.run(&format!("{command} -o '{}'", out.display()), &self.folder())?;
            fs::write(&made, key).map_err(at)?;
        }
        fs::read(&out).map_err(at)
    }

    /// Clang's command, without the output.
    fn command(&self, shell: &Shell) -> Result<String, String> {
        let (compiler, _) = compiler(shell)?;
        let crates: Vec<PathBuf> = self
            .crates
            .iter()
            .map(|name| fetched(name, shell))
            .collect::<Result<_, _>>()?;
        let place = |name: &str| {
            let (number, rest) = match name.strip_prefix('@').and_then(|n| n.split_once('/')) {
                Some((number, rest)) => (number.parse().unwrap_or(usize::MAX), rest),
                None => (0, name),
            };
            let found = crates.get(number);
            found
                .map(|folder| folder.join(rest))
                .ok_or(format!("{name:?}: there is no such crate"))
        };
        let mut words = vec![compiler.to_owned(), FLAGS.to_owned(), "-I.".to_owned()];
        for name in &self.include {
            words.push(format!("-I'{}'", place(name)?.display()));
        }
        words.extend(self.flags.iter().cloned());
        words.push("main.c".to_owned());
        let without: Vec<PathBuf> = self
            .without
            .iter()
            .map(|name| place(name))
            .collect::<Result<_, _>>()?;
        for name in &self.sources {
            for source in matching(&place(name)?)? {
                if !without.contains(&source) {
                    words.push(format!("'{}'", source.display()));
                }
            }
        }
        Ok(words.join(" "))
    }
}

/// The first compiler that there is, and what it says of its version.
fn compiler(shell: &Shell) -> Result<(&'static str, String), String> {
    let found = COMPILERS.into_iter().find_map(|name| {
        let version = shell
            .run(&format!("{name} --version"), Path::new("."))
            .ok()?;
        Some((name, version.lines().next()?.to_owned()))
    });
    found.ok_or_else(|| {
        "no clang is installed (Debian: apt install clang lld wasi-libc libclang-rt-dev-wasm32)"
            .to_owned()
    })
}

/// The files that a path with at most one `*` in its last part stands for, by name.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let name = pattern.file_name().and_then(|name| name.to_str());
    let Some((before, after)) = name.and_then(|name| name.split_once('*')) else {
        return Ok(vec![pattern.to_owned()]);
    };
    let folder = pattern.parent().unwrap_or(Path::new(""));
    let at = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut found = vec![];
    for entry in fs::read_dir(folder).map_err(at)? {
        let name = entry.map_err(at)?.file_name();
        let is_one = name.to_str().is_some_and(|name| {
            let long_enough = name.len() >= before.len() + after.len();
            long_enough && name.starts_with(before) && name.ends_with(after)
        });
        if is_one {
            found.push(folder.join(name));
        }
    }
    found.sort();
    match found.is_empty() {
        true => Err(format!("{}: there is no such file", pattern.display())),
        false => Ok(found),
    }
}

/// The folder of a crate's sources, in cargo's own cache; cargo downloads them if it lacks them,
/// and compares them with the registry's checksum.
fn fetched(name: &str, shell: &Shell) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    let cargo = cargo
        .or_else(home)
        .ok_or("neither CARGO_HOME nor HOME is set")?;
    let sources = cargo.join("registry/src");
    let unpacked = name.replacen('@', "-", 1);
    let find = || {
        let registries = fs::read_dir(&sources).ok()?;
        let mut folders = registries
            .flatten()
            .map(|entry| entry.path().join(&unpacked));
        folders.find(|folder| folder.is_dir())
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    // Elsewhere than in this workspace, whose own packages have other names.
    shell.run(
        &format!("cargo info --quiet '{name}'"),
        &std::env::temp_dir(),
    )?;
    find().ok_or_else(|| format!("cargo did not leave {unpacked} in {}", sources.display()))
}

/// Writes the page about all programs, or only compares it; whether the page says it.
///
/// # Errors
/// If the page cannot be written.
pub fn keep(done: &[(Real, Measured)], write: bool) -> Result<bool, String> {
    let file = path(PAGE);
    let (_, version) = compiler(&Shell::new(&[])?)?;
    let new = page::programs(&version, done);
    if write {
        fs::write(&file, &new).map_err(|error| format!("docs/programs.md: {error}"))?;
        return Ok(true);
    }
    let old = super::manifest::text(&file)?;
    Ok(page::without_times(&old) == page::without_times(&new))
}
