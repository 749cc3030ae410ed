//! Tables in the weights: every engine computes what the neurons add up to, bit for bit.

mod common;

use common::tables::{
    Neurons, SUMS, lone, reorder, tabular, tabular_machine, widen, without_tables,
};
use common::{Random, dense, ids, zero};
use proptest::prelude::*;
use weightware_analysis::LayerTables;
use weightware_model::{Model, TokenId};
use weightware_runtime::{Decoder, Engine, FinishReason, PrefillError};

/// The number of tables of each layer.
fn found(model: &Model) -> Vec<usize> {
    let layers = LayerTables::of(model);
    layers.iter().map(|layer| layer.tables.len()).collect()
}

/// Logits before each token, as bits, and the reason of the end. An engine with plans has none.
fn logits(
    model: &Model,
    engine: Engine,
    prompt: &[TokenId],
    limit: usize,
) -> (Vec<Vec<u64>>, Option<FinishReason>) {
    let mut decoder = Decoder::new(model, engine).unwrap();
    let mut all = vec![];
    for at in 0..prompt.len() + limit {
        let done = match prompt.get(at) {
            Some(&id) => decoder.prefill(&[id]),
            None if decoder.generate(Some(1)).next().is_none() => break,
            // An empty prompt processes the pending token.
            None => decoder.prefill(&[]),
        };
        match done {
            Ok(()) => {
                let logits = decoder.logits();
                all.push(logits.into_iter().map(f64::to_bits).collect());
            }
            Err(PrefillError::Horizon { .. }) => break,
            Err(stop) => panic!("{stop}"),
        }
    }
    (all, decoder.finish_reason())
}

/// The tokens that an engine decodes.
struct Decoded {
    tokens: Vec<TokenId>,
    finish: Option<FinishReason>,
    processed: u64,
    /// Whether a kernel of a plan looked something up, and whether plans held to the end.
    looked: bool,
    planned: bool,
}

fn decoded(model: &Model, engine: Engine, prompt: &[TokenId], limit: usize) -> Decoded {
    let mut decoder = Decoder::new(model, engine).unwrap();
    let looks = |decoder: &Decoder| {
        let kernel = decoder.kernel();
        kernel.is_some_and(|kernel| kernel.contains("look "))
    };
    let mut looked = false;
    for &id in prompt {
        if let Err(stop) = decoder.prefill(&[id]) {
            let PrefillError::Horizon { .. } = stop else {
                panic!("{stop}")
            };
            break;
        }
        looked |= looks(&decoder);
    }
    let mut tokens = vec![];
    while tokens.len() < limit && decoder.finish_reason().is_none() {
        let Some(token) = decoder.generate(Some(1)).next() else {
            break;
        };
        tokens.push(token);
        looked |= looks(&decoder);
    }
    let stats = decoder.stats();
    Decoded {
        tokens,
        finish: decoder.finish_reason(),
        processed: stats.tokens,
        looked,
        planned: stats.planned,
    }
}

/// All engines compute the numbers and tokens of the network without tables.
fn agree(model: &Model, prompt: &[u32], limit: usize) -> Result<[bool; 2], TestCaseError> {
    let (plain, prompt) = (without_tables(model), ids(prompt));
    prop_assert!(found(&plain).iter().all(|&tables| tables == 0));
    let hull = logits(&plain, Engine::Hardmax, &prompt, limit);
    for engine in [Engine::Hardmax, Engine::Hull] {
        prop_assert_eq!(
            &hull,
            &logits(model, engine, &prompt, limit),
            "{:?}",
            engine
        );
    }
    let softmax = logits(&plain, Engine::Softmax, &prompt, limit);
    prop_assert_eq!(softmax, logits(model, Engine::Softmax, &prompt, limit));
    let expected = decoded(&plain, Engine::Hull, &prompt, limit);
    let mut ways = [false; 2];
    for engine in Engine::available().filter(|engine| engine.is_planned()) {
        let said = decoded(model, engine, &prompt, limit);
        prop_assert_eq!(&expected.tokens, &said.tokens, "{:?}", engine);
        prop_assert_eq!(expected.finish, said.finish, "{:?}", engine);
        prop_assert_eq!(expected.processed, said.processed, "{:?}", engine);
        ways = [said.looked, said.planned];
    }
    Ok(ways)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn models_with_tables(
        layers in 1usize..4,
        heads in 5usize..9,
        vocab in 4usize..20,
        seed: u64,
        prompt in prop::collection::vec(0u32..4, 1..20),
    ) {
        agree(&tabular(layers, heads, vocab, seed), &prompt, 60)?;
    }

    #[test]
    fn machines_with_tables(seed: u64, prompt in prop::collection::vec(0u32..8, 1..30)) {
        agree(&tabular_machine(seed), &prompt, 70)?;
    }
}

