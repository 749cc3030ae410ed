//! The certificate: each head's kind of keys, its box and its horizons.

use weightware_model::Model;

use crate::keys::{Keys, read};
use crate::rounding::{Lookup, Scaling, UNDERFLOW, greatest};
use crate::slots;

/// The greatest permitted error of a running sum, an average times the number of tokens: 2^-5,
/// since readers multiply the sum by small numbers before they round it.
pub(crate) const SUM_TOLERANCE: f64 = 1.0 / 32.0;

/// The greatest relative error of one rounding.
pub(crate) const UNIT: f64 = f64::EPSILON / 2.0;

/// The proof of a model's attention, head by head.
#[derive(Debug, Clone, PartialEq)]
pub struct Certificate {
    /// The last position that `config.json` states.
    pub last_position: u64,
    /// The certificates of the live heads, layer by layer.
    pub heads: Vec<HeadCertificate>,
}

/// The proof of one head.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadCertificate {
    /// The layer, from 0.
    pub layer: usize,
    /// The head within the layer, from 0.
    pub head: usize,
    /// The proved kind of its keys, which decides how far it is exact.
    pub keys: Keys,
    /// The inverse temperature of the query, before `1 / sqrt(2)`.
    pub temperature: f64,
    /// The greatest position up to which exact hard-max attends to the token that the head should
    /// find.
    pub exact_positions: u64,
    /// The greatest position up to which stock softmax attends to that token alone, for each of
    /// [`Scaling::ALL`].
    pub stock_positions: [u64; 3],
    /// The box of keys, for a head whose keys have an index.
    pub index_box: Option<IndexBox>,
    /// For a query that is a fraction: the greatest `|score|`, before the inverse temperature, that
    /// stock softmax still distinguishes from the neighbouring integers.
    pub largest_score: Option<f64>,
}

/// The box of a head whose keys have an index.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexBox {
    /// The greatest `|index|` that `config.json` states.
    pub index: f64,
    /// The greatest `slope * time` that `config.json` states.
    pub lift: f64,
    /// The slope: the lift of one unit of time.
    pub unit: f64,
    /// The greatest time whose lift is within the stated one and below a distance of one.
    pub times: u64,
    /// The greatest `|index|` for which exact hard-max finds the latest key of the queried index.
    pub exact_index: u64,
    /// The greatest `|index|` for which stock softmax finds the latest key of the queried index,
    /// for each of [`Scaling::ALL`].
    pub stock_index: [u64; 3],
}

/// Certifies a model from its weights and `config.json`.
///
/// Takes O(weights), and some hundred evaluations of a bound per head.
///
/// # Panics
/// If the model is inconsistent, which [`Model::validate`] excludes.
#[must_use]
pub fn certify(model: &Model) -> Certificate {
    let config = &model.config;
    let mut held = slots::at_first(model);
    let mut heads = vec![];
    for (layer, weights) in model.weights.layers.iter().enumerate() {
        for head in 0..config.shape.heads {
            // An engine checks a key against all boxes of its head.
            let bound = config.key_box(layer, head);
            // The greatest squared distance between queries and keys in the box.
            let far = bound.map_or(2.0_f64.powi(36), |bound| bound[0] * bound[0]);
            if let Some(read) = read(weights, head, &held, far) {
                heads.push(HeadCertificate::new(
                    (layer, head),
                    read.keys,
                    read.temperature,
                    bound,
                    config.last_position,
                ));
            }
        }
        slots::forget_written(&mut held, weights);
    }
    Certificate {
        last_position: config.last_position,
        heads,
    }
}

