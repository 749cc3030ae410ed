//! The part of its budget that a schedule uses.

use std::fmt;

use crate::graph::Graph;
use crate::schedule::{Budget, Schedule};

/// The resources that one layer uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerUsage {
    /// The heads, including those that only wipe slots.
    pub heads: usize,
    /// The heads that only wipe slots, two each.
    pub wiping_heads: usize,
    /// The neurons, including those that only wipe slots.
    pub neurons: usize,
    /// The neurons that only wipe slots.
    pub wiping_neurons: usize,
    /// The slots whose value is complete and still to be read, after the heads and after the
    /// neurons.
    pub slots: [usize; 2],
}

/// The resources that a schedule uses, layer by layer. Displays as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The layers, slots and neurons that the schedule may use.
    pub budget: Budget,
    /// The usage of each layer.
    pub layers: Vec<LayerUsage>,
}

impl Schedule {
    /// The part of its budget that the schedule uses.
    #[must_use]
    pub fn usage(&self, graph: &Graph) -> Usage {
        let layer = |half_layer: i32| {
            let wiped = |half_layer| self.wipes_at(half_layer).count();
            LayerUsage {
                heads: self.load(graph, half_layer),
                wiping_heads: wiped(half_layer).div_ceil(2),
                neurons: self.load(graph, half_layer + 1),
                wiping_neurons: wiped(half_layer + 1),
                slots: [half_layer, half_layer + 1]
                    .map(|half_layer| self.readable(graph, half_layer).len()),
            }
        };
        Usage {
            budget: self.budget,
            layers: (0..self.budget.half_layers())
                .step_by(2)
                .map(layer)
                .collect(),
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Budget { d_model, d_ffn, .. } = self.budget;
        writeln!(
            f,
            "{:5} {:>14} {:>9} {:>16} {:>9} {:>28} {:>14}",
            "layer",
            format!("heads of {}", d_model / 2),
            "(wiping)",
            format!("neurons of {d_ffn}"),
            "(wiping)",
            format!("slots of {d_model}: after heads"),
            "after neurons"
        )?;
        for (layer, number) in self.layers.iter().zip(1..) {
            writeln!(
                f,
                "{number:5} {:14} {:>9} {:16} {:>9} {:28} {:14}",
                layer.heads,
                format!("({})", layer.wiping_heads),
                layer.neurons,
                format!("({})", layer.wiping_neurons),
                layer.slots[0],
                layer.slots[1],
            )?;
        }
        Ok(())
    }
}
