//! The adders, decoded by the plain forward pass of stock softmax.

use crate::common;
use weightware_compiler::adder::{self, DIGITS, Layout, SUM_DIGITS};
use weightware_model::{Model, TokenId};

/// The greatest number of ten digits.
const GREATEST: u64 = 9_999_999_999;

/// Random pairs.
const PAIRS: usize = 10_000;

fn power(exponent: usize) -> u64 {
    10_u64.pow(u32::try_from(exponent).expect("a small exponent"))
}

/// Pairs of edges, a carry from every digit through every number of nines, and all pairs of digits.
fn edges() -> Vec<(u64, u64)> {
    let ends = [0, 1, 9, 10, 5_000_000_000, 1_234_567_890, 9_876_543_210];
    let ends = ends.into_iter().chain([GREATEST - 1, GREATEST]);
    let mut pairs: Vec<_> = ends
        .clone()
        .flat_map(|a| ends.clone().map(move |b| (a, b)))
        .collect();
    for first in 0..DIGITS {
        for length in 0..=DIGITS - first {
            let nines = (power(length) - 1) * power(first);
            // Columns of 9 + 0, and of 5 + 4, into the first of which 1 is added.
            let fives = nines / 9 * 5;
            pairs.extend([
                (nines, power(first)),
                (power(first), nines),
                (nines, nines),
                (fives, nines - fives + power(first)),
            ]);
        }
    }
    // Without a carry into them, and with one.
    for a in 0..10 {
        pairs.extend((0..10).flat_map(|b| [(a * 10, b * 10), (a * 10 + 9, b * 10 + 1)]));
    }
    pairs.retain(|&(a, b)| a <= GREATEST && b <= GREATEST);
    pairs
}

fn add(model: &Model, layout: Layout, a: u64, b: u64) -> Option<u64> {
    let prompt = adder::prompt(layout, a, b).expect("ten digits each");
    let prompt = model.tokenizer.encode(&prompt).expect("digits");
    let mut forward = common::Forward::new(model);
    let mut x = vec![];
    prompt.iter().for_each(|token| x = forward.push(token.0));
    let mut sum = vec![];
    while sum.len() < SUM_DIGITS {
        let token = forward.argmax(&x);
        sum.push(model.tokenizer.string(TokenId(token)).expect("in range"));
        x = forward.push(token);
    }
    adder::sum(sum)
}

#[test]
fn add_all_pairs() {
    let mut random = common::Random(2025);
    let mut number = || (0..DIGITS).fold(0, |n, _| n * 10 + u64::from(random.below(10)));
    let mut pairs = edges();
    assert!(pairs.len() > 400, "{} edges", pairs.len());
    pairs.extend((0..PAIRS).map(|_| (number(), number())));
    for layout in Layout::ALL {
        let model = adder::model(layout);
        model.validate().expect("a sound model");
        for &(a, b) in &pairs {
            let sum = add(&model, layout, a, b);
            assert_eq!(sum, Some(a + b), "{layout:?}: {a} + {b}");
        }
    }
}

#[test]
fn every_weight_counts() {
    let pairs = edges();
    for layout in Layout::ALL {
        let adds = |model: &Model| {
            let mut pairs = pairs.iter();
            pairs.all(|&(a, b)| add(model, layout, a, b) == Some(a + b))
        };
        let model = adder::model(layout);
        let count = model.weights.count().nonzero;
        let mut removed = 0;
        for at in 0.. {
            let mut without = model.clone();
            let weights = &mut without.weights;
            let layers = weights.layers.iter_mut().flat_map(|layer| {
                let [attention, ffn] = [
                    [&mut layer.in_proj, &mut layer.out_proj],
                    [&mut layer.ff_in, &mut layer.ff_out],
                ];
                attention.into_iter().chain(ffn)
            });
            let matrices = [&mut weights.tok, &mut weights.head].into_iter();
            let entries = matrices
                .chain(layers)
                .flat_map(|matrix| &mut matrix.entries);
            let Some(weight) = entries.filter(|weight| **weight != 0.0).nth(at) else {
                break;
            };
            let value = std::mem::replace(weight, 0.0);
            assert!(!adds(&without), "{layout:?}: {at}, {value}");
            removed += 1;
        }
        assert_eq!(removed, count);
    }
}

#[test]
fn other_numbers_have_no_prompt_and_other_tokens_no_sum() {
    for layout in Layout::ALL {
        assert!(adder::prompt(layout, GREATEST, GREATEST).is_some());
        assert_eq!(adder::prompt(layout, GREATEST + 1, 0), None);
        assert_eq!(adder::prompt(layout, 0, u64::MAX), None);
    }
    assert_eq!(adder::sum(["9"; SUM_DIGITS]), Some(99_999_999_999));
    assert_eq!(adder::sum(["1"; SUM_DIGITS - 1]), None);
    assert_eq!(adder::sum(["1"; SUM_DIGITS + 1]), None);
    assert_eq!(adder::sum(["10"; SUM_DIGITS]), None);
}
