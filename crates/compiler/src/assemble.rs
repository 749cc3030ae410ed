//! Assembly: a graph and its schedule become the matrices of a plain transformer.
//!
//! | writer | rows and columns |
//! |---|---|
//! | neuron | gate row and value row of `ff_in`, one column of `ff_out` |
//! | lookup | query `β (query, scale)`, key `(2 index, -square + 2^-r time - CLEARED clear)`, values; two columns of `out_proj` |
//! | average | query and key zero |
//! | table | for each bend a gate row `argument - at`, a value row 1, and one column of `ff_out` |
//! | wipe | a neuron `-x relu(one)`, or a head that attends to its own token |
//!
//! β = 2^(13 + r) is the inverse temperature: it makes the scores of two keys that compete differ
//! by at least 2^12 or so, so that softmax in f64 gives weight 1 to one of them and exactly 0 to
//! all others.

mod table_place;

use weightware_model::{
    Attention, Config, KeyBound, LayerWeights, Matrix, Model, PositionFeature, Shape, TokenId,
    Tokenizer, Weights,
};

use crate::form::{Dim, LinearForm};
use crate::graph::{CLEARED, Graph, Key, Origin, Part, Writer};
use crate::schedule::{Budget, Schedule, ScheduleError};

pub(crate) use table_place::TablePlace;

/// A box of keys within which a lookup is exact.
#[derive(Debug, Clone, PartialEq)]
pub struct LookupBound {
    /// The lookup, by the name of its writer in the graph.
    pub lookup: String,
    /// The greatest `|index|` of a live key.
    pub max_index: i64,
    /// The greatest `2^-recency * time` of a live key.
    pub max_lift: f64,
}

/// The exponent of the inverse temperature of a lookup by position.
const SHARPNESS: i32 = 13;

/// The parameters of one token: its string, its embedding and its logit.
#[derive(Debug, Clone)]
pub struct TokenRow {
    /// The token's string, without white space.
    pub string: String,
    /// Inputs and their values; all other inputs are zero.
    pub embedding: Vec<(Dim, i64)>,
    /// The logit, a form over the graph's outputs.
    pub logit: LinearForm,
}

/// The input of the assembly: a graph, its schedule and its tokens.
#[derive(Debug, Clone)]
pub struct Blueprint<'a> {
    /// The dimensions, and the writers that compute them.
    pub graph: &'a Graph,
    /// The layer of each writer of the graph, and the slot of each dimension.
    pub schedule: &'a Schedule,
    /// The tokens in id order.
    pub tokens: Vec<TokenRow>,
    /// Ids of the tokens that end decoding.
    pub end_tokens: Vec<u32>,
    /// The name of the profile that the horizons belong to.
    pub profile: Option<&'a str>,
    /// The groups of instructions, if it is a machine that has some.
    pub modules: Option<Vec<String>>,
    /// The tokens after which it begins another context, if it does.
    pub context: Option<u64>,
    /// The greatest certified position.
    pub last_position: u64,
    /// The boxes within which lookups are exact.
    pub bounds: &'a [LookupBound],
}

