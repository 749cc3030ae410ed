//! Programs of others, compiled from the sources that crates of crates.io bundle: SQLite and Lua.
//!
//! They run as any module does, by `weightware run`.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::workspace::{self, shown};

#[derive(Debug, Args)]
pub(crate) struct Sql {
    /// Statements for a database in memory; without them, tests/real/sqlite/input.txt
    sql: Option<String>,
    /// A file of statements
    #[arg(long, conflicts_with = "sql")]
    file: Option<PathBuf>,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Args)]
pub(crate) struct Lua {
    /// The program; without it, tests/real/lua/input.txt
    file: Option<PathBuf>,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Args)]
struct How {
    /// Compile the same sources by cc, too, and compare the outputs
    #[arg(long)]
    native: bool,
    /// Options of `weightware run`, after `--`: `--check`, `--context 1000000`, `--engine hull`
    #[arg(last = true)]
    options: Vec<String>,
}

impl Sql {
    pub(super) fn run(self) -> Result<()> {
        let input = match (self.sql, self.file) {
            (Some(sql), _) => sql.into_bytes(),
            (None, Some(file)) => read(file)?,
            (None, None) => read(workspace::path("tests/real/sqlite/input.txt"))?,
        };
        self.how.run("sqlite", &input)
    }
}

impl Lua {
    pub(super) fn run(self) -> Result<()> {
        let default = || workspace::path("tests/real/lua/input.txt");
        self.how
            .run("lua", &read(self.file.unwrap_or_else(default))?)
    }
}

fn read(file: PathBuf) -> Result<Vec<u8>> {
    fs::read(&file).with_context(|| file.display().to_string())
}

/// The files that the sources are compiled to.
struct Built {
    module: PathBuf,
    native: Option<PathBuf>,
}

impl How {
    fn run(&self, name: &str, input: &[u8]) -> Result<()> {
        let built = Built::of(name, self.native)?;
        let module = shown(&built.module);
        println!("weightware run {module}");
        let words = "run --quiet --profile demo --package weightware-cli -- run --stats";
        let mut command = workspace::cargo(&words.split(' ').collect::<Vec<_>>());
        command.args(&self.options).arg(&built.module);
        command.stderr(Stdio::inherit());
        let Some(native) = built.native else {
            command.stdout(Stdio::inherit());
            let done = given(&mut command, input)?;
            ensure!(done.status.success(), "{module}: {}", done.status);
            return Ok(());
        };
        let done = given(command.stdout(Stdio::piped()), input)?;
        print!("{}", String::from_utf8_lossy(&done.stdout));
        let mut native = Command::new(&native);
        native.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let wanted = given(&mut native, input)?;
        ensure!(
            done.status.code() == wanted.status.code() && done.stdout == wanted.stdout,
            "wrong: the native program ends with {}, and its output is:\n{}",
            wanted.status,
            String::from_utf8_lossy(&wanted.stdout)
        );
        println!("Checked: output and exit code are the native program's.");
        Ok(())
    }
}

impl Built {
    /// Compiles a program, unless that was done before; cargo shows what it builds for that.
    fn of(name: &str, native: bool) -> Result<Self> {
        let words = "run --quiet --profile demo --package weightware-real --";
        let mut command = workspace::cargo(&words.split(' ').collect::<Vec<_>>());
        command.arg(name).args(native.then_some("--native"));
        let done = command.stderr(Stdio::inherit()).output().context("cargo")?;
        ensure!(done.status.success(), "{name} cannot be compiled");
        let files = String::from_utf8(done.stdout).context("the names of the files")?;
        let mut files = files.lines().map(PathBuf::from);
        Ok(Self {
            module: files.next().context("there is no module")?,
            native: files.next(),
        })
    }
}

/// Runs a command with an input to its end.
fn given(command: &mut Command, input: &[u8]) -> Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .spawn()
        .with_context(|| name.clone())?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program may end before it has read all.
        let _ = stdin.write_all(input);
    }
    child.wait_with_output().context(name)
}
