//! Long streams, whose blocks split and join, against the oracle at a few queries.

// Miri would take days here; under it the unit tests split and join blocks.
#![cfg(not(miri))]

mod common;

use common::streams::Random;
use common::{Twins, normals};
use weightware_hull::{
    Error, Hint, HullIndex, Inserted, KeyValueIndex, LinearCache, Point, Winners,
};

fn parabola(t: f64) -> Point {
    Point::new(2.0 * t, -t * t)
}

/// Pushes `keys`, and compares all kinds of queries after every `every` keys.
fn follow(keys: impl Iterator<Item = Point>, every: usize, direction: impl Fn(&mut Random) -> f64) {
    let mut twins = Twins::default();
    let mut random = Random::new(11);
    let mut pushed = vec![];
    for (i, key) in keys.enumerate() {
        twins.push(key);
        pushed.push(key);
        if i % every == every - 1 {
            for y in [1.0, 2.0, -1.0] {
                twins.check(Point::new(direction(&mut random), y));
            }
            for (x, y) in [(0.0, 1.0), (0.0, -1.0), (1.0, 0.0), (-1.0, 0.0), (0.0, 0.0)] {
                twins.check(Point::new(x, y));
            }
            let mut pick = || pushed[random.below(pushed.len() as u64) as usize];
            for q in normals(pick(), pick()) {
                twins.check(q);
            }
        }
    }
}

#[test]
fn appended_parabola() {
    follow((0..100_000).map(|t| parabola(f64::from(t))), 5_000, |r| {
        r.below(200_000) as f64 / 2.0
    });
}

#[test]
fn prepended_parabola() {
    follow((0..30_000).map(|t| parabola(-f64::from(t))), 2_000, |r| {
        -(r.below(60_000) as f64) / 2.0
    });
}

#[test]
fn parabola_in_random_order_with_recency() {
    let mut random = Random::new(5);
    let keys = (0..100_000).map(move |n| {
        let key = parabola(random.below(20_000) as f64);
        Point::new(key.x, key.y + f64::from(n) / 2f64.powi(20))
    });
    follow(keys, 5_000, |r| r.below(40_000) as f64 / 2.0);
}

#[test]
fn memory_with_cleared_keys() {
    let mut random = Random::new(9);
    let keys = (0..100_000).map(move |n| {
        if random.below(3) == 0 {
            Point::new(random.signed(34), -2f64.powi(40) + random.signed(3))
        } else {
            let key = parabola(random.below(3_000) as f64);
            Point::new(key.x, key.y + f64::from(n) / 2f64.powi(20))
        }
    });
    follow(keys, 5_000, |r| r.below(3_000) as f64);
}

#[test]
fn rising_hulls_that_swallow_what_is_there() {
    // Every round of wide parabolas makes all points of the previous round interior, from the
    // outside to the inside or the other way round.
    let keys = (0..20).flat_map(|round| {
        (0..4_000).map(move |i| {
            let t = if round % 2 == 0 { i } else { 3_999 - i };
            let key = parabola(f64::from(t));
            Point::new(key.x, key.y + 1e9 * f64::from(round))
        })
    });
    follow(keys, 3_001, |r| r.below(4_000) as f64);
}

#[test]
fn one_high_point_swallows_thousands() {
    let mut hull = HullIndex::new();
    for t in 0..20_000 {
        hull.push(parabola(f64::from(t))).unwrap();
    }
    assert_eq!(hull.vertices(), 20_000);
    hull.push(Point::new(20_000.0, 1e12)).unwrap();
    // The two ends of the lower chain, and the new point.
    assert_eq!(hull.vertices(), 3);
    assert_eq!(hull.slots(), 20_001);
    // Slots are reused, and memory is given back.
    assert!(matches!(hull.push(Point::new(20_000.0, 2e12)), Ok(Inserted::New(s)) if s < 20_001));
    assert!(hull.heap_bytes() < 20_001 * 10);
}

