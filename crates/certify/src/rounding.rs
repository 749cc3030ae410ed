//! Error bounds of scores, and their least differences.
//!
//! Let a query be `(q, 1)` times the inverse temperature β and keys `(2j, -j^2 + lift)`, with `|q|,
//! |j| <= A` and `0 <= lift <= 1`. The true score is `β/sqrt(2) (q^2 - (q - j)^2 + lift)`. Each
//! operation that computes it rounds by half a unit in the last place of the greatest value that it
//! can have. Half a unit does not decrease with the value, so the bound holds for smaller values,
//! too.

use std::f64::consts::FRAC_1_SQRT_2;

/// `exp` of less than minus this is 0 in f64: the least positive number is `exp(-744.44)`, and half
/// of it rounds to 0.
pub const UNDERFLOW: f64 = 746.0;

/// The place at which a library multiplies by `1 / sqrt(head dimension)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaling {
    /// Before the scores, on queries: `nn.MultiheadAttention` when it returns weights.
    Query,
    /// On the scores: the formula as written.
    Scores,
    /// On queries and on keys, by the square root of it: `scaled_dot_product_attention` without a
    /// fused kernel.
    Both,
}

impl Scaling {
    /// All places, in the order in which certificates list their positions.
    pub const ALL: [Self; 3] = [Self::Query, Self::Scores, Self::Both];

    /// The name of the place in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Scores => "scores",
            Self::Both => "both",
        }
    }
}

/// Half a unit in the last place of numbers up to `most`, which itself may have a few rounding
/// errors.
pub(crate) fn half_unit(most: f64) -> f64 {
    let most = most.abs() * (1.0 + 8.0 * f64::EPSILON);
    if most == 0.0 {
        return 0.0;
    }
    // The exact exponent.
    let exponent = ((most.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    f64::from(exponent - 53).exp2()
}

/// A box of queries and keys, with the numbers that determine rounding errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lookup {
    /// The inverse temperature, a power of two.
    pub(crate) temperature: f64,
    /// The greatest `|q|` and `|j|`.
    pub(crate) index: f64,
    /// The range of the lifts of live keys.
    pub(crate) lift: [f64; 2],
    /// The least difference between lifts; 1 if the lifts are all equal.
    pub(crate) unit: f64,
    /// The power of two that lifts are multiples of.
    pub(crate) grain: f64,
    /// The constant in a key's height.
    pub(crate) constant: f64,
}

impl Lookup {
    /// The least difference between the greatest score and any other, as stock attention computes
    /// them.
    pub(crate) fn margin(&self, scaling: Scaling) -> f64 {
        let Self {
            temperature,
            index,
            lift: [least, most],
            unit,
            ..
        } = *self;
        let scale = temperature * FRAC_1_SQRT_2;
        let square = index * index;
        let (x, y) = (2.0 * square, square + most);
        // Keys of equal index have the same product with x.
        let near = square + most;
        let same = unit * scale - 2.0 * self.error(scaling, 0.0, y, near);
        // Keys at distance 1 or more. If the two parts of a query are rounded differently, the
        // query shifts by 2^-52 of it.
        let shift = 4.0 * f64::EPSILON * index;
        let next = (1.0 - (most - least) - shift) * scale - 2.0 * self.error(scaling, x, y, near);
        let beyond = (4.0 - (most - least) - 2.0 * shift) * scale
            - 2.0 * self.error(scaling, x, y, 4.0 * square + most);
        let of_times = if unit < 1.0 { same } else { f64::INFINITY };
        of_times.min(next).min(beyond)
    }

    /// The least difference between scores that are integers up to `score`, of keys whose products
    /// are no greater.
    pub(crate) fn margin_at(&self, scaling: Scaling, score: f64) -> f64 {
        self.temperature * FRAC_1_SQRT_2 - 2.0 * self.error(scaling, 0.0, score, score)
    }

    /// The greatest error of a score whose products and sum are at most these.
    fn error(&self, scaling: Scaling, x: f64, y: f64, sum: f64) -> f64 {
        let beta = self.temperature;
        let scale = beta * FRAC_1_SQRT_2;
        match scaling {
            Scaling::Query => half_unit(scale * x) + half_unit(scale * y) + half_unit(scale * sum),
            Scaling::Scores => {
                // Products and sums of integers, in grains of lifts, are exact below 2^53.
                let exact = sum.max(x).max(y) / self.grain <= TWO_53;
                let before = if exact {
                    0.0
                } else {
                    half_unit(beta * x) + half_unit(beta * y) + half_unit(beta * sum)
                };
                before * FRAC_1_SQRT_2 + half_unit(scale * sum)
            }
            Scaling::Both => {
                let root = FRAC_1_SQRT_2.sqrt();
                let keys =
                    half_unit(root * (x / self.index.max(1.0))) * self.index + half_unit(root * y);
                keys * beta * root
                    + half_unit(scale * x)
                    + half_unit(scale * y)
                    + half_unit(scale * sum)
            }
        }
    }

    /// Whether the right key has the greatest score in exact arithmetic.
    ///
    /// The keys must be exact, and recency must not bridge a distance of 1, not even to a token
    /// whose embedding is zero, which has lift 0. A height is `number + constant + lift` with
    /// `number + constant = -j^2`. In any order of additions, no partial sum exceeds the bound
    /// below, and a multiple of the grain below 2^53 grains is not rounded.
    pub(crate) fn is_exact(&self) -> bool {
        let Self { constant, lift, .. } = *self;
        let square = self.index * self.index;
        let numbers = [-constant, -constant - square].map(|number| number.abs() + lift[1]);
        let partial = numbers.into_iter().fold(square, f64::max);
        partial.max(constant.abs()) / self.grain <= TWO_53 && lift[1] < 1.0
    }
}

const TWO_53: f64 = (1_u64 << 53) as f64;

/// The greatest number below `2^53` for which a monotone property holds: one that, once lost, stays
/// lost. 0 if it never holds.
pub(crate) fn greatest(holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, 1 << 53);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}
