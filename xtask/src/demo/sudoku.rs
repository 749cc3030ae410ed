//! Sudoku.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;
use weightware::{Computer, Engine};

use super::puzzle::Puzzle;
use super::{EngineArgument, exit_code};
use crate::figures::{Figures, rounded, seconds, thousands};
use crate::live::{Show, watch};
use crate::workspace;

/// Arto Inkala's puzzle.
pub(super) const INKALA: &str =
    "8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4..";

pub(super) const INKALA_SOLUTION: &str =
    "812753649943682175675491283154237896369845721287169534521974368438526917796318452";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 81 cells in reading order: digits, and . or 0 for an empty cell; white space is ignored
    #[arg(value_parser = puzzle, default_value = INKALA, hide_default_value = true)]
    puzzle: Puzzle,
    /// Solve every puzzle of programs/puzzles.txt and print a table
    #[arg(long, conflicts_with = "puzzle")]
    all: bool,
    #[command(flatten)]
    engine: EngineArgument,
}

fn puzzle(text: &str) -> Result<Puzzle, String> {
    text.parse()
}

impl Arguments {
    pub(super) fn run(self) -> Result<()> {
        let EngineArgument { engine } = self.engine;
        if self.all {
            return all(engine);
        }
        println!("{}", self.puzzle);
        let (figures, solution) = solve(&self.puzzle, engine, Show::Output)?;
        println!("{figures}");
        if solution.is_none() {
            println!("Checked: the puzzle has no solution.");
            return Ok(());
        }
        if self.puzzle.line() == INKALA {
            ensure!(
                solution == INKALA_SOLUTION.parse().ok(),
                "wrong: the solution is {INKALA_SOLUTION}"
            );
        }
        println!("Checked: the solution is valid and has the clues.");
        Ok(())
    }
}

/// Solves Inkala's puzzle.
///
/// # Errors
/// If the result is wrong.
pub(crate) fn inkala(engine: Engine, show: Show) -> Result<Figures> {
    let puzzle = INKALA.parse().map_err(|error: String| anyhow!(error))?;
    Ok(solve(&puzzle, engine, show)?.0)
}

/// Lets the transformer solve a puzzle and checks its answer.
fn solve(puzzle: &Puzzle, engine: Engine, show: Show) -> Result<(Figures, Option<Puzzle>)> {
    let source = workspace::program("sudoku.wasm")?;
    let program = source.program(puzzle.line().as_bytes());
    let computer = Computer::default();
    let mut run = computer.run(&program, engine, None)?;
    let figures = watch(&mut run, engine, show, None)?;
    let code = exit_code(&run.end())?;
    let output = String::from_utf8_lossy(run.reader().output());
    if code != 0 {
        ensure!(puzzle.solve().is_none(), "wrong: the puzzle has a solution");
        return Ok((figures, None));
    }
    let Some(solution) = Puzzle::last_in(&output) else {
        bail!("wrong: the program halted without a solution");
    };
    let checked = puzzle.check(&solution);
    checked.map_err(|why| anyhow!("wrong solution: {why}"))?;
    Ok((figures, Some(solution)))
}

/// A line of the table of puzzles: puzzle, solution, name.
fn entry(line: &str) -> Result<(Puzzle, Puzzle, &str)> {
    let mut words = line.splitn(3, char::is_whitespace);
    let (Some(puzzle), Some(solution), Some(name)) = (words.next(), words.next(), words.next())
    else {
        bail!("not a puzzle, a solution and a name: {line}");
    };
    let read = |word: &str| {
        word.parse()
            .map_err(|error: String| anyhow!("{error}: {line}"))
    };
    Ok((read(puzzle)?, read(solution)?, name.trim()))
}

fn all(engine: Engine) -> Result<()> {
    let text = std::fs::read_to_string(workspace::path("programs/puzzles.txt"))
        .context("programs/puzzles.txt")?;
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let start = Instant::now();
    let (mut puzzles, mut wrong, mut tokens) = (0_u32, 0_u32, 0);
    println!(
        "{:32} {:>5} {:>11} {:>9} {:>9}  verdict",
        "puzzle", "clues", "tokens", "time", "tok/s"
    );
    for line in lines {
        let (puzzle, expected, name) = entry(line)?;
        let result = solve(&puzzle, engine, Show::Nothing);
        let (figures, verdict) = match result {
            Ok((figures, Some(solution))) if solution == expected => (Some(figures), Ok(())),
            Ok((figures, _)) => (Some(figures), Err("another solution".to_owned())),
            Err(error) => (None, Err(error.to_string())),
        };
        puzzles += 1;
        wrong += u32::from(verdict.is_err());
        tokens += figures.map_or(0, |figures| figures.tokens);
        println!("{}", row(name, &puzzle, figures, verdict));
    }
    let time = seconds(start.elapsed());
    println!(
        "{puzzles} puzzles, {wrong} wrong, {} tokens, {time}",
        thousands(tokens)
    );
    ensure!(wrong == 0, "{wrong} of {puzzles} puzzles went wrong");
    ensure!(puzzles > 0, "programs/puzzles.txt has no puzzle");
    Ok(())
}

fn row(
    name: &str,
    puzzle: &Puzzle,
    figures: Option<Figures>,
    verdict: Result<(), String>,
) -> String {
    let (tokens, time, speed) = figures.map_or((0, Duration::ZERO, 0.0), |figures| {
        (figures.tokens, figures.decode, figures.speed())
    });
    format!(
        "{name:32} {:5} {:>11} {:>9} {:>9}  {}",
        puzzle.clues(),
        thousands(tokens),
        seconds(time),
        rounded(speed),
        verdict.map_or_else(|why| why, |()| "solved".to_owned()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_table_of_puzzles() {
        let line = format!("{INKALA} {INKALA_SOLUTION} Arto Inkala 2012");
        let (puzzle, solution, name) = entry(&line).unwrap();
        assert_eq!((puzzle.line().as_str(), name), (INKALA, "Arto Inkala 2012"));
        assert_eq!(puzzle.check(&solution), Ok(()));
        assert!(entry(INKALA).is_err());
        assert!(entry(&format!("{INKALA} 12 short")).is_err());
    }
}
