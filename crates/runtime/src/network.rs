//! What a model's weights ask for, without what they multiply by zero.

use std::collections::HashMap;

use weightware_model::{LayerWeights, Matrix, Model, PositionFeature};

use crate::sparse::{Row, Rows, Update, row, row_of};
use crate::unembed::Unembed;

/// A model made ready to run. It owns what it needs.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) d_model: usize,
    pub(crate) vocab: usize,
    /// Embedding rows, one after the other.
    pub(crate) embedding: Vec<f64>,
    pub(crate) position_features: Vec<PositionFeature>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) unembed: Unembed,
    pub(crate) last_position: u64,
    /// By id: whether it is an end token.
    pub(crate) ends: Vec<bool>,
}

/// One layer, without dead heads and neurons.
#[derive(Debug)]
pub(crate) struct Layer {
    /// The distinct rows of queries, keys and values.
    pub(crate) heads_in: Rows,
    pub(crate) heads: Vec<Head>,
    /// From the answers of the heads, two each.
    pub(crate) heads_out: Update,
    /// The distinct rows of gates and values.
    pub(crate) neurons_in: Rows,
    /// The places of a neuron's gate and value among the products of those rows.
    pub(crate) neurons: Vec<[usize; 2]>,
    /// From the neurons.
    pub(crate) neurons_out: Update,
}

/// A head that can change the residual stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    /// Its number in the weights.
    pub(crate) number: usize,
    /// Places among the products of [`Layer::heads_in`].
    pub(crate) query: [usize; 2],
    pub(crate) key: [usize; 2],
    pub(crate) value: [usize; 2],
    /// Which of the two values reach the residual stream.
    pub(crate) live: [bool; 2],
    /// Greatest `|x|` and greatest lift of a live key; the lesser of several boxes.
    pub(crate) bound: Option<[f64; 2]>,
}

impl Network {
    pub(crate) fn new(model: &Model) -> Self {
        let config = &model.config;
        let mut ends = vec![false; config.shape.vocab];
        for token in &model.end_tokens {
            ends[token.0 as usize] = true;
        }
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
            ends,
        }
    }

    /// The live heads of all layers, in order.
    pub(crate) fn heads(&self) -> impl Iterator<Item = &Head> {
        self.layers.iter().flat_map(|layer| &layer.heads)
    }
}

fn layer(model: &Model, index: usize, weights: &LayerWeights) -> Layer {
    let shape = &model.config.shape;
    let mut rows = Distinct::default();
    let mut heads = Vec::new();
    let mut inputs = Vec::new();
    for number in 0..shape.heads {
        let scalars = [2 * number, 2 * number + 1];
        let third = |i: usize| scalars.map(|s| row_of(&weights.in_proj, i * shape.d_model + s));
        let mut values = third(2);
        let reaches = |s: usize| (0..shape.d_model).any(|r| weights.out_proj.row(r)[s] != 0.0);
        let live = [0, 1].map(|j| !values[j].is_empty() && reaches(scalars[j]));
        if live == [false; 2] {
            continue;
        }
        for j in 0..2 {
            // A dead value is a zero, whatever its row says.
            if !live[j] {
                values[j].clear();
            }
            inputs.push(live[j].then_some(scalars[j]));
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
            query: third(0).map(|row| rows.index(row)),
            key: third(1).map(|row| rows.index(row)),
            value: values.map(|row| rows.index(row)),
            live,
            bound,
        });
    }
    let (heads_in, places) = Rows::new(&rows.rows);
    for head in &mut heads {
        for row in [&mut head.query, &mut head.key, &mut head.value] {
            *row = row.map(|r| places[r]);
        }
    }

    let mut rows = Distinct::default();
    let mut neurons = Vec::new();
    let mut columns = Vec::new();
    for neuron in 0..shape.d_ffn {
        let gate = row_of(&weights.ff_in, neuron);
        let value = row_of(&weights.ff_in, shape.d_ffn + neuron);
        let reaches = (0..shape.d_model).any(|r| weights.ff_out.row(r)[neuron] != 0.0);
        if !gate.is_empty() && !value.is_empty() && reaches {
            neurons.push([gate, value].map(|row| rows.index(row)));
            columns.push(Some(neuron));
        }
    }
    let (neurons_in, places) = Rows::new(&rows.rows);
    for neuron in &mut neurons {
        *neuron = neuron.map(|r| places[r]);
    }
    Layer {
        heads_in,
        heads,
        heads_out: update(&weights.out_proj, &inputs),
        neurons_in,
        neurons,
        neurons_out: update(&weights.ff_out, &columns),
    }
}

/// The rows of a matrix, restricted to some of its columns; `None` is a column of zeros.
fn update(matrix: &Matrix, columns: &[Option<usize>]) -> Update {
    let restricted = |r: usize| {
        let weights = matrix.row(r);
        row(columns.iter().map(|c| c.map_or(0.0, |c| weights[c])))
    };
    Update::new((0..matrix.rows).map(restricted).collect())
}

/// Rows, each kept once.
#[derive(Default)]
struct Distinct {
    rows: Vec<Row>,
    known: HashMap<Vec<(u16, u64)>, usize>,
}

impl Distinct {
    fn index(&mut self, row: Row) -> usize {
        let bits = row.iter().map(|e| (e.input, e.weight.to_bits())).collect();
        *self.known.entry(bits).or_insert_with(|| {
            self.rows.push(row);
            self.rows.len() - 1
        })
    }
}
