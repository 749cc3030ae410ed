//! How far scores can be off, and by how much they differ at least.
//!
//! Of a query `(q, 1)` times the inverse temperature β and keys `(2j, -j^2 + lift)`, with `|q|, |j|
//! <= A` and `0 <= lift <= 1`, the true score is `β/sqrt(2) (q^2 - (q - j)^2 + lift)`. Each of the
//! operations that make it rounds by half a unit in the last place of the greatest value that it
//! can have; half a unit does not decrease with the value, so the bound holds below it too.

use std::f64::consts::FRAC_1_SQRT_2;

/// `exp` of less than minus this is 0 in f64: the least positive number is `exp(-744.44)`, and half
/// of it rounds to 0.
pub const UNDERFLOW: f64 = 746.0;

/// Where a library multiplies by `1 / sqrt(head dimension)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaling {
    /// Queries before scores: `nn.MultiheadAttention` when it returns weights.
    Query,
    /// Scores: as the formula says.
    Scores,
    /// The root of it with queries and with keys: `scaled_dot_product_attention` without a fused
    /// kernel.
    Both,
}

impl Scaling {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Query, Self::Scores, Self::Both];

    /// Its name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Scores => "scores",
            Self::Both => "both",
        }
    }
}

/// Half a unit in the last place of numbers up to `most`, which itself may be off by a few
/// roundings.
pub(crate) fn half_unit(most: f64) -> f64 {
    let most = most.abs() * (1.0 + 8.0 * f64::EPSILON);
    if most == 0.0 {
        return 0.0;
    }
    // The exponent field, exactly.
    let exponent = ((most.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    f64::from(exponent - 53).exp2()
}

/// A box of queries and keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lookup {
    /// A power of two.
    pub(crate) temperature: f64,
    /// Greatest `|q|` and `|j|`.
    pub(crate) index: f64,
    /// Range of lifts of live keys.
    pub(crate) lift: [f64; 2],
    /// The least difference between lifts; 1 if there are none.
    pub(crate) unit: f64,
    /// What lifts are multiples of.
    pub(crate) grain: f64,
    /// The constant that a key's height is made with.
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
        // Equal index: the product with x is the same.
        let near = square + most;
        let same = unit * scale - 2.0 * self.error(scaling, 0.0, y, near);
        // Distance 1, then more. A query whose two parts are rounded apart is another query, by
        // 2^-52 of it.
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

    /// By how much one score is off at most, if its products and their sum are at most these.
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

    /// Whether one score is the greatest as the numbers are: keys are exact, and recency cannot
    /// bridge a distance of 1, not even to a token whose embedding is zero, which has lift 0.
    ///
    /// A height is `number + constant + lift` with `number + constant = -j^2`; whatever is added
    /// first, no sum of some of them is greater than this, and none is rounded that is a multiple
    /// of the grain below 2^53 grains.
    pub(crate) fn is_exact(&self) -> bool {
        let Self { constant, lift, .. } = *self;
        let square = self.index * self.index;
        let numbers = [-constant, -constant - square].map(|number| number.abs() + lift[1]);
        let partial = numbers.into_iter().fold(square, f64::max);
        partial.max(constant.abs()) / self.grain <= TWO_53 && lift[1] < 1.0
    }
}

const TWO_53: f64 = (1_u64 << 53) as f64;

/// The greatest number below `2^53` for which a property holds that, once lost, stays lost; 0 if it
/// never holds.
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
