//! Cache of predictions: the argmax of the logits by the bits of the columns that the unembedding
//! reads.

use crate::network::Network;
use crate::plan::exec::state::PlanState;
use crate::plan::float::whole;
use crate::plan::ir::{Output, Register};
use crate::unembed::Scratch;

/// ArgmaxCache so far.
#[derive(Debug)]
pub(crate) struct ArgmaxCache {
    /// Columns and token, by a hash.
    known: Vec<([u64; MOST_COLUMNS], u32)>,
    lines: Vec<Line>,
    /// By line, by the column if that is a small integer: one more than the token, or 0 before the
    /// first time.
    pub(crate) tokens: Vec<u16>,
    scratch: Scratch,
}

/// ArgmaxCache by one column, where all others are constants.
#[derive(Debug)]
struct Line {
    /// All columns, with any number in place of the one.
    columns: Vec<f64>,
    at: usize,
}

const MOST_COLUMNS: usize = 4;
const PREDICTIONS: usize = 1 << 13;

/// There are at most so many lines, of so many integers, half of them negative.
const MOST_LINES: usize = 64;
pub(crate) const LENGTH: usize = 1 << 12;

/// Where the column 0 is.
pub(crate) const MIDDLE: f64 = (LENGTH / 2) as f64;

impl ArgmaxCache {
    pub(crate) fn new() -> Self {
        Self {
            known: Vec::new(),
            lines: Vec::new(),
            tokens: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    /// The same output in less work, by which columns are constants.
    pub(crate) fn simplified(
        &mut self,
        network: &Network,
        output: Output,
        state: &PlanState,
        is_constant: impl Fn(Register) -> bool,
    ) -> Output {
        let Output::Columns(registers) = &output else {
            return output;
        };
        let value = |&register: &Register| state.registers[usize::from(register)];
        let mut columns: Vec<f64> = registers.iter().map(value).collect();
        let mut varying = (0..registers.len()).filter(|&at| !is_constant(registers[at]));
        let (at, further) = (varying.next(), varying.next());
        let Some(at) = at else {
            return Output::Token(self.look(network, &columns));
        };
        if further.is_some() {
            return output;
        }
        columns[at] = 0.0;
        let same = |line: &Line| line.at == at && line.columns == columns;
        let known = self.lines.iter().position(same);
        let line = match known {
            Some(line) => line,
            None if self.lines.len() == MOST_LINES => return output,
            None => {
                self.lines.push(Line { columns, at });
                self.tokens.resize(self.lines.len() * LENGTH, 0);
                self.lines.len() - 1
            }
        };
        Output::Column {
            register: registers[at],
            line: line as u32,
        }
    }

    /// The token for a number in the one column that varies.
    #[inline]
    pub(crate) fn along(&mut self, network: &Network, number: u32, column: f64) -> u32 {
        let at = whole(column + MIDDLE);
        if at < LENGTH && at as f64 - MIDDLE == column {
            let token = &mut self.tokens[number as usize * LENGTH + at];
            if *token == 0 {
                let line = &mut self.lines[number as usize];
                line.columns[line.at] = column;
                // A plan's tokens are fewer than 2^16 - 1.
                *token = look(network, &line.columns, &mut self.scratch) as u16 + 1;
                line.columns[line.at] = 0.0;
            }
            return u32::from(*token) - 1;
        }
        let columns = self.columns(number, column);
        self.of(network, &columns)
    }

    /// Which column of a line varies.
    pub(crate) fn varying(&self, line: u32) -> usize {
        self.lines[line as usize].at
    }

    /// All columns.
    pub(crate) fn columns(&self, line: u32, column: f64) -> Vec<f64> {
        let line = &self.lines[line as usize];
        let mut columns = line.columns.clone();
        columns[line.at] = column;
        columns
    }

    /// The token of the greatest logit; logits do not overflow.
    #[inline(never)]
    pub(crate) fn of(&mut self, network: &Network, columns: &[f64]) -> u32 {
        if columns.len() > MOST_COLUMNS {
            return self.look(network, columns);
        }
        if self.known.is_empty() {
            // No column is this NaN.
            self.known = vec![([u64::MAX; MOST_COLUMNS], 0); PREDICTIONS];
        }
        let mut key = [0; MOST_COLUMNS];
        let mut hash = 0_u64;
        for (bits, column) in key.iter_mut().zip(columns) {
            *bits = (column + 0.0).to_bits();
            hash = (hash.rotate_left(29) ^ *bits).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        let at = (hash >> 48) as usize % PREDICTIONS;
        if self.known[at].0 != key {
            self.known[at] = (key, self.look(network, columns));
        }
        self.known[at].1
    }

    fn look(&mut self, network: &Network, columns: &[f64]) -> u32 {
        look(network, columns, &mut self.scratch)
    }
}

#[cold]
fn look(network: &Network, columns: &[f64], scratch: &mut Scratch) -> u32 {
    let token = network.unembed.argmax_of(columns, scratch);
    token.map_or(0, |token| token.0)
}
