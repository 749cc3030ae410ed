//! Models for tests.
#![allow(dead_code)]

use weightware_model::{
    Attention, Config, KeyBound, LayerWeights, Matrix, Model, PositionFeature, Shape, TokenId,
    Tokenizer, Weights,
};

/// The model of zero weights.
pub(crate) fn zero(layers: usize, d_model: usize, d_ffn: usize, vocab: usize) -> Model {
    let shape = Shape {
        layers,
        d_model,
        heads: d_model / 2,
        d_ffn,
        vocab,
    };
    let layer = LayerWeights {
        in_proj: Matrix::zeros(3 * d_model, d_model),
        out_proj: Matrix::zeros(d_model, d_model),
        ff_in: Matrix::zeros(2 * d_ffn, d_model),
        ff_out: Matrix::zeros(d_model, d_ffn),
    };
    Model {
        config: Config {
            shape,
            attention: Attention::Hardmax,
            position_features: vec![],
            profile: None,
            modules: None,
            last_position: 10_000_000,
            key_bounds: vec![],
        },
        weights: Weights {
            tok: Matrix::zeros(vocab, d_model),
            layers: vec![layer; layers],
            head: Matrix::zeros(vocab, d_model),
        },
        tokenizer: Tokenizer::new((0..vocab).map(|i| format!("t{i}")).collect()),
        end_tokens: vec![],
    }
}

/// A machine that repeats the last `period` tokens for ever: head 0 fetches the token of `period -
/// 1` positions ago, by the parabola keys `(2j, -j^2)` and the query `(t + 1 - period, 1)`, and the
/// unembedding rounds to the nearest token.
pub(crate) fn copier(vocab: usize, period: usize) -> Model {
    const SHARP: f64 = 64.0;
    let [one, t, tt, token, fetched] = [0, 1, 2, 3, 4];
    let d = 6;
    let mut model = zero(1, d, 1, vocab);
    let feature = |slot, coefficients| PositionFeature { slot, coefficients };
    model.config.position_features = vec![
        feature(one, [1.0, 0.0, 0.0]),
        feature(t, [0.0, 1.0, 0.0]),
        feature(tt, [0.0, 0.0, 1.0]),
    ];
    for id in 0..vocab {
        let b = id as f64;
        model.weights.tok.row_mut(id)[token] = b;
        model.weights.head.row_mut(id)[fetched] = 2.0 * b;
        model.weights.head.row_mut(id)[one] = -b * b;
    }
    let layer = &mut model.weights.layers[0];
    layer.in_proj.row_mut(0)[t] = SHARP;
    layer.in_proj.row_mut(0)[one] = SHARP * (1.0 - period as f64);
    layer.in_proj.row_mut(1)[one] = SHARP;
    layer.in_proj.row_mut(d)[t] = 2.0;
    layer.in_proj.row_mut(d + 1)[tt] = -1.0;
    layer.in_proj.row_mut(2 * d)[token] = 1.0;
    layer.out_proj.row_mut(fetched)[0] = 1.0;
    model
}

/// A machine that counts: token 1 adds one to a running sum, token 2 takes one away. It says token
/// 0, for which a gate looks whether the sum is positive.
pub(crate) fn balance() -> Model {
    let [one, t, delta, average, total, positive] = [0, 1, 2, 3, 4, 5];
    let d = 6;
    let mut model = zero(2, d, 1, 3);
    model.config.position_features = vec![PositionFeature {
        slot: t,
        coefficients: [0.0, 1.0, 0.0],
    }];
    for (id, change) in [(0, 0.0), (1, 1.0), (2, -1.0)] {
        model.weights.tok.row_mut(id)[one] = 1.0;
        model.weights.tok.row_mut(id)[delta] = change;
    }
    let [sum, step] = &mut model.weights.layers[..] else {
        unreachable!("two layers");
    };
    sum.in_proj.row_mut(2 * d)[delta] = 1.0;
    sum.out_proj.row_mut(average)[0] = 1.0;
    sum.ff_in.row_mut(0)[t] = 1.0;
    sum.ff_in.row_mut(0)[one] = 1.0;
    sum.ff_in.row_mut(1)[average] = 1.0;
    sum.ff_out.row_mut(total)[0] = 1.0;
    step.ff_in.row_mut(0)[total] = 1.0;
    step.ff_in.row_mut(1)[one] = 1.0;
    step.ff_out.row_mut(positive)[0] = 1.0;
    // Token 0, unless the gate were open for a negative sum.
    model.weights.head.row_mut(0)[one] = 1.0;
    model.weights.head.row_mut(1)[positive] = -1.0;
    model
}

