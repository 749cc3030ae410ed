//! The parity model, decoded by the plain forward pass.

use crate::common;
use weightware_compiler::parity;

#[test]
fn tells_odd_from_even() {
    let model = parity::model();
    model.validate().expect("a sound model");
    let mut random = common::Random(7);
    for length in 0..40 {
        let words: Vec<_> = (0..length).map(|_| random.pick(&parity::WORDS)).collect();
        let sentence = words
            .iter()
            .map(|(word, _)| *word)
            .collect::<Vec<_>>()
            .join(" ");
        let mut expected = vec![];
        let mut odd = false;
        for (_, verb) in words {
            odd ^= verb;
            expected.push(if odd { "O1" } else { "E0" });
        }
        expected.push(if odd { "odd" } else { "even" });

        let mut forward = common::Forward::new(&model);
        let prompt = model
            .tokenizer
            .encode(&parity::prompt(&sentence))
            .expect("known words");
        let mut x = vec![];
        prompt.iter().for_each(|token| x = forward.push(token.0));
        let mut given = vec![];
        while given.len() < expected.len() {
            let token = weightware_model::TokenId(forward.argmax(&x));
            given.push(model.tokenizer.string(token).expect("in range"));
            x = forward.push(token.0);
        }
        assert_eq!(given, expected, "{sentence}");
    }
}
