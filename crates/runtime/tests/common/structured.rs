//! Random models with the structures that compilers make.
//!
//! Every model has a slot of ones, the position and its square, and four columns of the embedding:
//! a number, its square, a flag and the opposite flag. The rest is drawn:
//!
//! | structure | function | it exercises |
//! |---|---|---|
//! | a first token without the slot of ones | [`Generator::embedding`] | sentinels, first keys off the curve |
//! | numbers that no integer program has | [`Generator::scaled_columns`] | rounded sums and products |
//! | a position square that begins elsewhere | [`Generator::first_square`] | first keys off the curve |
//! | keys by position, queried near, far, between two | [`Generator::by_position`] | tables of ids, streams, ties |
//! | keys by position, queried by the own position | [`Generator::own_position`] | values of the token itself |
//! | equal keys | [`Generator::average`] | running sums |
//! | keys of equal x | [`Generator::latest`] | the highest key |
//! | keys on a parabola of a number | [`Generator::address`] | tables of keys, ties, recency, clearing |
//! | random rows | [`Generator::any_keys`] | hulls |
//! | gates that a flag closes, products with the count, rounding by a large number | [`Generator::neuron`] | bounds, averages times counts |
//! | key boxes | [`Generator::key_bounds`] | live keys outside a box |
//! | tokens as the nearest of a family, or random logits | [`Generator::unembedding`] | predictions |

use weightware_model::{KeyBound, LayerWeights, Model, PositionFeature};

use super::{Random, zero};

const ONE: usize = 0;
const T: usize = 1;
const TT: usize = 2;
/// Columns of the embedding: a number, its square, a flag, its opposite.
const NUMBER: usize = 3;
const SQUARE: usize = 4;
const FLAG: usize = 5;
const OTHER: usize = 6;
/// The first slot without a meaning.
const FREE: usize = 7;

const D_FFN: usize = 6;

/// The distance below the parabola of a cleared key.
const CLEARED: f64 = -((1_u64 << 40) as f64);

/// A random model with the structures of the [module](self).
pub(crate) fn structured(layers: usize, heads: usize, vocab: usize, seed: u64) -> Model {
    let d = 2 * heads;
    assert!(d > FREE + 2, "a structured model has at least 5 heads");
    let mut model = zero(layers, d, D_FFN, vocab);
    let mut generator = Generator {
        random: Random(seed),
        d,
    };
    generator.embedding(&mut model);
    generator.scaled_columns(&mut model);
    generator.first_square(&mut model);
    for layer in &mut model.weights.layers {
        for number in 0..heads {
            generator.head(&mut Head { layer, number, d });
        }
        for neuron in 0..D_FFN {
            generator.neuron(layer, neuron);
        }
    }
    generator.key_bounds(&mut model);
    generator.unembedding(&mut model, seed.is_multiple_of(2));
    model
}

/// The rows of a head.
struct Head<'m> {
    layer: &'m mut LayerWeights,
    number: usize,
    d: usize,
}

impl Head<'_> {
    fn add(&mut self, third: usize, part: usize, slot: usize, weight: f64) {
        let row = third * self.d + 2 * self.number + part;
        self.layer.in_proj.row_mut(row)[slot] += weight;
    }

    fn query(&mut self, part: usize, slot: usize, weight: f64) {
        self.add(0, part, slot, weight);
    }

    fn key(&mut self, part: usize, slot: usize, weight: f64) {
        self.add(1, part, slot, weight);
    }
}

struct Generator {
    random: Random,
    d: usize,
}

impl Generator {
    fn one_in(&mut self, n: u64) -> bool {
        self.random.below(n) == 0
    }

    fn one_of<T: Copy, const N: usize>(&mut self, things: [T; N]) -> T {
        things[self.random.below(N as u64) as usize]
    }

    /// A column of the embedding.
    fn column(&mut self) -> usize {
        NUMBER + self.random.below(4) as usize
    }

    /// A slot without a meaning.
    fn free(&mut self) -> usize {
        FREE + self.random.below((self.d - FREE) as u64) as usize
    }

