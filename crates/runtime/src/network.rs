//! The network as sparse rows, with products that are equal for every token computed once.

use weightware_hull::Point;
use weightware_model::{LayerWeights, Matrix, Model, PositionFeature};

use crate::qkv::Qkv;
use crate::sparse::{Entry, Row, Rows, Update, row_of};
use crate::unembed::Unembed;
use crate::value_numbering::{Interner, Products, SlotVersions};

/// A model made ready to run. It owns what it needs.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) d_model: usize,
    pub(crate) vocab: usize,
    /// Embedding rows, one after the other.
    pub(crate) embedding: Vec<f64>,
    pub(crate) position_features: Vec<PositionFeature>,
    pub(crate) layers: Vec<Layer>,
    /// How many distinct products there are of queries, keys and values, and how many of neurons.
    pub(crate) products: usize,
    pub(crate) gates: usize,
    /// How many streams of keys and of values, questions, answers of all layers, and boxes.
    pub(crate) key_streams: usize,
    pub(crate) value_streams: usize,
    pub(crate) questions: usize,
    pub(crate) answers: usize,
    pub(crate) boxes: usize,
    pub(crate) unembed: Unembed,
    pub(crate) last_position: u64,
    /// By id: whether it is an end token.
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
    pub(crate) asks: Asks,
    /// From the answers.
    pub(crate) heads_out: Update,
    /// The rows of gates and values whose products earlier layers do not have.
    pub(crate) neurons_in: Rows,
    /// The place of the first of them among all [gates](Network::gates).
    pub(crate) neurons_at: usize,
    /// The places of a neuron's gate and value.
    pub(crate) neurons: Vec<[usize; 2]>,
    /// From the neurons.
    pub(crate) neurons_out: Update,
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
    /// Which of the two values reach the residual stream, and as which answers of the layer.
    pub(crate) answers: [Option<usize>; 2],
    /// Greatest `|x|` and greatest lift of a live key; the lesser of several boxes.
    pub(crate) bound: Option<[f64; 2]>,
    /// The number of the box, if there is one.
    pub(crate) boxed: Option<usize>,
}

impl Head {
    /// What it asks and offers.
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

/// What the heads of a layer ask of a cache, each but once: products that are equal whatever the
/// tokens are one key, one question, one stream of values. Keys and values that earlier layers have
/// are not among those of a later one.
#[derive(Debug, Default)]
pub(crate) struct Asks {
    pub(crate) keys: Vec<NewKey>,
    pub(crate) values: Vec<NewValues>,
    pub(crate) questions: Vec<Question>,
    /// By question, one after the other: the streams of values of which the average is asked for.
    pub(crate) answers: Vec<usize>,
    /// The place of the first of them among those of all layers.
    pub(crate) answers_at: usize,
}

/// A key to append to a stream of keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewKey {
    /// The stream's number.
    pub(crate) stream: usize,
    /// Places among the products.
    pub(crate) key: [usize; 2],
    /// The first head of the layer that has it.
    pub(crate) head: usize,
}

/// Values to append to streams of values, beside one stream of keys.
#[derive(Debug)]
pub(crate) struct NewValues {
    pub(crate) keys: usize,
    /// The streams' numbers, and the values' places among the products.
    pub(crate) values: Vec<[usize; 2]>,
}

/// A question to a stream of keys, for some of the layer's answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) number: usize,
    pub(crate) keys: usize,
    /// Places among the products.
    pub(crate) query: [usize; 2],
    /// Whether no earlier layer asks it.
    pub(crate) is_new: bool,
    /// How many answers are to it.
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
            questions: Interner::default(),
            answers: 0,
            boxes: Interner::default(),
        };
        let weights = model.weights.layers.iter().enumerate();
        let layers = weights.map(|(i, weights)| pass.layer(model, i, weights));
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
            questions: pass.questions.len(),
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

/// What is known of the layers so far.
struct Pass {
    versions: SlotVersions,
    products: Products,
    gates: Products,
    /// By the numbers of two products.
    keys: Interner<[usize; 2]>,
    /// By the number of the keys and that of a product.
    values: Interner<[usize; 2]>,
    /// By the number of the keys and those of two products.
    questions: Interner<[usize; 3]>,
    /// How many answers there are.
    answers: usize,
    /// By the number of the keys and the bits of two bounds.
    boxes: Interner<(usize, [u64; 2])>,
}

impl Pass {
    fn layer(&mut self, model: &Model, index: usize, weights: &LayerWeights) -> Layer {
        let mut heads = self.heads(model, index, weights);
        let (heads_in, heads_at) = self.products.end();
        let (asks, boxes) = self.asks(&mut heads);
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

        let d_ffn = model.config.shape.d_ffn;
        let mut neurons = Vec::new();
        let mut inputs = Vec::new();
        for neuron in 0..d_ffn {
            let gate = row_of(&weights.ff_in, neuron);
            let value = row_of(&weights.ff_in, d_ffn + neuron);
            if !gate.is_empty() && !value.is_empty() && reaches(&weights.ff_out, neuron) {
                inputs.push((neuron, neurons.len()));
                neurons.push([gate, value].map(|row| self.gates.number(row, &self.versions)));
            }
        }
        let (neurons_in, neurons_at) = self.gates.end();
        for neuron in &mut neurons {
            *neuron = neuron.map(|number| self.gates.place(number));
        }
        let neurons_out = update(&weights.ff_out, &inputs);
        self.versions.write(neurons_out.slots());
        Layer {
            heads_in,
            heads_at,
            heads,
            boxes,
            asks,
            heads_out,
            neurons_in,
            neurons_at,
            neurons,
            neurons_out,
        }
    }

