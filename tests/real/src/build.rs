//! Compilation of a program, to WebAssembly and natively, unless that was done before.

use std::fs;
use std::path::{Path, PathBuf};

use weightware::Clang;

use crate::manifest::Program;
use crate::sources::Crates;
use crate::{Shell, folder, text};

/// Arguments of clang for every program, after those that [`Clang`] gives it for WASI.
pub const FLAGS: [&str; 2] = ["-s", "-w"];

/// The name, in the manifest, of the folder of headers that WASI lacks.
const STUBS: &str = "@stubs";

/// The first line that the compiler prints of its version: `$CLANG`, or else clang.
///
/// # Errors
/// If it cannot be started.
pub fn version() -> Result<String, String> {
    let named = std::env::var("CLANG").ok().filter(|name| !name.is_empty());
    let name = named.unwrap_or_else(|| "clang".to_owned());
    let said = Shell::new(&[])?.run(&format!("'{name}' --version"), Path::new("."))?;
    Ok(said.lines().next().unwrap_or_default().to_owned())
}

impl Program {
    /// The file of the module, compiled again if the compiler, its arguments or the driver have
    /// changed.
    ///
    /// # Errors
    /// If sources cannot be downloaded, or there is no compiler, or it fails.
    pub fn module(&self) -> Result<PathBuf, String> {
        let crates = Crates::of(self)?;
        let mut arguments = FLAGS.map(str::to_owned).to_vec();
        arguments.extend(self.includes(&crates, &self.include)?);
        arguments.extend(self.flags.iter().cloned());
        let mut sources = vec![self.driver()];
        sources.extend(crates.files(&self.sources, &self.without)?);
        // Without a clang of that name there may be one with a number.
        let version = version().unwrap_or_default();
        let key = format!("{version}\n{arguments:#?}\n{sources:#?}");
        self.kept("programs", &key, |out| {
            let clang = arguments
                .iter()
                .fold(Clang::new(&sources), |clang, argument| {
                    clang.with_argument(argument)
                });
            let compiled = clang.compile().map_err(|error| error.to_string())?;
            fs::write(out, compiled.module).map_err(|error| format!("{}: {error}", out.display()))
        })
    }

    /// The file of the native program, compiled by `cc`; none if the manifest does not say how.
    ///
    /// # Errors
    /// If sources cannot be downloaded, or there is no compiler, or it fails.
    pub fn native(&self) -> Result<Option<PathBuf>, String> {
        let Some(native) = &self.native else {
            return Ok(None);
        };
        let crates = Crates::of(self)?;
        let without = [&self.without[..], &native.without].concat();
        let sources = crates.files(&self.sources, &without)?;
        let mut words = vec!["cc -O2 -w".to_owned()];
        // The system's library has what WASI lacks.
        let include: Vec<String> = self
            .include
            .iter()
            .filter(|name| *name != STUBS)
            .cloned()
            .collect();
        let quoted = |word: String| format!("'{}'", word.replace('\'', r"'\''"));
        words.extend(self.includes(&crates, &include)?.into_iter().map(quoted));
        let files = [self.driver()].into_iter().chain(sources);
        words.extend(files.map(|file| quoted(file.display().to_string())));
        words.extend(native.flags.iter().cloned().map(quoted));
        let command = words.join(" ");
        let made = self.kept("native", &command, |out| {
            let command = format!("{command} -o '{}'", out.display());
            Shell::new(&[])?.run(&command, &self.folder()).map(drop)
        });
        made.map(Some)
    }

    fn driver(&self) -> PathBuf {
        self.folder().join("main.c")
    }

    fn includes(&self, crates: &Crates, include: &[String]) -> Result<Vec<String>, String> {
        let mut folders = vec![self.folder()];
        for name in include {
            folders.push(crates.place(name)?);
        }
        let flags = folders
            .iter()
            .map(|folder| format!("-I{}", folder.display()));
        Ok(flags.collect())
    }

    /// The file that `build` makes, kept until the key or the driver changes.
    fn kept(
        &self,
        kind: &str,
        key: &str,
        build: impl FnOnce(&Path) -> Result<(), String>,
    ) -> Result<PathBuf, String> {
        let key = format!("{key}\n\n{}", text(&self.driver())?);
        let folder = folder().join(kind);
        let (out, made) = (
            folder.join(&self.name),
            folder.join(format!("{}.key", self.name)),
        );
        let at = |error: std::io::Error| format!("{}: {error}", out.display());
        fs::create_dir_all(&folder).map_err(at)?;
        let same = fs::read_to_string(&made).is_ok_and(|old| old == key);
        if !same || !out.exists() {
            build(&out)?;
            fs::write(&made, key).map_err(at)?;
        }
        Ok(out)
    }
}
