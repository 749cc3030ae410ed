//! The adder, decoded by the plain forward pass of stock softmax.

use crate::common;
use weightware_compiler::adder::{self, WIDTH};
use weightware_model::TokenId;

/// The greatest number of ten digits.
const GREATEST: u64 = 9_999_999_999;

/// Random pairs.
const PAIRS: usize = 10_000;

fn power(digits: usize) -> u64 {
    10_u64.pow(u32::try_from(digits).expect("a small exponent"))
}

/// Pairs at the edges, and a carry from every digit through every number of nines.
fn edges() -> Vec<(u64, u64)> {
    let ends = [0, 1, 9, 10, 5_000_000_000, 1_234_567_890, 9_876_543_210];
    let ends = ends.into_iter().chain([GREATEST - 1, GREATEST]);
    let mut pairs: Vec<_> = ends
        .clone()
        .flat_map(|a| ends.clone().map(move |b| (a, b)))
        .collect();
    for first in 0..adder::DIGITS {
        for length in 0..=adder::DIGITS - first {
            let nines = (power(length) - 1) * power(first);
            pairs.extend([(nines, power(first)), (power(first), nines), (nines, nines)]);
            // The sum of each column is 9, and one more is carried in.
            let fives = nines / 9 * 5;
            pairs.push((fives, nines - fives + power(first)));
        }
    }
    // Every pair of digits, without and with a carry into it.
    for a in 0..10 {
        pairs.extend((0..10).flat_map(|b| [(a * 10, b * 10), (a * 10 + 9, b * 10 + 1)]));
    }
    pairs.retain(|&(a, b)| a <= GREATEST && b <= GREATEST);
    pairs
}

#[test]
fn adds_all_pairs() {
    let model = adder::model();
    model.validate().expect("a sound model");
    let mut random = common::Random(2025);
    let mut number = || (0..adder::DIGITS).fold(0, |n, _| n * 10 + u64::from(random.below(10)));
    let mut pairs = edges();
    assert!(pairs.len() > 400, "{} edges", pairs.len());
    pairs.extend((0..PAIRS).map(|_| (number(), number())));
    for (a, b) in pairs {
        let prompt = adder::prompt(a, b).expect("ten digits each");
        let prompt = model.tokenizer.encode(&prompt).expect("digits");
        let mut forward = common::Forward::new(&model);
        let mut x = vec![];
        prompt.iter().for_each(|token| x = forward.push(token.0));
        let mut sum = vec![];
        while sum.len() < WIDTH {
            let token = forward.argmax(&x);
            sum.push(model.tokenizer.string(TokenId(token)).expect("in range"));
            x = forward.push(token);
        }
        assert_eq!(adder::number(sum), Some(a + b), "{a} + {b}");
    }
}

#[test]
fn longer_numbers_have_no_prompt() {
    assert!(adder::prompt(GREATEST, GREATEST).is_some());
    assert_eq!(adder::prompt(GREATEST + 1, 0), None);
    assert_eq!(adder::prompt(0, u64::MAX), None);
    assert_eq!(adder::number(["1"; WIDTH - 1]), None);
    assert_eq!(adder::number(["1"; WIDTH + 1]), None);
    assert_eq!(adder::number(["10"; WIDTH]), None);
}
