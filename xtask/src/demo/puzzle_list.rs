//! Published lists of Sudoku puzzles: parsed, solved, and reported as a table.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::puzzle::Puzzle;
use super::sudoku::{Answer, Solver};
use crate::figures::{Figures, per_second, rounded, seconds};
use crate::live::Show;
use crate::thousands::thousands;

/// Separators between a puzzle, its solution and the rest of a line.
const SEPARATORS: [char; 6] = [',', ';', ' ', '\t', '|', '"'];

/// A puzzle of a list.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    puzzle: Puzzle,
    /// The solution that the list gives.
    solution: Option<Puzzle>,
    name: String,
}

/// The puzzle of a line: the first word of 81 cells. The solution, and a name or a rating, may
/// follow it. `None` for an empty line or a comment after `#`.
fn entry(line: &str, number: usize) -> Result<Option<Entry>, String> {
    let line = line.trim_start_matches('\u{feff}').trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let mut words = line.split(SEPARATORS).filter(|word| !word.is_empty());
    let mut rest = line;
    let mut skip_past = |word: &str| {
        let start = word.as_ptr().addr() - line.as_ptr().addr();
        rest = &line[start + word.len()..];
    };
    let puzzle = words.by_ref().find_map(|word| {
        let puzzle = word.parse::<Puzzle>().ok()?;
        skip_past(word);
        Some(puzzle)
    });
    let Some(puzzle) = puzzle else {
        let longest = line.split(SEPARATORS).max_by_key(|word| word.len());
        let longest = longest.unwrap_or_default();
        return Err(match longest.chars().count() {
            81 => longest.parse::<Puzzle>().err().unwrap_or_default(),
            cells => format!("no word has 81 cells, the longest has {cells}"),
        });
    };
    let solution = words.next().and_then(|word| {
        let solution: Puzzle = word.parse().ok()?;
        let full = solution.clues() == 81;
        full.then(|| skip_past(word))?;
        Some(solution)
    });
    let name = rest.trim_matches(SEPARATORS).trim_start_matches('#').trim();
    Ok(Some(Entry {
        puzzle,
        solution,
        name: match name {
            "" => format!("line {number}"),
            name => name.to_owned(),
        },
    }))
}

/// The number of puzzles with each result.
#[derive(Debug, Default)]
struct Tally {
    solved: u32,
    /// The number of puzzles whose solution is not that of the list.
    otherwise: u32,
    unsolvable: u32,
    unsolved: u32,
    wrong: u32,
    skipped: u32,
    tokens: u64,
    decode: Duration,
}

/// Solves all puzzles of a file and prints a table. A line that is not a puzzle is reported and
/// skipped. With `unique`, a solution has to be that of the list.
///
/// # Errors
/// If an answer is wrong, or there is no puzzle.
pub(super) fn solve_all(
    path: &Path,
    unique: bool,
    solver: &Solver,
    report: Option<&Path>,
) -> Result<()> {
    let shown = path.display();
    // Names may be in any encoding.
    let bytes = fs::read(path).with_context(|| shown.to_string())?;
    let text = String::from_utf8_lossy(&bytes);
    let start = Instant::now();
    let mut tally = Tally::default();
    let mut rows = vec![];
    println!(
        "{:32} {:>5} {:>11} {:>9} {:>9}  verdict",
        "puzzle", "clues", "tokens", "time", "tok/s"
    );
    for (number, line) in (1..).zip(text.lines()) {
        match entry(line, number) {
            Ok(None) => {}
            Ok(Some(entry)) => {
                let (figures, answer) = solver.solve(&entry.puzzle, Show::Nothing)?;
                let verdict = tally.add(&entry, &figures, &answer, unique);
                println!("{}", row(&entry, &figures, &verdict));
                rows.push(json!({
                    "line": number,
                    "name": entry.name,
                    "clues": entry.puzzle.clues(),
                    "tokens": figures.tokens,
                    "seconds": figures.decode.as_secs_f64(),
                    "verdict": verdict,
                }));
            }
            Err(why) => {
                tally.skipped += 1;
                println!("line {number} skipped, no puzzle: {why}");
            }
        }
    }
    println!("{}", tally.summary(start.elapsed()));
    if let Some(report) = report {
        let text = tally.json(start.elapsed(), rows).to_string();
        fs::write(report, text + "\n").with_context(|| report.display().to_string())?;
    }
    let puzzles = tally.puzzles();
    ensure!(
        tally.wrong == 0,
        "{} of {puzzles} puzzles went wrong",
        tally.wrong
    );
    ensure!(puzzles > 0, "{shown} has no puzzle");
    Ok(())
}

