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

/// The least number of neurons that make a table: with fewer bends no function ends with 0, except
/// that which is 0 everywhere. A single byte of memory has three.
const FEWEST: usize = 3;

/// The most values of all tables of a model. A few neurons may have a long table, and hostile
/// weights must not take memory without bound.
const MOST_VALUES: usize = 1 << 25;

/// The most tables that add to one slot, since each of them takes [room](Table::room).
const SHARING: usize = 2;

/// Runs are at least this far apart: each one is looked for in turn.
const APART: f64 = 4096.0;

/// Tables that begin here or later are [far](Table::is_far).
const FAR: f64 = (1 << 19) as f64;

/// The most that the magnitudes of a column's products sum up to, for arguments up to the limit.
const MASS: f64 = (1_u64 << 50) as f64;

/// Integers below this are exact.
const EXACT: f64 = (1_u64 << 53) as f64;

/// Functions of an integer, computed by neurons of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The argument, as a row over slots.
    pub argument: Row,
    /// The slot whose number must be 1.
    pub unit: usize,
    /// The argument up to which the magnitudes of a column's products sum up to at most 2^50. From
    /// some smaller one on the functions are 0.
    pub limit: f64,
    /// The ranges of arguments outside of which all functions are 0, ascending: the first argument
    /// of each, and the number of arguments.
    pub runs: Vec<(f64, usize)>,
    /// The functions: each one's slot, and its values in each run.
    pub columns: Vec<(usize, Vec<Vec<f64>>)>,
}

impl Table {
    /// A bound for the magnitudes of other products that are added to a slot, beside columns. If
    /// they sum up to less, no sum of all these integers is rounded, in any order.
    #[must_use]
    pub fn room(columns: usize) -> f64 {
        EXACT - columns as f64 * MASS
    }

    /// The value of a column at an integer, if that is at most the limit.
    #[inline]
    #[must_use]
    pub fn at(&self, column: usize, argument: f64) -> Option<f64> {
        let values = &self.columns[column].1;
        for (&(first, len), values) in self.runs.iter().zip(values).rev() {
            let past = argument - first;
            if past >= 0.0 && past < len as f64 {
                return Some(values[past as usize]);
            }
        }
        (argument <= self.limit).then_some(0.0)
    }

    /// The argument up to which all functions are 0.
    #[must_use]
    pub fn first(&self) -> f64 {
        self.runs.first().map_or(f64::INFINITY, |run| run.0)
    }

    /// Whether all functions are 0 up to a great argument: as code is that programs in the prompt
    /// may call, and its data.
    #[must_use]
    pub fn is_far(&self) -> bool {
        self.first() >= FAR
    }

