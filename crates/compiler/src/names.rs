//! Names of the heads, neurons and slots of an assembled model, layer by layer, derived from a
//! graph and its schedule.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use weightware_model::{Matrix, Model};

use crate::assemble::factor;
use crate::form::LinearForm;
use crate::graph::{Graph, Origin, Writer, WriterIdx};
use crate::schedule::{Life, Schedule, lives, readers};

/// The names of a model's heads, neurons and slots. Its JSON is the file `names.json` of a model
/// folder; no engine reads it.
///
/// Forms are text over names of dimensions: `depth - 2`. A plain number is a multiple of `one`,
/// which is 1 at every token except the first.
///
/// ```
/// use weightware_compiler::{compile, machine::Profile, machine::Extension};
///
/// let names = compile(Profile::default(), &Extension::ALL)?.names;
/// assert_eq!(names.slot(0, 1), Some("t"));
/// assert_eq!(names.head(0, 0).map(|head| head.name.as_str()), Some("latest_end"));
/// # Ok::<(), weightware_compiler::ScheduleError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Names {
    /// The version of the format: [`Names::FORMAT`].
    pub format: u32,
    /// The columns of the embedding, and the slots of the position.
    pub embedding: EmbeddingNames,
    /// The names of each layer.
    pub layers: Vec<LayerNames>,
    /// For each slot, the dimension that the unembedding reads from it.
    pub unembedding: Vec<Option<String>>,
}

/// The names of the columns of the embedding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmbeddingNames {
    /// For each slot, the dimension that a token's embedding or its position fills.
    pub slots: Vec<Option<String>>,
    /// The dimensions of `slots` to which half-layers add.
    pub partial: Vec<String>,
}

/// The names of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerNames {
    /// The names of the layer's attention.
    pub attn: AttentionNames,
    /// The names of the layer's feed-forward network.
    pub ffn: FeedForwardNames,
}

/// The names of a layer's attention, and of the slots after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttentionNames {
    /// For each head of the weights, its name; `None` for a dead head.
    pub heads: Vec<Option<HeadName>>,
    /// For each slot, the dimension that is alive after the attention.
    pub slots: Vec<Option<String>>,
    /// The dimensions of `slots` to which later half-layers add.
    pub partial: Vec<String>,
}

/// The names of a layer's feed-forward network, and of the slots after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedForwardNames {
    /// For each neuron of the weights, its name; `None` for a dead neuron. Neurons of tables
    /// follow, without names.
    pub neurons: Vec<Option<NeuronName>>,
    /// The tables, whose neurons are those beyond `neurons`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableName>,
    /// For each slot, the dimension that is alive after the neurons.
    pub slots: Vec<Option<String>>,
    /// The dimensions of `slots` to which later half-layers add.
    pub partial: Vec<String>,
}

/// The purpose of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeadKind {
    /// The head finds the token whose key is nearest to its query.
    Lookup,
    /// The head averages over all tokens so far.
    Average,
    /// The head frees slots: it attends to its own token and subtracts the token's values from
    /// them.
    Wipe,
}

/// The name of a head, and of its query, keys and values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeadName {
    /// The head's name.
    pub name: String,
    /// The head's purpose.
    pub kind: HeadKind,
    /// The forms of its query and keys; `None` for an average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<QueryName>,
    /// The head's values, one or two.
    pub values: Vec<ValueName>,
}

/// The forms of a lookup's query and keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueryName {
    /// The numerator of the queried index, which is `index / scale`.
    pub index: String,
    /// The denominator of the queried index.
    pub scale: String,
    /// The integer that a key stands for.
    pub key: String,
    /// The order of keys of equal index: the greatest wins.
    pub time: String,
    /// The form that is 0 for a live key.
    pub clear: String,
}

/// A value of a head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValueName {
    /// The form that is read at the attended token.
    pub reads: String,
    /// The dimensions that the value is added to, and the factors.
    pub writes: BTreeMap<String, f64>,
}

/// A neuron: `value * relu(gate)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NeuronName {
    /// The neuron's name.
    pub name: String,
    /// The form that is rectified.
    pub gate: String,
    /// The form by which the rectified form is multiplied.
    pub value: String,
    /// The dimensions that the product is added to, and the factors.
    pub writes: BTreeMap<String, f64>,
}

