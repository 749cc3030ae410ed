//! The weights as sparse rows, in the order in which the network adds their products.

use weightware_model::{Config, LayerWeights, Model, PositionFeature, Shape};

use crate::weights::rows::{Row, row, row_of};
use crate::weights::tables::{LayerTables, Table};

/// A token's key and value at a head: what later tokens can attend to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offer {
    /// x and y of the key.
    pub key: [f64; 2],
    /// Both parts of the value.
    pub value: [f64; 2],
}

/// A model's weights as sparse rows, without the heads that cannot reach the residual stream.
#[derive(Debug)]
pub struct SparseWeights {
    /// The number of slots of the residual stream.
    pub d_model: usize,
    /// The number of token ids.
    pub vocab: usize,
    pub(crate) position_features: Vec<PositionFeature>,
    /// The layers, in order.
    pub layers: Vec<SparseLayer>,
    /// The slots that the unembedding reads, ascending.
    pub columns: Vec<usize>,
    /// The unembedding's weights, by column, then by token id.
    pub head: Vec<Vec<f64>>,
    /// The embeddings as one list, by token id, then by slot.
    pub embedding: Vec<f64>,
    pub(crate) last_position: u64,
    /// The number of nodes. A node is a slot before a half-layer, a neuron, the output of a head,
    /// or its key; it has one form or two.
    pub(crate) nodes: usize,
    /// The node of each slot before every half-layer. Half-layers between two writers of a slot
    /// share its node.
    pub(crate) slot_nodes: Vec<Vec<u32>>,
}

/// The weights of a layer, as sparse rows.
#[derive(Debug)]
pub struct SparseLayer {
    /// The live heads, in order.
    pub heads: Vec<SparseHead>,
    /// The output projection of attention: for each slot, a row over the outputs of the heads, two
    /// for each head.
    pub(crate) heads_out: Vec<Row>,
    /// The tables.
    pub tables: Vec<Table>,
    /// For each slot, the columns of tables that are added to it: the table's index in the layer,
    /// and the column's.
    pub(crate) columns_out: Vec<Vec<(u32, u32)>>,
    /// Gate and value of each neuron that belongs to no table.
    pub(crate) neurons: Vec<[Row; 2]>,
    /// The output projection of the FFN: for each slot, a row over these neurons.
    pub(crate) neurons_out: Vec<Row>,
    /// The first [node](SparseWeights::nodes) of the layer: neurons, then outputs of heads, then
    /// their keys, then arguments of tables.
    first_node: usize,
}

impl SparseLayer {
    /// The sparse weights of a layer, whose nodes begin at `first_node`.
    fn new(
        config: &Config,
        weights: &LayerWeights,
        index: usize,
        LayerTables { tables, others }: LayerTables,
        first_node: usize,
    ) -> Self {
        let Shape { d_model, heads, .. } = config.shape;
        let d_ffn = weights.neurons();
        let all = (0..heads).filter_map(|number| SparseHead::new(config, weights, index, number));
        let heads: Vec<SparseHead> = all.collect();
        // For each output of a live head, its column in the dense matrix; none for a dead part.
        let outputs: Vec<Option<usize>> = heads
            .iter()
            .flat_map(|head| [0, 1].map(|part| head.live[part].then_some(2 * head.number + part)))
            .collect();
        let heads_out = (0..d_model).map(|slot| {
            let weights = weights.out_proj.row(slot);
            row(outputs.iter().map(|c| c.map_or(0.0, |c| weights[c])))
        });
        let rows_of = |&n: &usize| [n, d_ffn + n].map(|r| row_of(&weights.ff_in, r));
        let neurons = others.iter().map(rows_of);
        let neurons_out = (0..d_model).map(|slot| {
            let weights = weights.ff_out.row(slot);
            row(others.iter().map(|&neuron| weights[neuron]))
        });
        let mut columns_out = vec![vec![]; d_model];
        for (table, number) in tables.iter().zip(0..) {
            for (&(slot, _), column) in table.columns.iter().zip(0..) {
                columns_out[slot].push((number, column));
            }
        }
        Self {
            heads_out: heads_out.collect(),
            heads,
            neurons: neurons.collect(),
            neurons_out: neurons_out.collect(),
            columns_out,
            tables,
            first_node,
        }
    }

    /// The number of nodes of the layer's neurons and heads.
    fn nodes(&self) -> usize {
        self.neurons.len() + 2 * self.heads.len() + self.tables.len()
    }

    pub(crate) fn neuron_node(&self, neuron: usize) -> usize {
        self.first_node + neuron
    }

    pub(crate) fn answers_node(&self, head: usize) -> usize {
        self.first_node + self.neurons.len() + head
    }

    pub(crate) fn argument_node(&self, table: usize) -> usize {
        self.first_node + self.neurons.len() + 2 * self.heads.len() + table
    }

    pub(crate) fn key_node(&self, head: usize) -> usize {
        self.first_node + self.neurons.len() + self.heads.len() + head
    }
}

