//! A small random machine that executes tokens.

use weightware_model::{LayerWeights, Model, PositionFeature};

use super::{Random, zero};

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

const D: usize = 16;
const D_FFN: usize = 10;
const CLEARED: f64 = -((1_u64 << 40) as f64);

/// Weights of a row, by slot.
type Row<'r> = &'r [(usize, f64)];

const ONES: Row<'_> = &[(ONE, 1.0)];
const NUMBERS: Row<'_> = &[(NUMBER, 1.0)];
/// x and y of position keys.
const PLACE_X: Row<'_> = &[(T, 2.0)];
const PLACE_Y: Row<'_> = &[(TT, -1.0)];

/// A small random machine: it executes the tokens of the prompt, then the generated ones.
///
/// Flagged tokens end an instruction; their number determines which token is fetched next. The
/// fetched token and the distance to the last flagged token determine the generated token.
pub(crate) fn machine(seed: u64) -> Model {
    let mut random = Random(seed ^ 0x3ac1);
    let vocab = 8 + random.below(24) as usize;
    let mut model = zero(4, D, D_FFN, vocab);
    let feature = |slot, coefficients| PositionFeature { slot, coefficients };
    model.config.position_features =
        vec![feature(T, [0.0, 1.0, 0.0]), feature(TT, [0.0, 0.0, 1.0])];
    embedding(&mut model, &mut random);
    count_flags(&mut model.weights.layers[0]);
    fetch(&mut model.weights.layers[1], &mut random);
    recall(&mut model.weights.layers[2]);
    for layer in &mut model.weights.layers[1..4] {
        execute(layer, &mut random);
    }
    unembedding(&mut model, &mut random);
    model
}

fn embedding(model: &mut Model, random: &mut Random) {
    let vocab = model.config.shape.vocab;
    for id in 1..vocab {
        let row = model.weights.tok.row_mut(id);
        row[ONE] = 1.0;
        row[NUMBER] = id as f64;
        row[FLAG] = f64::from(u8::from(id >= vocab - 2));
        row[KIND] = random.below(3) as f64;
        row[SQUARE] = (id * id) as f64;
    }
}

/// A head: query, key and value, x before y, and the slots that its values are added to.
fn head(layer: &mut LayerWeights, number: usize, rows: [Row<'_>; 6], out: [usize; 2]) {
    for (i, row) in rows.into_iter().enumerate() {
        for &(slot, weight) in row {
            layer.in_proj.row_mut(i / 2 * D + 2 * number + i % 2)[slot] += weight;
        }
    }
    for (part, slot) in out.into_iter().enumerate() {
        layer.out_proj.row_mut(slot)[2 * number + part] += 1.0;
    }
}

/// The number of flagged tokens so far, and the position of the last one.
fn count_flags(layer: &mut LayerWeights) {
    let average = [&[], &[], &[], &[], &[(FLAG, 1.0)][..], &[]];
    head(layer, 0, average, [AVERAGE, OTHER]);
    let cleared = [(T, 1.0), (ONE, CLEARED), (FLAG, -CLEARED)];
    let latest = [&[], ONES, &[], &cleared[..], &[(T, 1.0)], &[]];
    head(layer, 1, latest, [LATEST, OTHER]);
    layer.ff_in.row_mut(0)[T] = 1.0;
    layer.ff_in.row_mut(0)[ONE] = 1.0;
    layer.ff_in.row_mut(D_FFN)[AVERAGE] = 1.0;
    layer.ff_out.row_mut(COUNT)[0] = 1.0;
}

/// The tokens at the place that the count of flags determines, after it, and some tokens ago.
fn fetch(layer: &mut LayerWeights, random: &mut Random) {
    let place = [(COUNT, 1.0 + random.below(3) as f64), (ONE, 1.0)];
    let by_place = |query, kind| [query, ONES, PLACE_X, PLACE_Y, NUMBERS, kind];
    head(layer, 0, by_place(&place, &[(KIND, 1.0)]), [FETCHED, OTHER]);
    let next = [place[0], (ONE, 2.0)];
    head(layer, 1, by_place(&next, &[]), [NEXT, OTHER]);
    let ago = [(T, 1.0), (ONE, -(1.0 + random.below(5) as f64))];
    head(layer, 2, by_place(&ago, &[]), [RESULT, OTHER]);
}

/// The latest token with a number, and the latest of them that is not flagged.
fn recall(layer: &mut LayerWeights) {
    for (number, queried) in [(0, FETCHED), (1, NEXT)] {
        let key_y = [
            (T, 2f64.powi(-20)),
            (SQUARE, -1.0),
            (FLAG, CLEARED * number as f64),
        ];
        let query = [(queried, 1.0)];
        let key_x = [(NUMBER, 2.0)];
        let rows = [&query[..], ONES, &key_x, &key_y, NUMBERS, &[(T, 1.0)]];
        head(layer, number, rows, [STORED, OTHER]);
    }
}

/// Neurons that open for some of the tokens since the last flag, and for some fetched tokens.
fn execute(layer: &mut LayerWeights, random: &mut Random) {
    for neuron in 0..D_FFN {
        let since = random.below(5) as f64;
        let sign = [1.0, -1.0][random.below(2) as usize];
        let gate = layer.ff_in.row_mut(neuron);
        gate[T] = sign;
        gate[LATEST] = -sign;
        gate[ONE] = 1.0 - sign * since;
        if random.below(2) == 0 {
            gate[FETCHED] = random.below(3) as f64 - 1.0;
        }
        let value = layer.ff_in.row_mut(D_FFN + neuron);
        for _ in 0..2 {
            let slots = [ONE, NUMBER, FETCHED, NEXT, STORED, RESULT];
            value[slots[random.below(6) as usize]] += random.below(3) as f64 - 1.0;
        }
        let target = [RESULT, STORED, OTHER, KIND][random.below(4) as usize];
        layer.ff_out.row_mut(target)[neuron] += random.below(3) as f64 - 1.0;
    }
}

fn unembedding(model: &mut Model, random: &mut Random) {
    for id in 0..model.config.shape.vocab {
        let x = id as f64;
        let row = model.weights.head.row_mut(id);
        row[RESULT] = 2.0 * x;
        row[ONE] = -x * x;
        row[KIND] = random.below(2) as f64;
    }
}
