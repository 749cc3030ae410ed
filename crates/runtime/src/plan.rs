//! What a model's weights ask for, without what they multiply by zero.

use std::collections::HashMap;

use weightware_model::{LayerWeights, Model, PositionFeature, TokenId};

use crate::sparse::{Entry, Lists, sparse_column, sparse_row};
use crate::unembed::Unembed;

/// A model made ready to run. It owns what it needs.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) d_model: usize,
    pub(crate) vocab: usize,
    /// Embedding rows, one after the other.
    pub(crate) embedding: Vec<f64>,
    pub(crate) position_features: Vec<PositionFeature>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) unembed: Unembed,
    pub(crate) last_position: u64,
    pub(crate) end_tokens: Vec<TokenId>,
}

/// One layer, without dead heads and neurons.
#[derive(Debug)]
pub(crate) struct Layer {
    /// The distinct rows of queries, keys and values.
    pub(crate) rows: Lists,
    pub(crate) heads: Vec<Head>,
    /// Two columns per head.
    pub(crate) out: Lists,
    pub(crate) out_slots: Vec<u16>,
    /// Per neuron its gate row, value row and output column.
    pub(crate) neurons: Lists,
    pub(crate) neuron_slots: Vec<u16>,
}

/// A head that can change the residual stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    /// Its number in the weights.
    pub(crate) number: usize,
    /// Indices into [`Layer::rows`].
    pub(crate) query: [usize; 2],
    pub(crate) key: [usize; 2],
    pub(crate) value: [usize; 2],
    /// Which of the two values reach the residual stream.
    pub(crate) live: [bool; 2],
    /// Greatest `|x|` and greatest lift of a live key; the lesser of several boxes.
    pub(crate) bound: Option<[f64; 2]>,
}

impl Plan {
    pub(crate) fn new(model: &Model) -> Self {
        let config = &model.config;
        let layers = model
            .weights
            .layers
            .iter()
            .enumerate()
            .map(|(i, weights)| layer(model, i, weights))
            .collect();
        Self {
            d_model: config.shape.d_model,
            vocab: config.shape.vocab,
            embedding: model.weights.tok.entries.clone(),
            position_features: config.position_features.clone(),
            layers,
            unembed: Unembed::new(&model.weights.head),
            last_position: config.last_position,
            end_tokens: model.end_tokens.clone(),
        }
    }

    /// The live heads of all layers, in order.
    pub(crate) fn heads(&self) -> impl Iterator<Item = &Head> {
        self.layers.iter().flat_map(|layer| &layer.heads)
    }
}

fn layer(model: &Model, index: usize, weights: &LayerWeights) -> Layer {
    let shape = &model.config.shape;
    let mut rows = Rows::default();
    let mut heads = Vec::new();
    let mut out = Lists::default();
    for number in 0..shape.heads {
        let scalars = [2 * number, 2 * number + 1];
        let of_third =
            |third: usize| scalars.map(|s| sparse_row(&weights.in_proj, third * shape.d_model + s));
        let values = of_third(2);
        let mut columns = scalars.map(|s| sparse_column(&weights.out_proj, s));
        let live = [0, 1].map(|j| !values[j].is_empty() && !columns[j].is_empty());
        if live == [false; 2] {
            continue;
        }
        for j in 0..2 {
            if !live[j] {
                columns[j].clear();
            }
            out.push(&columns[j]);
        }
        let bound = model
            .config
            .key_bounds
            .iter()
            .filter(|b| b.layer == index && b.head == number)
            .map(|b| [b.max_abs_x, b.max_lift])
            .reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1])]);
        heads.push(Head {
            number,
            query: of_third(0).map(|row| rows.index(row)),
            key: of_third(1).map(|row| rows.index(row)),
            // A dead value is a zero, whatever its row says.
            value: [0, 1].map(|j| {
                rows.index(if live[j] {
                    values[j].clone()
                } else {
                    Vec::new()
                })
            }),
            live,
            bound,
        });
    }
    let mut neurons = Lists::default();
    let mut targets = Lists::default();
    for neuron in 0..shape.d_ffn {
        let gate = sparse_row(&weights.ff_in, neuron);
        let value = sparse_row(&weights.ff_in, shape.d_ffn + neuron);
        let column = sparse_column(&weights.ff_out, neuron);
        if !gate.is_empty() && !value.is_empty() && !column.is_empty() {
            neurons.push(&gate);
            neurons.push(&value);
            neurons.push(&column);
            targets.push(&column);
        }
    }
    Layer {
        rows: rows.lists,
        heads,
        out_slots: out.slots(),
        out,
        neurons,
        neuron_slots: targets.slots(),
    }
}

/// Rows, each kept once.
#[derive(Default)]
struct Rows {
    lists: Lists,
    known: HashMap<Vec<(u16, u64)>, usize>,
}

impl Rows {
    fn index(&mut self, row: Vec<Entry>) -> usize {
        let bits = row.iter().map(|e| (e.slot, e.weight.to_bits())).collect();
        *self.known.entry(bits).or_insert_with(|| {
            self.lists.push(&row);
            self.lists.len() - 1
        })
    }
}
