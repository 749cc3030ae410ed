//! Real programs: sources of crates, compiled with a driver.

use std::fs;
use std::process::{Command, Stdio};

use weightware_frontend::Input;
use weightware_isa::Outcome;
use weightware_real::Program;

use super::manifest::path;
use super::{Judge, Measured, Verdict, page};
use crate::streams::Streams;

/// The page.
const PAGE: &str = "../docs/programs.md";

/// Compiles a program, unless that was done before, and runs it. With `native`, the native program
/// must have the output and the exit code of the independent engine.
///
/// # Errors
/// If files cannot be read or written.
pub fn measure(program: &Program, judge: &mut Judge, native: bool) -> Result<Measured, String> {
    let input = input(program)?;
    let module = program
        .module()
        .and_then(|file| fs::read(&file).map_err(|error| format!("{}: {error}", file.display())));
    let wasm = match module {
        Ok(wasm) => wasm,
        Err(problem) => return Ok(Measured::without(Verdict::Unknown(problem))),
    };
    let mut measured = judge.measure(&wasm, &input);
    if native && let Some(said) = natively(program, &input.bytes)? {
        measured.native = Some(match &measured.said {
            Some(wanted) => super::differs(&said, wanted),
            None => Some("there is nothing to compare with".to_owned()),
        });
    }
    Ok(measured)
}

fn input(program: &Program) -> Result<Input, String> {
    Ok(Input {
        bytes: program.input()?,
        arguments: program.words().map(|word| word.into()).collect(),
        ..Input::default()
    })
}

/// The output and the exit code of the native program; none if the manifest does not say how to
/// build it.
fn natively(program: &Program, input: &[u8]) -> Result<Option<super::Said>, String> {
    let Some(file) = program.native()? else {
        return Ok(None);
    };
    let at = |error: std::io::Error| format!("{}: {error}", file.display());
    let mut command = Command::new(&file);
    command.args(program.words().skip(1)).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(at)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program may end before it has read all.
        let _ = std::io::Write::write_all(&mut stdin, input);
    }
    let done = child.wait_with_output().map_err(at)?;
    let code = done
        .status
        .code()
        .ok_or_else(|| format!("{}: {}", file.display(), done.status))?;
    let streams = Streams::new(&done.stdout, &done.stderr);
    Ok(Some((streams, Outcome::Exited(code.cast_unsigned()))))
}

/// Writes the page about all programs, or only compares it; whether the page says it.
///
/// # Errors
/// If the page cannot be written.
pub fn keep(done: &[(Program, Measured)], write: bool) -> Result<bool, String> {
    let file = path(PAGE);
    let new = page::programs(&weightware_real::version()?, done);
    if write {
        fs::write(&file, &new).map_err(|error| format!("docs/programs.md: {error}"))?;
        return Ok(true);
    }
    let old = super::manifest::text(&file)?;
    Ok(page::without_times(&old) == page::without_times(&new))
}
