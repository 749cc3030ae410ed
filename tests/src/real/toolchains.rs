//! Toolchains: whether they are installed, and what the weights make of what they compile.

use std::fs;
use std::path::{Path, PathBuf};

use weightware_real::Shell;

use super::manifest::{Example, Toolchain, path};
use super::{Judge, Measured, Verdict, page};

/// The page.
const PAGE: &str = "../docs/toolchains.md";

/// Where toolchains are looked for: folders that [`install`] filled, or with programs in `bin`,
/// and `PATH`.
#[derive(Debug)]
pub struct Places {
    folders: Vec<PathBuf>,
    shell: Shell,
}

/// A toolchain that was found, and what came of its examples.
#[derive(Debug)]
pub struct Tried {
    /// The first line that it prints of its version.
    pub version: String,
    /// Its examples, in their order.
    pub examples: Vec<Measured>,
}

impl Places {
    /// Places with these folders before `PATH`.
    ///
    /// # Errors
    /// If a folder is missing, or its name cannot stand in a `PATH`.
    pub fn new(folders: &[PathBuf]) -> Result<Self, String> {
        let absolute = folders.iter().map(|folder| {
            let found = fs::canonicalize(folder);
            found.map_err(|error| format!("{}: {error}", folder.display()))
        });
        let folders = absolute.collect::<Result<Vec<_>, _>>()?;
        let of_programs = |folder: &PathBuf| [folder.join("bin"), folder.join("node_modules/.bin")];
        let before: Vec<_> = folders.iter().flat_map(of_programs).collect();
        let shell = Shell::new(&before)?;
        Ok(Self { folders, shell })
    }

    /// Compiles and runs a toolchain's examples; nothing if it is not installed.
    ///
    /// # Errors
    /// If files cannot be written.
    pub fn try_out(
        &self,
        toolchain: &Toolchain,
        judge: &mut Judge,
    ) -> Result<Option<Tried>, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let folder = folder.path();
        self.prepare(toolchain, folder)?;
        let Ok(version) = self.shell.run(&toolchain.version, folder) else {
            return Ok(None);
        };
        let version = version.lines().next().unwrap_or_default().trim().to_owned();
        let examples = toolchain.examples.iter();
        let examples = examples.map(|example| self.example(example, folder, judge));
        Ok(Some(Tried {
            version,
            examples: examples.collect::<Result<_, _>>()?,
        }))
    }

    /// Copies the sources into a folder, and shows it the packages of npm.
    fn prepare(&self, toolchain: &Toolchain, folder: &Path) -> Result<(), String> {
        let sources = toolchain.sources();
        let at = |error: std::io::Error| format!("{}: {error}", sources.display());
        for entry in fs::read_dir(&sources).map_err(at)? {
            let entry = entry.map_err(at)?;
            fs::copy(entry.path(), folder.join(entry.file_name())).map_err(at)?;
        }
        for packages in self.folders.iter().map(|one| one.join("node_modules")) {
            if packages.exists() && !folder.join("node_modules").exists() {
                let link = format!("ln -s '{}' node_modules", packages.display());
                self.shell.run(&link, folder)?;
            }
        }
        Ok(())
    }

    fn example(
        &self,
        example: &Example,
        folder: &Path,
        judge: &mut Judge,
    ) -> Result<Measured, String> {
        let out = folder.join(format!("{}.wasm", example.name));
        let wasm = self.shell.run(&example.build, folder).and_then(|_| {
            fs::read(&out).map_err(|error| format!("{}.wasm: {error}", example.name))
        });
        let input = example.input()?;
        Ok(match wasm {
            Ok(wasm) => judge.measure(&wasm, &input),
            Err(problem) => Measured::without(Verdict::Unknown(problem)),
        })
    }
}

/// Installs what pip and npm can into a folder, and nothing outside it.
///
/// # Errors
/// If there is no Python or npm, or they fail.
pub fn install(folder: &Path, toolchains: &[Toolchain]) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let shell = Shell::new(&[])?;
    let pip: Vec<&str> = toolchains
        .iter()
        .filter_map(|toolchain| toolchain.pip.as_deref())
        .collect();
    if !pip.is_empty() {
        let packages = pip.join(" ");
        shell.run(
            &format!("python3 -m venv . && bin/pip install --quiet {packages}"),
            folder,
        )?;
    }
    let npm = toolchains.iter().flat_map(|toolchain| &toolchain.npm);
    let npm: Vec<&str> = npm.map(String::as_str).collect();
    if !npm.is_empty() {
        let packages = npm.join(" ");
        shell.run(
            &format!("npm install --prefix . --no-fund --no-audit {packages}"),
            folder,
        )?;
    }
    Ok(())
}

/// Writes what came of a toolchain into the page, or only compares it; whether the page says it.
///
/// # Errors
/// If the page cannot be read or written, or lacks the toolchain.
pub fn keep(toolchain: &Toolchain, tried: &Tried, write: bool) -> Result<bool, String> {
    let file = path(PAGE);
    let old = super::manifest::text(&file)?;
    let new = page::with_toolchain(&old, toolchain, tried)?;
    if write {
        fs::write(&file, &new).map_err(|error| format!("docs/toolchains.md: {error}"))?;
    }
    Ok(write || new == old)
}
