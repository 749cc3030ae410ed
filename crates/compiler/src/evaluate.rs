//! The exact evaluator: runs a graph on a token stream in integers, without slots, layers or
//! floats. It is the oracle for schedules and weights.
//!
//! Averages are kept as sums, so that a running sum is exact. A lookup compares squared distances
//! first and times second.

use std::cmp::Ordering;

use smallvec::{SmallVec, smallvec};

use crate::form::{Dim, LinearForm};
use crate::graph::{CLEARED, Graph, Key, Origin, Part, Writer, WriterIdx};

/// The keys and values of a lookup, for every token so far.
#[derive(Debug, Clone, Default)]
struct History {
    /// `(index, -square - CLEARED * clear, time)`.
    keys: Vec<(i128, i128, i128)>,
    /// One or two values of each token.
    values: Vec<[i128; 2]>,
    /// For each index, the keys that win for every query.
    greatest: Vec<Greatest>,
    sums: [i128; 2],
}

/// The keys of one index that win for every query: the highest, and the latest of equal height.
/// Several tie if both are equal.
#[derive(Debug, Clone)]
struct Greatest {
    index: i128,
    height: i128,
    time: i128,
    /// The sums of the keys' values.
    sums: [i128; 2],
    count: i128,
}

/// A graph with the tokens that it has processed.
///
/// A token costs O(n) for each lookup that is not by position, where n is the number of different
/// indices of earlier keys.
#[derive(Debug, Clone)]
pub struct Evaluator<'g> {
    graph: &'g Graph,
    order: Vec<WriterIdx>,
    targets: Vec<Vec<(Dim, Part)>>,
    /// The fractional bits of each dimension, until its last writer has written.
    fractions: Vec<u32>,
    /// For each writer, the dimensions with fractional bits that it completes.
    completed: Vec<Vec<Dim>>,
    histories: Vec<History>,
    values: Vec<i128>,
    position: i128,
    /// The first position that was skipped, and how many were.
    skipped: (i128, i128),
}

impl<'g> Evaluator<'g> {
    /// Creates an evaluator that has processed no token.
    ///
    /// # Panics
    /// If the graph has a cycle.
    #[must_use]
    pub fn new(graph: &'g Graph) -> Self {
        let order = graph.order();
        let shifts = |dim: Dim| graph.dims[dim.index()].parts.iter().map(|part| part.shift);
        let fractions: Vec<u32> = graph
            .dims()
            .map(|dim| shifts(dim).max().unwrap_or(0))
            .collect();
        let mut completed = vec![vec![]; graph.writers.len()];
        for dim in graph.dims().filter(|dim| fractions[dim.index()] > 0) {
            let parts = &graph.dims[dim.index()].parts;
            let writes =
                |writer: &&WriterIdx| parts.iter().any(|part| part.output.writer == **writer);
            let last = order
                .iter()
                .rev()
                .find(writes)
                .expect("a part has a writer");
            completed[last.index()].push(dim);
        }
        Self {
            graph,
            order,
            fractions,
            completed,
            targets: graph
                .writers()
                .map(|(writer, _)| with_heirs(graph, graph.targets(writer)))
                .collect(),
            histories: vec![History::default(); graph.writers.len()],
            values: vec![0; graph.dims.len()],
            position: 0,
            skipped: (0, 0),
        }
    }

    /// Continues at a later position, as if `tokens` more tokens had been processed that add
    /// nothing to sums and whose keys no lookup finds. A lookup by position whose query is a
    /// skipped position finds the token before the skipped ones.
    ///
    /// A machine computes there what it computes after this many tokens of other work.
    ///
    /// # Panics
    /// If it has skipped before.
    pub fn skip(&mut self, tokens: u64) {
        assert_eq!(self.skipped.1, 0, "positions are skipped once");
        self.skipped = (self.position, tokens.into());
        self.position += i128::from(tokens);
    }

    /// Appends a token, given by its embedding; its dimensions can then be read.
    pub fn push(&mut self, embedding: &[(Dim, i64)]) {
        for (value, node) in self.values.iter_mut().zip(&self.graph.dims) {
            *value = match node.origin {
                // The position is 1, t and t^2 with integer coefficients in every graph that this
                // crate builds.
                Origin::Position([c0, c1, c2]) => {
                    c0 as i128 + self.position * (c1 as i128 + self.position * c2 as i128)
                }
                Origin::Embedding | Origin::Computed | Origin::Continued(_) => 0,
            };
        }
        for &(dim, value) in embedding {
            self.values[dim.index()] += i128::from(value) << self.fractions[dim.index()];
            for heir in self.graph.heirs(dim) {
                self.values[heir.index()] += i128::from(value);
            }
        }
        for at in 0..self.order.len() {
            let writer = self.order[at];
            let output = self.run(writer);
            for &(dim, part) in &self.targets[writer.index()] {
                let value = i128::from(part.coefficient) * output[part.output.part];
                self.values[dim.index()] += value << (self.fractions[dim.index()] - part.shift);
            }
            for &dim in &self.completed[writer.index()] {
                // Rounds to the nearest integer; no shifted value is half-way between two.
                let fraction = self.fractions[dim.index()];
                let value = &mut self.values[dim.index()];
                *value = (*value + ((1 << fraction) >> 1)) >> fraction;
            }
        }
        self.position += 1;
    }