    fn any_slot(&mut self) -> usize {
        match self.random.below(3) {
            0 => self.column(),
            1 => self.free(),
            _ => self.random.below(self.d as u64) as usize,
        }
    }

    fn embedding(&mut self, model: &mut Model) {
        let feature = |slot, coefficients| PositionFeature { slot, coefficients };
        model.config.position_features =
            vec![feature(T, [0.0, 1.0, 0.0]), feature(TT, [0.0, 0.0, 1.0])];
        let has_sentinel = !self.one_in(3);
        for id in 0..model.config.shape.vocab {
            let row = model.weights.tok.row_mut(id);
            if has_sentinel && id == 0 {
                // The first token's key may be off the curve of all others.
                if self.one_in(3) {
                    let coordinate = 1.0 + self.random.below(9) as f64;
                    row[if self.one_in(2) { T } else { TT }] = coordinate;
                }
                continue;
            }
            row[ONE] = 1.0;
            let number = self.random.below(9) as f64 - 3.0;
            row[NUMBER] = number;
            row[SQUARE] = number * number;
            let flag = self.random.below(2) as f64;
            row[FLAG] = flag;
            row[OTHER] = 1.0 - flag;
            if self.one_in(3) {
                let slot = self.free();
                row[slot] = self.random.below(5) as f64 - 2.0;
            }
        }
    }

    fn scaled_columns(&mut self, model: &mut Model) {
        if self.one_in(4) {
            for id in 0..model.config.shape.vocab {
                let slot = self.column();
                model.weights.tok.row_mut(id)[slot] *= self.one_of([1.1, 1e9, 1e-9, 0.5]);
            }
        }
    }

    fn first_square(&mut self, model: &mut Model) {
        if self.one_in(6) {
            let first = self.random.below(3) as f64 - 1.0;
            model.config.position_features[1].coefficients[0] = first;
        }
    }

    fn head(&mut self, head: &mut Head<'_>) {
        let sharp = self.one_of([1.0, 4.0, 8192.0, 3.0]);
        match self.random.below(8) {
            0 | 1 => self.by_position(head, sharp),
            2 => self.own_position(head, sharp),
            3 => self.average(head),
            4 => self.latest(head, sharp),
            5 | 6 => self.address(head, sharp),
            _ => self.any_keys(head),
        }
        self.values(head);
    }

    /// Keys `(2 t, -t^2)`.
    fn position_keys(head: &mut Head<'_>) {
        head.key(0, T, 2.0);
        head.key(1, TT, -1.0);
    }

    /// By position: some tokens ago, or at a number, or at a fraction.
    fn by_position(&mut self, head: &mut Head<'_>, sharp: f64) {
        Self::position_keys(head);
        head.query(1, ONE, sharp);
        if self.one_in(6) {
            head.query(1, self.any_slot(), -2.0 * sharp);
        }
        match self.random.below(4) {
            0 => head.query(0, self.any_slot(), sharp),
            1 => head.query(0, self.any_slot(), sharp / 2.0 - sharp / 16.0),
            _ => {
                head.query(0, T, sharp);
                head.query(0, ONE, -sharp * self.random.below(6) as f64);
                if self.one_in(2) {
                    head.query(0, self.any_slot(), -sharp);
                }
            }
        }
    }

    fn own_position(&mut self, head: &mut Head<'_>, sharp: f64) {
        Self::position_keys(head);
        head.query(0, T, sharp);
        head.query(1, ONE, sharp);
    }

    fn average(&mut self, head: &mut Head<'_>) {
        if self.one_in(2) {
            head.query(0, self.any_slot(), 1.0);
        }
    }

    /// The latest, or the greatest, of a kind.
    fn latest(&mut self, head: &mut Head<'_>, sharp: f64) {
        head.query(1, ONE, sharp);
        if self.one_in(4) {
            head.key(1, self.any_slot(), 1.0);
        } else {
            head.key(1, T, 1.0);
            head.key(1, if self.one_in(2) { FLAG } else { OTHER }, CLEARED);
        }
    }

