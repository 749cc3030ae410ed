//! Tables in the forward pass: neurons that compute functions of an integer are looked up, where
//! that gives the same numbers.
//!
//! All sums over a table's neurons are exact if the argument is an integer within the table's
//! limit. So are sums with other integers, if their magnitudes leave [room](Table::room). Then the
//! order of additions does not matter. Where this does not hold, all neurons of the layer are added
//! up in order.

use weightware_analysis::Table;
use weightware_model::LayerWeights;

use crate::sparse::{Row, Vector, row_of};

/// The tables of a layer, and the slots that they add to.
#[derive(Debug)]
pub(crate) struct Looked {
    tables: Vec<Table>,
    pub(crate) slots: Vec<Slot>,
    /// Gate and value of every neuron of the layer.
    neurons: Vec<[Row; 2]>,
}

/// A slot to which tables add.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) slot: usize,
    /// The row over the outputs of neurons that belong to no table.
    others: Row,
    /// The tables and columns that are added.
    columns: Vec<(usize, usize)>,
    /// The row over all neurons of the layer.
    all: Row,
}

impl Looked {
    /// The tables of a layer; `others` has the row of each slot over the neurons in no table.
    pub(crate) fn new(
        weights: &LayerWeights,
        tables: Vec<Table>,
        mut others: impl FnMut(usize) -> Row,
    ) -> Self {
        let mut slots: Vec<Slot> = vec![];
        for (table, found) in tables.iter().enumerate() {
            for (column, &(slot, _)) in found.columns.iter().enumerate() {
                match slots.iter_mut().find(|known| known.slot == slot) {
                    Some(known) => known.columns.push((table, column)),
                    None => slots.push(Slot {
                        slot,
                        others: others(slot),
                        columns: vec![(table, column)],
                        all: row_of(&weights.ff_out, slot),
                    }),
                }
            }
        }
        let count = weights.neurons();
        let rows = |neuron| [neuron, count + neuron].map(|row| row_of(&weights.ff_in, row));
        let neurons = match tables.is_empty() {
            true => vec![],
            false => (0..count).map(rows).collect(),
        };
        Self {
            tables,
            slots,
            neurons,
        }
    }

    /// Whether the layer has no tables.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Computes the sums that the layer adds to each of the [slots](Self::slots); `products` has
    /// the outputs of the neurons that belong to no table.
    pub(crate) fn sums(&self, x: &Vector, products: &Vector, sums: &mut Vec<f64>) {
        sums.clear();
        if self.look(x, products, sums).is_none() {
            sums.clear();
            self.add_up(x, sums);
        }
    }

    /// The sums by lookups; `None` if they might be rounded.
    fn look(&self, x: &Vector, products: &Vector, sums: &mut Vec<f64>) -> Option<()> {
        let mut arguments = [None; 8];
        for (table, argument) in self.tables.iter().zip(&mut arguments) {
            let sum = whole_sum(&table.argument, x, Table::room(1));
            *argument = match x[table.unit] {
                // All values are 0, and no gate is infinite.
                0.0 => sum.map(|_| table.first()),
                1.0 => sum.filter(|&sum| sum <= table.limit),
                _ => None,
            };
        }
        for slot in &self.slots {
            let mut sum = whole_sum(&slot.others, products, Table::room(slot.columns.len()))?;
            for &(table, column) in &slot.columns {
                let argument = (*arguments.get(table)?)?;
                sum += self.tables[table].at(column, argument)?;
            }
            sums.push(sum);
        }
        Some(())
    }

    /// The sums over all neurons, in order.
    #[cold]
    fn add_up(&self, x: &Vector, sums: &mut Vec<f64>) {
        let dot = |row: &Row| {
            row.iter().fold(0.0, |sum, entry| {
                sum + entry.weight * x[entry.input as usize]
            })
        };
        let neurons = self.neurons.iter().map(|[gate, value]| {
            let gate = dot(gate);
            let open = if gate <= 0.0 { 0.0 } else { gate };
            open * dot(value)
        });
        let outputs: Vec<f64> = neurons.collect();
        sums.extend(self.slots.iter().map(|slot| {
            slot.all.iter().fold(0.0, |sum, entry| {
                sum + entry.weight * outputs[entry.input as usize]
            })
        }));
    }
}

/// A dot product, if all products are integers whose magnitudes sum up to less than a number.
fn whole_sum(row: &Row, x: &Vector, most: f64) -> Option<f64> {
    let (mut sum, mut mass) = (0.0, 0.0);
    for entry in row {
        let product = entry.weight * x[entry.input as usize];
        // NaN and infinities have the fraction NaN.
        if product.fract() != 0.0 {
            return None;
        }
        sum += product;
        mass += product.abs();
    }
    (mass < most).then_some(sum)
}
