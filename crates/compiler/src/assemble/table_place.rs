//! The place of a table in the weights: where its neurons read and write.

use super::{exact, factor};
use crate::form::Dim;
use crate::graph::{Graph, Writer, WriterIdx};
use crate::schedule::Schedule;
use crate::table::{Bend, Table};

/// The place of a table in the weights.
pub(crate) struct TablePlace<'g> {
    pub(crate) table: &'g Table,
    pub(crate) layer: usize,
    /// The row of the argument, and the slot that is 1.
    pub(crate) argument: Vec<f64>,
    pub(crate) unit: usize,
    /// The slots to which columns are added, with factors.
    pub(crate) targets: Vec<(usize, usize, f64)>,
}

impl<'g> TablePlace<'g> {
    /// The place of a writer, if it is a table.
    pub(crate) fn new(graph: &'g Graph, schedule: &Schedule, writer: WriterIdx) -> Option<Self> {
        let Writer::Table { argument, table } = &graph.writers[writer.index()].writer else {
            return None;
        };
        let slot = |dim: Dim| schedule.slots[dim.index()];
        let mut row = vec![0.0; schedule.budget.d_model];
        for &(dim, coefficient) in argument.terms() {
            row[slot(dim)] += exact(coefficient);
        }
        let targets = graph.targets(writer).into_iter();
        let targets = targets.map(|(dim, part)| (slot(dim), part.output.part, factor(part)));
        Some(Self {
            table,
            layer: schedule.half_layers[writer.index()] as usize / 2,
            argument: row,
            unit: slot(graph.one()),
            targets: targets.collect(),
        })
    }

    /// The neuron of a bend: the row of its gate, that of its value, and its column of outputs.
    pub(crate) fn neuron(&self, bend: &Bend) -> [Vec<f64>; 3] {
        let width = self.argument.len();
        let mut gate = self.argument.clone();
        gate[self.unit] -= exact(bend.at);
        let mut value = vec![0.0; width];
        value[self.unit] = 1.0;
        let mut outputs = vec![0.0; width];
        for &(slot, part, factor) in &self.targets {
            outputs[slot] += factor * exact(bend.changes[part]);
        }
        [gate, value, outputs]
    }
}
