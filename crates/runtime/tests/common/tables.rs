//! Random models with tables: neurons that together compute functions of an integer.

use weightware_model::{LayerWeights, Matrix, Model};

use super::{Random, machine, structured, zero};

/// The slots of [`structured`] models and of [`machine`]s that hold 1, the position, its square and
/// a number.
const ONE: usize = 0;
const T: usize = 1;
const TT: usize = 2;
const NUMBER: usize = 3;
/// The first slot of [`structured`] models without a meaning.
const FREE: usize = 7;
/// The slot of [`machine`]s that holds a number of an earlier token.
const FETCHED: usize = 8;

/// Neurons whose gates differ by a constant: `relu(argument - at * unit) * factor * unit`.
#[derive(Debug, Clone)]
pub(crate) struct Neurons {
    /// The weights of the argument, by slot.
    pub(crate) argument: Vec<(usize, f64)>,
    pub(crate) unit: usize,
    pub(crate) factor: f64,
    /// The bends: where, and by how much the slope of each column changes.
    pub(crate) bends: Vec<(f64, Vec<f64>)>,
    /// The slots to which columns are added.
    pub(crate) slots: Vec<usize>,
}

impl Neurons {
    /// The neurons of functions with given values: each run of rows begins at an integer. Elsewhere
    /// the functions are 0.
    pub(crate) fn of(
        argument: &[(usize, f64)],
        slots: &[usize],
        runs: &[(f64, Vec<Vec<f64>>)],
    ) -> Self {
        let none = vec![0.0; slots.len()];
        let mut bends = vec![];
        for (first, rows) in runs {
            let row = |at: usize| at.checked_sub(2).and_then(|at| rows.get(at));
            for at in 1..=rows.len() + 2 {
                let [before, here, after] = [at - 1, at, at + 1].map(|at| row(at).unwrap_or(&none));
                let changes = (0..slots.len()).map(|c| after[c] - 2.0 * here[c] + before[c]);
                bends.push((first + at as f64 - 2.0, changes.collect()));
            }
        }
        Self {
            argument: argument.to_vec(),
            unit: ONE,
            factor: 1.0,
            bends,
            slots: slots.to_vec(),
        }
    }

    /// Appends the neurons to a layer.
    pub(crate) fn append(&self, layer: &mut LayerWeights) {
        let first = layer.neurons();
        widen(layer, first + self.bends.len());
        let value = layer.neurons();
        for (neuron, (at, changes)) in (first..).zip(&self.bends) {
            let gate = layer.ff_in.row_mut(neuron);
            for &(slot, weight) in &self.argument {
                gate[slot] += weight;
            }
            gate[self.unit] -= at;
            layer.ff_in.row_mut(value + neuron)[self.unit] = self.factor;
            for (&slot, change) in self.slots.iter().zip(changes) {
                layer.ff_out.row_mut(slot)[neuron] += change / self.factor;
            }
        }
    }
}

/// Gives a layer more neurons; the new ones are zero.
pub(crate) fn widen(layer: &mut LayerWeights, neurons: usize) {
    let (old, d) = (layer.neurons(), layer.ff_out.rows);
    let mut ff_in = Matrix::zeros(2 * neurons, d);
    let mut ff_out = Matrix::zeros(d, neurons);
    for neuron in 0..old {
        for part in [0, 1] {
            let row = layer.ff_in.row(part * old + neuron);
            ff_in.row_mut(part * neurons + neuron).copy_from_slice(row);
        }
        for slot in 0..d {
            ff_out.row_mut(slot)[neuron] = layer.ff_out.row(slot)[neuron];
        }
    }
    (layer.ff_in, layer.ff_out) = (ff_in, ff_out);
}

/// Changes the order of a layer's neurons.
pub(crate) fn reorder(layer: &mut LayerWeights, order: &[usize]) {
    let (old, count) = (layer.clone(), order.len());
    for (to, &from) in order.iter().enumerate() {
        for part in [0, 1] {
            let row = old.ff_in.row(part * count + from);
            layer.ff_in.row_mut(part * count + to).copy_from_slice(row);
        }
        for slot in 0..old.ff_out.rows {
            layer.ff_out.row_mut(slot)[to] = old.ff_out.row(slot)[from];
        }
    }
}

/// States the number of neurons of the widest layer.
pub(crate) fn state_widest(model: &mut Model) {
    let layers = model.weights.layers.iter().map(LayerWeights::neurons);
    model.config.shape.d_ffn = layers.max().expect("a model has layers");
}

