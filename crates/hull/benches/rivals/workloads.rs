//! Streams of keys and queries.

use weightware_hull::Point;

/// Keys in order, and queries.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) most: usize,
    source: Source,
}

enum Source {
    Made {
        key: fn(u64) -> Point,
        /// For about so many keys.
        query: fn(&mut u64, usize) -> Point,
    },
    Recorded(Recording),
}

/// The keys that an index was given, and what it was asked after some of them.
#[allow(dead_code, reason = "there are none without a decoder")]
pub(crate) struct Recording {
    pub(crate) keys: Vec<Point>,
    /// The numbers of the keys with whose queries there are.
    pub(crate) times: Vec<usize>,
    /// Streams of queries, one query for each of those keys.
    pub(crate) queries: Vec<Vec<Point>>,
}

fn random(state: &mut u64) -> f64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / 2f64.powi(53)
}

/// A random number for each number.
fn hash(i: u64) -> u64 {
    let bits = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits ^ (bits >> 31)
}

fn direction(state: &mut u64, _: usize) -> Point {
    let angle = random(state) * std::f64::consts::PI;
    Point::new(angle.cos(), angle.sin().max(1e-9))
}

/// The workloads that are made up.
pub(crate) fn made() -> [Workload; 3] {
    let made = |name, key, query| Workload {
        name,
        most: usize::MAX,
        source: Source::Made { key, query },
    };
    [
        made(
            "parabola",
            |i| {
                let t = i as f64;
                Point::new(2.0 * t, -t * t)
            },
            |state, n| Point::new((random(state) * n as f64).floor(), 1.0),
        ),
        made(
            "circle",
            |i| {
                let angle = hash(i) as f64 / 2f64.powi(64) * std::f64::consts::TAU;
                Point::new(angle.cos(), angle.sin())
            },
            direction,
        ),
        made(
            "random",
            |i| {
                let bits = hash(i);
                Point::new((bits >> 32) as f64, (bits as u32).into())
            },
            direction,
        ),
    ]
}

impl Workload {
    /// What was recorded.
    #[allow(dead_code, reason = "there is nothing without a decoder")]
    pub(crate) fn recorded(name: &'static str, recording: Recording) -> Self {
        Self {
            name,
            most: recording.keys.len(),
            source: Source::Recorded(recording),
        }
    }

    /// The first `n` keys.
    pub(crate) fn keys(&self, n: usize) -> Box<dyn Iterator<Item = Point> + '_> {
        match &self.source {
            Source::Made { key, .. } => Box::new((0..n as u64).map(key)),
            Source::Recorded(recording) => Box::new(recording.keys[..n].iter().copied()),
        }
    }

    /// The queries that go with the keys `n - steps` to `n`, key by key, and how many for a key.
    pub(crate) fn queries(&self, n: usize, steps: usize) -> (Vec<Point>, usize) {
        match &self.source {
            Source::Made { query, .. } => {
                let mut state = 88_172_645_463_325_252;
                ((0..steps).map(|_| query(&mut state, n)).collect(), 1)
            }
            Source::Recorded(recording) => {
                let from = recording.times.partition_point(|&t| t < n - steps);
                let streams = &recording.queries;
                let of_step = |step: usize| streams.iter().map(move |qs| qs[step]);
                (
                    (from..from + steps).flat_map(of_step).collect(),
                    streams.len(),
                )
            }
        }
    }
}

/// Checks that rivals found the same.
pub(crate) fn compare<'a>(
    workload: &Workload,
    mut found: impl Iterator<Item = (&'static str, &'a [u32])>,
) {
    // Other names: slots are numbers of keys only while every key is a vertex.
    if workload.name != "parabola" {
        return;
    }
    let Some((first, expected)) = found.next() else {
        return;
    };
    for (name, got) in found {
        let n = got.len().min(expected.len());
        assert_eq!(got[..n], expected[..n], "{name} and {first} differ");
    }
}