/// How many of some models have tables, have them looked up by plans that hold, and have them and
/// no plan.
fn ways(models: impl Iterator<Item = Model>) -> [usize; 3] {
    let mut counts = [0; 3];
    for model in models {
        let has_tables = found(&model).iter().any(|&tables| tables > 0);
        let [looks, holds] = agree(&model, &[0, 1, 2, 3], 60).unwrap();
        let are = [has_tables, looks && holds, has_tables && !holds];
        for (count, is) in counts.iter_mut().zip(are) {
            *count += usize::from(is);
        }
    }
    counts
}

/// The random models take every way: tables and none, looked up by kernels that hold, and by plans
/// that do not.
#[test]
fn random_models_take_all_ways() {
    let [tables, _, dropped] = ways((0..200).map(|seed| tabular(2, 6, 12, seed)));
    assert!((120..200).contains(&tables), "{tables} have tables");
    assert!(dropped > 60, "{dropped} fall back");
    let [tables, looked, dropped] = ways((0..200).map(tabular_machine));
    assert!(tables > 180, "{tables} have tables");
    assert!(looked > 50, "{looked} look up");
    assert!(dropped > 5, "{dropped} fall back");
}

/// Slot 3 holds the argument.
const NUMBER: [(usize, f64); 1] = [(3, 1.0)];

/// Random rows of small numbers.
fn rows(random: &mut Random, count: usize, columns: usize) -> Vec<Vec<f64>> {
    let mut row = || (0..columns).map(|_| random.below(6) as f64).collect();
    (0..count).map(|_| row()).collect()
}

/// Tokens `0 1 2 ..`, all of the vocabulary.
fn all(model: &Model) -> Vec<u32> {
    (0..model.config.shape.vocab as u32).collect()
}

/// A model's logits are those of the dense network, at all tokens of the vocabulary; all engines
/// compute them. Returns whether a plan that held has looked something up.
fn is_exact(model: &Model) -> bool {
    let all = all(model);
    let definition = dense(model, &ids(&all));
    let definition: Vec<Vec<u64>> = definition
        .into_iter()
        .map(|logits| logits.into_iter().map(f64::to_bits).collect())
        .collect();
    for engine in [Engine::Softmax, Engine::Hardmax, Engine::Hull] {
        let (logits, _) = logits(model, engine, &ids(&all), 0);
        for (token, (logits, expected)) in logits.iter().zip(&definition).enumerate() {
            assert_eq!(logits, expected, "{engine:?}, token {token}");
        }
    }
    let [looked, holds] = agree(model, &all, 30).unwrap();
    looked && holds
}

/// Arguments below, inside, between and beyond runs.
#[test]
fn every_argument() {
    let mut random = Random(5);
    for (order, apart) in [
        1.0,
        2.0,
        63.0,
        64.0,
        65.0,
        66.0,
        67.0,
        1000.0,
        2_f64.powi(40),
    ]
    .into_iter()
    .enumerate()
    {
        let second = 20.0 + apart;
        let runs = [
            (-7.0, rows(&mut random, 27, 2)),
            (second, rows(&mut random, 14, 2)),
        ];
        let table = Neurons::of(&NUMBER, &SUMS[..2], &runs);
        let around =
            |centre: f64, reach: i32| (-reach..=reach).map(move |x| [centre + f64::from(x), 0.0]);
        let numbers: Vec<_> = around(7.0, 40).chain(around(second + 7.0, 25)).collect();
        let model = lone(&numbers, &[table], order as u64);
        assert_eq!(found(&model), [1]);
        let tables = LayerTables::of(&model);
        assert!(tables[0].others.len() <= 1, "{tables:?}");
        assert!(is_exact(&model), "{apart}");
    }
}