/// A network without tables that computes the same: a neuron whose gate is 0 writes the slots that
/// hold 1, so they are no units. It adds 0 to them.
pub(crate) fn without_tables(model: &Model) -> Model {
    let mut plain = model.clone();
    let layer = plain.weights.layers.last_mut().expect("a model has layers");
    let neuron = layer.neurons();
    widen(layer, neuron + 1);
    layer
        .ff_out
        .entries
        .iter_mut()
        .skip(neuron)
        .step_by(neuron + 1)
        .for_each(|weight| *weight = 1.0);
    state_widest(&mut plain);
    plain
}

/// The model with four more slots, `d` to `d + 3`, and two more heads, which are zero.
fn roomier(model: &Model) -> Model {
    const MORE: usize = 4;
    let shape = model.config.shape;
    let d = shape.d_model;
    let mut wide = zero(shape.layers, d + MORE, shape.d_ffn, shape.vocab);
    let copy = |from: &Matrix, to: &mut Matrix, third: usize| {
        for row in 0..from.rows {
            let into = to.row_mut(row + row / third * MORE);
            into[..from.cols].copy_from_slice(from.row(row));
        }
    };
    let all = usize::MAX;
    copy(&model.weights.tok, &mut wide.weights.tok, all);
    copy(&model.weights.head, &mut wide.weights.head, all);
    for (from, to) in model.weights.layers.iter().zip(&mut wide.weights.layers) {
        widen(to, from.neurons());
        copy(&from.in_proj, &mut to.in_proj, d);
        copy(&from.out_proj, &mut to.out_proj, all);
        copy(&from.ff_in, &mut to.ff_in, all);
        copy(&from.ff_out, &mut to.ff_out, all);
    }
    wide.config = model.config.clone();
    wide.config.shape.d_model += MORE;
    wide.config.shape.heads += MORE / 2;
    wide
}

/// Slots that tables read, and slots that they write.
struct Slots<'s> {
    numbers: &'s [usize],
    targets: &'s [usize],
}

/// A [`structured`] model with tables in its layers, in which few numbers are bounded integers:
/// most plans do not hold.
pub(crate) fn tabular(layers: usize, heads: usize, vocab: usize, seed: u64) -> Model {
    let mut model = structured(layers, heads, vocab, seed);
    let mut random = Random(seed ^ 0x7ab1e);
    let targets: Vec<usize> = (FREE..model.config.shape.d_model).collect();
    let numbers = [&[NUMBER][..], &targets].concat();
    let slots = Slots {
        numbers: &numbers,
        targets: &targets,
    };
    for layer in &mut model.weights.layers {
        tables(&mut random, layer, &slots);
    }
    state_widest(&mut model);
    model
}

/// A [`machine`] with tables that write four slots of their own. A head reads one of an earlier
/// token and adds to another, some neurons write them, too, and so does a later layer's table.
pub(crate) fn tabular_machine(seed: u64) -> Model {
    let mut model = roomier(&machine(seed));
    let mut random = Random(seed ^ 0x7ab1e);
    let shape = model.config.shape;
    let d = shape.d_model;
    let own = [d - 4, d - 3, d - 2, d - 1];
    for (number, layer) in model.weights.layers.iter_mut().enumerate() {
        // Later numbers are integers only from the layers on that round them.
        let numbers = match number {
            0 => &[NUMBER][..],
            1 => &[NUMBER, own[0], own[1]],
            _ => &[NUMBER, FETCHED, own[0], own[1], own[2]],
        };
        let head = shape.heads - 1;
        if number > 0 && random.below(2) == 0 {
            let row = |third: usize, part: usize| third * d + 2 * head + part;
            layer.in_proj.row_mut(row(0, 0))[T] = 1.0;
            layer.in_proj.row_mut(row(0, 0))[ONE] = -(random.below(4) as f64);
            layer.in_proj.row_mut(row(0, 1))[ONE] = 1.0;
            layer.in_proj.row_mut(row(1, 0))[T] = 2.0;
            layer.in_proj.row_mut(row(1, 1))[TT] = -1.0;
            layer.in_proj.row_mut(row(2, 0))[own[random.below(3) as usize]] = 1.0;
            layer.out_proj.row_mut(own[random.below(4) as usize])[2 * head] = 1.0;
        }
        if random.below(2) == 0 {
            let neuron = layer.neurons();
            widen(layer, neuron + 1);
            let count = layer.neurons();
            layer.ff_in.row_mut(neuron)[numbers[random.below(numbers.len() as u64) as usize]] = 1.0;
            layer.ff_in.row_mut(neuron)[ONE] = -1.0;
            layer.ff_in.row_mut(count + neuron)[ONE] = 1.0;
            layer.ff_out.row_mut(own[random.below(4) as usize])[neuron] = 3.0;
        }
        let slots = Slots {
            numbers,
            targets: &own,
        };
        tables(&mut random, layer, &slots);
    }
    state_widest(&mut model);
    for id in 0..shape.vocab {
        let row = model.weights.head.row_mut(id);
        row[own[random.below(4) as usize]] += random.below(5) as f64 - 2.0;
    }
    if random.below(4) > 0 {
        // The first token does not come again, so the others keep their unit.
        model.weights.head.row_mut(0)[ONE] = -2_f64.powi(50);
    }
    model
}