    /// The least and the greatest value of a column.
    #[must_use]
    pub fn bounds(&self, column: usize) -> [f64; 2] {
        let values = self.columns[column].1.iter().flatten();
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
        let mut room = MOST_VALUES;
        let found = layers.map(|layer| {
            let (tables, members) = tables(layer, &units, &mut room);
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

/// The tables of a layer, and the neurons that belong to one. There is room for some more values.
fn tables(
    weights: &LayerWeights,
    units: &[bool],
    room: &mut usize,
) -> (Vec<Table>, BTreeSet<usize>) {
    let mut groups: BTreeMap<Signature, Vec<(f64, usize)>> = BTreeMap::new();
    let is_whole = |weight: f64| weight.fract() == 0.0 && weight.abs() < MASS;
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
    let mut sharing = vec![0; weights.ff_out.rows];
    for ((argument, unit, factor), mut neurons) in groups {
        if neurons.len() < FEWEST {
            continue;
        }
        neurons.sort_by(|a, b| a.0.total_cmp(&b.0));
        let argument = argument.into_iter().map(|(input, bits)| Entry {
            input,
            weight: f64::from_bits(bits),
        });
        if let Some(columns) = columns(weights, &neurons, f64::from_bits(factor), *room) {
            let slots = || columns.values.iter().map(|&(slot, _)| slot);
            if slots().any(|slot| sharing[slot] == SHARING) {
                continue;
            }
            slots().for_each(|slot| sharing[slot] += 1);
            let runs = columns.runs.iter().map(|run| run.1);
            *room -= runs.sum::<usize>() * columns.values.len();
            tables.push(Table {
                argument: argument.collect(),
                unit,
                limit: columns.limit,
                runs: columns.runs,
                columns: columns.values,
            });
            members.extend(neurons.into_iter().map(|(_, neuron)| neuron));
        }
    }
    (tables, members)
}

struct Columns {
    values: Vec<(usize, Vec<Vec<f64>>)>,
    runs: Vec<(f64, usize)>,
    limit: f64,
}

/// The functions that neurons compute, from their bends in ascending order. `None` if they are not
/// integers, do not end with 0, or have more values than there is room for.
fn columns(
    weights: &LayerWeights,
    neurons: &[(f64, usize)],
    factor: f64,
    room: usize,
) -> Option<Columns> {
    let rows = (0..weights.ff_out.rows).map(|slot| (slot, weights.ff_out.row(slot)));
    let used = |row: &[f64]| neurons.iter().any(|&(_, neuron)| row[neuron] != 0.0);
    let rows: Vec<(usize, &[f64])> = rows.filter(|(_, row)| used(row)).collect();
    let mut lines: Vec<Line> = rows.iter().map(|_| Line::default()).collect();
    let mut values: Vec<(usize, Vec<Vec<f64>>)> =
        rows.iter().map(|&(slot, _)| (slot, vec![])).collect();
    let mut runs: Vec<(f64, usize)> = vec![];
    let (mut at, mut total) = (f64::NEG_INFINITY, 0);
    for &(bend, neuron) in neurons {
        if lines.iter().all(Line::is_zero) && bend - at >= APART {
            runs.push((bend, 1));
            values.iter_mut().for_each(|(_, runs)| runs.push(vec![0.0]));
            at = bend;
        }
        // A run has one value more than steps.
        total += (bend - at) as usize + usize::from(bend == at);
        if total.checked_mul(rows.len())? > room {
            return None;
        }
        let run = runs.last_mut()?;
        while at < bend {
            at += 1.0;
            run.1 += 1;
            for (line, (_, runs)) in lines.iter_mut().zip(&mut values) {
                line.value += line.slope;
                runs.last_mut()?.push(line.value);
            }
        }
        for (line, (_, row)) in lines.iter_mut().zip(&rows) {
            line.bend(bend, row[neuron], factor)?;
        }
    }
    if values.is_empty() || !lines.iter().all(Line::is_zero) {
        return None;
    }
    let limits = lines.iter().map(Line::limit);
    // No gate is rounded either.
    let limit = limits.fold(MASS - at.abs(), f64::min);
    (limit >= at).then_some(Columns {
        values,
        runs,
        limit,
    })
}

/// A function up to an argument, and the magnitudes of its products beyond: `steepness * argument -
/// offset`.
#[derive(Default)]
struct Line {
    value: f64,
    slope: f64,
    steepness: f64,
    offset: f64,
}

impl Line {
    fn is_zero(&self) -> bool {
        self.value == 0.0 && self.slope == 0.0
    }

    /// Changes the slope by the product of two weights; `None` if a number is no small integer.
    fn bend(&mut self, at: f64, weight: f64, factor: f64) -> Option<()> {
        let change = weight * factor;
        self.slope += change;
        self.steepness += change.abs();
        self.offset += change.abs() * at;
        let sizes = [change, self.slope, self.value, self.steepness, self.offset];
        let sound = weight.fract() == 0.0 && sizes.iter().all(|size| size.abs() < MASS);
        sound.then_some(())
    }

    /// The argument up to which the products' magnitudes sum up to at most 2^50.
    fn limit(&self) -> f64 {
        ((MASS + self.offset) / self.steepness).floor() - 1.0
    }
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
        let (found, members) = tables(
            &layer(&bends),
            &[false, false, false, true],
            &mut MOST_VALUES.clone(),
        );
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
        let tables = |layer: LayerWeights, units: &[bool]| {
            let mut room = MOST_VALUES;
            tables(&layer, units, &mut room).0
        };
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
        assert_eq!(tables(layer(&with(all.clone())), &unit).len(), 1);
        for at in steep {
            assert!(tables(layer(&with(without(at))), &unit).is_empty(), "{at}");
        }
        let mut fraction = with(all.clone());
        fraction[0].1[0] += 0.5;
        assert!(tables(layer(&fraction), &unit).is_empty());
        assert!(tables(layer(&with(all)), &[false; 4]).is_empty());
    }
}