#[test]
fn any_hint_gives_the_same_answer() {
    let mut random = Random::new(8);
    let mut hull = HullIndex::new();
    for t in 0..20_000 {
        hull.push(parabola(f64::from(t))).unwrap();
    }
    let mut hint = Hint::default();
    let mut at = 0i64;
    for _ in 0..100_000 {
        // Steps of all sizes, to the left and to the right.
        let bits = random.below(15) as u32 + 1;
        at = (at + random.signed(bits) as i64).clamp(0, 19_999);
        let found = hull.winners(Point::new(at as f64, 1.0), &mut hint);
        assert_eq!(found, Ok(Winners::One(at as u32)));
        if at < 19_999 {
            let found = hull.winners(Point::new(at as f64 + 0.5, 1.0), &mut hint);
            let tied = [at as u32, at as u32 + 1];
            assert!(matches!(found, Ok(Winners::Many(slots)) if slots[..] == tied));
        }
    }
}

#[test]
fn random_cloud() {
    let mut random = Random::new(21);
    let keys = (0..100_000).map(move |_| Point::new(random.signed(30), random.signed(30)));
    follow(keys, 4_000, |r| r.signed(2));
}

#[test]
fn a_long_line_and_a_tall_column() {
    let mut random = Random::new(2);
    let line = (0..4_000).map(move |_| {
        let t = random.signed(11);
        Point::new(3.0 * t, 5.0 * t)
    });
    follow(line, 500, |r| r.signed(3));
    follow(
        (0..4_000).map(|y| Point::new(0.0, f64::from(y))),
        500,
        |r| r.signed(3),
    );
}

#[test]
fn an_appended_parabola_takes_little_memory_and_numbers_slots_in_order() {
    let mut hull = HullIndex::new();
    for t in 0..1u32 << 17 {
        let key = parabola(f64::from(t));
        assert_eq!(hull.push(key), Ok(Inserted::New(t)));
        assert_eq!(hull.push(key), Ok(Inserted::Same(t)));
    }
    let per_point = hull.heap_bytes() as f64 / f64::from(1 << 17);
    assert!(per_point < 22.0, "{per_point} bytes per point");
}

#[test]
fn refuses_what_it_cannot_decide() {
    let mut hull = HullIndex::new();
    for bad in [f64::NAN, f64::INFINITY, 1e-200, 1e200] {
        let error = hull.push(Point::new(0.0, bad)).unwrap_err();
        assert!(error.is_out_of_domain());
        let q = Point::new(bad, 1.0);
        let error = hull.winners(q, &mut Default::default()).unwrap_err();
        assert!(error.is_out_of_domain() && error.to_string().contains("2^400"));
    }
    assert!(hull.is_empty());
    let mut cache = LinearCache::new();
    let asked = cache.query(Point::new(0.0, 0.0));
    assert!(asked.is_err_and(|e: Error| e.is_empty_cache()));
    assert!(cache.push(Point::new(0.0, 0.0), [f64::NAN, 0.0]).is_err());
    assert!(cache.is_empty());
}

#[test]
fn edges_whose_slopes_are_equal_but_for_rounding() {
    // Edges u + i w of Fibonacci numbers: the determinant of neighbours is 1, their slopes differ
    // by 2^-60 and less, and the coordinates are integers below 2^53.
    let (u, w) = ((5_702_887.0, 3_524_578.0), (9_227_465.0, 5_702_887.0));
    for sign in [1.0, -1.0] {
        let mut edges: Vec<Point> = (0..1_500)
            .map(|i| Point::new(u.0 + f64::from(i) * w.0, u.1 + f64::from(i) * w.1))
            .collect();
        // Ascending or descending slopes: a lower or an upper chain.
        if sign < 0.0 {
            edges.reverse();
        }
        let mut twins = Twins::default();
        let mut at = Point::new(0.0, 0.0);
        twins.push(at);
        for edge in &edges {
            at = Point::new(at.x + edge.x, at.y + edge.y);
            assert!(at.x < 2f64.powi(53));
            twins.push(at);
        }
        for edge in edges.iter().step_by(31) {
            for q in normals(Point::new(0.0, 0.0), *edge) {
                for scale in [1.0, 3.0, 5.0, 7.0, 11.0] {
                    twins.check(Point::new(q.x * scale, q.y * scale));
                }
                twins.check(Point::new(q.x, q.y * (1.0 + f64::EPSILON)));
                twins.check(Point::new(q.x, q.y * (1.0 - f64::EPSILON)));
            }
        }
    }
}