/// Appends up to three tables to a layer, and changes the order of its neurons.
///
/// | drawn | it exercises |
/// |---|---|
/// | arguments: a number, the position, sums, nothing | bounds, arguments that are no integers |
/// | one run or several, near each other and far apart | runs, arguments below, inside, between, beyond |
/// | values that are small, or so great that the limit is soon exceeded | limits at run time |
/// | the same target for several tables, heads and neurons | sums of all of them |
/// | the order of neurons | sums in any order |
/// | a factor of the values, a unit that is written, a function that goes on, a fraction | neurons that are no table |
fn tables(random: &mut Random, layer: &mut LayerWeights, slots: &Slots<'_>) {
    let shared = pick(random, slots.targets);
    for _ in 0..pick(random, &[0, 0, 1, 1, 2, 3]) {
        drawn(random, slots, shared).append(layer);
    }
    let order = random.permutation(layer.neurons());
    reorder(layer, &order);
}

fn pick<X: Copy>(random: &mut Random, from: &[X]) -> X {
    from[random.below(from.len() as u64) as usize]
}

/// Neurons that mostly make a table.
fn drawn(random: &mut Random, slots: &Slots<'_>, shared: usize) -> Neurons {
    let argument = match random.below(8) {
        0 => vec![(NUMBER, 1.0)],
        1 => vec![(T, 1.0)],
        2 => vec![(T, 1.0), (NUMBER, -2.0)],
        3 => vec![(T, 8.0), (NUMBER, 3.0), (ONE, 1.0)],
        4 | 5 => vec![(pick(random, slots.numbers), 1.0)],
        6 => vec![(T, 1.0), (pick(random, slots.numbers), 2.0)],
        _ => vec![],
    };
    let size = match random.below(8) {
        0 => 2_f64.powi(44),
        1 => 2_f64.powi(30),
        _ => 1.0,
    };
    let targets: Vec<usize> = (0..1 + random.below(3))
        .map(|_| match random.below(3) {
            0 => shared,
            _ => pick(random, slots.targets),
        })
        .collect();
    let mut first = random.below(12) as f64 - 6.0;
    let mut runs = vec![];
    for _ in 0..1 + random.below(3) {
        let len = 6 + random.below(12);
        let row = |random: &mut Random| -> Vec<f64> {
            let value = |_| size * (random.below(9) as f64 - 3.0);
            targets.iter().map(value).collect()
        };
        let rows: Vec<_> = (0..len).map(|_| row(random)).collect();
        runs.push((first, rows));
        first += len as f64 + pick(random, &[2.0, 30.0, 90.0, 5_000.0, 2_f64.powi(36)]);
    }
    let mut neurons = Neurons::of(&argument, &targets, &runs);
    match random.below(16) {
        0 => neurons.unit = pick(random, slots.targets),
        1 => _ = neurons.bends.pop(),
        2 => neurons.bends[0].1[0] += 0.5,
        3 => neurons.factor = 2.0,
        4 => neurons.factor = -1.0,
        _ => {}
    }
    neurons
}

/// Slots of [`lone`] models to which tables add. The next token is the id nearest to the first.
pub(crate) const SUMS: [usize; 3] = [4, 5, 6];

/// A model of one layer without heads, whose neurons are in any order. Token 0, the first, has no
/// unit; the others have the numbers of these rows in slots 3 and 7.
pub(crate) fn lone(rows: &[[f64; 2]], neurons: &[Neurons], order: u64) -> Model {
    let mut model = zero(1, 8, 1, rows.len() + 1);
    let feature = weightware_model::PositionFeature {
        slot: T,
        coefficients: [0.0, 1.0, 0.0],
    };
    model.config.position_features.push(feature);
    for (id, numbers) in (1..).zip(rows) {
        let row = model.weights.tok.row_mut(id);
        row[ONE] = 1.0;
        [row[NUMBER], row[7]] = *numbers;
    }
    let layer = &mut model.weights.layers[0];
    neurons.iter().for_each(|neurons| neurons.append(layer));
    let order = Random(order).permutation(layer.neurons());
    reorder(layer, &order);
    state_widest(&mut model);
    for id in 0..=rows.len() {
        let number = id as f64;
        let row = model.weights.head.row_mut(id);
        row[SUMS[0]] = 2.0 * number;
        row[ONE] = -number * number;
    }
    // The first token does not come again.
    model.weights.head.row_mut(0)[ONE] = -1e9;
    model
}