impl Tally {
    /// Counts an answer and describes it.
    fn add(&mut self, entry: &Entry, figures: &Figures, answer: &Answer, unique: bool) -> String {
        self.tokens += figures.tokens;
        self.decode += figures.decode;
        let (count, verdict) = match answer {
            Answer::Solution(solution) if entry.solution.is_none_or(|one| one == *solution) => {
                (&mut self.solved, "solved".to_owned())
            }
            Answer::Solution(_) if unique => {
                (&mut self.wrong, "wrong: another solution".to_owned())
            }
            Answer::Solution(_) => {
                self.otherwise += 1;
                (
                    &mut self.solved,
                    "solved, not as the list has it".to_owned(),
                )
            }
            Answer::NoSolution => (&mut self.unsolvable, "has no solution".to_owned()),
            Answer::Unsolved(why) => (&mut self.unsolved, format!("unsolved: {why}")),
            Answer::Wrong(why) => (&mut self.wrong, format!("wrong: {why}")),
        };
        *count += 1;
        verdict
    }

    fn puzzles(&self) -> u32 {
        self.solved + self.unsolvable + self.unsolved + self.wrong
    }

    fn speed(&self) -> f64 {
        per_second(self.tokens, self.decode)
    }

    fn summary(&self, all: Duration) -> String {
        let otherwise = match self.otherwise {
            0 => String::new(),
            count => format!(" ({count} of them not as the list has it)"),
        };
        let mut text = format!(
            "{} puzzles: {} solved{otherwise}, {} wrong, {} unsolved",
            self.puzzles(),
            self.solved,
            self.wrong,
            self.unsolved
        );
        if self.unsolvable > 0 {
            text += &format!(", {} without a solution", self.unsolvable);
        }
        if self.skipped > 0 {
            text += &format!("; lines skipped: {}", self.skipped);
        }
        format!(
            "{text}; {} tokens, {} tok/s, {} in all",
            thousands(self.tokens),
            rounded(self.speed()),
            seconds(all)
        )
    }

    fn json(&self, all: Duration, rows: Vec<Value>) -> Value {
        json!({
            "puzzles": self.puzzles(),
            "solved": self.solved,
            "solved_otherwise": self.otherwise,
            "no_solution": self.unsolvable,
            "unsolved": self.unsolved,
            "wrong": self.wrong,
            "skipped_lines": self.skipped,
            "tokens": self.tokens,
            "seconds": all.as_secs_f64(),
            "tokens_per_second": self.speed(),
            "rows": rows,
        })
    }
}

fn row(entry: &Entry, figures: &Figures, verdict: &str) -> String {
    let name: String = entry
        .name
        .chars()
        .filter(|c| !c.is_control())
        .take(32)
        .collect();
    format!(
        "{name:32} {:5} {:>11} {:>9} {:>9}  {verdict}",
        entry.puzzle.clues(),
        thousands(figures.tokens),
        seconds(figures.decode),
        rounded(figures.speed()),
    )
}

#[cfg(test)]
mod tests {
    use weightware::Engine;

    use super::super::sudoku::{INKALA, INKALA_SOLUTION};
    use super::*;

    /// The puzzle, whether the line has a solution, and the name.
    #[track_caller]
    fn read(line: &str) -> (String, bool, String) {
        let entry = entry(line, 7).unwrap().unwrap();
        let solution: Option<Puzzle> = INKALA_SOLUTION.parse().ok();
        assert!(entry.solution.is_none() || entry.solution == solution);
        (entry.puzzle.line(), entry.solution.is_some(), entry.name)
    }