/// Numbers that are no integers, are beyond the limit, or are no numbers at all once multiplied.
#[test]
fn arguments_that_cannot_be_looked_up() {
    let values = [3.0, 1.0, 4.0, 1.0, 5.0, 2.0, 6.0];
    let wild = [
        0.5,
        -0.0,
        f64::MIN_POSITIVE,
        5e-324,
        2_f64.powi(52) - 1.0,
        2_f64.powi(52),
        2_f64.powi(53) + 2.0,
        1e17,
        1e300,
        -1e300,
        -(2_f64.powi(52)),
    ];
    for size in [1.0, 2_f64.powi(30), 2_f64.powi(41)] {
        let values: Vec<Vec<f64>> = values.iter().map(|value| vec![value * size]).collect();
        let table = Neurons::of(&NUMBER, &SUMS[..1], &[(2.0, values)]);
        let small = (-3..60).map(|x| [f64::from(x), 0.0]);
        let numbers: Vec<_> = small.chain(wild.map(|x| [x, 1.0])).collect();
        let model = lone(&numbers, &[table], 3);
        assert_eq!(found(&model), [1]);
        // Plans do not hold: the argument is not always an integer.
        assert!(!is_exact(&model));
    }
}

/// An argument that grows with the position goes beyond the limit of a table of great values: the
/// kernel checks it.
#[test]
fn limits_are_checked_at_run_time() {
    let mut random = Random(2);
    // Up to the position at which sums may be rounded.
    let great = rows(&mut random, 12, 1)
        .into_iter()
        .map(|row| vec![row[0] * 2_f64.powi(41)]);
    let table = Neurons::of(&[(1, 1.0)], &SUMS[1..2], &[(4.0, great.collect())]);
    let tokens: Vec<Vec<f64>> = rows(&mut random, 9, 1);
    let other = Neurons::of(&NUMBER, &SUMS[..1], &[(1.0, tokens)]);
    let numbers: Vec<_> = (1..12).map(|x| [f64::from(x), 0.0]).collect();
    let mut model = lone(&numbers, &[table, other], 1);
    // Reads the slot of great values, so that a wrong one shows.
    for id in 0..12 {
        model.weights.head.row_mut(id)[SUMS[1]] = id as f64;
    }
    let tables = LayerTables::of(&model);
    let limits: Vec<f64> = tables[0].tables.iter().map(|table| table.limit).collect();
    let least = limits.iter().copied().fold(f64::MAX, f64::min);
    assert!(least > 16.0 && least < 300.0, "{limits:?}");
    let prompt: Vec<u32> = (0..12).collect();
    for engine in Engine::available().filter(|engine| engine.is_planned()) {
        let mut decoder = Decoder::new(&model, engine).unwrap();
        decoder.prefill(&ids(&prompt)).unwrap();
        let before = least as usize - prompt.len() - 1;
        assert_eq!(decoder.generate(Some(before as u64)).count(), before);
        let kernel = decoder.kernel().unwrap();
        assert!(
            kernel.contains("limit ") && kernel.contains("look "),
            "{kernel}"
        );
        let stats = decoder.stats();
        assert!(stats.planned, "{stats:?}");
        assert_eq!(decoder.generate(Some(20)).count(), 20);
        let stats = decoder.stats();
        assert!(!stats.planned, "{stats:?}");
        assert_eq!(stats.bailouts.to_string(), "2 tables");
    }
    agree(&model, &prompt, 400).unwrap();
}

/// A long table with one wrong weight is none: its neurons are too many for a plan, and the hull
/// engine decodes at once.
#[test]
fn a_damaged_table_takes_no_longer() {
    let mut random = Random(4);
    let table = Neurons::of(
        &[(1, 1.0)],
        &SUMS[..1],
        &[(4.0, rows(&mut random, 3000, 1))],
    );
    let numbers: Vec<_> = (1..12).map(|x| [f64::from(x), 0.0]).collect();
    let mut model = lone(&numbers, &[table], 1);
    assert_eq!(found(&model), [1]);
    let at = model.weights.layers[0].neurons() / 2;
    for weight in model.weights.layers[0].ff_in.row_mut(at) {
        *weight *= 0.5;
    }
    assert_eq!(found(&model), [0]);
    agree(&model, &[1, 2, 3], 20).unwrap();
    for engine in Engine::available().filter(|engine| engine.is_planned()) {
        let mut decoder = Decoder::new(&model, engine).unwrap();
        decoder.prefill(&ids(&[1, 2, 3])).unwrap();
        assert_eq!(decoder.stats().bailouts.to_string(), "1 model");
    }
}

