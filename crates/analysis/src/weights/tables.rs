//! Tables: neurons of one layer that together compute functions of an integer.
//!
//! ```text
//! f(x) = sum over neurons of change * relu(x - at)
//! ```
//! A group of neurons is a table if their gates differ only by multiples of an input that is 1, and
//! their values are that input. Then x, the argument, is the gate without that input. All weights
//! must be integers, and f must be constant from some integer on. So f can be looked up instead of
//! being added up, as long as no sum is rounded: see [`Table::limit`].

use std::collections::{BTreeMap, BTreeSet};

use weightware_model::{LayerWeights, Model};

use crate::weights::rows::{Entry, Row, row_of};

/// The least number of neurons that make a table. Fewer are evaluated one by one.
const FEWEST: usize = 8;

/// The greatest distance between the first and the last bend.
const LONGEST: f64 = (1 << 24) as f64;

/// Sums of integers below this are exact, also with as many others.
const EXACT: f64 = (1_u64 << 52) as f64;

/// Functions of an integer, computed by neurons of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The argument, as a row over slots.
    pub argument: Row,
    /// The slot whose number must be 1.
    pub unit: usize,
    /// The argument up to which all functions are 0.
    pub first: f64,
    /// The argument up to which no sum of the neurons' products exceeds 2^52, in any order, so that
    /// all are exact. From some smaller one on the functions are 0.
    pub limit: f64,
    /// The functions: each one's slot, and its values from `first` on. It is 0 after the last.
    pub columns: Vec<(usize, Vec<f64>)>,
}

impl Table {
    /// The value of a column at an integer, if that is at most the limit.
    #[inline]
    #[must_use]
    pub fn at(&self, column: usize, argument: f64) -> Option<f64> {
        let past = argument - self.first;
        if past <= 0.0 {
            return Some(0.0);
        }
        let values = &self.columns[column].1;
        match values.get(past as usize) {
            Some(&value) => Some(value),
            None => (argument <= self.limit).then_some(0.0),
        }
    }

    /// The least and the greatest value of a column.
    #[must_use]
    pub fn bounds(&self, column: usize) -> [f64; 2] {
        let values = self.columns[column].1.iter();
        values.fold([0.0; 2], |[lo, hi], &value| [lo.min(value), hi.max(value)])
    }
}

/// The tables of a layer, and its other neurons.
#[derive(Debug)]
pub struct LayerTables {
    /// The tables.
    pub tables: Vec<Table>,
    /// The neurons of the layer that belong to no table, ascending.
    pub others: Vec<usize>,
}

impl LayerTables {
    /// The tables of every layer of a model. Takes O(weights).
    #[must_use]
    pub fn of(model: &Model) -> Vec<Self> {
        let units = units(model);
        let layers = model.weights.layers.iter();
        let found = layers.map(|layer| {
            let (tables, members) = tables(layer, &units);
            let others = (0..layer.neurons()).filter(|neuron| !members.contains(neuron));
            Self {
                tables,
                others: others.collect(),
            }
        });
        found.collect()
    }
}

/// The slots that hold 1 at every token, or at every token except some that hold 0.
fn units(model: &Model) -> Vec<bool> {
    let weights = &model.weights;
    let mut units = vec![true; model.config.shape.d_model];
    for feature in &model.config.position_features {
        units[feature.slot] = false;
    }
    for (slot, unit) in units.iter_mut().enumerate() {
        let tokens = (0..weights.tok.rows).map(|token| weights.tok.row(token)[slot]);
        let written = |layer: &LayerWeights| {
            [&layer.out_proj, &layer.ff_out]
                .into_iter()
                .any(|matrix| !matrix.row_is_zero(slot))
        };
        *unit &= tokens
            .into_iter()
            .all(|number| number == 0.0 || number == 1.0)
            && !weights.layers.iter().any(written);
    }
    units
}

/// Neurons that may make a table: the argument, the unit and the value's weight.
type Signature = (Vec<(u32, u64)>, usize, u64);

