//! The weights as sparse rows, in their own order.

use weightware_model::{Model, PositionFeature};

use crate::weights::rows::{Row, row, row_of};

/// What a token offers to those behind it at a head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offer {
    /// Its key.
    pub key: [f64; 2],
    /// Its value.
    pub value: [f64; 2],
}

/// A model's weights as sparse rows. Heads are left out that cannot reach the residual stream.
#[derive(Debug)]
pub struct SparseWeights {
    /// How many slots the residual stream has.
    pub d_model: usize,
    /// How many tokens there are.
    pub vocab: usize,
    pub(crate) position_features: Vec<PositionFeature>,
    /// The layers, in order.
    pub layers: Vec<SparseLayer>,
    /// The slots that the unembedding reads, ascending.
    pub columns: Vec<usize>,
    /// What it multiplies each of these with: by column, by token id.
    pub head: Vec<Vec<f64>>,
    /// By token id, by slot, one after the other.
    pub embedding: Vec<f64>,
    pub(crate) last_position: u64,
    /// How many nodes there are. A node is what has a form of its own, or two: a slot before a
    /// half-layer, a neuron, the answers of a head, its key.
    pub(crate) nodes: usize,
    /// Before every half-layer, by slot: the node of the slot before the earliest half-layer before
    /// which it was what it is now.
    pub(crate) slot_nodes: Vec<Vec<u32>>,
}

/// The weights of a layer.
#[derive(Debug)]
pub struct SparseLayer {
    /// The live heads, in order.
    pub heads: Vec<SparseHead>,
    /// By slot, over the answers of the heads, two each.
    pub(crate) heads_out: Vec<Row>,
    /// Gate and value.
    pub(crate) neurons: Vec<[Row; 2]>,
    /// By slot.
    pub(crate) neurons_out: Vec<Row>,
    /// The first [node](SparseWeights::nodes) of the layer: neurons, then answers of heads, then
    /// their keys.
    first_node: usize,
}

impl SparseLayer {
    pub(crate) fn neuron_node(&self, neuron: usize) -> usize {
        self.first_node + neuron
    }

    pub(crate) fn answers_node(&self, head: usize) -> usize {
        self.first_node + self.neurons.len() + head
    }

    pub(crate) fn key_node(&self, head: usize) -> usize {
        self.first_node + self.neurons.len() + self.heads.len() + head
    }
}

/// The weights of a live head: one of whose values something is added to the residual stream.
#[derive(Debug)]
pub struct SparseHead {
    /// Its number among all heads of the layer, as the weights count them.
    pub number: usize,
    /// x and y of its query, over slots of the residual stream.
    pub query: [Row; 2],
    /// x and y of its key.
    pub key: [Row; 2],
    /// Both parts of its value; empty of a part that does not reach the residual stream.
    pub value: [Row; 2],
    /// Which parts of its value reach the residual stream.
    pub live: [bool; 2],
    /// What the model states of its keys: the greatest `|x|` of all, and the greatest `y + (x /
    /// 2)^2` of those that count.
    pub bound: Option<[f64; 2]>,
}

