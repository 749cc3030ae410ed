//! Shared streams and queries, against the oracle.

use proptest::prelude::*;

use super::Hull;
use crate::cache::{Cache, Hardmax};
use crate::network::{KeyAppend, LayerQuery, Lookups, ValueAppend};
use crate::qkv::Qkv;

/// The products of a token: a key's, a query's and values, drawn from few numbers so that keys
/// coincide and queries tie.
fn products() -> impl Strategy<Value = [i8; 12]> {
    let query = prop_oneof![Just(0i8), Just(1), -2i8..3];
    (
        prop::array::uniform4(0i8..3),
        prop::array::uniform4(query),
        prop::array::uniform4(prop_oneof![0i8..2, -100i8..100]),
    )
        .prop_map(|(a, b, c)| std::array::from_fn(|i| [a, b, c][i / 4][i % 4]))
}

/// Two streams of keys, with two queries and three streams of values each, in two layers.
fn layers() -> [Lookups; 2] {
    let query = |number, answers| LayerQuery {
        number,
        keys: number % 2,
        query: [4 + number, 4 + (number + 1) % 4],
        is_new: true,
        answers,
    };
    let again = |number, answers| LayerQuery {
        is_new: false,
        ..query(number, answers)
    };
    let values = |keys, values: &[[usize; 2]]| ValueAppend {
        keys,
        values: values.iter().map(|&[stream, v]| [stream, 8 + v]).collect(),
    };
    let key = |stream: usize| KeyAppend {
        stream,
        key: [2 * stream, 2 * stream + 1],
        head: 0,
    };
    [
        Lookups {
            keys: vec![key(0), key(1)],
            values: vec![values(0, &[[0, 0], [1, 1]]), values(1, &[[2, 0]])],
            queries: vec![query(0, 2), query(1, 1)],
            answers: vec![0, 1, 2],
            answers_at: 0,
        },
        // The first layer has appended the keys; some queries are repeated.
        Lookups {
            keys: vec![],
            values: vec![values(0, &[[3, 2]]), values(1, &[[4, 3], [5, 1]])],
            queries: vec![again(1, 1), query(3, 2), again(0, 1), query(2, 1)],
            answers: vec![4, 2, 5, 3, 3],
            answers_at: 3,
        },
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_answer_is_that_of_the_oracle(
        tokens in prop::collection::vec(products(), 1..80),
        scale in prop_oneof![Just(1.0), Just(0.1), Just(3e9)],
        // Queries stay for `stay` tokens; before token `steady`, keys are a progression; in every
        // other run of `calm` tokens, no query is zero.
        stay in prop_oneof![Just(1usize), 2usize..9],
        steady in prop_oneof![Just(0usize), 0usize..80],
        calm in prop_oneof![Just(0usize), 0usize..40],
    ) {
        let layers = layers();
        // The oracle has a head for every answer.
        let queries = layers.iter().flat_map(|lookups| &lookups.queries);
        let all: Vec<&LayerQuery> = queries
            .flat_map(|query| std::iter::repeat_n(query, query.answers))
            .collect();
        let answered = layers.iter().flat_map(|lookups| &lookups.answers);
        let values = layers.iter().flat_map(|lookups| &lookups.values);
        let values: Vec<[usize; 2]> = values.flat_map(|new| new.values.clone()).collect();
        let mut hull = Hull::of(2, 6, 4, all.len());
        let mut oracle = Hardmax::new(all.len());
        for (t, token) in tokens.iter().enumerate() {
            let mut products = token.map(f64::from);
            let lookups = &tokens[t / stay * stay][4..8];
            products[4..8].copy_from_slice(&<[i8; 4]>::try_from(lookups).unwrap().map(f64::from));
            if t < steady {
                products[..4].copy_from_slice(&tokens[0].map(f64::from)[..4]);
            }
            if t % (2 * calm + 1) < calm {
                products[4..8].iter_mut().for_each(|q| *q = if *q == 0.0 { 1.0 } else { *q });
            }
            for key in [0, 2] {
                let [a, b] = [products[key], products[key + 1]];
                products[key] = a * t as f64;
                products[key + 1] = b - a * (t * t) as f64;
            }
            products[8..].iter_mut().for_each(|value| *value *= scale);
            let qkv: Vec<Qkv> = all
                .iter()
                .zip(answered.clone())
                .map(|(query, &answer)| {
                    let [_, value] = values.iter().find(|v| v[0] == answer).unwrap();
                    let point = |[x, y]: [usize; 2]| [products[x], products[y]].into();
                    Qkv {
                        query: point(query.query),
                        key: point([2 * query.keys, 2 * query.keys + 1]),
                        value: [products[*value], 0.0],
                    }
                })
                .collect();
            let mut expected = vec![[f64::NAN; 2]; all.len()];
            oracle.attend(0, &qkv, &mut expected).unwrap();
            let mut answers = vec![f64::NAN; all.len()];
            let (first, second) = answers.split_at_mut(layers[0].answers.len());
            hull.look_up(&layers[0], &products, first).unwrap();
            hull.look_up(&layers[1], &products, second).unwrap();
            for (answer, [expected, _]) in answers.iter().zip(&expected) {
                prop_assert_eq!(answer.to_bits(), expected.to_bits(), "token {}", t);
            }
        }
        assert_eq!(hull.sharing(), (2, 6));
    }
}
