//! Random streams of pushes and queries: the hull must answer as the scan does, bit for bit.

mod common;

use common::streams::{Random, STREAMS, query};
use common::{Twins, normals};
use proptest::collection::vec;
use proptest::prelude::*;
use weightware_hull::Point;

/// One run: in each step, keys to push, then queries.
type Run = Vec<(Vec<Point>, Vec<Ask>)>;

#[derive(Clone, Debug)]
enum Ask {
    Direction(f64, f64),
    /// A query normal to the line through two of the keys pushed so far.
    Normal(prop::sample::Index, prop::sample::Index),
}

fn ask() -> impl Strategy<Value = Ask> {
    let small = -4..=4i32;
    prop_oneof![
        2 => (small.clone(), small).prop_map(|(x, y)| Ask::Direction(x.into(), y.into())),
        2 => (-60.0..60.0, prop_oneof![Just(1.0), Just(-1.0), Just(0.5)])
            .prop_map(|(x, y)| Ask::Direction(x, y)),
        1 => (-60..60i32).prop_map(|x| Ask::Direction(f64::from(x) / 2.0, 1.0)),
        1 => prop_oneof![Just(Ask::Direction(0.0, 0.0)), Just(Ask::Direction(1.0, -0.0)),
            Just(Ask::Direction(-1.0, 0.0)), Just(Ask::Direction(0.0, 1.0)), Just(Ask::Direction(0.0, -1.0))],
        3 => any::<(prop::sample::Index, prop::sample::Index)>().prop_map(|(a, b)| Ask::Normal(a, b)),
    ]
}

fn runs(keys: impl Strategy<Value = Point>) -> impl Strategy<Value = Run> {
    vec((vec(keys, 1..12), vec(ask(), 1..6)), 1..12)
}

fn follow(run: &Run) {
    let mut twins = Twins::default();
    let mut pushed = vec![];
    for (keys, asks) in run {
        for &key in keys {
            twins.push(key);
            pushed.push(key);
        }
        for ask in asks {
            match ask {
                Ask::Direction(x, y) => twins.check(Point::new(*x, *y)),
                Ask::Normal(a, b) => {
                    for q in normals(*a.get(&pushed), *b.get(&pushed)) {
                        twins.check(q);
                    }
                }
            }
        }
    }
}

fn grid(range: i32) -> impl Strategy<Value = Point> {
    (-range..=range, -range..=range).prop_map(|(x, y)| Point::new(x.into(), y.into()))
}

/// Keys by address, later ones higher, and some cleared: far below the others, at any x.
fn memory() -> impl Strategy<Value = Point> {
    prop_oneof![
        5 => (0..20i32, 0..1000i32).prop_map(|(a, n)| {
            let a = f64::from(a);
            Point::new(2.0 * a, -a * a + f64::from(n) / 1024.0)
        }),
        1 => (any::<i64>(), 0..4i32).prop_map(|(x, y)| {
            Point::new((x >> 29) as f64, -2f64.powi(40) + f64::from(y))
        }),
    ]
}

/// Multiples of one vector, off by a unit in the last place at most.
fn nearly_collinear() -> impl Strategy<Value = Point> {
    (-30..30i32, -1..=1i32, -1..=1i32).prop_map(|(t, i, j)| {
        let nudge = |v: f64, by: i32| f64::from_bits(v.to_bits().wrapping_add_signed(by.into()));
        let t = f64::from(t);
        Point::new(nudge(t * 0.1 + 7.0, i), nudge(t * 0.3 - 40.0, j))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 400 }) })]

    #[test]
    fn tiny_grid(run in runs(grid(2))) { follow(&run); }

    #[test]
    fn grid_with_collinear_points(run in runs(grid(12))) { follow(&run); }

    #[test]
    fn addresses_with_recency_and_cleared_keys(run in runs(memory())) { follow(&run); }

    #[test]
    fn one_column(run in runs((-9..9i32).prop_map(|y| Point::new(3.0, y.into())))) { follow(&run); }

    #[test]
    fn two_columns(run in runs((0..2i32, -9..9i32).prop_map(|(x, y)| Point::new(x.into(), y.into())))) {
        follow(&run);
    }

    #[test]
    fn one_line(run in runs((-9..9i32).prop_map(|t| Point::new(f64::from(t), 2.0 * f64::from(t))))) {
        follow(&run);
    }

    #[test]
    fn one_point(run in runs(Just(Point::new(0.0, -0.0)))) { follow(&run); }

    #[test]
    fn parabola_in_any_order(run in runs((-20..20i32).prop_map(|t| {
        let t = f64::from(t);
        Point::new(2.0 * t, -t * t)
    }))) { follow(&run); }

    #[test]
    fn any_floats(run in runs((-1.0..1.0, -1.0..1.0).prop_map(|(x, y)| Point::new(x, y)))) {
        follow(&run);
    }

    #[test]
    fn wide_range_of_magnitudes(run in runs((grid(3), -150..100i32, -150..100i32).prop_map(|(p, i, j)| {
        Point::new(p.x * 2f64.powi(i), p.y * 2f64.powi(j))
    }))) { follow(&run); }

    #[test]
    fn off_a_line_by_the_last_bit(run in runs(nearly_collinear())) { follow(&run); }

    /// The caches agree to the bit on every adversarial stream, with values.
    #[test]
    fn adversarial_streams(stream in 0..STREAMS.len(), seed in any::<u64>(), n in 1..120u32, every in 1..9u32) {
        let (_, key) = STREAMS[stream];
        let mut random = Random::new(seed);
        let mut twins = Twins::default();
        let mut keys = vec![];
        for i in 0..n {
            let key = key(&mut random, i, n);
            twins.push(key);
            keys.push(key);
            if i % every == 0 {
                let q = query(&mut random, &keys);
                twins.check(q);
            }
        }
    }
}