impl SparseWeights {
    /// The rows of a model, which is [valid](Model::validate). Takes O(weights).
    ///
    /// # Panics
    /// If matrices are smaller than the model's shape says.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let shape = &model.config.shape;
        let d = shape.d_model;
        let mut nodes = (2 * model.weights.layers.len() + 1) * d;
        let layers = model
            .weights
            .layers
            .iter()
            .zip(0..)
            .map(|(weights, index)| {
                let mut heads = Vec::new();
                let mut inputs = Vec::new();
                for number in 0..shape.heads {
                    let scalars = [2 * number, 2 * number + 1];
                    let third = |i: usize| scalars.map(|s| row_of(&weights.in_proj, i * d + s));
                    let mut value = third(2);
                    let reaches = |s: usize| (0..d).any(|r| weights.out_proj.row(r)[s] != 0.0);
                    let live = [0, 1].map(|j| !value[j].is_empty() && reaches(scalars[j]));
                    if live == [false; 2] {
                        continue;
                    }
                    for j in 0..2 {
                        if !live[j] {
                            value[j].clear();
                        }
                        inputs.push(live[j].then_some(scalars[j]));
                    }
                    let bounds = model.config.key_bounds.iter();
                    let bound = bounds
                        .filter(|b| b.layer == index && b.head == number)
                        .map(|b| [b.max_abs_x, b.max_lift])
                        .reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1])]);
                    heads.push(SparseHead {
                        number,
                        query: third(0),
                        key: third(1),
                        value,
                        live,
                        bound,
                    });
                }
                let heads_out = (0..d).map(|slot| {
                    let weights = weights.out_proj.row(slot);
                    row(inputs.iter().map(|c| c.map_or(0.0, |c| weights[c])))
                });
                let heads_out = heads_out.collect();
                let neurons = (0..shape.d_ffn)
                    .map(|n| [n, shape.d_ffn + n].map(|r| row_of(&weights.ff_in, r)));
                let first_node = nodes;
                nodes += shape.d_ffn + 2 * heads.len();
                SparseLayer {
                    first_node,
                    heads,
                    heads_out,
                    neurons: neurons.collect(),
                    neurons_out: (0..d).map(|slot| row_of(&weights.ff_out, slot)).collect(),
                }
            });
        let layers: Vec<SparseLayer> = layers.collect();
        let mut slot_nodes: Vec<Vec<u32>> = vec![(0..d as u32).collect()];
        for rows in layers
            .iter()
            .flat_map(|layer| [&layer.heads_out, &layer.neurons_out])
        {
            let half = slot_nodes.len();
            let before = &slot_nodes[half - 1];
            let now = |slot: usize| {
                if rows[slot].is_empty() {
                    before[slot]
                } else {
                    (half * d + slot) as u32
                }
            };
            let now = (0..d).map(now).collect();
            slot_nodes.push(now);
        }
        let head = &model.weights.head;
        let columns: Vec<usize> = (0..d)
            .filter(|&c| (0..head.rows).any(|r| head.row(r)[c] != 0.0))
            .collect();
        Self {
            d_model: d,
            vocab: shape.vocab,
            position_features: model.config.position_features.clone(),
            layers,
            slot_nodes,
            head: columns
                .iter()
                .map(|&c| (0..head.rows).map(|r| head.row(r)[c]).collect())
                .collect(),
            columns,
            embedding: model.weights.tok.entries.clone(),
            last_position: model.config.last_position,
            nodes,
        }
    }

    /// What a token offers as the first of a sequence, by layer and live head: it attends to itself
    /// alone.
    ///
    /// The numbers of a plain forward pass over one token. Takes O(weights).
    ///
    /// # Panics
    /// If the token is not below the vocabulary's size.
    #[must_use]
    pub fn offers(&self, token: usize) -> Vec<Vec<Offer>> {
        let dot = |row: &Row, x: &[f64]| -> f64 {
            row.iter().fold(0.0, |sum, entry| {
                sum + entry.weight * x[usize::from(entry.input)]
            })
        };
        let mut x: Vec<f64> = (0..self.d_model)
            .map(|slot| self.embedded(token, slot))
            .collect();
        for feature in &self.position_features {
            x[feature.slot] += feature.coefficients[0];
        }
        let mut all = Vec::new();
        for layer in &self.layers {
            let offers: Vec<Offer> = layer
                .heads
                .iter()
                .map(|head| Offer {
                    key: [0, 1].map(|part| dot(&head.key[part], &x)),
                    value: [0, 1].map(|part| dot(&head.value[part], &x)),
                })
                .collect();
            let answers: Vec<f64> = offers.iter().flat_map(|offer| offer.value).collect();
            let attended: Vec<f64> = layer
                .heads_out
                .iter()
                .map(|row| dot(row, &answers))
                .collect();
            x.iter_mut().zip(attended).for_each(|(x, more)| *x += more);
            let products: Vec<f64> = layer
                .neurons
                .iter()
                .map(|[gate, value]| dot(gate, &x).max(0.0) * dot(value, &x))
                .collect();
            let fed: Vec<f64> = layer
                .neurons_out
                .iter()
                .map(|row| dot(row, &products))
                .collect();
            x.iter_mut().zip(fed).for_each(|(x, more)| *x += more);
            all.push(offers);
        }
        all
    }

    /// The entry of a token's embedding in a slot.
    ///
    /// # Panics
    /// If there is no such token or slot.
    #[inline]
    #[must_use]
    pub fn embedded(&self, id: usize, slot: usize) -> f64 {
        self.embedding[id * self.d_model + slot]
    }
}