impl HeadCertificate {
    fn new(
        (layer, head): (usize, usize),
        keys: Keys,
        temperature: f64,
        bound: Option<[f64; 2]>,
        last_position: u64,
    ) -> Self {
        let mut certificate = Self {
            layer,
            head,
            keys,
            temperature,
            exact_positions: 0,
            stock_positions: [0; 3],
            index_box: None,
            largest_score: None,
        };
        let plain = Lookup {
            temperature,
            index: 0.0,
            lift: [0.0; 2],
            unit: 1.0,
            grain: 1.0,
            constant: 0.0,
        };
        match certificate.keys {
            Keys::Equal { largest_value } => {
                let (exact, stock) = sums(largest_value.unwrap_or(1.0));
                certificate.exact_positions = exact;
                certificate.stock_positions = [stock; 3];
            }
            Keys::Positions { fraction, .. } => {
                let at = |last: u64| Lookup {
                    index: last as f64,
                    ..plain
                };
                certificate.exact_positions = greatest(|last| at(last).is_exact());
                certificate.stock_positions = Scaling::ALL
                    .map(|scaling| greatest(|last| at(last).margin(scaling) >= UNDERFLOW));
                certificate.largest_score = fraction.then(|| {
                    let apart =
                        |score: u64| plain.margin_at(Scaling::Both, score as f64) >= UNDERFLOW;
                    greatest(apart) as f64
                });
            }
            Keys::Latest { clearing } => {
                certificate.exact_positions = greatest(|last| (last as f64) < clearing);
                certificate.stock_positions = Scaling::ALL.map(|scaling| {
                    greatest(|last| {
                        (last as f64) < clearing
                            && plain.margin_at(scaling, last as f64) >= UNDERFLOW
                    })
                });
            }
            Keys::Indexed { .. } => {
                if let Some(bound) = bound {
                    certificate.within(bound, last_position);
                }
            }
            Keys::Unknown(_) => {}
        }
        certificate
    }

    /// Computes the horizons of a head with an index, within its box.
    fn within(&mut self, [max_abs_x, max_lift]: [f64; 2], last_position: u64) {
        let Keys::Indexed {
            slope: unit,
            by_position,
            least_lift,
            clearing,
            ..
        } = self.keys
        else {
            return;
        };
        let index = max_abs_x / 2.0;
        let clears = |index: f64| clearing > 4.0 * index * index + 2.0;
        let (keys, temperature) = (self.keys.clone(), self.temperature);
        let with = |index, most| indexed(&keys, temperature, index, most);
        let exact =
            |index, most| clears(index) && with(index, most).is_some_and(|keys| keys.is_exact());
        let stock = |scaling, index, most| {
            let tells = |keys: Lookup| keys.margin(scaling) >= UNDERFLOW;
            exact(index, most) && with(index, most).is_some_and(tells)
        };

        // If positions order the keys, the last position gives a tighter bound than the box.
        let up_to = |last: u64| least_lift + last as f64 * unit;
        let most = if by_position {
            max_lift.min(up_to(last_position))
        } else {
            max_lift
        };
        let none = if exact(index, most) { u64::MAX } else { 0 };
        self.index_box = Some(IndexBox {
            index,
            lift: max_lift,
            unit,
            times: (max_lift.min(1.0 - unit) / unit) as u64,
            exact_index: greatest(|index| exact(index as f64, most)),
            stock_index: Scaling::ALL
                .map(|scaling| greatest(|index| stock(scaling, index as f64, most))),
        });
        if by_position {
            self.exact_positions = greatest(|last| exact(index, up_to(last)));
            self.stock_positions =
                Scaling::ALL.map(|scaling| greatest(|last| stock(scaling, index, up_to(last))));
        } else {
            self.exact_positions = none;
            self.stock_positions = Scaling::ALL.map(|scaling| {
                if stock(scaling, index, most) {
                    u64::MAX
                } else {
                    0
                }
            });
        }
    }

    /// Whether stock softmax finds the latest key of an index, if no live key exceeds the given
    /// index and lift. Heads without a box are right up to their
    /// [`stock_positions`](Self::stock_positions).
    #[must_use]
    pub fn reproduces(&self, scaling: Scaling, index: f64, most: f64) -> bool {
        indexed(&self.keys, self.temperature, index, most)
            .is_none_or(|keys| keys.is_exact() && keys.margin(scaling) >= UNDERFLOW)
    }

