//! Sudoku puzzles in plain Rust: parser, printer, checker and solver.

use std::fmt;
use std::str::FromStr;

/// 81 cells in reading order, 0 where there is no digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Puzzle([u8; 81]);

impl FromStr for Puzzle {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let cells = text.chars().filter(|c| !c.is_whitespace()).zip(1..);
        let cells = cells.map(|(c, number)| match c {
            '.' => Ok(0),
            '0'..='9' => Ok(c as u8 - b'0'),
            _ => Err(format!(
                "cell {number} is {c:?}: it must be a digit, or . or 0 if empty"
            )),
        });
        let cells = cells.collect::<Result<Vec<_>, _>>()?;
        let cells = cells
            .try_into()
            .map_err(|cells: Vec<_>| format!("there are {} cells: a puzzle has 81", cells.len()))?;
        Ok(Self(cells))
    }
}

/// Nine lines of nine cells.
impl fmt::Display for Puzzle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in self.0.chunks(9) {
            let cells: Vec<_> = row
                .iter()
                .map(|&cell| character(cell).to_string())
                .collect();
            writeln!(f, "{}", cells.join(" "))?;
        }
        Ok(())
    }
}

fn character(cell: u8) -> char {
    if cell == 0 {
        '.'
    } else {
        char::from(b'0' + cell)
    }
}

impl Puzzle {
    /// 81 characters, with a dot for an empty cell.
    pub(crate) fn line(&self) -> String {
        self.0.iter().map(|&cell| character(cell)).collect()
    }

    /// The last line of a text that consists of a grid of digits.
    pub(crate) fn last_in(text: &str) -> Option<Self> {
        let grids = text.lines().rev().filter(|line| line.len() == 81);
        let mut grids = grids.filter_map(|line| line.parse().ok());
        grids.find(|grid: &Self| !grid.0.contains(&0))
    }

    /// The number of cells with a digit.
    pub(crate) fn clues(&self) -> usize {
        self.0.iter().filter(|&&cell| cell != 0).count()
    }

    /// Checks whether another grid is a solution of this one.
    ///
    /// # Errors
    /// The reason for which it is not.
    pub(crate) fn check(&self, solution: &Self) -> Result<(), String> {
        for (cell, (&clue, &digit)) in self.0.iter().zip(&solution.0).enumerate() {
            let (row, column) = (cell / 9 + 1, cell % 9 + 1);
            if clue != 0 && clue != digit {
                return Err(format!(
                    "row {row}, column {column} is {digit}, the clue is {clue}"
                ));
            }
            if digit == 0 || solution.peers(cell) & 1 << digit != 0 {
                return Err(format!("row {row}, column {column}: {digit} does not fit"));
            }
        }
        Ok(())
    }

    /// A solution, found by trying the cell with the fewest candidates.
    pub(crate) fn solve(&self) -> Option<Self> {
        let given = (0..81).filter(|&cell| self.0[cell] != 0);
        for cell in given {
            if self.peers(cell) & 1 << self.0[cell] != 0 {
                return None;
            }
        }
        self.search()
    }

    fn search(&self) -> Option<Self> {
        let free = (0..81).filter(|&cell| self.0[cell] == 0);
        let candidates = free.map(|cell| (!self.peers(cell) & 0x3fe, cell));
        let Some((digits, cell)) = candidates.min_by_key(|(digits, _)| digits.count_ones()) else {
            return Some(*self);
        };
        (1..=9)
            .filter(|digit| digits & 1 << digit != 0)
            .find_map(|digit| {
                let mut next = *self;
                next.0[cell] = digit;
                next.search()
            })
    }

    /// The digits in a cell's row, column and box, without the cell itself, as bits.
    fn peers(&self, cell: usize) -> u16 {
        let (row, column) = (cell / 9, cell % 9);
        (0..81)
            .filter(|&other| {
                let (r, c) = (other / 9, other % 9);
                let boxed = r / 3 == row / 3 && c / 3 == column / 3;
                other != cell && (r == row || c == column || boxed)
            })
            .fold(0, |digits, other| digits | 1 << self.0[other])
    }
}

#[cfg(test)]
mod tests {
    use super::super::sudoku::{INKALA, INKALA_SOLUTION};
    use super::*;

    fn inkala() -> Puzzle {
        INKALA.parse().unwrap()
    }

    #[test]
    fn reads_and_prints() {
        let puzzle = inkala();
        assert_eq!(puzzle.clues(), 21);
        assert_eq!(puzzle.line(), INKALA);
        assert!(
            puzzle
                .to_string()
                .starts_with("8 . . . . . . . .\n. . 3 6 . . . . .\n")
        );
        assert_eq!(puzzle.to_string().parse(), Ok(puzzle));
        assert_eq!(INKALA.replace('.', "0").parse(), Ok(puzzle));
    }

    #[test]
    fn refuses_what_is_no_puzzle() {
        let error = |text: &str| text.parse::<Puzzle>().unwrap_err();
        assert_eq!(error(&INKALA[1..]), "there are 80 cells: a puzzle has 81");
        assert!(error(&format!("{INKALA}.")).starts_with("there are 82"));
        assert!(error(&INKALA.replace('6', "x")).starts_with("cell 13 is 'x'"));
    }

    #[test]
    fn checks_solutions() {
        let (puzzle, solution) = (inkala(), INKALA_SOLUTION.parse::<Puzzle>().unwrap());
        assert_eq!(puzzle.check(&solution), Ok(()));
        assert_eq!(puzzle.solve(), Some(solution));
        assert!(puzzle.check(&puzzle).is_err());
        // With two digits exchanged everywhere the grid is valid, and solves another puzzle.
        let other = INKALA_SOLUTION
            .replace('1', "x")
            .replace('2', "1")
            .replace('x', "2");
        let error = puzzle.check(&other.parse().unwrap()).unwrap_err();
        assert!(error.contains("the clue is 2"), "{error}");
        let mut wrong = solution;
        wrong.0[1] = 8;
        assert!(puzzle.check(&wrong).is_err());
    }

    #[test]
    fn finds_that_there_is_no_solution() {
        let mut puzzle = inkala();
        puzzle.0[1] = 8;
        assert_eq!(puzzle.solve(), None);
        // The only solution has 1 there.
        let mut puzzle = inkala();
        puzzle.0[1] = 2;
        assert_eq!(puzzle.solve(), None);
    }

    #[test]
    fn finds_the_solution_in_what_a_program_says() {
        let text = format!("Solved.\n8 1 2\n{INKALA_SOLUTION}\n");
        assert_eq!(Puzzle::last_in(&text), INKALA_SOLUTION.parse().ok());
        assert_eq!(Puzzle::last_in(&format!("{INKALA}\nno solution\n")), None);
    }
}
