//! The network as sparse rows, with common-subexpression elimination of products by value
//! numbering.

use weightware_analysis::LayerTables;
use weightware_hull::Point;
use weightware_model::{LayerWeights, Matrix, Model, PositionFeature};

use crate::looked::Looked;
use crate::qkv::Qkv;
use crate::sparse::{Entry, Row, Rows, Update, row_of};
use crate::unembed::Unembed;
use crate::value_numbering::{Interner, Products, SlotVersions};

/// A model prepared for the forward pass. It does not borrow from the model.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) d_model: usize,
    pub(crate) vocab: usize,
    /// Embedding rows, one after the other.
    pub(crate) embedding: Vec<f64>,
    pub(crate) position_features: Vec<PositionFeature>,
    pub(crate) layers: Vec<Layer>,
    /// The numbers of distinct products of queries, keys and values, and of neurons.
    pub(crate) products: usize,
    pub(crate) gates: usize,
    /// The numbers of streams of keys and of values, of queries, of answers in all layers, and of
    /// boxes.
    pub(crate) key_streams: usize,
    pub(crate) value_streams: usize,
    pub(crate) queries: usize,
    pub(crate) answers: usize,
    pub(crate) boxes: usize,
    pub(crate) unembed: Unembed,
    pub(crate) last_position: u64,
    /// Whether each id is an end token.
    pub(crate) ends: Vec<bool>,
}

/// One layer, without dead heads and neurons.
#[derive(Debug)]
pub(crate) struct Layer {
    /// The rows of queries, keys and values whose products earlier layers do not have.
    pub(crate) heads_in: Rows,
    /// The place of the first of them among all [products](Network::products).
    pub(crate) heads_at: usize,
    pub(crate) heads: Vec<Head>,
    /// The boxes of its keys that earlier layers do not check.
    pub(crate) boxes: Vec<KeyBox>,
    pub(crate) lookups: Lookups,
    /// The rows over the answers.
    pub(crate) heads_out: Update,
    /// The rows of gates and values whose products earlier layers do not have.
    pub(crate) neurons_in: Rows,
    /// The place of the first of them among all [gates](Network::gates).
    pub(crate) neurons_at: usize,
    /// The places of a neuron's gate and value.
    pub(crate) neurons: Vec<[usize; 2]>,
    /// The rows over the neurons, except those of slots to which tables add.
    pub(crate) neurons_out: Update,
    /// The tables. Their neurons are not among the others.
    pub(crate) looked: Looked,
}

/// A head that can change the residual stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    /// Its number in the weights.
    pub(crate) number: usize,
    /// Places among the products.
    pub(crate) query: [usize; 2],
    pub(crate) key: [usize; 2],
    pub(crate) value: [usize; 2],
    /// For each part of the value, the index of its answer in the layer, if the part reaches the
    /// residual stream.
    pub(crate) answers: [Option<usize>; 2],
    /// The head's key box: greatest `|x|` and greatest lift of a live key.
    pub(crate) bound: Option<[f64; 2]>,
    /// The number of the box, if the head has one.
    pub(crate) boxed: Option<usize>,
}

impl Head {
    /// The query, key and value.
    #[inline]
    pub(crate) fn call(&self, products: &[f64]) -> Qkv {
        let point = |[x, y]: [usize; 2]| Point::new(products[x], products[y]);
        Qkv {
            query: point(self.query),
            key: point(self.key),
            value: self.value.map(|place| products[place]),
        }
    }
}

/// Keys that must stay within a box.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyBox {
    pub(crate) number: usize,
    /// Places among the products.
    pub(crate) key: [usize; 2],
    /// Greatest `|x|` and greatest lift.
    pub(crate) bound: [f64; 2],
}

/// The lookups of a layer's heads in a cache, without duplicates: products that are equal for all
/// tokens are one key, one query, one stream of values. A later layer does not append keys and
/// values of earlier layers again.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    pub(crate) keys: Vec<KeyAppend>,
    pub(crate) values: Vec<ValueAppend>,
    pub(crate) queries: Vec<LayerQuery>,
    /// The streams of values that are averaged, query by query.
    pub(crate) answers: Vec<usize>,
    /// The index of the first of these answers among the answers of all layers.
    pub(crate) answers_at: usize,
}

/// A key to append to a stream of keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyAppend {
    /// The stream's number.
    pub(crate) stream: usize,
    /// Places among the products.
    pub(crate) key: [usize; 2],
    /// The first head of the layer that has the key.
    pub(crate) head: usize,
}

/// Values to append to streams of values that belong to one stream of keys.
#[derive(Debug)]
pub(crate) struct ValueAppend {
    pub(crate) keys: usize,
    /// The streams' numbers, and the values' places among the products.
    pub(crate) values: Vec<[usize; 2]>,
}

