//! Sharing and splitting, against the oracle.

use proptest::prelude::*;
use weightware_hull::Point;

use super::Hull;
use crate::cache::{Cache, Call, Hardmax};

/// A head's key, query and values at a token, drawn from few numbers so that heads often agree and queries often tie.
fn call() -> impl Strategy<Value = [i8; 6]> {
    let query = prop_oneof![Just(0i8), Just(1), -2i8..3];
    (0i8..3, 0i8..2, query.clone(), query, 0i8..2, 0i8..2)
        .prop_map(|(a, b, c, d, e, f)| [a, b, c, d, e, f])
}

/// From `splits[h]` on, head `h` has keys, and from `values[h]` on values, of its own; before, those of head 0.
fn run(tokens: &[Vec<[i8; 6]>], splits: &[usize], values: &[usize], live: &[[bool; 2]]) {
    let heads = splits.len();
    let mut hull = Hull::new(live.iter().copied());
    let mut oracle = Hardmax::new(heads);
    for (t, token) in tokens.iter().enumerate() {
        let calls: Vec<Call> = (0..heads)
            .map(|h| {
                let own = token[h].map(f64::from);
                let common = token[0].map(f64::from);
                let key = if t < splits[h] { common } else { own };
                let value = if t < values[h] { common } else { own };
                let value = [0, 1].map(|j| if live[h][j] { value[4 + j] } else { 0.0 });
                let [x, y] = [key[0] * t as f64, key[1] - key[0] * (t * t) as f64];
                Call {
                    key: Point { x, y },
                    query: Point {
                        x: own[2],
                        y: own[3],
                    },
                    value,
                }
            })
            .collect();
        hull.begin();
        oracle.begin();
        // The heads come in two layers.
        for range in [0..heads / 2, heads / 2..heads] {
            let mut answers = [
                vec![[f64::NAN; 2]; range.len()],
                vec![[f64::NAN; 2]; range.len()],
            ];
            hull.attend(range.start, &calls[range.clone()], &mut answers[0])
                .unwrap();
            oracle
                .attend(range.start, &calls[range.clone()], &mut answers[1])
                .unwrap();
            assert_eq!(answers[0], answers[1], "token {t}, heads {range:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn splits_lose_nothing(
        tokens in prop::collection::vec(prop::collection::vec(call(), 6), 1..60),
        splits in prop::collection::vec(prop_oneof![Just(0), Just(1), Just(10), Just(99), 0usize..40], 6),
        values in prop::collection::vec(prop_oneof![Just(0), Just(10), Just(99), 0usize..40], 6),
        live in prop::collection::vec(any::<[bool; 2]>(), 6),
    ) {
        run(&tokens, &splits, &values, &live);
    }
}

#[test]
fn equal_streams_are_kept_once() {
    let mut hull = Hull::new([[true; 2]; 4].into_iter());
    let mut answers = [[0.0; 2]; 4];
    for t in 0..2_000 {
        let t = f64::from(t);
        let parabola = Point {
            x: 2.0 * t,
            y: -t * t,
        };
        let query = Point { x: t - 3.0, y: 1.0 };
        let call = |key, value| Call { query, key, value };
        // Heads 2 and 3 leave the others together at token 1500.
        let late = if t < 1_500.0 {
            parabola
        } else {
            Point { x: 0.0, y: 1.0 }
        };
        hull.begin();
        let calls = [
            call(parabola, [t, 1.0]),
            call(parabola, [t, 7.0]),
            call(late, [t, 1.0]),
            call(late, [t, 300.0 + t]),
        ];
        hull.attend(0, &calls, &mut answers).unwrap();
        let near = (t - 3.0).max(0.0);
        assert_eq!(answers[0], [near, 1.0]);
        if t < 1_500.0 {
            assert_eq!(answers[3], [near, 300.0 + near]);
        }
    }
    assert_eq!(hull.sharing(), (2, 6));
}
