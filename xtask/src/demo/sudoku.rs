//! Sudoku.

use std::path::PathBuf;

use anyhow::{Result, anyhow, ensure};
use clap::Args;
use weightware::{Computer, Engine, Outcome, RunEnd, Source};

use super::puzzle::Puzzle;
use super::puzzle_list::solve_all;
use super::{EngineArgument, exit_code};
use crate::figures::Figures;
use crate::live::{Show, watch};
use crate::workspace;

/// Arto Inkala's puzzle.
pub(crate) const INKALA: &str =
    "8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4..";

pub(crate) const INKALA_SOLUTION: &str =
    "812753649943682175675491283154237896369845721287169534521974368438526917796318452";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 81 cells in reading order: digits, and . or 0 for an empty cell; white space is ignored
    #[arg(value_parser = puzzle, default_value = INKALA, hide_default_value = true)]
    puzzle: Puzzle,
    /// Solve every puzzle of a list, by default programs/puzzles.txt, and print a table: one puzzle
    /// a line, 81 cells with . or 0 for an empty one; its solution and a name or a rating may
    /// follow, separated by white space, commas or semicolons; # begins a comment. A line that is
    /// not a puzzle is reported and skipped
    #[arg(long, value_name = "FILE", num_args = 0..=1, conflicts_with = "puzzle")]
    #[expect(
        clippy::option_option,
        reason = "an option whose value may be left out"
    )]
    all: Option<Option<PathBuf>>,
    /// With --all: write a JSON object with the contents of the table
    #[arg(long, value_name = "PATH", requires = "all")]
    json: Option<PathBuf>,
    /// Tokens after which a puzzle counts as unsolved [default: continue to the horizon]
    #[arg(long, value_name = "N")]
    max_tokens: Option<u64>,
    #[command(flatten)]
    engine: EngineArgument,
}

fn puzzle(text: &str) -> Result<Puzzle, String> {
    text.parse()
}

impl Arguments {
    pub(super) fn run(self) -> Result<()> {
        let solver = Solver::new(self.engine.engine, self.max_tokens)?;
        if let Some(list) = self.all {
            // The solutions of this repository's list are known to be unique.
            let unique = list.is_none();
            let list = list.unwrap_or_else(|| workspace::path("programs/puzzles.txt"));
            return solve_all(&list, unique, &solver, self.json.as_deref());
        }
        println!("{}", self.puzzle);
        let (figures, answer) = solver.solve(&self.puzzle, Show::Output)?;
        println!("{figures}");
        let solution = answer.right()?;
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
    let (figures, answer) = Solver::new(engine, None)?.solve(&puzzle, show)?;
    answer.right()?;
    Ok(figures)
}

/// The result of a puzzle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// A valid grid that has the clues.
    Solution(Puzzle),
    /// The transformer reports that there is no solution, and there is none.
    NoSolution,
    /// The run did not end, for this reason.
    Unsolved(String),
    /// The transformer's answer is wrong.
    Wrong(String),
}

impl Answer {
    /// The solution, if there is one.
    fn right(self) -> Result<Option<Puzzle>> {
        match self {
            Self::Solution(solution) => Ok(Some(solution)),
            Self::NoSolution => Ok(None),
            Self::Unsolved(why) => Err(anyhow!("unsolved: {why}")),
            Self::Wrong(why) => Err(anyhow!("wrong: {why}")),
        }
    }
}

/// The transformer and its program.
pub(super) struct Solver {
    computer: Computer,
    source: Source,
    engine: Engine,
    /// The greatest number of tokens for each puzzle.
    limit: Option<u64>,
}

impl Solver {
    pub(super) fn new(engine: Engine, limit: Option<u64>) -> Result<Self> {
        Ok(Self {
            computer: Computer::default(),
            source: workspace::program("sudoku.wasm")?,
            engine,
            limit,
        })
    }

    /// Solves a puzzle by the transformer and checks its answer.
    pub(super) fn solve(&self, puzzle: &Puzzle, show: Show) -> Result<(Figures, Answer)> {
        let program = self.source.program(puzzle.line().as_bytes());
        let mut run = self.computer.run(&program, self.engine, self.limit)?;
        let figures = watch(&mut run, self.engine, show, None)?;
        let output = String::from_utf8_lossy(run.reader().output());
        Ok((figures, answer(puzzle, &run.end(), &output)))
    }
}

/// The answer that an end and an output amount to.
fn answer(puzzle: &Puzzle, end: &RunEnd, output: &str) -> Answer {
    match end {
        RunEnd::Outcome(Outcome::Halted | Outcome::Exited(0)) => match Puzzle::last_in(output) {
            None => Answer::Wrong("the program halted without a solution".to_owned()),
            Some(solution) => match puzzle.check(&solution) {
                Ok(()) => Answer::Solution(solution),
                Err(why) => Answer::Wrong(why),
            },
        },
        RunEnd::Outcome(Outcome::Exited(_)) if puzzle.solve().is_none() => Answer::NoSolution,
        RunEnd::Outcome(Outcome::Exited(_)) => {
            Answer::Wrong("the puzzle has a solution".to_owned())
        }
        RunEnd::MaxTokens => Answer::Unsolved("the limit on tokens is reached".to_owned()),
        RunEnd::Horizon { position, .. } => Answer::Unsolved(format!("horizon at {position}")),
        other => match exit_code(other) {
            Ok(code) => Answer::Wrong(format!("exit code {code}")),
            Err(error) => Answer::Wrong(error.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use weightware::Trap;

    use super::*;

    #[test]
    fn judges_what_a_run_says() {
        let puzzle: Puzzle = INKALA.parse().unwrap();
        let solution: Puzzle = INKALA_SOLUTION.parse().unwrap();
        let halted = RunEnd::Outcome(Outcome::Halted);
        let text = format!("Solved.\n{INKALA_SOLUTION}\n");
        assert_eq!(answer(&puzzle, &halted, &text), Answer::Solution(solution));
        // A valid grid of another puzzle, a text without a grid, and a claim that there is none.
        let swapped = text.replace('1', "x").replace('2', "1").replace('x', "2");
        let wrong = |answer: Answer| matches!(answer, Answer::Wrong(_));
        assert!(wrong(answer(&puzzle, &halted, &swapped)));
        assert!(wrong(answer(&puzzle, &halted, "Solved.\n")));
        let gave_up = RunEnd::Outcome(Outcome::Exited(1));
        assert!(wrong(answer(&puzzle, &gave_up, "")));
        let none: Puzzle = INKALA.replacen('.', "8", 1).parse().unwrap();
        assert_eq!(answer(&none, &gave_up, ""), Answer::NoSolution);
        // The output of an incomplete run does not count.
        let horizon = RunEnd::Horizon {
            position: 9,
            reason: weightware::HorizonReason::LastPosition(9),
        };
        for end in [RunEnd::MaxTokens, horizon] {
            assert!(matches!(answer(&puzzle, &end, &text), Answer::Unsolved(_)));
        }
        let trapped = RunEnd::Outcome(Outcome::Trapped(Trap::OutOfBounds));
        assert!(wrong(answer(&puzzle, &trapped, &text)));
    }
}
