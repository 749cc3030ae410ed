//! Clouds of keys, and queries for them.

#![allow(dead_code, reason = "an example uses only the keys")]

use std::f64::consts::TAU;
use weightware_hull::{Point, Point3};

/// A stream of keys: the key of each number, and the query of each token given the number of keys.
pub(crate) struct Shape<K> {
    pub(crate) name: &'static str,
    pub(crate) key: fn(usize) -> K,
    pub(crate) query: fn(usize, usize) -> K,
}

/// A pseudorandom number from 0 to 1, a function of `i`.
pub(crate) fn random(i: usize) -> f64 {
    let bits = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 11) as f64 / 2_f64.powi(53)
}

/// Two independent normal numbers, by Box and Muller.
fn normal(i: usize) -> [f64; 2] {
    let r = (-2.0 * (1.0 - random(2 * i)).ln()).sqrt();
    let angle = random(2 * i + 1) * TAU;
    [r * angle.cos(), r * angle.sin()]
}

/// A direction of length 8: scores differ by tens.
fn direction(i: usize, _: usize) -> Point {
    let angle = random(i) * TAU;
    Point::new(8.0 * angle.cos(), 8.0 * angle.sin())
}

fn direction3(i: usize, _: usize) -> Point3 {
    let (z, angle) = (2.0 * random(2 * i) - 1.0, random(2 * i + 1) * TAU);
    let r = (1.0 - z * z).sqrt();
    Point3::new(8.0 * r * angle.cos(), 8.0 * r * angle.sin(), 8.0 * z)
}

pub(crate) fn shapes2() -> Vec<Shape<Point>> {
    vec![
        Shape {
            name: "gaussian",
            key: |i| Point::from(normal(i)),
            query: direction,
        },
        Shape {
            name: "circle",
            key: |i| {
                let angle = random(i) * TAU;
                Point::new(angle.cos(), angle.sin())
            },
            query: direction,
        },
        Shape {
            name: "parabola",
            key: |i| Point::new(2.0 * i as f64, -((i * i) as f64)),
            query: |i, n| Point::new(random(i) * n as f64, 1.0),
        },
        Shape {
            name: "clustered",
            key: |i| {
                let center = normal((random(3 * i) * 16.0) as usize);
                let [x, y] = normal(i + 99);
                Point::new(3.0 * center[0] + 0.05 * x, 3.0 * center[1] + 0.05 * y)
            },
            query: direction,
        },
        Shape {
            // The mean goes around slowly, as rotary positions do, and away.
            name: "drifting gaussian",
            key: |i| {
                let [x, y] = normal(i);
                let angle = i as f64 * 1e-4;
                let away = 1.0 + i as f64 * 1e-6;
                Point::new(x + 2.0 * away * angle.cos(), y + 2.0 * away * angle.sin())
            },
            query: direction,
        },
        Shape {
            // Each key is a vertex, and covers earlier ones: the worst for nested hulls.
            name: "spiral outwards",
            key: |i| {
                let angle = i as f64 * 2.399_963_229_728_653;
                let r = 1.0 + i as f64 * 1e-6;
                Point::new(r * angle.cos(), r * angle.sin())
            },
            query: direction,
        },
    ]
}

pub(crate) fn shapes3() -> Vec<Shape<Point3>> {
    vec![
        Shape {
            name: "gaussian",
            key: |i| {
                let ([x, y], [z, _]) = (normal(2 * i), normal(2 * i + 1));
                Point3::new(x, y, z)
            },
            query: direction3,
        },
        Shape {
            name: "sphere",
            key: |i| direction3(i, 0),
            query: |i, n| direction3(i + 7_000_000, n),
        },
        Shape {
            name: "clustered",
            key: |i| {
                let center = direction3((random(3 * i) * 16.0) as usize, 0);
                let ([x, y], [z, _]) = (normal(2 * i), normal(2 * i + 1));
                let at = |center: f64, v: f64| center + 0.05 * v;
                Point3::new(at(center.x, x), at(center.y, y), at(center.z, z))
            },
            query: |i, n| direction3(i + 7_000_000, n),
        },
        Shape {
            name: "drifting gaussian",
            key: |i| {
                let ([x, y], [z, _]) = (normal(2 * i), normal(2 * i + 1));
                let angle = i as f64 * 1e-4;
                Point3::new(
                    x + 2.0 * angle.cos(),
                    y + 2.0 * angle.sin(),
                    z + i as f64 * 1e-6,
                )
            },
            query: |i, n| direction3(i + 7_000_000, n),
        },
    ]
}