impl Blueprint<'_> {
    /// Builds the model; takes milliseconds.
    ///
    /// # Errors
    /// If the schedule does not fit the graph.
    ///
    /// # Panics
    /// If a form needs a coefficient above 2^53, or the unembedding reads a dimension that is not
    /// an output.
    pub fn assemble(&self) -> Result<Model, ScheduleError> {
        self.schedule.check(self.graph)?;
        let Budget {
            layers,
            d_model,
            d_ffn,
        } = self.schedule.budget;
        let shape = Shape {
            layers,
            d_model,
            heads: d_model / 2,
            d_ffn,
            vocab: self.tokens.len(),
        };
        let widest = (0..layers)
            .map(|layer| self.bends(2 * layer as i32 + 1))
            .max();
        let shape = Shape {
            d_ffn: d_ffn + widest.unwrap_or(0),
            ..shape
        };

        let mut tok = Matrix::zeros(shape.vocab, d_model);
        let mut head = Matrix::zeros(shape.vocab, d_model);
        for (
            TokenRow {
                embedding, logit, ..
            },
            row,
        ) in self.tokens.iter().zip(0..)
        {
            for &(dim, value) in embedding {
                assert!(
                    self.graph.dims[dim.index()].origin == Origin::Embedding,
                    "an embedding fills inputs only"
                );
                tok.row_mut(row)[self.slot(dim)] += exact(value);
            }
            assert!(
                logit
                    .terms()
                    .iter()
                    .all(|(dim, _)| self.graph.outputs.contains(dim)),
                "logits read outputs"
            );
            self.fill(head.row_mut(row), logit, 1.0);
        }
        let position_features =
            self.graph
                .dims()
                .filter_map(|dim| match self.graph.dims[dim.index()].origin {
                    Origin::Position(coefficients) => Some(PositionFeature {
                        slot: self.slot(dim),
                        coefficients,
                    }),
                    Origin::Embedding | Origin::Computed | Origin::Continued(_) => None,
                });

        let mut key_bounds = vec![];
        let layers = (0..layers)
            .map(|layer| self.layer(layer, &shape, &mut key_bounds))
            .collect();
        let strings = self
            .tokens
            .iter()
            .map(|token| token.string.clone())
            .collect();
        Ok(Model {
            config: Config {
                shape,
                attention: Attention::Hardmax,
                position_features: position_features.collect(),
                profile: self.profile.map(str::to_owned),
                modules: self.modules.clone(),
                context: self.context,
                last_position: self.last_position,
                key_bounds,
            },
            weights: Weights { tok, layers, head },
            tokenizer: Tokenizer::new(strings),
            end_tokens: self.end_tokens.iter().map(|&id| TokenId(id)).collect(),
        })
    }

    fn slot(&self, dim: Dim) -> usize {
        self.schedule.slots[dim.index()]
    }

    /// Adds a form, scaled, to a row over slots.
    fn fill(&self, row: &mut [f64], form: &LinearForm, scale: f64) {
        for &(dim, coefficient) in form.terms() {
            row[self.slot(dim)] += scale * exact(coefficient);
        }
    }

    fn layer(&self, layer: usize, shape: &Shape, bounds: &mut Vec<KeyBound>) -> LayerWeights {
        let d_model = shape.d_model;
        let half_layer = 2 * i32::try_from(layer).expect("a model has fewer than 2^30 layers");
        let d_ffn = self.schedule.budget.d_ffn + self.bends(half_layer + 1);
        let mut weights = LayerWeights {
            in_proj: Matrix::zeros(3 * d_model, d_model),
            out_proj: Matrix::zeros(d_model, d_model),
            ff_in: Matrix::zeros(2 * d_ffn, d_model),
            ff_out: Matrix::zeros(d_model, d_ffn),
        };
        self.attention(half_layer, &mut weights, bounds);
        self.feed_forward(half_layer + 1, d_ffn, &mut weights);
        weights
    }

    /// Fills the heads of a half-layer: its writers in order, then the heads that wipe slots.
    fn attention(&self, half_layer: i32, weights: &mut LayerWeights, bounds: &mut Vec<KeyBound>) {
        let d_model = self.schedule.budget.d_model;
        let layer = usize::try_from(half_layer / 2).expect("a half-layer of a model");
        let mut head = 0;
        for writer in self.schedule.writers_at(half_layer) {
            let node = &self.graph.writers[writer.index()];
            let values = match &node.writer {
                Writer::Lookup {
                    query,
                    scale,
                    key,
                    values,
                } => {
                    self.fill_keys(&mut weights.in_proj, head, [query, scale], key);
                    values
                }
                Writer::Average { values } => values,
                Writer::Neuron { .. } | Writer::Total { .. } | Writer::Table { .. } => {
                    unreachable!("neurons have odd half-layers")
                }
            };
            for (value, part) in values.iter().zip(0..) {
                self.fill(
                    weights.in_proj.row_mut(2 * d_model + 2 * head + part),
                    value,
                    1.0,
                );
            }
            for (dim, part) in self.graph.targets(writer) {
                weights.out_proj.row_mut(self.slot(dim))[2 * head + part.output.part] +=
                    factor(part);
            }
            if let Some(bound) = self.bounds.iter().find(|bound| bound.lookup == node.name) {
                let max_abs_x = 2.0 * exact(bound.max_index);
                bounds.push(KeyBound {
                    layer,
                    head,
                    max_abs_x,
                    max_lift: bound.max_lift,
                });
            }
            head += 1;
        }
        let wipes: Vec<_> = self.schedule.wipes_at(half_layer).collect();
        for pair in wipes.chunks(2) {
            let [time, one] = [self.graph.time(), self.graph.one()].map(LinearForm::from);
            self.fill_keys(
                &mut weights.in_proj,
                head,
                [&time, &one],
                &self.graph.positions(),
            );
            for (wipe, part) in pair.iter().zip(0..) {
                let slot = self.slot(wipe.dim);
                weights.in_proj.row_mut(2 * d_model + 2 * head + part)[slot] = 1.0;
                weights.out_proj.row_mut(slot)[2 * head + part] = -1.0;
            }
            head += 1;
        }
    }

    /// Fills the neurons of a half-layer: its writers in order, then the neurons that wipe slots.
    fn feed_forward(&self, half_layer: i32, d_ffn: usize, weights: &mut LayerWeights) {
        let mut neuron = 0;
        for writer in self.schedule.writers_at(half_layer) {
            let (value, gate) = match &self.graph.writers[writer.index()].writer {
                Writer::Neuron { value, gate } => (value.clone(), gate.clone()),
                Writer::Total { average } => (
                    LinearForm::from(*average),
                    self.graph.time() + self.graph.one(),
                ),
                Writer::Table { .. } => continue,
                Writer::Lookup { .. } | Writer::Average { .. } => {
                    unreachable!("heads have even half-layers")
                }
            };
            self.fill(weights.ff_in.row_mut(neuron), &gate, 1.0);
            self.fill(weights.ff_in.row_mut(d_ffn + neuron), &value, 1.0);
            for (dim, part) in self.graph.targets(writer) {
                weights.ff_out.row_mut(self.slot(dim))[neuron] += factor(part);
            }
            neuron += 1;
        }
        for wipe in self.schedule.wipes_at(half_layer) {
            let slot = self.slot(wipe.dim);
            weights.ff_in.row_mut(neuron)[self.slot(self.graph.one())] = 1.0;
            weights.ff_in.row_mut(d_ffn + neuron)[slot] = -1.0;
            weights.ff_out.row_mut(slot)[neuron] = 1.0;
            neuron += 1;
        }
        // The neurons of tables follow those of the shape.
        neuron = self.schedule.budget.d_ffn;
        for writer in self.schedule.writers_at(half_layer) {
            let Some(place) = TablePlace::new(self.graph, self.schedule, writer) else {
                continue;
            };
            for bend in place.table.bends() {
                let [gate, value, outputs] = place.neuron(bend);
                weights.ff_in.row_mut(neuron).copy_from_slice(&gate);
                weights
                    .ff_in
                    .row_mut(d_ffn + neuron)
                    .copy_from_slice(&value);
                for (slot, output) in outputs.into_iter().enumerate() {
                    weights.ff_out.row_mut(slot)[neuron] = output;
                }
                neuron += 1;
            }
        }
    }

    /// The neurons of the tables of a half-layer.
    fn bends(&self, half_layer: i32) -> usize {
        let writers = self.schedule.writers_at(half_layer);
        let tables =
            writers.filter_map(|writer| match &self.graph.writers[writer.index()].writer {
                Writer::Table { table, .. } => Some(table.bends().len()),
                _ => None,
            });
        tables.sum()
    }

    fn fill_keys(&self, in_proj: &mut Matrix, head: usize, query: [&LinearForm; 2], key: &Key) {
        let d_model = in_proj.cols;
        let sharpness = f64::from(SHARPNESS + key.recency).exp2();
        self.fill(in_proj.row_mut(2 * head), query[0], sharpness);
        self.fill(in_proj.row_mut(2 * head + 1), query[1], sharpness);
        self.fill(in_proj.row_mut(d_model + 2 * head), &key.index, 2.0);
        let height = in_proj.row_mut(d_model + 2 * head + 1);
        self.fill(height, &key.square, -1.0);
        self.fill(height, &key.time, f64::from(-key.recency).exp2());
        self.fill(height, &key.clear, -exact(CLEARED));
    }
}

/// The coefficient by which an output is multiplied before it is added to a dimension.
pub(crate) fn factor(part: Part) -> f64 {
    exact(part.coefficient) * 0.5_f64.powi(part.shift.cast_signed())
}

/// Converts an integer to f64 without rounding.
fn exact(value: i64) -> f64 {
    assert!(
        value.unsigned_abs() <= 1 << 53,
        "{value} is not exact in f64"
    );
    value as f64
}