/// A query to a stream of keys, for some of the layer's answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerQuery {
    pub(crate) number: usize,
    pub(crate) keys: usize,
    /// Places among the products.
    pub(crate) query: [usize; 2],
    /// Whether no earlier layer has the query.
    pub(crate) is_new: bool,
    /// The number of its answers.
    pub(crate) answers: usize,
}

impl Network {
    pub(crate) fn new(model: &Model) -> Self {
        let config = &model.config;
        let mut ends = vec![false; config.shape.vocab];
        for token in &model.end_tokens {
            ends[token.0 as usize] = true;
        }
        let mut pass = Pass {
            versions: SlotVersions::new(config.shape.d_model),
            products: Products::default(),
            gates: Products::default(),
            keys: Interner::default(),
            values: Interner::default(),
            queries: Interner::default(),
            answers: 0,
            boxes: Interner::default(),
        };
        let weights = model.weights.layers.iter().zip(LayerTables::of(model));
        let layers = weights.enumerate();
        let layers = layers.map(|(i, (weights, tables))| pass.layer(model, i, weights, tables));
        Self {
            d_model: config.shape.d_model,
            vocab: config.shape.vocab,
            embedding: model.weights.tok.entries.clone(),
            position_features: config.position_features.clone(),
            layers: layers.collect(),
            products: pass.products.len(),
            gates: pass.gates.len(),
            key_streams: pass.keys.len(),
            value_streams: pass.values.len(),
            queries: pass.queries.len(),
            answers: pass.answers,
            boxes: pass.boxes.len(),
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

/// The value-numbering pass: the state after the layers so far.
struct Pass {
    versions: SlotVersions,
    products: Products,
    gates: Products,
    /// Streams of keys, by the numbers of two products.
    keys: Interner<[usize; 2]>,
    /// Streams of values, by the number of the keys and that of a product.
    values: Interner<[usize; 2]>,
    /// Queries, by the number of the keys and those of two products.
    queries: Interner<[usize; 3]>,
    /// The number of answers.
    answers: usize,
    /// Boxes, by the number of the keys and the bits of two bounds.
    boxes: Interner<(usize, [u64; 2])>,
}

impl Pass {
    fn layer(
        &mut self,
        model: &Model,
        index: usize,
        weights: &LayerWeights,
        LayerTables { tables, others }: LayerTables,
    ) -> Layer {
        let mut heads = self.heads(model, index, weights);
        let (heads_in, heads_at) = self.products.end();
        let (lookups, boxes) = self.lookups(&mut heads);
        for head in &mut heads {
            for product in [&mut head.query, &mut head.key, &mut head.value] {
                *product = product.map(|number| self.products.place(number));
            }
        }
        // Products are added in the order of the heads' scalars.
        let inputs: Vec<_> = heads
            .iter()
            .flat_map(|head| [0, 1].map(|j| (2 * head.number + j, head.answers[j])))
            .filter_map(|(scalar, answer)| Some((scalar, answer?)))
            .collect();
        let heads_out = update(&weights.out_proj, &inputs);
        self.versions.write(heads_out.slots());

        let d_ffn = weights.neurons();
        let mut neurons = Vec::new();
        let mut inputs = Vec::new();
        for neuron in others {
            let gate = row_of(&weights.ff_in, neuron);
            let value = row_of(&weights.ff_in, d_ffn + neuron);
            if !gate.is_empty() && !value.is_empty() && !weights.ff_out.column_is_zero(neuron) {
                inputs.push((neuron, neurons.len()));
                neurons.push([gate, value].map(|row| self.gates.number(row, &self.versions)));
            }
        }
        let (neurons_in, neurons_at) = self.gates.end();
        for neuron in &mut neurons {
            *neuron = neuron.map(|number| self.gates.place(number));
        }
        let looked = Looked::new(weights, tables, |slot| {
            restricted(&weights.ff_out, &inputs, slot)
        });
        let is_looked = |slot: usize| looked.slots.iter().any(|known| known.slot == slot);
        let rows = (0..weights.ff_out.rows).map(|slot| match is_looked(slot) {
            true => vec![],
            false => restricted(&weights.ff_out, &inputs, slot),
        });
        let neurons_out = Update::new(rows.collect());
        self.versions.write(neurons_out.slots());
        for slot in &looked.slots {
            self.versions.write(&[slot.slot as u16]);
        }
        Layer {
            heads_in,
            heads_at,
            heads,
            boxes,
            lookups,
            heads_out,
            neurons_in,
            neurons_at,
            neurons,
            neurons_out,
            looked,
        }
    }

    /// The live heads of a layer, with value numbers of products instead of places. The answer of a
    /// live value is 0 for now.
    fn heads(&mut self, model: &Model, index: usize, weights: &LayerWeights) -> Vec<Head> {
        let shape = &model.config.shape;
        let mut heads = Vec::new();
        for number in 0..shape.heads {
            let scalars = [2 * number, 2 * number + 1];
            let third = |i: usize| scalars.map(|s| row_of(&weights.in_proj, i * shape.d_model + s));
            let mut values = third(2);
            let reaches = |j: usize| !weights.out_proj.column_is_zero(scalars[j]);
            let live = [0, 1].map(|j| !values[j].is_empty() && reaches(j));
            if live == [false; 2] {
                continue;
            }
            for j in 0..2 {
                // A dead value is zero, and its row is ignored.
                if !live[j] {
                    values[j].clear();
                }
            }
            let mut numbers =
                |rows: [Row; 2]| rows.map(|row| self.products.number(row, &self.versions));
            heads.push(Head {
                number,
                query: numbers(third(0)),
                key: numbers(third(1)),
                value: numbers(values),
                answers: live.map(|live| live.then_some(0)),
                bound: model.config.key_box(index, number),
                boxed: None,
            });
        }
        heads
    }

    /// The distinct lookups and boxes of a layer's heads. Sets the heads' answers and boxes.
    fn lookups(&mut self, heads: &mut [Head]) -> (Lookups, Vec<KeyBox>) {
        let mut lookups = Lookups::default();
        let mut boxes = Vec::new();
        // For each query, the streams of values that answer it.
        let mut answers: Vec<Vec<usize>> = Vec::new();
        // For each live value of the heads, the index of the query in this layer.
        let mut query_of = Vec::new();
        for (i, head) in heads.iter_mut().enumerate() {
            let place = |number: usize| self.products.place(number);
            let (keys, is_new) = self.keys.of(head.key);
            if is_new {
                lookups.keys.push(KeyAppend {
                    stream: keys,
                    key: head.key.map(place),
                    head: i,
                });
            }
            if let Some(bound) = head.bound {
                let (number, is_new) = self.boxes.of((keys, bound.map(f64::to_bits)));
                head.boxed = Some(number);
                if is_new {
                    boxes.push(KeyBox {
                        number,
                        key: head.key.map(place),
                        bound,
                    });
                }
            }
            let [x, y] = head.query;
            let (number, is_new) = self.queries.of([keys, x, y]);
            let known = lookups.queries.iter().position(|q| q.number == number);
            let query = known.unwrap_or_else(|| {
                lookups.queries.push(LayerQuery {
                    number,
                    keys,
                    query: head.query.map(place),
                    is_new,
                    answers: 0,
                });
                answers.push(Vec::new());
                lookups.queries.len() - 1
            });
            for (answer, value) in head.answers.iter_mut().zip(head.value) {
                let Some(answer) = answer else { continue };
                let (values, is_new) = self.values.of([keys, value]);
                if is_new {
                    let new = [values, place(value)];
                    match lookups.values.iter_mut().find(|beside| beside.keys == keys) {
                        Some(beside) => beside.values.push(new),
                        None => lookups.values.push(ValueAppend {
                            keys,
                            values: vec![new],
                        }),
                    }
                }
                let others = &mut answers[query];
                let known = others.iter().position(|&other| other == values);
                *answer = known.unwrap_or_else(|| {
                    others.push(values);
                    others.len() - 1
                });
                query_of.push(query);
            }
        }
        let mut first = 0;
        let mut firsts = Vec::new();
        for (query, answers) in lookups.queries.iter_mut().zip(answers) {
            firsts.push(first);
            query.answers = answers.len();
            first += answers.len();
            lookups.answers.extend(answers);
        }
        lookups.answers_at = self.answers;
        self.answers += lookups.answers.len();
        let answers = heads.iter_mut().flat_map(|head| &mut head.answers);
        for (answer, query) in answers.flatten().zip(query_of) {
            *answer += firsts[query];
        }
        (lookups, boxes)
    }
}

/// The rows of a matrix restricted to some columns. Each pair is a column and the index of its
/// input, in the order in which products are added.
fn update(matrix: &Matrix, columns: &[(usize, usize)]) -> Update {
    let rows = (0..matrix.rows).map(|r| restricted(matrix, columns, r));
    Update::new(rows.collect())
}

/// A row of such a matrix.
fn restricted(matrix: &Matrix, columns: &[(usize, usize)], r: usize) -> Row {
    let entry = |&(column, input): &(usize, usize)| Entry {
        input: input as u32,
        weight: matrix.row(r)[column],
    };
    let entries = columns.iter().map(entry);
    entries.filter(|entry| entry.weight != 0.0).collect()
}