    /// The claim of `config.json` about this head that is not proved for exact hard-max.
    #[must_use]
    pub fn problem(&self, last_position: u64) -> Option<String> {
        let what = match (&self.keys, &self.index_box) {
            (Keys::Unknown(why), _) => (*why).to_owned(),
            (Keys::Indexed { .. }, None) => "keys with an index, and no box".to_owned(),
            (_, Some(bounds)) if bounds.index > bounds.exact_index as f64 => {
                format!(
                    "the box states |index| up to {}, proved is {}",
                    bounds.index, bounds.exact_index
                )
            }
            _ if self.exact_positions < last_position => {
                format!(
                    "proved up to position {}, stated is {last_position}",
                    self.exact_positions
                )
            }
            _ => return None,
        };
        Some(format!("layer {}, head {}: {what}", self.layer, self.head))
    }

    /// Whether the head averages.
    #[must_use]
    pub fn averages(&self) -> bool {
        matches!(self.keys, Keys::Equal { .. })
    }
}

/// The lookup over keys up to an index and a lift; `None` if the keys have no index.
fn indexed(keys: &Keys, temperature: f64, index: f64, most: f64) -> Option<Lookup> {
    match *keys {
        Keys::Indexed {
            slope,
            grain,
            constant,
            least_lift,
            ..
        } => Some(Lookup {
            temperature,
            index,
            lift: [least_lift, most],
            unit: slope,
            grain,
            constant,
        }),
        _ => None,
    }
}

/// The greatest positions up to which running sums of values up to the given one are right: in
/// exact hard-max, whose average is rounded once, and in stock softmax, whose sum of n terms has an
/// error of up to `(n + 2) 2^-53` times the sum of their absolute values.
fn sums(largest: f64) -> (u64, u64) {
    let exact = |n: f64| 2.0 * UNIT * n * largest <= SUM_TOLERANCE;
    let stock = |n: f64| n * (n + 2.0) * UNIT * largest <= SUM_TOLERANCE;
    // Position n - 1 has n tokens.
    (
        greatest(|last| exact(last as f64 + 1.0)),
        greatest(|last| stock(last as f64 + 1.0)),
    )
}

impl Certificate {
    /// The claims of `config.json` that are not proved for exact hard-max.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        self.heads
            .iter()
            .filter_map(|head| head.problem(self.last_position))
    }

    /// The greatest position up to which exact hard-max over keys inside their boxes is proved.
    #[must_use]
    pub fn exact_positions(&self) -> u64 {
        self.heads
            .iter()
            .map(|head| head.exact_positions)
            .min()
            .unwrap_or(u64::MAX)
    }

    /// The greatest position up to which stock softmax is proved one-hot, at all heads that do not
    /// average.
    #[must_use]
    pub fn stock_positions(&self, scaling: Scaling) -> u64 {
        self.least(scaling, false)
    }

    /// The greatest position up to which the running sums of stock softmax are right, for any
    /// values and any order of additions. Beyond it they are right while the number of tokens times
    /// the sum of `|value|` stays below 2^48.
    #[must_use]
    pub fn stock_sums(&self) -> u64 {
        self.least(Scaling::Query, true)
    }

    fn least(&self, scaling: Scaling, averages: bool) -> u64 {
        let heads = self.heads.iter().filter(|head| head.averages() == averages);
        heads
            .map(|head| head.stock_positions[scaling as usize])
            .min()
            .unwrap_or(u64::MAX)
    }

    /// The head with the least horizon in exact hard-max.
    #[must_use]
    pub fn first_to_fail(&self) -> Option<&HeadCertificate> {
        self.heads.iter().min_by_key(|head| head.exact_positions)
    }
}