/// Small pseudo-random numbers (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.bits() % n
    }

    pub(crate) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i as u64 + 1) as usize);
        }
        order
    }
}

/// A model of sparse random integers within `-size..=size`.
pub(crate) fn random(layers: usize, heads: usize, vocab: usize, size: i64, seed: u64) -> Model {
    let d = 2 * heads;
    let mut model = zero(layers, d, 3, vocab);
    let mut random = Random(seed);
    let mut fill = |matrix: &mut Matrix, one_in: u64| {
        for w in &mut matrix.entries {
            if random.below(one_in) == 0 {
                *w = random.below(2 * size as u64 + 1) as f64 - size as f64;
            }
        }
    };
    fill(&mut model.weights.tok, 2);
    fill(&mut model.weights.head, 2);
    for layer in &mut model.weights.layers {
        fill(&mut layer.in_proj, 4);
        fill(&mut layer.out_proj, 4);
        fill(&mut layer.ff_in, 5);
        fill(&mut layer.ff_out, 5);
    }
    let polynomials = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]];
    for coefficients in polynomials {
        let slot = random.below(d as u64) as usize;
        if model
            .config
            .position_features
            .iter()
            .all(|f| f.slot != slot)
        {
            model
                .config
                .position_features
                .push(PositionFeature { slot, coefficients });
        }
    }
    model
}

/// Tokens from ids.
pub(crate) fn ids(ids: &[u32]) -> Vec<TokenId> {
    ids.iter().map(|&id| TokenId(id)).collect()
}

/// The definition of the network: every matrix dense, stock softmax, the logits after every token.
pub(crate) fn dense(model: &Model, tokens: &[TokenId]) -> Vec<Vec<f64>> {
    let shape = &model.config.shape;
    let product = |m: &Matrix, x: &[f64]| -> Vec<f64> {
        (0..m.rows)
            .map(|r| m.row(r).iter().zip(x).map(|(w, x)| w * x).sum())
            .collect()
    };
    let mut xs: Vec<Vec<f64>> = (0..)
        .zip(tokens)
        .map(|(t, token)| {
            let position = weightware_model::position_embedding(&model.config, t);
            let row = model.weights.tok.row(token.0 as usize);
            row.iter().zip(position).map(|(a, b)| a + b).collect()
        })
        .collect();
    for layer in &model.weights.layers {
        let d = shape.d_model;
        let qkv: Vec<Vec<f64>> = xs.iter().map(|x| product(&layer.in_proj, x)).collect();
        for (t, x) in xs.iter_mut().enumerate() {
            let mut heads = vec![0.0; d];
            for h in 0..shape.heads {
                let q = &qkv[t][2 * h..][..2];
                let scores: Vec<f64> = qkv[..=t]
                    .iter()
                    .map(|row| (q[0] * row[d + 2 * h] + q[1] * row[d + 2 * h + 1]) / 2f64.sqrt())
                    .collect();
                let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let weights: Vec<f64> = scores.iter().map(|s| (s - most).exp()).collect();
                let total: f64 = weights.iter().sum();
                for j in 0..2 {
                    let sum: f64 = weights
                        .iter()
                        .zip(&qkv)
                        .map(|(w, row)| w * row[2 * d + 2 * h + j])
                        .sum();
                    heads[2 * h + j] = sum / total;
                }
            }
            for (x, a) in x.iter_mut().zip(product(&layer.out_proj, &heads)) {
                *x += a;
            }
            let gated = product(&layer.ff_in, x);
            let (gates, values) = gated.split_at(shape.d_ffn);
            let products: Vec<f64> = gates
                .iter()
                .zip(values)
                .map(|(g, v)| g.max(0.0) * v)
                .collect();
            for (x, a) in x.iter_mut().zip(product(&layer.ff_out, &products)) {
                *x += a;
            }
        }
    }
    xs.iter().map(|x| product(&model.weights.head, x)).collect()
}

