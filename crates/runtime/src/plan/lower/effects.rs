//! Lowering of a token's effects: the keys and values that it appends, and the predicted token.

use std::sync::Arc;

use weightware_analysis::{Interner, PolyId, Polynomial, Range, power};

use crate::key_box::{FAR, cleared};
use crate::plan::ir::{Inst, Output, ZERO};
use crate::plan::lower::compiler::{Compiler, Result, Store};

impl Compiler<'_> {
    /// Lowers the appending of the token's keys and values, except keys that cannot win, and checks
    /// of tables' arguments.
    pub(crate) fn keys(&mut self) -> Result<()> {
        let mut limits: Vec<(PolyId, f64)> = vec![];
        for limit in self.analysis.unlimited(self.scope)? {
            let implies = |one, other| implies(&self.analysis.interner, one, other);
            if !limits.iter().any(|&known| implies(known, limit)) {
                limits.retain(|&known| !implies(limit, known));
                limits.push(limit);
            }
        }
        for (argument, most) in limits {
            self.limit(argument, most)?;
        }
        for sum in 0..self.analysis.layout.sums.len() {
            self.add(sum as u32)?;
        }
        for stream in 0..self.analysis.layout.streams.len() {
            self.keep(stream as u32)?;
        }
        for group in 0..self.analysis.layout.groups.len() {
            self.insert(group as u32)?;
        }
        for hull in 0..self.analysis.layout.hulls.len() {
            self.push(hull as u32)?;
        }
        Ok(())
    }

    /// Lowers the check that a table's argument is at most a limit.
    ///
    /// If the constant part of the argument is small, the rest is compared, with room for any small
    /// constant. So a kernel that is linked to another need not compare a rest that stays.
    fn limit(&mut self, argument: PolyId, most: f64) -> Result<()> {
        const SMALL: f64 = (1 << 12) as f64;
        let constant = self.analysis.interner[argument].coefficient((0, 0));
        if constant.abs() > SMALL || most < 2.0 * SMALL {
            let number = self.form(argument)?;
            self.kernel.ops.push(Inst::Limit { number, most });
            return Ok(());
        }
        let rest = self.analysis.interner[argument].without_constant();
        let rest = self.analysis.interner.id(rest);
        if self.carried.is_some() && self.form_stays(rest)? {
            return Ok(());
        }
        let number = self.form(rest)?;
        let most = most - SMALL;
        self.kernel.ops.push(Inst::Limit { number, most });
        Ok(())
    }

    /// Lowers the prediction.
    pub(crate) fn output(&mut self) -> Result<()> {
        let rows = Arc::clone(&self.analysis.rows);
        let last = 2 * rows.layers.len();
        let mut columns = Vec::new();
        for &slot in &rows.columns {
            columns.push(self.analysis.slot(self.scope, last, slot)?);
        }
        self.kernel.output = match self.certain(&columns) {
            Some(token) => Output::Token(token),
            None => {
                let registers = columns.iter().map(|&form| self.form(form));
                Output::Columns(registers.collect::<Result<_>>()?)
            }
        };
        Ok(())
    }

    /// The token that wins for all values of the columns, if there is one.
    fn certain(&mut self, columns: &[PolyId]) -> Option<u32> {
        let ranges = columns.iter().map(|&c| self.analysis.interner.bounds(c));
        let ranges: Vec<Range> = ranges.collect();
        // The prediction of constant columns is computed once, when the kernel is kept.
        if ranges.iter().all(|range| range.lo == range.hi) {
            return None;
        }
        let bounds = ranges.iter().map(|r| [r.lo.to_bits(), r.hi.to_bits()]);
        let bounds: Box<[[u64; 2]]> = bounds.collect();
        if let Some(known) = self.constants.certain.get(&bounds) {
            return *known;
        }
        let rows = &self.analysis.rows;
        let token = certain(&rows.head, rows.vocab, &ranges);
        self.constants.certain.insert(bounds, token);
        token
    }

    pub(crate) fn add(&mut self, sum: u32) -> Result<()> {
        let info = &self.analysis.layout.sums[sum as usize];
        let (at, part) = (info.head, info.part);
        if info.by_id.is_none() && self.known.given.insert(Store::Sum(sum)) {
            let value = self.analysis.value(self.scope, at, part)?;
            if value.is_zero() {
                return Ok(());
            }
            let value = self.form(value)?;
            let to = self.constants.layout.sum(sum);
            self.kernel.ops.push(Inst::Add { sum, to, value });
        }
        Ok(())
    }

    pub(crate) fn keep(&mut self, stream: u32) -> Result<()> {
        let (at, part) = self.analysis.layout.streams[stream as usize];
        if self.known.given.insert(Store::Stream(stream)) {
            let value = self.analysis.value(self.scope, at, part)?;
            let value = self.form(value)?;
            self.kernel.ops.push(Inst::StoreStream { stream, value });
        }
        Ok(())
    }

    /// Lowers the insertion of the token's key into a group, unless the key cannot win.
    pub(crate) fn insert(&mut self, group: u32) -> Result<()> {
        if !self.known.given.insert(Store::Group(group)) {
            return Ok(());
        }
        let info = &self.analysis.layout.groups[group as usize];
        let (latest, layer) = (info.latest, info.layer);
        let (head, values) = (info.heads[0], info.values.clone());
        let [x, y] = self.analysis.key(self.scope, (layer, head))?;
        if latest {
            if self.analysis.interner.bounds(y).hi < self.heights[group as usize] {
                return Ok(());
            }
        } else {
            let bound = self.analysis.rows.layers[layer].heads[head].bound;
            let interner = &mut self.analysis.interner;
            if interner.lifts_at_most(-cleared(bound), x, y) {
                if !interner.lifts_at_most(-FAR, x, y) {
                    self.constants.omits_near.insert(group);
                }
                return Ok(());
            }
        }
        self.touched.insert(group);
        let mut registers = Vec::new();
        for (head, part) in values {
            let value = self.analysis.value(self.scope, (layer, head), part)?;
            registers.push(self.form(value)?);
        }
        let y = self.form(y)?;
        let op = if latest {
            let values = self.span(registers);
            let height = self.constants.layout.height(group);
            let group = group as u16;
            Inst::UpdateMax {
                group,
                y,
                values,
                height,
            }
        } else {
            let x = self.form(x)?;
            let values = self.span(registers);
            Inst::Insert {
                group: group as u16,
                x,
                y,
                values,
            }
        };
        self.kernel.ops.push(op);
        if latest {
            self.round(group);
        }
        Ok(())
    }

    /// Lowers the rounding of the values at the highest key that are close to integers.
    fn round(&mut self, group: u32) {
        for (value, nearness) in self.analysis.layout.groups[group as usize]
            .nearness
            .iter()
            .enumerate()
        {
            if nearness.is_some() {
                let of = self.constants.layout.latest(group, value);
                self.kernel.ops.push(Inst::RoundToInt { to: of + 1, of });
            }
        }
    }

    pub(crate) fn push(&mut self, hull: u32) -> Result<()> {
        if !self.known.given.insert(Store::Hull(hull)) {
            return Ok(());
        }
        let at = self.analysis.layout.hulls[hull as usize];
        let key = self.analysis.key(self.scope, at)?;
        let key = [self.form(key[0])?, self.form(key[1])?];
        let mut values = [ZERO; 2];
        for (part, register) in values.iter_mut().enumerate() {
            let value = self.analysis.value(self.scope, at, part)?;
            *register = self.form(value)?;
        }
        self.kernel.ops.push(Inst::PushHull { hull, key, values });
        Ok(())
    }
}

