//! The adders by the forward pass of another library.
#![cfg(feature = "candle")]

use weightware_candle::PlainForward;
use weightware_compiler::adder::{self, Layout, SUM_DIGITS};

#[test]
fn candle_predicts_every_digit() {
    let greatest = 9_999_999_999;
    let edges = [0, 1, 9, 5_000_000_000, 1_234_567_890, 8_765_432_109];
    let edges = edges.into_iter().chain([greatest]);
    for layout in Layout::ALL {
        let model = adder::model(layout);
        let folder = tempfile::tempdir().expect("a folder");
        model.save(folder.path()).expect("it can be written");
        let forward = PlainForward::load(folder.path()).expect("a model");
        for (a, b) in edges
            .clone()
            .flat_map(|a| edges.clone().map(move |b| (a, b)))
        {
            let prompt = adder::prompt(layout, a, b).expect("ten digits");
            let prompt: Vec<u32> = model
                .tokenizer
                .encode(&prompt)
                .expect("digits")
                .iter()
                .map(|token| token.0)
                .collect();
            let tokens = forward
                .greedy(&prompt, SUM_DIGITS)
                .expect("a horizon after the sum");
            assert_eq!(tokens.len(), SUM_DIGITS);
            let digits: Vec<String> = tokens.iter().map(ToString::to_string).collect();
            let sum = adder::sum(digits.iter().map(String::as_str));
            assert_eq!(sum, Some(a + b), "{layout:?}: {a} + {b}");
        }
    }
}