/// A far table is assumed to be 0 until it is read.
#[test]
fn far_tables_are_read_when_they_have_to_be() {
    const FIRST: f64 = 600_000.0;
    let mut random = Random(6);
    let table = Neurons::of(&NUMBER, &SUMS[..1], &[(FIRST, rows(&mut random, 9, 1))]);
    let near = (0..8).map(|x| [f64::from(x), 0.0]);
    let far = (0..4).map(|x| [FIRST + f64::from(x), 0.0]);
    let model = lone(&near.chain(far).collect::<Vec<_>>(), &[table], 1);
    assert_eq!(found(&model), [1]);
    for (prompt, bailouts) in [(&[0, 2, 3][..], "none"), (&[0, 2, 10, 3, 9], "1 tables")] {
        agree(&model, prompt, 12).unwrap();
        for engine in Engine::available().filter(|engine| engine.is_planned()) {
            let mut decoder = Decoder::new(&model, engine).unwrap();
            decoder.prefill(&ids(prompt)).unwrap();
            assert_eq!(decoder.generate(Some(3)).count(), 3);
            let stats = decoder.stats();
            assert!(stats.planned, "{stats:?}");
            assert_eq!(stats.bailouts.to_string(), bailouts);
        }
    }
}

/// Several tables and another neuron add to one slot. Each has exact sums. All of them have not, if
/// those of one sign come first: so only two are looked up.
#[test]
fn sums_of_several_tables() {
    for count in 1..=5 {
        // Up to a peak and back, with odd numbers.
        let peak = |x: i32| 2_f64.powi(44) * f64::from(10 - (x - 10).abs()) + f64::from(x % 3);
        let peak: Vec<_> = (0..20).map(|x| vec![peak(x)]).collect();
        // Slot 7 is 0. Neurons with the same row would be one table.
        let argument = |table: u32| vec![(3, 1.0), (7, f64::from(table))];
        let tables = (0..count)
            .map(|table| Neurons::of(&argument(table), &SUMS[..1], &[(0.0, peak.clone())]));
        let mut neurons: Vec<_> = tables.collect();
        // One neuron of no table: an odd number of nearly 2^53 - 2^51 at the greatest argument.
        let (last, weight) = (40.0, 168_000_000_000_001.0);
        neurons.push(Neurons {
            bends: vec![(0.0, vec![weight])],
            ..Neurons::of(&argument(9), &SUMS[..1], &[])
        });
        let numbers: Vec<_> = (-2..=last as i32).map(|x| [f64::from(x), 0.0]).collect();
        for order in 0..4 {
            let mut model = lone(&numbers, &neurons, order);
            assert_eq!(found(&model)[0], count.min(2) as usize);
            let layer = &mut model.weights.layers[0];
            let mut sorted: Vec<usize> = (0..layer.neurons()).collect();
            if order > 0 {
                let sums = layer.ff_out.row(SUMS[0]).to_vec();
                sorted.sort_by(|&a, &b| sums[b].total_cmp(&sums[a]));
            }
            if order > 1 {
                sorted.reverse();
            }
            reorder(layer, &sorted);
            is_exact(&model);
        }
    }
}

/// Weights that are no integers, though their products with the factor of the values are rounded to
/// integers.
#[test]
fn outputs_that_are_rounded_to_integers() {
    let mut rounded = 0;
    for factor in (3..2_000).map(f64::from) {
        let change = 1.0 / factor;
        let is_wrong = |x: f64| x * factor * change != x;
        if change * factor != 1.0 || !(1..40).map(f64::from).any(is_wrong) {
            continue;
        }
        rounded += 1;
        let values = [1.0, 3.0, 2.0, 5.0, 1.0, 4.0, 2.0].map(|value| vec![value]);
        let mut table = Neurons::of(&NUMBER, &SUMS[..1], &[(2.0, values.to_vec())]);
        table.factor = factor;
        let numbers: Vec<_> = (0..40).map(|x| [f64::from(x), 0.0]).collect();
        is_exact(&lone(&numbers, &[table], 9));
    }
    assert!(rounded > 3, "{rounded}");
}

