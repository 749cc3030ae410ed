//! Streams of keys and queries.

use weightware_hull::Point;

/// A sequence of keys and the queries that go with them.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) most: usize,
    source: Source,
}

enum Source {
    Made {
        key: fn(u64) -> Point,
        /// A query when there are about this many keys.
        query: fn(&mut u64, usize) -> Point,
    },
    Recorded(Recording),
}

/// The keys that an index received, and the queries that followed some of them.
#[allow(dead_code, reason = "there are none without a decoder")]
pub(crate) struct Recording {
    pub(crate) keys: Vec<Point>,
    /// The numbers of the keys that queries follow.
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

/// A pseudorandom number, a function of `i`.
fn hash(i: u64) -> u64 {
    let bits = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits ^ (bits >> 31)
}

fn direction(state: &mut u64, _: usize) -> Point {
    let angle = random(state) * std::f64::consts::PI;
    Point::new(angle.cos(), angle.sin().max(1e-9))
}

/// The synthetic workloads.
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
    /// A workload from a recording.
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

    /// The queries for the keys `n - steps` to `n`, key by key, and the number of queries for a
    /// key.
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

/// Checks that the rivals found the same winners.
pub(crate) fn compare<'a>(
    workload: &Workload,
    mut found: impl Iterator<Item = (&'static str, &'a [u32])>,
) {
    // Slots are numbers of keys only while every key is a vertex.
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
