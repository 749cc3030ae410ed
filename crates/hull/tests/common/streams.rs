//! Adversarial streams of keys, and queries that tie.

use weightware_hull::Point;

/// A small deterministic generator: xorshift.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        // An odd state is never zero, from which xorshift would not leave.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn bits(&mut self, n: u32) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> (64 - n)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.bits(53) % n
    }

    /// An integer of at most `n` bits, with a random sign.
    pub(crate) fn signed(&mut self, n: u32) -> f64 {
        self.bits(n + 1) as f64 - 2f64.powi(n as i32)
    }

    /// A number from 0 to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.bits(53) as f64 / 2f64.powi(53)
    }
}

/// The key of an index, in a stream of about this many keys.
pub(crate) type Key = fn(&mut Random, u32, u32) -> Point;

/// The streams and their names.
pub(crate) const STREAMS: [(&str, Key); 24] = [
    ("parabola", |_, i, _| parabola(f64::from(i))),
    ("parabola, backwards", |_, i, n| {
        parabola(f64::from(n) - f64::from(i))
    }),
    ("parabola, any order", |r, _, n| {
        parabola(r.below(n.into()) as f64)
    }),
    ("parabola, rising", |r, i, n| {
        let key = parabola(r.below(u64::from(n / 4 + 1)) as f64);
        Point::new(key.x, key.y + f64::from(i) / 1024.0)
    }),
    ("parabola, interrupted", |r, i, _| {
        // Long progressions, and sometimes a point among the earlier ones.
        if r.below(24) == 0 {
            let key = parabola(r.below(u64::from(i) + 1) as f64);
            Point::new(key.x, key.y + r.signed(1) / 2.0)
        } else {
            parabola(f64::from(i))
        }
    }),
    ("parabola, broken once", |r, i, n| {
        if i == n / 2 {
            Point::new(r.signed(6), r.signed(6))
        } else {
            parabola(f64::from(i))
        }
    }),
    ("parabola above a point", |_, i, _| match i {
        // A progression that is a part of the hull only.
        0 => Point::new(0.0, -1.0),
        _ => parabola(f64::from(i - 1)),
    }),
    ("parabola of tenths", |_, i, _| {
        let key = parabola(f64::from(i));
        Point::new(0.1 * key.x, 0.1 * key.y)
    }),
    ("parabola up to the last bit", |_, i, _| {
        parabola(f64::from(i) + 2f64.powi(26) - 100.0)
    }),
    ("parabolas", |r, i, _| {
        // Curves and scales that change, in either direction.
        let (piece, t) = (i / 50, f64::from(i % 50));
        let scale = 2f64.powi((piece * 7 % 5) as i32);
        let x = if piece % 2 == 0 { t } else { -t };
        let skip = if r.below(40) == 0 { 0.5 } else { 0.0 };
        Point::new(2.0 * x * scale, (skip - t * t) * scale * scale)
    }),
    ("circle", |r, _, _| {
        let angle = r.unit() * core::f64::consts::TAU;
        Point::new(angle.cos() * 1e6, angle.sin() * 1e6)
    }),
    ("circle of integers", |r, _, _| {
        // Multiples of Pythagorean triples: many points of one circle.
        let (a, b) = [
            (63.0, 16.0),
            (33.0, 56.0),
            (39.0, 52.0),
            (25.0, 60.0),
            (65.0, 0.0),
        ][r.below(5) as usize];
        let (a, b) = if r.bits(1) == 0 { (a, b) } else { (b, a) };
        let sign = |r: &mut Random| if r.bits(1) == 0 { 1.0 } else { -1.0 };
        Point::new(a * sign(r), b * sign(r))
    }),
    ("small grid", |r, _, _| Point::new(r.signed(1), r.signed(1))),
    ("grid", |r, _, _| Point::new(r.signed(4), r.signed(4))),
    ("all equal", |_, _, _| Point::new(3.0, -0.0)),
    ("sorted by x", |r, i, _| {
        Point::new(f64::from(i), r.signed(6))
    }),
    ("sorted by x, backwards", |r, i, _| {
        Point::new(-f64::from(i), r.signed(6))
    }),
    ("clusters of 1e-12", |r, _, _| {
        let center = [(0.0, 0.0), (1.0, 0.0), (0.5, 0.75), (1.0, 1.0)][r.below(4) as usize];
        let mut off = || r.signed(3) * 1e-12;
        Point::new(center.0 + off(), center.1 + off())
    }),
    ("one line", |r, _, _| {
        let t = r.signed(7);
        Point::new(3.0 * t, -5.0 * t)
    }),
    ("off a line by the last bit", |r, _, _| {
        let t = r.signed(5);
        let mut nudge =
            |v: f64| f64::from_bits(v.to_bits().wrapping_add_signed(r.below(3) as i64 - 1));
        Point::new(nudge(t * 0.1 + 7.0), nudge(t * 0.3 - 40.0))
    }),
    ("two columns", |r, _, _| {
        Point::new(r.bits(1) as f64, r.signed(5))
    }),
    ("edges of a square", |r, _, _| {
        // Hundreds of ties on hulls that grow: every edge holds many points.
        let size = f64::from(8 << r.below(3));
        let t = (r.signed(3) * size / 8.0).clamp(-size, size);
        match r.below(4) {
            0 => Point::new(t, size),
            1 => Point::new(t, -size),
            2 => Point::new(size, t),
            _ => Point::new(-size, t),
        }
    }),
    ("memory with cleared keys", |r, i, n| {
        if r.below(3) == 0 {
            Point::new(r.signed(34), -2f64.powi(40) + r.signed(3))
        } else {
            let key = parabola(r.below(u64::from(n / 8 + 1)) as f64);
            Point::new(key.x, key.y + f64::from(i) / 2f64.powi(20))
        }
    }),
    ("all magnitudes", |r, _, _| {
        let mut any = || r.signed(2) * 2f64.powi(r.below(700) as i32 - 350);
        Point::new(any(), any())
    }),
];

fn parabola(t: f64) -> Point {
    Point::new(2.0 * t, -t * t)
}

/// A query for keys such as these: directions of all kinds, many of them normal to a line through
/// two keys.
pub(crate) fn query(r: &mut Random, keys: &[Point]) -> Point {
    let pick = |r: &mut Random| keys[r.below(keys.len() as u64) as usize];
    let q = match r.below(8) {
        0 => Point::new(r.signed(2), r.signed(2)),
        1 => Point::new(r.unit() - 0.5, r.unit() - 0.5),
        2 => {
            let (x, y) = [
                (0.0, 1.0),
                (0.0, -1.0),
                (1.0, 0.0),
                (-1.0, -0.0),
                (0.0, 0.0),
            ][r.below(5) as usize];
            Point::new(x, y)
        }
        3 | 4 => Point::new(pick(r).x / 2.0 + r.signed(1) / 2.0, 1.0),
        5 => Point::new(pick(r).x, -1.0),
        _ => {
            let (a, b) = (pick(r), pick(r));
            let (dx, dy) = (b.x - a.x, b.y - a.y);
            if r.bits(1) == 0 {
                Point::new(-dy, dx)
            } else {
                Point::new(dy, -dx)
            }
        }
    };
    if q.in_domain() {
        q
    } else {
        Point::new(1.0, 1.0)
    }
}