    /// The value of a dimension at the latest token.
    #[must_use]
    pub fn value(&self, dim: Dim) -> i128 {
        self.values[dim.index()]
    }

    /// The value of a form at the latest token.
    #[must_use]
    pub fn form(&self, form: &LinearForm) -> i128 {
        form.terms()
            .iter()
            .map(|&(dim, coefficient)| i128::from(coefficient) * self.values[dim.index()])
            .sum()
    }

    fn run(&mut self, writer: WriterIdx) -> SmallVec<[i128; 2]> {
        let read = |values: &[LinearForm]| {
            [0, 1].map(|part| values.get(part).map_or(0, |form| self.form(form)))
        };
        match &self.graph.writers[writer.index()].writer {
            Writer::Neuron { value, gate } => smallvec![self.form(value) * self.form(gate).max(0)],
            // Averages are kept as sums.
            Writer::Total { average } => smallvec![self.value(*average)],
            Writer::Table { argument, table } => table.at(self.form(argument)).into(),
            Writer::Average { values } => {
                let values = read(values);
                let sums = &mut self.histories[writer.index()].sums;
                sums.iter_mut()
                    .zip(values)
                    .for_each(|(sum, value)| *sum += value);
                SmallVec::from(*sums)
            }
            Writer::Lookup {
                query,
                scale,
                key,
                values,
            } => {
                let (query, scale, values) = (self.form(query), self.form(scale), read(values));
                let Key {
                    index,
                    square,
                    time,
                    clear,
                    ..
                } = key;
                let penalty = self.form(square) + i128::from(CLEARED) * self.form(clear);
                let point = (self.form(index), -penalty, self.form(time));
                let by_position = self.graph.positions() == *key;
                let point = if by_position {
                    (self.position, -self.position * self.position, 0)
                } else {
                    point
                };
                let history = &mut self.histories[writer.index()];
                history.push(point, values, by_position);
                if by_position && scale > 0 {
                    let nearest = (2 * query + scale)
                        .div_euclid(2 * scale)
                        .clamp(0, self.position);
                    let (first, skipped) = self.skipped;
                    let at = match nearest - first {
                        ..0 => nearest,
                        past if past < skipped => first - 1,
                        _ => nearest - skipped,
                    };
                    let at = usize::try_from(at).expect("a position found is not negative");
                    return history.values[at].into();
                }
                history.find(query, scale).into()
            }
        }
    }
}

/// The terms of a writer, and the same terms for the dimensions that take over those dimensions:
/// each of them is the sum of all that was added to its slot.
fn with_heirs(graph: &Graph, targets: Vec<(Dim, Part)>) -> Vec<(Dim, Part)> {
    let all = targets.into_iter().flat_map(|(dim, part)| {
        let dims = std::iter::once(dim).chain(graph.heirs(dim));
        dims.map(move |dim| (dim, part))
    });
    all.collect()
}

impl History {
    fn push(&mut self, key: (i128, i128, i128), values: [i128; 2], by_position: bool) {
        self.keys.push(key);
        self.values.push(values);
        let (index, height, time) = key;
        let mut known = self.greatest.iter_mut();
        let known = match by_position {
            // Every position is a new index.
            true => None,
            false => known.find(|known| known.index == index),
        };
        let alone = Greatest {
            index,
            height,
            time,
            sums: values,
            count: 1,
        };
        match known {
            None => self.greatest.push(alone),
            Some(known) => match (height, time).cmp(&(known.height, known.time)) {
                Ordering::Less => {}
                Ordering::Equal => {
                    known.sums[0] += values[0];
                    known.sums[1] += values[1];
                    known.count += 1;
                }
                Ordering::Greater => *known = alone,
            },
        }
    }

    /// The values at the greatest `(2 query index - scale (square + CLEARED clear), time)`; the
    /// average if several keys have it.
    fn find(&self, query: i128, scale: i128) -> [i128; 2] {
        if scale <= 0 {
            return self.find_anywhere(query, scale);
        }
        let mut best = None;
        let (mut sums, mut count) = ([0; 2], 0);
        for known in &self.greatest {
            let score = Some((2 * query * known.index + scale * known.height, known.time));
            match score.cmp(&best) {
                Ordering::Less => {}
                Ordering::Equal => {
                    sums[0] += known.sums[0];
                    sums[1] += known.sums[1];
                    count += known.count;
                }
                Ordering::Greater => {
                    best = score;
                    (sums, count) = (known.sums, known.count);
                }
            }
        }
        sums.map(|sum| sum / count)
    }

    /// The values that [`Self::find`] returns, for any scale: a scan over all keys.
    fn find_anywhere(&self, query: i128, scale: i128) -> [i128; 2] {
        let mut best = None;
        let (mut sums, mut count) = ([0; 2], 0);
        for (&(index, height, time), values) in self.keys.iter().zip(&self.values) {
            let score = Some((2 * query * index + scale * height, scale * time));
            if score > best {
                best = score;
                (sums, count) = ([0; 2], 0);
            }
            if score == best {
                sums.iter_mut()
                    .zip(values)
                    .for_each(|(sum, value)| *sum += value);
                count += 1;
            }
        }
        sums.map(|sum| sum / count)
    }
}