    /// The live heads of a layer, with numbers of products instead of places; answers are 0 where a
    /// value is live.
    fn heads(&mut self, model: &Model, index: usize, weights: &LayerWeights) -> Vec<Head> {
        let shape = &model.config.shape;
        let mut heads = Vec::new();
        for number in 0..shape.heads {
            let scalars = [2 * number, 2 * number + 1];
            let third = |i: usize| scalars.map(|s| row_of(&weights.in_proj, i * shape.d_model + s));
            let mut values = third(2);
            let live =
                [0, 1].map(|j| !values[j].is_empty() && reaches(&weights.out_proj, scalars[j]));
            if live == [false; 2] {
                continue;
            }
            for j in 0..2 {
                // A dead value is a zero, whatever its row says.
                if !live[j] {
                    values[j].clear();
                }
            }
            let bounds = model.config.key_bounds.iter();
            let bound = bounds
                .filter(|b| b.layer == index && b.head == number)
                .map(|b| [b.max_abs_x, b.max_lift])
                .reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1])]);
            let mut numbers =
                |rows: [Row; 2]| rows.map(|row| self.products.number(row, &self.versions));
            heads.push(Head {
                number,
                query: numbers(third(0)),
                key: numbers(third(1)),
                value: numbers(values),
                answers: live.map(|live| live.then_some(0)),
                bound,
                boxed: None,
            });
        }
        heads
    }

    /// What heads ask that others do not, and the boxes that others do not have. Sets their answers
    /// and boxes.
    fn asks(&mut self, heads: &mut [Head]) -> (Asks, Vec<KeyBox>) {
        let mut asks = Asks::default();
        let mut boxes = Vec::new();
        // The values that each question is answered with.
        let mut answers: Vec<Vec<usize>> = Vec::new();
        // By live value of the heads: the question, an index of this layer's.
        let mut asked = Vec::new();
        for (i, head) in heads.iter_mut().enumerate() {
            let place = |number: usize| self.products.place(number);
            let (keys, is_new) = self.keys.of(head.key);
            if is_new {
                asks.keys.push(NewKey {
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
            let (number, is_new) = self.questions.of([keys, x, y]);
            let known = asks.questions.iter().position(|q| q.number == number);
            let question = known.unwrap_or_else(|| {
                asks.questions.push(Question {
                    number,
                    keys,
                    query: head.query.map(place),
                    is_new,
                    answers: 0,
                });
                answers.push(Vec::new());
                asks.questions.len() - 1
            });
            for (answer, value) in head.answers.iter_mut().zip(head.value) {
                let Some(answer) = answer else { continue };
                let (values, is_new) = self.values.of([keys, value]);
                if is_new {
                    let new = [values, place(value)];
                    match asks.values.iter_mut().find(|beside| beside.keys == keys) {
                        Some(beside) => beside.values.push(new),
                        None => asks.values.push(NewValues {
                            keys,
                            values: vec![new],
                        }),
                    }
                }
                let others = &mut answers[question];
                let known = others.iter().position(|&other| other == values);
                *answer = known.unwrap_or_else(|| {
                    others.push(values);
                    others.len() - 1
                });
                asked.push(question);
            }
        }
        let mut first = 0;
        let mut firsts = Vec::new();
        for (question, answers) in asks.questions.iter_mut().zip(answers) {
            firsts.push(first);
            question.answers = answers.len();
            first += answers.len();
            asks.answers.extend(answers);
        }
        asks.answers_at = self.answers;
        self.answers += asks.answers.len();
        let answers = heads.iter_mut().flat_map(|head| &mut head.answers);
        for (answer, question) in answers.flatten().zip(asked) {
            *answer += firsts[question];
        }
        (asks, boxes)
    }
}

/// Whether a column of a matrix that writes to the residual stream is not all zero.
fn reaches(matrix: &Matrix, column: usize) -> bool {
    (0..matrix.rows).any(|r| matrix.row(r)[column] != 0.0)
}

/// The rows of a matrix, of which the stated columns are multiplied with the stated inputs, in that
/// order.
fn update(matrix: &Matrix, columns: &[(usize, usize)]) -> Update {
    let restricted = |r: usize| {
        let entry = |&(column, input): &(usize, usize)| Entry {
            input: input as u16,
            weight: matrix.row(r)[column],
        };
        let entries = columns.iter().map(entry);
        entries.filter(|entry| entry.weight != 0.0).collect()
    };
    Update::new((0..matrix.rows).map(restricted).collect())
}