/// A table: neurons that together compute functions of an integer, as code and data in the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableName {
    /// The table's name.
    pub name: String,
    /// The form whose functions are computed.
    pub argument: String,
    /// The dimensions that each function is added to, and the factors.
    pub writes: Vec<BTreeMap<String, f64>>,
}

/// A difference between names and a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NamesError(String);

impl Names {
    /// The version of the format that this crate writes, and the only one that it reads.
    pub const FORMAT: u32 = 1;

    /// Derives the names of the model that [`Blueprint`](crate::Blueprint) assembles from a graph
    /// and its schedule.
    #[must_use]
    pub fn new(graph: &Graph, schedule: &Schedule) -> Self {
        let naming = Naming::new(graph, schedule);
        let layers = (0..schedule.budget.half_layers()).step_by(2);
        let layers = layers.map(|half_layer| LayerNames {
            attn: AttentionNames {
                heads: naming.heads(half_layer),
                slots: naming.slots(half_layer),
                partial: naming.partial(half_layer),
            },
            ffn: FeedForwardNames {
                neurons: naming.neurons(half_layer + 1),
                tables: naming.tables(half_layer + 1),
                slots: naming.slots(half_layer + 1),
                partial: naming.partial(half_layer + 1),
            },
        });
        let mut unembedding = vec![None; schedule.budget.d_model];
        for dim in graph.outputs() {
            unembedding[schedule.slots[dim.index()]] = Some(graph.name(dim).to_owned());
        }
        Self {
            format: Self::FORMAT,
            embedding: EmbeddingNames {
                slots: naming.slots(-1),
                partial: naming.partial(-1),
            },
            layers: layers.collect(),
            unembedding,
        }
    }

    /// The dimension that is alive in a slot after `half_layers` half-layers. After none it is the
    /// dimension of the embedding.
    #[must_use]
    pub fn slot(&self, half_layers: usize, slot: usize) -> Option<&str> {
        let slots = match half_layers.checked_sub(1) {
            None => &self.embedding.slots,
            Some(at) if at % 2 == 0 => &self.layers.get(at / 2)?.attn.slots,
            Some(at) => &self.layers.get(at / 2)?.ffn.slots,
        };
        slots.get(slot)?.as_deref()
    }

    /// Whether half-layers after the first `half_layers` add to a dimension.
    #[must_use]
    pub fn is_partial(&self, half_layers: usize, dimension: &str) -> bool {
        let partial = match half_layers.checked_sub(1) {
            None => Some(&self.embedding.partial),
            Some(at) => self.layers.get(at / 2).map(|layer| match at % 2 {
                0 => &layer.attn.partial,
                _ => &layer.ffn.partial,
            }),
        };
        partial.is_some_and(|names| names.iter().any(|name| name == dimension))
    }

    /// The name of a head of the weights.
    #[must_use]
    pub fn head(&self, layer: usize, head: usize) -> Option<&HeadName> {
        self.layers.get(layer)?.attn.heads.get(head)?.as_ref()
    }

    /// The name of a neuron of the weights.
    #[must_use]
    pub fn neuron(&self, layer: usize, neuron: usize) -> Option<&NeuronName> {
        self.layers.get(layer)?.ffn.neurons.get(neuron)?.as_ref()
    }

    /// Checks that names have the shape of a model, and that exactly its live heads and neurons are
    /// named.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, model: &Model) -> Result<(), NamesError> {
        let fail = |message: String| Err(NamesError(message));
        if self.format != Self::FORMAT {
            let (is, known) = (self.format, Self::FORMAT);
            return fail(format!("the format is {is}, not {known}"));
        }
        let shape = &model.config.shape;
        let slots = self
            .layers
            .iter()
            .flat_map(|layer| [&layer.attn.slots, &layer.ffn.slots]);
        let fits = self.layers.len() == shape.layers
            && slots
                .chain([&self.embedding.slots, &self.unembedding])
                .all(|slots| slots.len() == shape.d_model)
            && self
                .layers
                .iter()
                .all(|layer| layer.attn.heads.len() == shape.heads)
            && (self.layers.iter().zip(&model.weights.layers))
                .all(|(layer, weights)| layer.ffn.covers(weights.neurons()));
        if !fits {
            return fail("they are of another shape".to_owned());
        }
        for (names, (weights, number)) in
            self.layers.iter().zip(model.weights.layers.iter().zip(1..))
        {
            let heads = names.attn.heads.iter().enumerate();
            for (head, name) in heads {
                let live = [2 * head, 2 * head + 1].into_iter().any(|scalar| {
                    is_row(&weights.in_proj, 2 * shape.d_model + scalar)
                        && is_column(&weights.out_proj, scalar)
                });
                if live != name.is_some() {
                    return fail(differs(number, "head", head, live));
                }
            }
            for (neuron, name) in names.ffn.neurons.iter().enumerate() {
                let live = is_row(&weights.ff_in, neuron)
                    && is_row(&weights.ff_in, weights.neurons() + neuron)
                    && is_column(&weights.ff_out, neuron);
                if live != name.is_some() {
                    return fail(differs(number, "neuron", neuron, live));
                }
            }
        }
        Ok(())
    }
}