/// The weights of a live head, as sparse rows. A head is live if a part of its value reaches the
/// residual stream.
#[derive(Debug)]
pub struct SparseHead {
    /// The head's index among all heads of the layer, dead ones included.
    pub number: usize,
    /// The rows of x and y of the query, over slots of the residual stream.
    pub query: [Row; 2],
    /// The rows of x and y of the key.
    pub key: [Row; 2],
    /// The rows of both parts of the value; the row of a dead part is empty.
    pub value: [Row; 2],
    /// Whether each part of the value reaches the residual stream.
    pub live: [bool; 2],
    /// The key box that the model states: the greatest `|x|` and the greatest `y + (x / 2)^2` of a
    /// live key.
    pub bound: Option<[f64; 2]>,
}

impl SparseHead {
    /// A head of a layer, if it is live.
    fn new(config: &Config, weights: &LayerWeights, layer: usize, number: usize) -> Option<Self> {
        let d = config.shape.d_model;
        let scalars = [2 * number, 2 * number + 1];
        let third = |i: usize| scalars.map(|s| row_of(&weights.in_proj, i * d + s));
        let reaches = |s: usize| !weights.out_proj.column_is_zero(s);
        let mut value = third(2);
        let live = [0, 1].map(|part| !value[part].is_empty() && reaches(scalars[part]));
        if live == [false; 2] {
            return None;
        }
        for (row, is_live) in value.iter_mut().zip(live) {
            if !is_live {
                row.clear();
            }
        }
        Some(Self {
            number,
            query: third(0),
            key: third(1),
            value,
            live,
            bound: config.key_box(layer, number),
        })
    }
}

/// The [node](SparseWeights::slot_nodes) of each slot, by half-layer, then by slot.
fn slot_nodes(layers: &[SparseLayer], d_model: usize) -> Vec<Vec<u32>> {
    let mut before: Vec<u32> = (0..d_model as u32).collect();
    let mut all = vec![before.clone()];
    let written = |layer: &SparseLayer| {
        let by_heads = layer.heads_out.iter().map(|row| !row.is_empty());
        let by_neurons = layer.neurons_out.iter().zip(&layer.columns_out);
        let by_neurons = by_neurons.map(|(row, columns)| !row.is_empty() || !columns.is_empty());
        [by_heads.collect::<Vec<bool>>(), by_neurons.collect()]
    };
    for written in layers.iter().flat_map(written) {
        for (slot, (node, written)) in before.iter_mut().zip(written).enumerate() {
            if written {
                *node = (all.len() * d_model + slot) as u32;
            }
        }
        all.push(before.clone());
    }
    all
}

impl SparseWeights {
    /// The sparse weights of a [valid](Model::validate) model. Takes O(weights).
    ///
    /// # Panics
    /// If matrices are smaller than the model's shape.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let shape = &model.config.shape;
        let d = shape.d_model;
        // The first nodes are the slots before every half-layer and before the unembedding.
        let mut nodes = (2 * model.weights.layers.len() + 1) * d;
        let mut layers = Vec::new();
        let tables = LayerTables::of(model);
        for ((weights, tables), index) in model.weights.layers.iter().zip(tables).zip(0..) {
            let layer = SparseLayer::new(&model.config, weights, index, tables, nodes);
            nodes += layer.nodes();
            layers.push(layer);
        }
        let head = &model.weights.head;
        let column = |c: usize| (0..head.rows).map(move |r| head.row(r)[c]);
        let columns: Vec<usize> = (0..d).filter(|&c| !head.column_is_zero(c)).collect();
        Self {
            d_model: d,
            vocab: shape.vocab,
            position_features: model.config.position_features.clone(),
            slot_nodes: slot_nodes(&layers, d),
            layers,
            head: columns.iter().map(|&c| column(c).collect()).collect(),
            columns,
            embedding: model.weights.tok.entries.clone(),
            last_position: model.config.last_position,
            nodes,
        }
    }

    /// The keys and values of the first token of a sequence, by layer, then by live head. A plain
    /// forward pass over one token, which attends only to itself, computes them. Tables count as 0:
    /// their unit must be 0 at this token, as an [`Analysis`](crate::Analysis) checks. Takes
    /// O(weights).
    ///
    /// # Panics
    /// If the token is not in the vocabulary.
    #[must_use]
    pub fn offers(&self, token: usize) -> Vec<Vec<Offer>> {
        let dot = |row: &Row, x: &[f64]| -> f64 {
            row.iter().fold(0.0, |sum, entry| {
                sum + entry.weight * x[entry.input as usize]
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

    /// The number of a table's column among the columns of all tables, in order. The table is given
    /// by its layer and its index in the layer.
    ///
    /// # Panics
    /// If there is no such layer.
    #[must_use]
    pub fn column_number(&self, [layer, table]: [usize; 2], column: usize) -> usize {
        let before = self.layers[..layer].iter().flat_map(|layer| &layer.tables);
        let before = before.chain(self.layers[layer].tables.iter().take(table));
        before.map(|table| table.columns.len()).sum::<usize>() + column
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