/// A model as compilers make them, at random: a slot of ones (of which token 0 may know nothing),
/// the position and its square, columns of the embedding, and heads of every kind that has a quick
/// way of its own: by position near and far, to themselves, averages, the latest or greatest of a
/// kind, addresses with and without recency, and some of random rows.
pub(crate) fn structured(layers: usize, heads: usize, vocab: usize, seed: u64) -> Model {
    const ONE: usize = 0;
    const T: usize = 1;
    const TT: usize = 2;
    /// Columns of the embedding: a number, its square, a flag, its opposite.
    const NUMBER: usize = 3;
    const SQUARE: usize = 4;
    const FLAG: usize = 5;
    const OTHER: usize = 6;
    const FREE: usize = 7;
    let d = 2 * heads;
    assert!(d > FREE + 2);
    let d_ffn = 6;
    let mut model = zero(layers, d, d_ffn, vocab);
    let mut random = Random(seed);
    let sentinel = random.below(3) > 0;
    let feature = |slot, coefficients| PositionFeature { slot, coefficients };
    model.config.position_features =
        vec![feature(T, [0.0, 1.0, 0.0]), feature(TT, [0.0, 0.0, 1.0])];
    for id in 0..vocab {
        let row = model.weights.tok.row_mut(id);
        if sentinel && id == 0 {
            // Its key may be off the curve on which all others lie.
            if random.below(3) == 0 {
                row[if random.below(2) == 0 { T } else { TT }] = 1.0 + random.below(9) as f64;
            }
            continue;
        }
        row[ONE] = 1.0;
        let number = random.below(9) as f64 - 3.0;
        row[NUMBER] = number;
        row[SQUARE] = number * number;
        let flag = random.below(2) as f64;
        row[FLAG] = flag;
        row[OTHER] = 1.0 - flag;
        if random.below(3) == 0 {
            let slot = FREE + random.below((d - FREE) as u64) as usize;
            row[slot] = random.below(5) as f64 - 2.0;
        }
    }
    // Numbers that no integer program has, so that products and sums are rounded.
    if random.below(4) == 0 {
        for id in 0..vocab {
            let slot = NUMBER + random.below(4) as usize;
            model.weights.tok.row_mut(id)[slot] *= [1.1, 1e9, 1e-9, 0.5][random.below(4) as usize];
        }
    }
    // A first token with a key of its own.
    if random.below(6) == 0 {
        model.config.position_features[1].coefficients[0] = random.below(3) as f64 - 1.0;
    }
    let scale = [1.0, 4.0, 8192.0, 3.0];
    for layer in &mut model.weights.layers {
        for h in 0..heads {
            let any = |random: &mut Random| match random.below(3) {
                0 => NUMBER + random.below(4) as usize,
                1 => FREE + random.below((d - FREE) as u64) as usize,
                _ => random.below(d as u64) as usize,
            };
            let mut set = |third: usize, part: usize, slot: usize, weight: f64| {
                layer.in_proj.row_mut(third * d + 2 * h + part)[slot] += weight;
            };
            let sharp = scale[random.below(4) as usize];
            match random.below(8) {
                // By position: some tokens ago, or at a number, or at a fraction.
                0 | 1 => {
                    set(1, 0, T, 2.0);
                    set(1, 1, TT, -1.0);
                    set(0, 1, ONE, sharp);
                    if random.below(6) == 0 {
                        set(0, 1, any(&mut random), -2.0 * sharp);
                    }
                    match random.below(4) {
                        0 => set(0, 0, any(&mut random), sharp),
                        1 => set(0, 0, any(&mut random), sharp / 2.0 - sharp / 16.0),
                        _ => {
                            set(0, 0, T, sharp);
                            set(0, 0, ONE, -sharp * random.below(6) as f64);
                            if random.below(2) == 0 {
                                set(0, 0, any(&mut random), -sharp);
                            }
                        }
                    }
                }
                // To itself.
                2 => {
                    set(1, 0, T, 2.0);
                    set(1, 1, TT, -1.0);
                    set(0, 0, T, sharp);
                    set(0, 1, ONE, sharp);
                }
                // Averages.
                3 => {
                    if random.below(2) == 0 {
                        set(0, 0, any(&mut random), 1.0);
                    }
                }
                // The latest, or the greatest, of a kind.
                4 => {
                    set(0, 1, ONE, sharp);
                    if random.below(4) == 0 {
                        set(1, 1, any(&mut random), 1.0);
                    } else {
                        set(1, 1, T, 1.0);
                        set(
                            1,
                            1,
                            if random.below(2) == 0 { FLAG } else { OTHER },
                            -(2f64.powi(40)),
                        );
                    }
                }
                // Addresses.
                5 | 6 => {
                    set(0, 1, ONE, sharp);
                    set(
                        0,
                        0,
                        if random.below(2) == 0 {
                            NUMBER
                        } else {
                            any(&mut random)
                        },
                        sharp,
                    );
                    set(1, 0, NUMBER, 2.0);
                    set(1, 1, SQUARE, -1.0);
                    if random.below(4) > 0 {
                        set(1, 1, T, 2f64.powi(-20));
                    }
                    if random.below(2) == 0 {
                        set(1, 1, FLAG, -(2f64.powi(40)));
                    }
                }
                // Anything.
                _ => {
                    for third in 0..2 {
                        for part in 0..2 {
                            let weight = random.below(5) as f64 - 2.0;
                            set(third, part, any(&mut random), weight);
                        }
                    }
                }
            }
            for part in 0..2 {
                let slot = match random.below(4) {
                    0 => T,
                    1 => NUMBER,
                    _ => any(&mut random),
                };
                set(2, part, slot, 1.0);
                let target = match random.below(8) {
                    0 => NUMBER + random.below(4) as usize,
                    _ => FREE + random.below((d - FREE) as u64) as usize,
                };
                let weight = [1.0, -1.0, 2.0][random.below(3) as usize];
                layer.out_proj.row_mut(target)[2 * h + part] += weight;
            }
        }
        for neuron in 0..d_ffn {
            for row in [neuron, d_ffn + neuron] {
                for _ in 0..1 + random.below(3) {
                    let slot = if random.below(3) == 0 {
                        ONE
                    } else {
                        NUMBER + random.below((d - NUMBER) as u64) as usize
                    };
                    layer.ff_in.row_mut(row)[slot] += random.below(5) as f64 - 2.0;
                }
            }
            match random.below(6) {
                0 | 1 => layer.ff_in.row_mut(neuron)[FLAG] -= 1024.0,
                // A number times the count of tokens, as running sums are made of averages.
                2 => {
                    layer.ff_in.row_mut(neuron).fill(0.0);
                    layer.ff_in.row_mut(neuron)[T] = 1.0;
                    layer.ff_in.row_mut(neuron)[ONE] = 1.0;
                    let slot = FREE + random.below((d - FREE) as u64) as usize;
                    layer.ff_in.row_mut(d_ffn + neuron).fill(0.0);
                    layer.ff_in.row_mut(d_ffn + neuron)[slot] = 1.0;
                }
                // Rounding by a large number, and a large product.
                3 => layer.ff_in.row_mut(d_ffn + neuron)[ONE] += 1.5 * 2f64.powi(52),
                _ => {}
            }
            let target = FREE + random.below((d - FREE) as u64) as usize;
            layer.ff_out.row_mut(target)[neuron] += random.below(3) as f64 - 1.0;
        }
    }
    for _ in 0..random.below(3) {
        model.config.key_bounds.push(KeyBound {
            layer: random.below(layers as u64) as usize,
            head: random.below(heads as u64) as usize,
            max_abs_x: random.below(300) as f64,
            max_lift: random.below(40) as f64 / 8.0,
        });
    }
    // Nearest of a family, as bytes are, or anything.
    let [a, b] = [0, 1].map(|_| FREE + random.below((d - FREE) as u64) as usize);
    for id in 0..vocab {
        let row = model.weights.head.row_mut(id);
        if seed.is_multiple_of(2) {
            let x = id as f64 - vocab as f64 / 2.0;
            row[a] += 2.0 * x;
            row[ONE] -= x * x;
            row[b] += (id % 3) as f64;
        } else {
            for w in row.iter_mut() {
                *w = random.below(7) as f64 - 3.0;
            }
        }
    }
    model
}