impl FeedForwardNames {
    /// Whether the names are those of this many neurons.
    fn covers(&self, neurons: usize) -> bool {
        match self.tables.is_empty() {
            true => self.neurons.len() == neurons,
            false => self.neurons.len() <= neurons,
        }
    }
}

fn differs(layer: usize, kind: &str, number: usize, live: bool) -> String {
    let (weights, names) = match live {
        true => ("live", "have no name for it"),
        false => ("dead", "name it"),
    };
    format!("{kind} {number} of layer {layer} is {weights} in the weights, and the names {names}")
}

fn is_row(matrix: &Matrix, row: usize) -> bool {
    matrix.row(row).iter().any(|&weight| weight != 0.0)
}

fn is_column(matrix: &Matrix, column: usize) -> bool {
    (0..matrix.rows).any(|row| matrix.row(row)[column] != 0.0)
}

/// A graph under a schedule, and the lifetimes of its dimensions.
struct Naming<'a> {
    graph: &'a Graph,
    schedule: &'a Schedule,
    lives: Vec<Life>,
}

impl<'a> Naming<'a> {
    fn new(graph: &'a Graph, schedule: &'a Schedule) -> Self {
        let Schedule {
            budget,
            half_layers,
            ..
        } = schedule;
        Self {
            graph,
            schedule,
            lives: lives(graph, &readers(graph), half_layers, budget),
        }
    }

    /// For each slot, the dimension that is written in this half-layer or before, and read in a
    /// later one.
    fn slots(&self, half_layer: i32) -> Vec<Option<String>> {
        let mut slots = vec![None; self.schedule.budget.d_model];
        for dim in self.graph.dims() {
            let life = self.lives[dim.index()];
            let node = &self.graph.dims[dim.index()];
            // A fraction's slot is zero in the half-layer before the fraction is written.
            let reserved = node.fraction && node.origin == Origin::Computed;
            let first = life.first + i32::from(reserved);
            if (first..life.last).contains(&half_layer) {
                slots[self.schedule.slots[dim.index()]] = Some(node.name.clone());
            }
        }
        slots
    }

    fn partial(&self, half_layer: i32) -> Vec<String> {
        let alive: HashSet<String> = self.slots(half_layer).into_iter().flatten().collect();
        let partial = self
            .graph
            .dims()
            .filter(|dim| self.lives[dim.index()].ready > half_layer);
        let names = partial.map(|dim| self.graph.name(dim).to_owned());
        names.filter(|name| alive.contains(name)).collect()
    }

    fn form(&self, form: &LinearForm) -> String {
        let mut text = String::new();
        // Constants come last.
        let (constants, terms): (Vec<_>, Vec<_>) = form
            .terms()
            .iter()
            .partition(|(dim, _)| *dim == self.graph.one());
        for (dim, coefficient) in terms.into_iter().chain(constants) {
            let sign = match (text.is_empty(), coefficient < 0) {
                (true, true) => "-",
                (true, false) => "",
                (false, true) => " - ",
                (false, false) => " + ",
            };
            let magnitude = coefficient.unsigned_abs();
            let term = match (dim == self.graph.one(), magnitude) {
                (true, _) => magnitude.to_string(),
                (false, 1) => self.graph.name(dim).to_owned(),
                (false, _) => format!("{magnitude} {}", self.graph.name(dim)),
            };
            text.push_str(sign);
            text.push_str(&term);
        }
        match text.is_empty() {
            true => "0".to_owned(),
            false => text,
        }
    }

    /// The dimensions that one output of a writer is added to, and the factors.
    fn writes(&self, writer: WriterIdx, output: usize) -> BTreeMap<String, f64> {
        let mut writes = BTreeMap::new();
        for (dim, part) in self.graph.targets(writer) {
            if part.output.part == output {
                *writes.entry(self.graph.name(dim).to_owned()).or_default() += factor(part);
            }
        }
        writes
    }