/// The tables of a layer, and the neurons that belong to one.
fn tables(weights: &LayerWeights, units: &[bool]) -> (Vec<Table>, BTreeSet<usize>) {
    let mut groups: BTreeMap<Signature, Vec<(f64, usize)>> = BTreeMap::new();
    let is_whole = |weight: f64| weight.fract() == 0.0 && weight.abs() < EXACT;
    for neuron in 0..weights.neurons() {
        let value = row_of(&weights.ff_in, weights.neurons() + neuron);
        let &[Entry { input, weight }] = &value[..] else {
            continue;
        };
        let unit = input as usize;
        let gate = row_of(&weights.ff_in, neuron);
        if !units[unit] || !gate.iter().all(|entry| is_whole(entry.weight)) || !is_whole(weight) {
            continue;
        }
        let at = gate.iter().find(|entry| entry.input == input);
        let at = at.map_or(0.0, |entry| -entry.weight);
        let argument = gate.iter().filter(|entry| entry.input != input);
        let argument = argument.map(|entry| (entry.input, entry.weight.to_bits()));
        let signature = (argument.collect(), unit, weight.to_bits());
        groups.entry(signature).or_default().push((at, neuron));
    }
    let (mut tables, mut members) = (vec![], BTreeSet::new());
    for ((argument, unit, factor), mut neurons) in groups {
        if neurons.len() < FEWEST {
            continue;
        }
        neurons.sort_by(|a, b| a.0.total_cmp(&b.0));
        let argument = argument.into_iter().map(|(input, bits)| Entry {
            input,
            weight: f64::from_bits(bits),
        });
        if let Some(columns) = columns(weights, &neurons, f64::from_bits(factor)) {
            let (first, limit) = (neurons[0].0, columns.limit);
            tables.push(Table {
                argument: argument.collect(),
                unit,
                first,
                limit,
                columns: columns.values,
            });
            members.extend(neurons.into_iter().map(|(_, neuron)| neuron));
        }
    }
    (tables, members)
}

struct Columns {
    values: Vec<(usize, Vec<f64>)>,
    limit: f64,
}

