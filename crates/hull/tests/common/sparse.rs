//! Caches with an index and without, side by side, and streams of three dimensions.

use super::streams::Random;
use weightware_hull::{Indexed, Point3};

/// The key of a number.
pub(crate) type Key3 = fn(&mut Random, u32) -> Point3;

/// Streams of three dimensions and their names.
pub(crate) fn keys3() -> [(&'static str, Key3); 9] {
    [
        ("paraboloid", |_, i| {
            let (a, b) = (f64::from(i % 23), f64::from(i / 23));
            Point3::new(2.0 * a, 2.0 * b, -a * a - b * b)
        }),
        ("paraboloid, rising", |r, i| {
            let (a, b) = (r.below(9) as f64, r.below(9) as f64);
            Point3::new(2.0 * a, 2.0 * b, f64::from(i) / 1024.0 - a * a - b * b)
        }),
        ("ball", |r, _| {
            Point3::new(r.signed(30), r.signed(30), r.signed(30))
        }),
        ("grid", |r, _| {
            Point3::new(r.signed(2), r.signed(2), r.signed(2))
        }),
        ("all equal", |_, _| Point3::new(1.0, -0.0, 2.0)),
        ("plane", |r, _| {
            let (a, b) = (r.signed(4), r.signed(4));
            Point3::new(a, b, a + 2.0 * b)
        }),
        ("line", |r, _| {
            let t = r.signed(6);
            Point3::new(t, -3.0 * t, 7.0 * t)
        }),
        ("off a line by the last bit", |r, _| {
            let t = r.signed(4);
            let mut nudge =
                |v: f64| f64::from_bits(v.to_bits().wrapping_add_signed(r.below(3) as i64 - 1));
            Point3::new(
                nudge(0.1 * t + 7.0),
                nudge(0.3 * t - 40.0),
                nudge(0.7 * t + 90.0),
            )
        }),
        ("all magnitudes", |r, _| {
            let mut any = || r.signed(2) * 2f64.powi(r.below(700) as i32 - 350);
            Point3::new(any(), any(), any())
        }),
    ]
}

/// A query for keys such as these: normal to a plane through three keys, and others.
pub(crate) fn query3(random: &mut Random, keys: &[Point3]) -> Point3 {
    let mut pick = || keys[random.below(keys.len() as u64) as usize];
    let (a, b, c) = (pick(), pick(), pick());
    let (u, v) = (
        [b.x - a.x, b.y - a.y, b.z - a.z],
        [c.x - a.x, c.y - a.y, c.z - a.z],
    );
    let normal = [
        u[1] * v[2] - u[2] * v[1],
        u[2] * v[0] - u[0] * v[2],
        u[0] * v[1] - u[1] * v[0],
    ];
    let [x, y, z] = match random.below(4) {
        0 => normal,
        1 => normal.map(|v| -v),
        2 => [random.signed(1), random.signed(1), random.signed(1)],
        _ => [a.x / 2.0, a.y / 2.0, 1.0],
    };
    Point3::new(x, y, z)
}

/// A query of another length, for softmax in all its shapes from flat to saturated; `None` if that
/// leaves the domain.
pub(crate) fn scaled<K: Indexed>(random: &mut Random, q: K) -> Option<K> {
    let size = q
        .axes()
        .iter()
        .fold(1e-300_f64, |size, v| size.max(v.abs()));
    let scale = 2f64.powi(random.below(28) as i32 - 20) / size;
    K::from_axes(q.axes().map(|v| v * scale)).checked().ok()
}

/// The checks of one query.
pub(crate) mod check {
    use super::Random;
    use weightware_hull::{Attention, Budget, Indexed, Method, SparseCache};

    /// A cache with an index as early as possible, one without, and their keys and values.
    pub(crate) struct Twins<K: Indexed> {
        limit: usize,
        /// The greatest magnitude of each coordinate.
        reach: [f64; 3],
        hull: SparseCache<2, K>,
        scan: SparseCache<2, K>,
    }

    impl<K: Indexed> Twins<K> {
        /// Caches of keys, with values from 0 to 1.
        pub(crate) fn new(limit: usize, keys: &[K], random: &mut Random) -> Self {
            let mut hull = SparseCache::with_break_even(limit, 0);
            let mut scan = SparseCache::with_break_even(limit, usize::MAX);
            let mut reach = [0f64; 3];
            for (i, &key) in keys.iter().enumerate() {
                for (reach, v) in reach.iter_mut().zip(key.axes()) {
                    *reach = reach.max(v.abs());
                }
                let value = [random.unit(), (i % 2) as f64];
                hull.push(key, value).unwrap();
                scan.push(key, value).unwrap();
            }
            Self {
                limit,
                reach,
                hull,
                scan,
            }
        }

        /// Answers a query with a random budget in both ways.
        ///
        /// # Panics
        /// If the answers differ, or a bound is violated.
        pub(crate) fn attend(&mut self, name: &str, q: K, random: &mut Random) -> Attention<2> {
            let full = self.scan.attend(q, Budget::MassError(0.0)).unwrap();
            assert_eq!(full.method, Method::Scan);
            let most = 10f64.powi(-(random.below(16) as i32));
            let k = 1 + random.below(self.limit as u64 + 4) as usize;
            let budget = match random.below(8) {
                0 => Budget::MassError(0.0),
                1..4 => Budget::MassError(most),
                _ => Budget::Keys(k),
            };
            let got = self.hull.attend(q, budget).unwrap();
            let context = || format!("{name}: {budget:?} of {q:?}: {got:?}, full {full:?}");
            match budget {
                Budget::MassError(most) => assert!(got.missed <= most, "{}", context()),
                Budget::Keys(k) => {
                    let other = self.scan.attend(q, budget).unwrap();
                    assert_eq!(self.hull.ranked(), self.scan.ranked(), "{}", context());
                    assert_eq!((got.value, got.weight), (other.value, other.weight));
                    assert_eq!((got.keys, other.keys), (k.min(self.hull.len()), got.keys));
                    assert!(got.missed <= other.missed, "{}", context());
                    self.holds(q, &other, &full, &context);
                }
            }
            self.holds(q, &got, &full, &context);
            got
        }

        /// Checks the bounds of an answer against full softmax, except for the rounding of scores
        /// and sums.
        fn holds(
            &self,
            q: K,
            got: &Attention<2>,
            full: &Attention<2>,
            context: &dyn Fn() -> String,
        ) {
            assert!((0.0..=1.0).contains(&got.missed), "{}", context());
            let terms = q.axes().into_iter().zip(self.reach);
            let size: f64 = terms.map(|(q, reach)| (q * reach).abs()).sum();
            // Exponents are off by at most this. Where it is large, full softmax is noise.
            let exponent = 8.0 * f64::EPSILON * size;
            let rounding = 1e-13 + 8.0 * exponent;
            if rounding < 0.01 {
                let missed = 1.0 - got.weight / full.weight;
                assert!(missed <= got.missed + rounding, "{missed:e}, {}", context());
                for i in 0..2 {
                    let error = (got.value[i] - full.value[i]).abs();
                    let bound = got.output_error[i] + rounding;
                    assert!(error <= bound, "{error:e}, {}", context());
                }
            }
            if got.keys == self.scan.len() {
                assert_eq!(
                    (got.missed, got.output_error),
                    (0.0, [0.0; 2]),
                    "{}",
                    context()
                );
            }
        }
    }
}