    /// Addresses: keys on a parabola of the number, with and without recency and clearing.
    fn address(&mut self, head: &mut Head<'_>, sharp: f64) {
        head.query(1, ONE, sharp);
        let queried = if self.one_in(2) {
            NUMBER
        } else {
            self.any_slot()
        };
        head.query(0, queried, sharp);
        head.key(0, NUMBER, 2.0);
        head.key(1, SQUARE, -1.0);
        if !self.one_in(4) {
            head.key(1, T, 2f64.powi(-20));
        }
        if self.one_in(2) {
            head.key(1, FLAG, CLEARED);
        }
    }

    fn any_keys(&mut self, head: &mut Head<'_>) {
        for third in 0..2 {
            for part in 0..2 {
                let weight = self.random.below(5) as f64 - 2.0;
                head.add(third, part, self.any_slot(), weight);
            }
        }
    }

    /// Values, and the slots that they are added to.
    fn values(&mut self, head: &mut Head<'_>) {
        for part in 0..2 {
            let slot = match self.random.below(4) {
                0 => T,
                1 => NUMBER,
                _ => self.any_slot(),
            };
            head.add(2, part, slot, 1.0);
            let target = match self.random.below(8) {
                0 => self.column(),
                _ => self.free(),
            };
            let weight = self.one_of([1.0, -1.0, 2.0]);
            head.layer.out_proj.row_mut(target)[2 * head.number + part] += weight;
        }
    }

    fn neuron(&mut self, layer: &mut LayerWeights, neuron: usize) {
        let [gate, value] = [neuron, D_FFN + neuron];
        for row in [gate, value] {
            for _ in 0..1 + self.random.below(3) {
                let slot = if self.one_in(3) {
                    ONE
                } else {
                    NUMBER + self.random.below((self.d - NUMBER) as u64) as usize
                };
                layer.ff_in.row_mut(row)[slot] += self.random.below(5) as f64 - 2.0;
            }
        }
        match self.random.below(6) {
            0 | 1 => layer.ff_in.row_mut(gate)[FLAG] -= 1024.0,
            // A number times the count of tokens: a running sum from an average.
            2 => {
                layer.ff_in.row_mut(gate).fill(0.0);
                layer.ff_in.row_mut(gate)[T] = 1.0;
                layer.ff_in.row_mut(gate)[ONE] = 1.0;
                layer.ff_in.row_mut(value).fill(0.0);
                layer.ff_in.row_mut(value)[self.free()] = 1.0;
            }
            // Rounding by a large number, and a large product.
            3 => layer.ff_in.row_mut(value)[ONE] += 1.5 * 2f64.powi(52),
            _ => {}
        }
        let target = self.free();
        layer.ff_out.row_mut(target)[neuron] += self.random.below(3) as f64 - 1.0;
    }

    fn key_bounds(&mut self, model: &mut Model) {
        let shape = model.config.shape;
        for _ in 0..self.random.below(3) {
            model.config.key_bounds.push(KeyBound {
                layer: self.random.below(shape.layers as u64) as usize,
                head: self.random.below(shape.heads as u64) as usize,
                max_abs_x: self.random.below(300) as f64,
                max_lift: self.random.below(40) as f64 / 8.0,
            });
        }
    }

    /// The nearest of a family, like bytes, or any weights.
    fn unembedding(&mut self, model: &mut Model, is_family: bool) {
        let [a, b] = [self.free(), self.free()];
        let vocab = model.config.shape.vocab;
        for id in 0..vocab {
            let row = model.weights.head.row_mut(id);
            if is_family {
                let x = id as f64 - vocab as f64 / 2.0;
                row[a] += 2.0 * x;
                row[ONE] -= x * x;
                row[b] += (id % 3) as f64;
            } else {
                for w in row.iter_mut() {
                    *w = self.random.below(7) as f64 - 3.0;
                }
            }
        }
    }
}