/// The functions that neurons compute, from their bends in ascending order. `None` if they are not
/// integers, or do not end with 0.
fn columns(weights: &LayerWeights, neurons: &[(f64, usize)], factor: f64) -> Option<Columns> {
    let (first, last) = (neurons.first()?.0, neurons.last()?.0);
    if last - first > LONGEST {
        return None;
    }
    let (mut values, mut limit) = (vec![], f64::INFINITY);
    for slot in 0..weights.ff_out.rows {
        let row = weights.ff_out.row(slot);
        let changes = || {
            neurons
                .iter()
                .map(|&(at, neuron)| (at, row[neuron] * factor))
        };
        if changes().all(|(_, change)| change == 0.0) {
            continue;
        }
        if !changes().all(|(_, change)| change.fract() == 0.0 && change.abs() < EXACT) {
            return None;
        }
        let mut column = vec![0.0; (last - first) as usize + 1];
        let (mut at, mut value, mut slope) = (first, 0.0, 0.0);
        // Magnitudes of all products at an argument: `steepness * argument - offset`.
        let (mut steepness, mut offset) = (0.0, 0.0);
        for (bend, change) in changes() {
            while at < bend {
                at += 1.0;
                value += slope;
                column[(at - first) as usize] = value;
            }
            slope += change;
            steepness += change.abs();
            offset += change.abs() * bend;
            let sound = slope.abs() < EXACT && value.abs() < EXACT && offset.abs() < EXACT;
            if !sound || steepness >= EXACT {
                return None;
            }
        }
        if slope != 0.0 || value != 0.0 {
            return None;
        }
        limit = limit.min(((EXACT + offset) / steepness).floor() - 1.0);
        values.push((slot, column));
    }
    // No gate is rounded either.
    let limit = limit.min(EXACT - last.abs());
    (limit >= last && !values.is_empty()).then_some(Columns { values, limit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightware_model::Matrix;

    /// A layer of neurons `relu(x0 - at)`, with the changes of two slots.
    fn layer(bends: &[(f64, [f64; 2])]) -> LayerWeights {
        let count = bends.len();
        let mut weights = LayerWeights {
            in_proj: Matrix::zeros(12, 4),
            out_proj: Matrix::zeros(4, 4),
            ff_in: Matrix::zeros(2 * count, 4),
            ff_out: Matrix::zeros(4, count),
        };
        for (neuron, &(at, changes)) in bends.iter().enumerate() {
            weights.ff_in.row_mut(neuron)[0] = 1.0;
            weights.ff_in.row_mut(neuron)[3] = -at;
            weights.ff_in.row_mut(count + neuron)[3] = 1.0;
            for (slot, change) in [1, 2].into_iter().zip(changes) {
                weights.ff_out.row_mut(slot)[neuron] = change;
            }
        }
        weights
    }

    /// A function with random values, as bends in any order.
    fn bends(values: &[[f64; 2]]) -> Vec<(f64, [f64; 2])> {
        let at = |i: i64| usize::try_from(i).ok().and_then(|i| values.get(i)).copied();
        let at = |i: i64| at(i).unwrap_or([0.0; 2]);
        let last = values.len() as i64;
        let bends = (-1..=last).map(|i| {
            let second = [0, 1].map(|c| at(i + 1)[c] - 2.0 * at(i)[c] + at(i - 1)[c]);
            (i as f64 + 100.0, second)
        });
        let (even, odd): (Vec<_>, Vec<_>) = bends.partition(|(at, _)| at % 2.0 == 0.0);
        odd.into_iter().chain(even).collect()
    }

    #[test]
    fn a_table_has_the_values_that_its_neurons_add_up_to() {
        let values: Vec<[f64; 2]> = (0..40)
            .map(|i| [(i * 37 % 101) as f64, (i % 3) as f64])
            .collect();
        let bends = bends(&values);
        let (found, members) = tables(&layer(&bends), &[false, false, false, true]);
        let [table] = &found[..] else {
            panic!("one table, not {found:?}")
        };
        assert_eq!(members.len(), bends.len());
        for x in (0..300).map(f64::from) {
            for (column, slot) in [0, 1].into_iter().zip([1, 2]) {
                let sum: f64 = bends
                    .iter()
                    .map(|(at, changes)| changes[column] * (x - at).max(0.0))
                    .sum();
                assert_eq!(table.at(column, x), Some(sum), "{x}");
                assert_eq!(table.columns[column].0, slot);
            }
        }
        assert_eq!(table.bounds(1), [0.0, 2.0]);
        assert!(table.limit > 1e11, "{}", table.limit);
        assert_eq!(table.at(0, 2.0 * table.limit), None);
    }

    #[test]
    fn functions_that_go_on_or_have_fractions_are_no_tables() {
        let values = vec![[1.0, 5.0]; 30];
        let unit = [false, false, false, true];
        let all = bends(&values);
        let without = |at: f64| {
            let mut some = all.clone();
            some.retain(|bend| bend.0 != at);
            some
        };
        let steep = [99.0, 100.0, 129.0, 130.0];
        let plain: Vec<_> = (0..20).map(|i| (200.0 + f64::from(i), [0.0; 2])).collect();
        let with = |bends: Vec<(f64, [f64; 2])>| [bends, plain.clone()].concat();
        assert_eq!(tables(&layer(&with(all.clone())), &unit).0.len(), 1);
        for at in steep {
            assert!(
                tables(&layer(&with(without(at))), &unit).0.is_empty(),
                "{at}"
            );
        }
        let mut fraction = with(all.clone());
        fraction[0].1[0] += 0.5;
        assert!(tables(&layer(&fraction), &unit).0.is_empty());
        assert!(tables(&layer(&with(all)), &[false; 4]).0.is_empty());
    }
}
