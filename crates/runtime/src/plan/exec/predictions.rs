//! Memoisation of predictions: an array of tokens if one column varies, else the argmax cache.

use crate::argmax_cache::ArgmaxCache;
use crate::network::Network;
use crate::plan::exec::state::PlanState;
use crate::plan::float::whole;
use crate::plan::ir::{Output, Register};

/// The memoised predictions.
#[derive(Debug, Default)]
pub(crate) struct Predictions {
    cache: ArgmaxCache,
    lines: Vec<Line>,
    /// One more than the token for each line and each small integer in the varying column; 0 before
    /// the first prediction.
    pub(crate) tokens: Vec<u16>,
}

/// A line: columns of which all except one are constants.
#[derive(Debug)]
struct Line {
    /// All columns, with any number in place of the varying one.
    columns: Vec<f64>,
    /// The index of the varying column.
    at: usize,
}

/// The most lines that have an array of tokens.
const MOST_LINES: usize = 64;

/// The number of integers of a line, half of them negative.
pub(crate) const LENGTH: usize = 1 << 12;

/// The index of the integer 0 in a line.
pub(crate) const MIDDLE: f64 = (LENGTH / 2) as f64;

impl Predictions {
    /// Simplifies the output of a kernel, given which registers are constant.
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
            return Output::Token(self.search(network, &columns));
        };
        if further.is_some() {
            return output;
        }
        columns[at] = 0.0;
        let is_same = |line: &Line| line.at == at && line.columns == columns;
        let known = self.lines.iter().position(is_same);
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

    /// The token for a number in the varying column of a line.
    #[inline]
    pub(crate) fn along(&mut self, network: &Network, line: u32, column: f64) -> u32 {
        let at = whole(column + MIDDLE);
        if at < LENGTH && at as f64 - MIDDLE == column {
            let entry = line as usize * LENGTH + at;
            if self.tokens[entry] == 0 {
                let columns = self.columns(line, column);
                // A plan's tokens are fewer than 2^16 - 1.
                self.tokens[entry] = self.search(network, &columns) as u16 + 1;
            }
            return u32::from(self.tokens[entry]) - 1;
        }
        let columns = self.columns(line, column);
        self.of(network, &columns)
    }

    /// The index of the varying column of a line.
    pub(crate) fn varying(&self, line: u32) -> usize {
        self.lines[line as usize].at
    }

    /// All columns of a line, given the number in the varying one.
    pub(crate) fn columns(&self, line: u32, column: f64) -> Vec<f64> {
        let line = &self.lines[line as usize];
        let mut columns = line.columns.clone();
        columns[line.at] = column;
        columns
    }

    /// The token of the greatest logit. Bounds prove that logits do not overflow.
    #[inline(never)]
    pub(crate) fn of(&mut self, network: &Network, columns: &[f64]) -> u32 {
        let token = self.cache.argmax(&network.unembed, columns);
        token.map_or(0, |token| token.0)
    }

    /// The token of the greatest logit, without the cache.
    #[cold]
    fn search(&mut self, network: &Network, columns: &[f64]) -> u32 {
        let token = self.cache.search(&network.unembed, columns);
        token.map_or(0, |token| token.0)
    }
}
