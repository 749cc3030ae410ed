//! Shared streams and questions, against the oracle.

use proptest::prelude::*;

use super::Hull;
use crate::cache::{Cache, Call, Hardmax};
use crate::network::{Answer, Asks, NewKey, NewValue, Question};

/// The products of a token: a key's, a query's and values, drawn from few numbers so that keys coincide and queries tie.
fn products() -> impl Strategy<Value = [i8; 12]> {
    let query = prop_oneof![Just(0i8), Just(1), -2i8..3];
    (
        prop::array::uniform4(0i8..3),
        prop::array::uniform4(query),
        prop::array::uniform4(prop_oneof![0i8..2, -100i8..100]),
    )
        .prop_map(|(a, b, c)| std::array::from_fn(|i| [a, b, c][i / 4][i % 4]))
}

/// Two streams of keys, two questions and three streams of values each, asked in two layers.
fn layers() -> [Asks; 2] {
    let question = |number, keys, q: usize| Question {
        number,
        keys,
        query: [4 + q, 4 + (q + 1) % 4],
    };
    let value = |stream, keys, v: usize| NewValue {
        stream,
        keys,
        value: 8 + v,
    };
    let key = |stream: usize| NewKey {
        stream,
        key: [2 * stream, 2 * stream + 1],
        head: 0,
    };
    let answer = |question, keys, values| Answer {
        question,
        keys,
        values,
    };
    [
        Asks {
            keys: vec![key(0), key(1)],
            values: vec![value(0, 0, 0), value(1, 0, 1), value(2, 1, 0)],
            questions: vec![question(0, 0, 0), question(1, 1, 1)],
            answers: vec![answer(0, 0, 0), answer(0, 0, 1), answer(1, 1, 2)],
        },
        // The keys are in already; one question was asked before.
        Asks {
            keys: vec![],
            values: vec![value(3, 0, 2), value(4, 1, 3), value(5, 1, 1)],
            questions: vec![question(2, 0, 2), question(3, 1, 3)],
            answers: vec![
                answer(1, 1, 4),
                answer(3, 1, 2),
                answer(0, 0, 3),
                answer(2, 0, 3),
                answer(3, 1, 5),
            ],
        },
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_answer_is_that_of_the_oracle(
        tokens in prop::collection::vec(products(), 1..80),
        scale in prop_oneof![Just(1.0), Just(0.1), Just(3e9)],
    ) {
        let layers = layers();
        let mut hull = Hull::of(2, 6, 4);
        // The oracle has a head for every answer.
        let all: Vec<&Answer> = layers.iter().flat_map(|asks| &asks.answers).collect();
        let questions: Vec<&Question> = layers.iter().flat_map(|asks| &asks.questions).collect();
        let values: Vec<&NewValue> = layers.iter().flat_map(|asks| &asks.values).collect();
        let mut oracle = Hardmax::new(all.len());
        for (t, token) in tokens.iter().enumerate() {
            let mut products = token.map(f64::from);
            for key in [0, 2] {
                let [a, b] = [products[key], products[key + 1]];
                products[key] = a * t as f64;
                products[key + 1] = b - a * (t * t) as f64;
            }
            products[8..].iter_mut().for_each(|value| *value *= scale);
            let calls: Vec<Call> = all
                .iter()
                .map(|answer| {
                    let question = questions.iter().find(|q| q.number == answer.question).unwrap();
                    let value = values.iter().find(|v| v.stream == answer.values).unwrap();
                    let point = |[x, y]: [usize; 2]| [products[x], products[y]].into();
                    Call {
                        query: point(question.query),
                        key: point([2 * answer.keys, 2 * answer.keys + 1]),
                        value: [products[value.value], 0.0],
                    }
                })
                .collect();
            let mut expected = vec![[f64::NAN; 2]; all.len()];
            oracle.attend(0, &calls, &mut expected).unwrap();
            let mut answers = vec![f64::NAN; all.len()];
            let (first, second) = answers.split_at_mut(layers[0].answers.len());
            hull.ask(&layers[0], &products, first).unwrap();
            hull.ask(&layers[1], &products, second).unwrap();
            for (answer, [expected, _]) in answers.iter().zip(&expected) {
                prop_assert_eq!(answer.to_bits(), expected.to_bits(), "token {}", t);
            }
        }
        assert_eq!(hull.sharing(), (2, 6));
    }
}