    fn heads(&self, half_layer: i32) -> Vec<Option<HeadName>> {
        let writers = self.schedule.writers_at(half_layer).map(|writer| {
            let node = &self.graph.writers[writer.index()];
            let (kind, query, values) = match &node.writer {
                Writer::Lookup {
                    query,
                    scale,
                    key,
                    values,
                } => {
                    let query = QueryName {
                        index: self.form(query),
                        scale: self.form(scale),
                        key: self.form(&key.index),
                        time: self.form(&key.time),
                        clear: self.form(&key.clear),
                    };
                    (HeadKind::Lookup, Some(query), values)
                }
                Writer::Average { values } => (HeadKind::Average, None, values),
                Writer::Neuron { .. } | Writer::Total { .. } | Writer::Table { .. } => {
                    unreachable!("neurons have odd half-layers")
                }
            };
            let values = values.iter().enumerate().map(|(part, value)| ValueName {
                reads: self.form(value),
                writes: self.writes(writer, part),
            });
            HeadName {
                name: node.name.clone(),
                kind,
                query,
                values: values.collect(),
            }
        });
        let wiped: Vec<&str> = self.wiped(half_layer).collect();
        let wipes = wiped.chunks(2).map(|pair| HeadName {
            name: format!("wipe of {}", pair.join(", ")),
            kind: HeadKind::Wipe,
            query: Some(QueryName {
                index: self.form(&self.graph.time().into()),
                scale: self.form(&self.graph.one().into()),
                key: self.form(&self.graph.positions().index),
                time: self.form(&LinearForm::zero()),
                clear: self.form(&LinearForm::zero()),
            }),
            values: pair
                .iter()
                .map(|&name| ValueName {
                    reads: name.to_owned(),
                    writes: BTreeMap::from([(name.to_owned(), -1.0)]),
                })
                .collect(),
        });
        padded(writers.chain(wipes), self.schedule.budget.d_model / 2)
    }

    fn neurons(&self, half_layer: i32) -> Vec<Option<NeuronName>> {
        let graph = self.graph;
        let writers = self.schedule.writers_at(half_layer);
        let writers = writers.filter(|writer| !graph.writers[writer.index()].writer.is_table());
        let writers = writers.map(|writer| {
            let node = &graph.writers[writer.index()];
            let (value, gate) = match &node.writer {
                Writer::Neuron { value, gate } => (self.form(value), self.form(gate)),
                Writer::Total { average } => (
                    self.form(&(*average).into()),
                    self.form(&(graph.time() + graph.one())),
                ),
                Writer::Lookup { .. } | Writer::Average { .. } | Writer::Table { .. } => {
                    unreachable!("a head has an even half-layer, and a table is none of these")
                }
            };
            NeuronName {
                name: node.name.clone(),
                gate,
                value,
                writes: self.writes(writer, 0),
            }
        });
        let wipes = self.wiped(half_layer).map(|name| NeuronName {
            name: format!("wipe of {name}"),
            gate: self.form(&graph.one().into()),
            value: format!("-{name}"),
            writes: BTreeMap::from([(name.to_owned(), 1.0)]),
        });
        padded(writers.chain(wipes), self.schedule.budget.d_ffn)
    }

    fn tables(&self, half_layer: i32) -> Vec<TableName> {
        let writers = self.schedule.writers_at(half_layer);
        let tables = writers.filter_map(|writer| {
            let node = &self.graph.writers[writer.index()];
            let Writer::Table { argument, table } = &node.writer else {
                return None;
            };
            Some(TableName {
                name: node.name.clone(),
                argument: self.form(argument),
                writes: (0..table.columns())
                    .map(|part| self.writes(writer, part))
                    .collect(),
            })
        });
        tables.collect()
    }

    fn wiped(&self, half_layer: i32) -> impl Iterator<Item = &str> {
        let wipes = self.schedule.wipes_at(half_layer);
        wipes.map(|wipe| self.graph.name(wipe.dim))
    }
}

/// Pads names with `None` up to a count.
fn padded<T: Clone>(names: impl Iterator<Item = T>, count: usize) -> Vec<Option<T>> {
    let mut names: Vec<Option<T>> = names.map(Some).collect();
    names.resize(count, None);
    names
}
