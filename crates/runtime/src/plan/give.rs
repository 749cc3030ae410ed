//! What a program gives on: keys and values to stores, and the token that follows.

use std::sync::Arc;

use super::analysis::Refusal;
use super::compile::{Compiler, Store, cleared};
use super::form::{Range, power};
use super::program::{Op, Output, ZERO};

type Result<T> = std::result::Result<T, Refusal>;

impl Compiler<'_> {
    /// Takes in the token's keys and values, as far as they can matter later.
    pub(crate) fn keys(&mut self) -> Result<()> {
        for sum in 0..self.analysis.sums.len() {
            self.add(sum as u32)?;
        }
        for stream in 0..self.analysis.streams.len() {
            self.keep(stream as u32)?;
        }
        for group in 0..self.analysis.groups.len() {
            self.insert(group as u32)?;
        }
        for hull in 0..self.analysis.hulls.len() {
            self.push(hull as u32)?;
        }
        Ok(())
    }

    /// The token that follows.
    pub(crate) fn output(&mut self) -> Result<()> {
        let rows = Arc::clone(&self.analysis.rows);
        let last = 2 * rows.layers.len();
        let mut columns = Vec::new();
        for &slot in &rows.columns {
            columns.push(self.analysis.slot(self.scope, last, slot)?);
        }
        let ranges: Vec<Range> = columns
            .iter()
            .map(|c| self.analysis.atoms.range(c))
            .collect();
        self.program.output = match certain(&rows.head, rows.vocab, &ranges) {
            Some(token) => Output::Token(token),
            None => {
                let registers = columns.iter().map(|form| self.form(form));
                Output::Columns(registers.collect::<Result<_>>()?)
            }
        };
        Ok(())
    }

    pub(super) fn add(&mut self, sum: u32) -> Result<()> {
        let info = &self.analysis.sums[sum as usize];
        let (at, part) = (info.head, info.part);
        if info.by_id.is_none() && self.known.given.insert(Store::Sum(sum)) {
            let value = self.analysis.value(self.scope, at, part)?;
            let value = self.form(&value)?;
            self.program.ops.push(Op::Add { sum, value });
        }
        Ok(())
    }

    pub(super) fn keep(&mut self, stream: u32) -> Result<()> {
        let (at, part) = self.analysis.streams[stream as usize];
        if self.known.given.insert(Store::Stream(stream)) {
            let value = self.analysis.value(self.scope, at, part)?;
            let value = self.form(&value)?;
            self.program.ops.push(Op::Keep { stream, value });
        }
        Ok(())
    }

    /// Puts the token's key into a group, unless it cannot matter.
    pub(super) fn insert(&mut self, group: u32) -> Result<()> {
        if !self.known.given.insert(Store::Group(group)) {
            return Ok(());
        }
        let info = &self.analysis.groups[group as usize];
        let (latest, layer) = (info.latest, info.layer);
        let (head, values) = (info.heads[0], info.values.clone());
        let [x, y] = self.analysis.key(self.scope, (layer, head))?;
        if latest {
            if self.analysis.atoms.range(&y).hi < self.heights[group as usize] {
                return Ok(());
            }
        } else {
            let bound = self.analysis.rows.layers[layer].heads[head].bound;
            if self.analysis.atoms.lift(&x, &y) <= -cleared(bound) {
                return Ok(());
            }
        }
        let mut registers = Vec::new();
        for (head, part) in values {
            let value = self.analysis.value(self.scope, (layer, head), part)?;
            registers.push(self.form(&value)?);
        }
        let y = self.form(&y)?;
        let op = if latest {
            let values = self.span(registers);
            Op::Raise { group, y, values }
        } else {
            let x = self.form(&x)?;
            let values = self.span(registers);
            Op::Insert {
                group,
                x,
                y,
                values,
            }
        };
        self.program.ops.push(op);
        Ok(())
    }

    pub(super) fn push(&mut self, hull: u32) -> Result<()> {
        if !self.known.given.insert(Store::Hull(hull)) {
            return Ok(());
        }
        let at = self.analysis.hulls[hull as usize];
        let key = self.analysis.key(self.scope, at)?;
        let key = [self.form(&key[0])?, self.form(&key[1])?];
        let mut values = [ZERO; 2];
        for (part, register) in values.iter_mut().enumerate() {
            let value = self.analysis.value(self.scope, at, part)?;
            *register = self.form(&value)?;
        }
        self.program.ops.push(Op::Push { hull, key, values });
        Ok(())
    }
}

/// The token whose logit is the greatest for all values of the columns within ranges, if there is one.
fn certain(head: &[f64], vocab: usize, ranges: &[Range]) -> Option<u32> {
    let columns = ranges.len();
    if columns == 0 {
        return Some(0);
    }
    let row = |token: usize| &head[token * columns..][..columns];
    let middle: Vec<f64> = ranges.iter().map(|r| r.lo / 2.0 + r.hi / 2.0).collect();
    let logit = |token: usize| -> f64 { row(token).iter().zip(&middle).map(|(w, x)| w * x).sum() };
    let mut best = (0, logit(0));
    for token in 1..vocab {
        let logit = logit(token);
        if logit > best.1 {
            best = (token, logit);
        }
    }
    let winner = row(best.0);
    let beaten = (0..vocab).filter(|&token| token != best.0).all(|token| {
        let (mut most, mut mass) = (0.0, 0.0);
        for ((w, v), range) in row(token).iter().zip(winner).zip(ranges) {
            let weight = w - v;
            most += if weight > 0.0 {
                weight * range.hi
            } else {
                weight * range.lo
            };
            mass += (w.abs() + v.abs()) * range.size();
        }
        // What rounding may have done to logits and to this bound.
        most < -mass * (columns + 4) as f64 * power(-50)
    });
    beaten.then_some(best.0 as u32)
}