    #[test]
    fn reads_lines_as_lists_have_them() {
        let zeros = INKALA.replace('.', "0");
        let (solution, alone) = (INKALA_SOLUTION, "line 7".to_owned());
        for (line, solved, name) in [
            // Norvig's top95 and hardest; the puzzles of 17 clues; the line ends of other systems.
            (INKALA.to_owned(), false, alone.as_str()),
            (zeros.clone(), false, &alone),
            (format!("{zeros}\r"), false, &alone),
            (format!("\u{feff}{zeros}  "), false, &alone),
            // A solution, as in tables of millions of puzzles; quoted; with a number before, and
            // ratings after.
            (format!("{zeros},{solution}"), true, &alone),
            (format!("\"{zeros}\",\"{solution}\""), true, &alone),
            (format!("1,{INKALA},{solution},21,5.4"), true, "21,5.4"),
            (
                format!("{INKALA};{solution};hard; 2012"),
                true,
                "hard; 2012",
            ),
            (
                format!("{INKALA} {solution} Arto Inkala, 2012"),
                true,
                "Arto Inkala, 2012",
            ),
            (format!("{INKALA}\t{solution}"), true, &alone),
            // A name or a rating.
            (format!("{INKALA};hardest;11.9"), false, "hardest;11.9"),
            (
                format!("{INKALA} ED=10.5/1.2/1.2"),
                false,
                "ED=10.5/1.2/1.2",
            ),
            (format!("{INKALA} # 21 clues"), false, "21 clues"),
            (format!("{INKALA},{INKALA}"), false, INKALA),
        ] {
            assert_eq!(
                read(&line),
                (INKALA.to_owned(), solved, name.to_owned()),
                "{line}"
            );
        }
        for line in ["", "   ", "# comment", "\u{feff}# comment", "#"] {
            assert_eq!(entry(line, 1), Ok(None), "{line:?}");
        }
    }

    #[test]
    fn tells_why_a_line_is_no_puzzle() {
        for (line, why) in [
            ("puzzle,solution", "no word has 81 cells, the longest has 8"),
            ("49151", "no word has 81 cells, the longest has 5"),
            (&INKALA[1..], "no word has 81 cells, the longest has 80"),
            (
                &format!("{INKALA}."),
                "no word has 81 cells, the longest has 82",
            ),
            (
                &INKALA.replace('6', "x"),
                "cell 13 is 'x': it must be a digit, or . or 0 if empty",
            ),
            (";;;", "no word has 81 cells, the longest has 0"),
        ] {
            assert_eq!(entry(line, 1), Err(why.to_owned()), "{line}");
        }
    }

    fn figures() -> Figures {
        Figures {
            engine: Engine::Plan,
            prompt: 10,
            prefill: Duration::ZERO,
            tokens: 1_000,
            lines: 200,
            decode: Duration::from_millis(1),
        }
    }

    #[test]
    fn counts_what_came_of_it() {
        let solution: Puzzle = INKALA_SOLUTION.parse().unwrap();
        let other: Puzzle = INKALA.parse().unwrap();
        let mut listed = entry(&format!("{INKALA},{INKALA_SOLUTION}"), 1)
            .unwrap()
            .unwrap();
        let mut tally = Tally::default();
        let mut add = |entry: &Entry, answer: Answer, unique: bool| {
            tally.add(entry, &figures(), &answer, unique)
        };
        assert_eq!(add(&listed, Answer::Solution(solution), true), "solved");
        assert!(add(&listed, Answer::Solution(other), true).starts_with("wrong"));
        assert!(add(&listed, Answer::Solution(other), false).starts_with("solved, not"));
        listed.solution = None;
        assert_eq!(add(&listed, Answer::Solution(other), true), "solved");
        add(&listed, Answer::NoSolution, false);
        assert_eq!(
            add(&listed, Answer::Unsolved("horizon".into()), false),
            "unsolved: horizon"
        );
        assert_eq!(
            add(&listed, Answer::Wrong("bad".into()), false),
            "wrong: bad"
        );
        tally.skipped = 2;
        let summary = tally.summary(Duration::from_secs(1));
        assert_eq!(
            summary,
            "7 puzzles: 3 solved (1 of them not as the list has it), 2 wrong, 1 unsolved, 1 without a solution; lines \
             skipped: 2; 7,000 tokens, 1,000,000 tok/s, 1.0 s in all"
        );
        let json = tally.json(Duration::from_secs(1), vec![]);
        assert_eq!((&json["puzzles"], &json["wrong"]), (&7.into(), &2.into()));
    }
}