/// An argument that is a small integer only because its terms cancel, as its neurons' gates do not.
#[test]
fn arguments_that_cancel() {
    let mut random = Random(8);
    let great = 2_f64.powi(60);
    let runs = [(-9.0, rows(&mut random, 16, 1))];
    let table = Neurons::of(&[(3, 1.0), (7, 1.0)], &SUMS[..1], &runs);
    for numbers in [
        vec![[great, -great]; 5],
        (0..12)
            .map(|x| [great + 256.0 * f64::from(x), -great])
            .collect(),
        (0..12)
            .map(|x| [2_f64.powi(53) + 2.0 * f64::from(x), -(2_f64.powi(53))])
            .collect(),
    ] {
        let model = lone(&numbers, std::slice::from_ref(&table), 4);
        assert_eq!(found(&model), [1]);
        assert!(!is_exact(&model));
    }
}

/// A token without the unit whose gates overflow: `0 * inf` is no number.
#[test]
fn gates_that_overflow() {
    let runs = [(0.0, rows(&mut Random(1), 12, 1))];
    let table = Neurons::of(&[(3, 2_f64.powi(40))], &SUMS[..1], &runs);
    let mut model = lone(&[[1.0, 0.0]], &[table], 0);
    assert_eq!(found(&model), [1]);
    model.weights.tok.row_mut(0)[3] = 1e300;
    agree(&model, &[0, 1, 1], 5).unwrap();
    agree(&model, &[1, 0, 1], 5).unwrap();
}

/// A few neurons that would be a long table of many columns are evaluated one by one.
#[test]
fn tables_stay_proportional_to_weights() {
    let slots: Vec<usize> = (4..68).collect();
    let mut model = zero(1, 72, 1, 3);
    for id in 1..3 {
        model.weights.tok.row_mut(id)[0] = 1.0;
        model.weights.tok.row_mut(id)[3] = 5_000.0 * id as f64;
    }
    for table in 0..8 {
        let length = 2_f64.powi(23);
        let bend = |at: f64, change: f64| (at, vec![change; slots.len()]);
        let mut bends = vec![
            bend(0.0, 1.0),
            bend(1.0, -1.0),
            bend(length, -1.0),
            bend(length + 1.0, 1.0),
        ];
        bends.extend((2..6).map(|at| bend(f64::from(at), 0.0)));
        let neurons = Neurons {
            argument: vec![(3, f64::from(table + 1))],
            unit: 0,
            factor: 1.0,
            bends,
            slots: slots.clone(),
        };
        neurons.append(&mut model.weights.layers[0]);
    }
    common::tables::state_widest(&mut model);
    let values: usize = LayerTables::of(&model)
        .iter()
        .flat_map(|layer| &layer.tables)
        .flat_map(|table| &table.columns)
        .flat_map(|(_, runs)| runs)
        .map(Vec::len)
        .sum();
    assert!(values <= 1 << 25, "{values}");
    let mut decoder = Decoder::new(&model, Engine::Hull).unwrap();
    decoder.prefill(&ids(&[0, 1, 2])).unwrap();
}

/// More neurons without a table than a vector has numbers are refused.
#[test]
fn layers_that_are_too_wide_are_refused() {
    for (neurons, is_refused) in [(1 << 16, false), ((1 << 16) + 1, true)] {
        let mut model = zero(2, 4, 1, 2);
        let layer = &mut model.weights.layers[1];
        widen(layer, neurons);
        layer.ff_in.entries.fill(1.0);
        layer.ff_out.entries.fill(1.0);
        common::tables::state_widest(&mut model);
        match Decoder::new(&model, Engine::Hull) {
            Ok(_) => assert!(!is_refused, "{neurons}"),
            Err(error) => {
                let error = error.to_string();
                assert!(
                    is_refused && error.contains("layer 1") && error.contains("65537"),
                    "{error}"
                );
            }
        }
    }
}