/// Whether one form's limit implies another's: `factor * one + constant` is the other one.
fn implies(interner: &Interner, one: (PolyId, f64), other: (PolyId, f64)) -> bool {
    let [of_one, of_other] = [one, other].map(|(form, _)| &interner[form]);
    let lead = |form: &Polynomial| form.without_constant().terms().first().copied();
    let (Some((monomial, weight)), Some((same, by))) = (lead(of_one), lead(of_other)) else {
        return false;
    };
    let factor = by / weight;
    let rest = of_other.plus(-factor, of_one);
    let constant = rest.and_then(|rest| rest.as_constant());
    let most = constant.map(|constant| factor * one.1 + constant);
    monomial == same && factor > 0.0 && most.is_some_and(|most| most <= other.1)
}

/// The token whose logit is the greatest for all values of the columns within ranges, if there is
/// one. `head` has the unembedding's weights of each column.
fn certain(head: &[Vec<f64>], vocab: usize, ranges: &[Range]) -> Option<u32> {
    const CHUNK: usize = 64;
    let chunks = || {
        let starts = (0..vocab).step_by(CHUNK);
        starts.map(|start| start..vocab.min(start + CHUNK))
    };
    // The approximate winner at one corner of the ranges. A token that wins everywhere is this one.
    let mut best = (f64::NEG_INFINITY, 0);
    for tokens in chunks() {
        let mut logits = [0.0; CHUNK];
        for (weights, range) in head.iter().zip(ranges) {
            for (logit, weight) in logits.iter_mut().zip(&weights[tokens.clone()]) {
                *logit += weight * range.lo;
            }
        }
        for (token, &logit) in tokens.zip(&logits) {
            if logit > best.0 {
                best = (logit, token);
            }
        }
    }
    let best = best.1;
    // The relative rounding error of logits and of the bound.
    let slack = (head.len() + 4) as f64 * power(-50);
    let beaten = chunks().all(|tokens| {
        // A lower bound of the lead over each token, and the magnitude of its summands.
        let (mut least, mut mass) = ([0.0; CHUNK], [0.0; CHUNK]);
        for (weights, range) in head.iter().zip(ranges) {
            let (of_best, size) = (weights[best], range.size());
            let weights = &weights[tokens.clone()];
            for ((least, mass), w) in least.iter_mut().zip(&mut mass).zip(weights) {
                let weight = of_best - w;
                *least += weight * if weight > 0.0 { range.lo } else { range.hi };
                *mass += (w.abs() + of_best.abs()) * size;
            }
        }
        let mut all = tokens.zip(least.iter().zip(&mass));
        all.all(|(token, (least, mass))| token == best || *least > mass * slack)
    });
    beaten.then_some(best as u32)
}
