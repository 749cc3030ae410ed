//! Recognition of a head's keys by the shape of its rows.

use weightware_analysis::Range;
use weightware_model::LayerWeights;

use crate::slots::Held;

/// The kind of a head's keys.
#[derive(Debug, Clone, PartialEq)]
pub enum Keys {
    /// `(0, 0)` at every token: softmax averages.
    Equal {
        /// The greatest `|value|` that a token can add, if the values depend on the embedding
        /// alone; otherwise the certificate assumes 1.
        largest_value: Option<f64>,
    },
    /// `(2t, -t^2)`.
    Positions {
        /// Whether the query is the token's own position.
        own: bool,
        /// Whether the query is a fraction: its second part is not a constant.
        fraction: bool,
    },
    /// `(0, t - clearing * clear)`.
    Latest {
        /// The coefficient of `clear`, which lowers keys that must not be found.
        clearing: f64,
    },
    /// `(2j, -j^2 + slope * time - clearing * clear)`.
    Indexed {
        /// The coefficient of time.
        slope: f64,
        /// The greatest power of two that the slope is a multiple of.
        grain: f64,
        /// The constant in the height of a key. A live key's height is `number + constant + lift`
        /// with `number + constant = -j^2`, so both are bounded.
        constant: f64,
        /// Whether time is the position; otherwise it is a count that the machine keeps.
        by_position: bool,
        /// The least `slope * time` of a live key, from the constant slot.
        least_lift: f64,
        /// The least coefficient of a clearing term; infinite if all keys are live.
        clearing: f64,
    },
    /// Keys of another shape, with the reason for which they fit none of these kinds.
    Unknown(&'static str),
}

/// The keys and the query of a live head.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Read {
    pub(crate) keys: Keys,
    /// The inverse temperature: the power of two that is common to the whole query.
    pub(crate) temperature: f64,
}

type Row = Vec<(usize, f64)>;

/// The values of a head that averages; empty if it does not.
pub(crate) fn equal_keys(layer: &LayerWeights, head: usize, held: &[Held]) -> Vec<Row> {
    let d_model = held.len();
    let key = |part: usize| row(layer, d_model + 2 * head + part);
    if key(0).is_empty() && key(1).is_empty() {
        values(layer, d_model, head)
    } else {
        vec![]
    }
}

fn row(layer: &LayerWeights, row: usize) -> Row {
    layer.in_proj.nonzeros(row).collect()
}

/// The rows of a head's values that reach the residual stream.
fn values(layer: &LayerWeights, d_model: usize, head: usize) -> Vec<Row> {
    (0..2)
        .filter(|&part| !layer.out_proj.column_is_zero(2 * head + part))
        .map(|part| row(layer, 2 * d_model + 2 * head + part))
        .filter(|row| !row.is_empty())
        .collect()
}

/// A head's keys; `None` if none of its values reaches the residual stream.
pub(crate) fn read(layer: &LayerWeights, head: usize, held: &[Held], far: f64) -> Option<Read> {
    let d_model = held.len();
    let row = |third: usize, part: usize| row(layer, third * d_model + 2 * head + part);
    let values = values(layer, d_model, head);
    if values.is_empty() {
        return None;
    }
    let (query, key) = ([row(0, 0), row(0, 1)], [row(1, 0), row(1, 1)]);
    let temperature = common_power(query.iter().flatten().map(|&(_, weight)| weight));
    let keys = match (&key[0][..], &key[1][..]) {
        ([], []) => Keys::Equal {
            largest_value: largest(&values, held),
        },
        (&[(t, 2.0)], &[(t2, -1.0)]) if held[t] == Held::Time && held[t2] == Held::TimeSquared => {
            Keys::Positions {
                own: query[0][..] == [(t, temperature)]
                    && constant(&query[1], held) == Some(temperature),
                fraction: constant(&query[1], held).is_none(),
            }
        }
        ([], _) => latest(&key[1], &query, held),
        _ => indexed(&key, &query, temperature, held, far),
    };
    Some(Read { keys, temperature })
}

/// The value of a row that reads only the constant slot.
fn constant(row: &Row, held: &[Held]) -> Option<f64> {
    match row[..] {
        [(slot, weight)] if held[slot] == Held::One => Some(weight),
        _ => None,
    }
}

fn largest(values: &[Row], held: &[Held]) -> Option<f64> {
    values.iter().try_fold(0.0_f64, |most, row| {
        let sum = row
            .iter()
            .try_fold(0.0, |sum, &(slot, weight)| match held[slot] {
                Held::One => Some(sum + weight.abs()),
                Held::Embedding(greatest) => Some(sum + weight.abs() * greatest),
                _ => None,
            });
        sum.map(|sum| most.max(sum))
    })
}

fn latest(height: &Row, query: &[Row; 2], held: &[Held]) -> Keys {
    if constant(&query[1], held).is_none_or(|scale| scale <= 0.0) {
        return Keys::Unknown("the query's second part is not a positive constant");
    }
    let (times, clears): (Row, Row) = height
        .iter()
        .partition(|&&(slot, _)| held[slot] == Held::Time);
    if !matches!(times[..], [(_, 1.0)]) {
        return Keys::Unknown("keys without an index have no time");
    }
    Keys::Latest {
        clearing: least(&clears),
    }
}

fn indexed(key: &[Row; 2], query: &[Row; 2], temperature: f64, held: &[Held], far: f64) -> Keys {
    if key[0].iter().any(|&(_, weight)| weight % 2.0 != 0.0) {
        return Keys::Unknown("the keys' first part is not an even number");
    }
    if constant(&query[1], held) != Some(temperature) {
        return Keys::Unknown("the query's second part is not the inverse temperature");
    }
    let mut recency = vec![];
    let mut clears = vec![];
    let (mut constant, mut free) = (0.0, 0);
    for &(slot, weight) in &key[1] {
        let whole = weight.round();
        if weight != whole {
            recency.push((slot, weight - whole));
        }
        if held[slot] == Held::One {
            constant = whole;
        } else if weight.abs() > far {
            clears.push((slot, weight));
        } else {
            free += usize::from(whole != 0.0);
        }
    }
    if clears.iter().any(|&(_, weight)| weight > 0.0) {
        return Keys::Unknown("a clearing lifts keys");
    }
    let Some(&(_, slope)) = recency.first() else {
        return Keys::Unknown("nothing orders keys of equal index");
    };
    if slope <= 0.0 || recency.iter().any(|&(_, weight)| weight != slope) {
        return Keys::Unknown("what orders keys of equal index has no one slope");
    }
    if free > 1 {
        return Keys::Unknown("the keys' height is a sum of numbers of unknown size");
    }
    let reads = |wanted| recency.iter().any(|&(slot, _)| held[slot] == wanted);
    Keys::Indexed {
        slope,
        grain: common_power(std::iter::once(slope)),
        constant,
        by_position: reads(Held::Time),
        least_lift: if reads(Held::One) { slope } else { 0.0 },
        clearing: least(&clears),
    }
}

fn least(row: &Row) -> f64 {
    row.iter()
        .fold(f64::INFINITY, |least, &(_, weight)| least.min(weight.abs()))
}

/// The greatest power of two of which all numbers are multiples; 1 if there are none.
fn common_power(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers
        .map(|number| Range::of(number).grain)
        .min()
        .map_or(1.0, |least| f64::from(least).exp2())
}