/// A small machine, at random: it executes the tokens of the prompt, then what it wrote itself.
/// Flagged tokens end an instruction; their number says which token is fetched next, and how long
/// ago the last one was decides, with that token, what is written.
pub(crate) fn machine(seed: u64) -> Model {
    const ONE: usize = 0;
    const T: usize = 1;
    const TT: usize = 2;
    const NUMBER: usize = 3;
    const FLAG: usize = 4;
    const AVERAGE: usize = 5;
    const COUNT: usize = 6;
    const LATEST: usize = 7;
    const FETCHED: usize = 8;
    const NEXT: usize = 9;
    const STORED: usize = 10;
    const RESULT: usize = 11;
    const OTHER: usize = 12;
    const KIND: usize = 13;
    const SQUARE: usize = 14;
    let (d, d_ffn) = (16, 10);
    let mut random = Random(seed ^ 0x3ac1);
    let vocab = 8 + random.below(24) as usize;
    let mut model = zero(4, d, d_ffn, vocab);
    let feature = |slot, coefficients| PositionFeature { slot, coefficients };
    model.config.position_features =
        vec![feature(T, [0.0, 1.0, 0.0]), feature(TT, [0.0, 0.0, 1.0])];
    for id in 1..vocab {
        let row = model.weights.tok.row_mut(id);
        row[ONE] = 1.0;
        row[NUMBER] = id as f64;
        row[FLAG] = f64::from(u8::from(id >= vocab - 2));
        row[KIND] = random.below(3) as f64;
        row[SQUARE] = (id * id) as f64;
    }
    // A head of one layer: query, key, value, where the values go.
    let head = |model: &mut Model, at: [usize; 2], rows: [&[(usize, f64)]; 6], out: [usize; 2]| {
        let layer = &mut model.weights.layers[at[0]];
        for (i, row) in rows.into_iter().enumerate() {
            for &(slot, weight) in row {
                layer.in_proj.row_mut(i / 2 * d + 2 * at[1] + i % 2)[slot] += weight;
            }
        }
        for (part, slot) in out.into_iter().enumerate() {
            layer.out_proj.row_mut(slot)[2 * at[1] + part] += 1.0;
        }
    };
    let [one, t, tt]: [&[(usize, f64)]; 3] = [&[(ONE, 1.0)], &[(T, 2.0)], &[(TT, -1.0)]];
    let cleared = [(T, 1.0), (ONE, -(2f64.powi(40))), (FLAG, 2f64.powi(40))];
    let average = [&[], &[], &[], &[], &[(FLAG, 1.0)][..], &[]];
    head(&mut model, [0, 0], average, [AVERAGE, OTHER]);
    let latest = [&[], one, &[], &cleared[..], &[(T, 1.0)], &[]];
    head(&mut model, [0, 1], latest, [LATEST, OTHER]);
    for (row, weights) in [
        (0, [(T, 1.0), (ONE, 1.0)]),
        (d_ffn, [(AVERAGE, 1.0), (ONE, 0.0)]),
    ] {
        for (slot, weight) in weights {
            model.weights.layers[0].ff_in.row_mut(row)[slot] = weight;
        }
    }
    model.weights.layers[0].ff_out.row_mut(COUNT)[0] = 1.0;
    let place = [(COUNT, 1.0 + random.below(3) as f64), (ONE, 1.0)];
    let number: &[(usize, f64)] = &[(NUMBER, 1.0)];
    let fetch = [&place[..], one, t, tt, number, &[(KIND, 1.0)]];
    head(&mut model, [1, 0], fetch, [FETCHED, OTHER]);
    let beyond = [place[0], (ONE, 2.0)];
    head(
        &mut model,
        [1, 1],
        [&beyond, one, t, tt, number, &[]],
        [NEXT, OTHER],
    );
    let before = [(T, 1.0), (ONE, -(1.0 + random.below(5) as f64))];
    head(
        &mut model,
        [1, 2],
        [&before, one, t, tt, number, &[]],
        [RESULT, OTHER],
    );
    // What was stored last at a number.
    for h in 0..2 {
        let clear = -(2f64.powi(40)) * h as f64;
        let key = [(T, 2f64.powi(-20)), (SQUARE, -1.0), (FLAG, clear)];
        let query = [(if h == 0 { FETCHED } else { NEXT }, 1.0)];
        let rows = [&query[..], one, &[(NUMBER, 2.0)], &key, number, &[(T, 1.0)]];
        head(&mut model, [2, h], rows, [STORED, OTHER]);
    }
    for layer in 1..4 {
        let weights = &mut model.weights.layers[layer];
        for neuron in 0..d_ffn {
            // Open for some of the tokens since the last flag, and for some of what was fetched.
            let since = random.below(5) as f64;
            let sign = [1.0, -1.0][random.below(2) as usize];
            let gate = weights.ff_in.row_mut(neuron);
            gate[T] = sign;
            gate[LATEST] = -sign;
            gate[ONE] = 1.0 - sign * since;
            if random.below(2) == 0 {
                gate[FETCHED] = random.below(3) as f64 - 1.0;
            }
            let value = weights.ff_in.row_mut(d_ffn + neuron);
            for _ in 0..2 {
                let slots = [ONE, NUMBER, FETCHED, NEXT, STORED, RESULT];
                value[slots[random.below(6) as usize]] += random.below(3) as f64 - 1.0;
            }
            let target = [RESULT, STORED, OTHER, KIND][random.below(4) as usize];
            weights.ff_out.row_mut(target)[neuron] += random.below(3) as f64 - 1.0;
        }
    }
    for id in 0..vocab {
        let x = id as f64;
        let row = model.weights.head.row_mut(id);
        row[RESULT] = 2.0 * x;
        row[ONE] = -x * x;
        row[KIND] = random.below(2) as f64;
    }
    model
}

/// A model of random floats.
pub(crate) fn floats(layers: usize, heads: usize, vocab: usize, seed: u64) -> Model {
    let mut model = random(layers, heads, vocab, 2, seed);
    let mut random = Random(seed ^ 0x5eed);
    let mut jitter = |matrix: &mut Matrix| {
        for w in matrix.entries.iter_mut().filter(|w| **w != 0.0) {
            *w *= random.below(1 << 20) as f64 / f64::from(1 << 19);
        }
    };
    jitter(&mut model.weights.tok);
    jitter(&mut model.weights.head);
    for layer in &mut model.weights.layers {
        jitter(&mut layer.in_proj);
        jitter(&mut layer.out_proj);
        jitter(&mut layer.ff_in);
        jitter(&mut layer.ff_out);
    }
    model
}
