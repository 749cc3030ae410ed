//! The hull cache: extreme-point search instead of a scan.
//!
//! Keys, values and questions that are equal by the weights are one, whatever heads and layers they belong to: see
//! [`Asks`](crate::network::Asks). A stream of keys has an index; a stream of values has a sum for every slot of it.

mod keys;
mod store;
#[cfg(test)]
mod tests;
mod values;

use keys::Keys;
use values::Values;

use weightware_hull::{ExactSum, Hint, Point, Winners};

use super::{Answers, Full};
use crate::network::{Asks, Layer, Network};

/// Streams of keys and of values, and the questions to the former.
#[derive(Debug)]
pub(crate) struct Hull {
    keys: Vec<Keys>,
    values: Vec<Values>,
    questions: Vec<Asked>,
}

/// What is remembered of a question.
#[derive(Debug, Clone)]
struct Asked {
    /// Where in the index the last answer was.
    hint: Hint,
    /// The slot that won at this token, and how many keys fell on it; `SEVERAL` if not one slot won.
    slot: u32,
    count: f64,
    /// What won then.
    winners: Winners,
}

/// No slot has this number.
const SEVERAL: u32 = u32::MAX;

impl Hull {
    /// A cache for the questions of a network.
    pub(crate) fn new(network: &Network) -> Self {
        Self::of(
            network.key_streams,
            network.value_streams,
            network.questions,
        )
    }

    fn of(keys: usize, values: usize, questions: usize) -> Self {
        let unasked = Asked {
            hint: Hint::default(),
            slot: SEVERAL,
            count: 0.0,
            winners: Winners::Empty,
        };
        Self {
            keys: (0..keys).map(|_| Keys::new()).collect(),
            values: (0..values).map(|_| Values::new()).collect(),
            questions: vec![unasked; questions],
        }
    }

    /// The numbers of streams of keys and of values.
    pub(crate) fn sharing(&self) -> (usize, usize) {
        (self.keys.len(), self.values.len())
    }

    /// About how many bytes the cache holds.
    pub(crate) fn bytes(&self) -> usize {
        let keys: usize = self.keys.iter().map(Keys::bytes).sum();
        let values: usize = self.values.iter().map(Values::bytes).sum();
        keys + values
    }
}

impl Answers for Hull {
    const EXACT: bool = true;

    fn begin(&mut self) {}

    fn answer(
        &mut self,
        layer: &Layer,
        _: usize,
        products: &[f64],
        answers: &mut [f64],
    ) -> Result<(), Full> {
        self.ask(&layer.asks, products, answers)
    }
}

impl Hull {
    #[inline]
    fn ask(&mut self, asks: &Asks, products: &[f64], answers: &mut [f64]) -> Result<(), Full> {
        let Self {
            keys,
            values,
            questions,
        } = self;
        let point = |[x, y]: [usize; 2]| Point::new(products[x], products[y]);
        for new in &asks.keys {
            // Numbers out of the domain do not come here: what can fail is the room.
            let pushed = keys[new.stream].push(point(new.key));
            pushed.map_err(|_| Full(new.head))?;
        }
        for new in &asks.values {
            values[new.stream].push(products[new.value], &keys[new.keys].inserted);
        }
        for question in &asks.questions {
            let keys = &keys[question.keys];
            let asked = &mut questions[question.number];
            match keys.index.winners(point(question.query), &mut asked.hint) {
                Ok(Winners::One(slot)) => {
                    asked.slot = slot;
                    asked.count = keys.count(slot);
                }
                Ok(winners) => {
                    asked.slot = SEVERAL;
                    asked.winners = winners;
                }
                Err(_) => unreachable!("queries are checked"),
            }
        }
        for (answer, out) in asks.answers.iter().zip(answers) {
            let asked = &questions[answer.question];
            let values = &values[answer.values];
            *out = if asked.slot == SEVERAL {
                mean(&keys[answer.keys], values, &asked.winners)
            } else {
                values.mean(asked.slot, asked.count)
            };
        }
        Ok(())
    }
}

/// The average value of the keys of several slots.
#[cold]
fn mean(keys: &Keys, values: &Values, winners: &Winners) -> f64 {
    match winners {
        Winners::Empty => unreachable!("the token's own key is in"),
        Winners::All => values.total().mean(keys.total()),
        Winners::One(slot) => values.mean(*slot, keys.count(*slot)),
        Winners::Many(slots) => {
            let mut sum = ExactSum::new();
            let mut count = 0.0;
            for &slot in slots {
                sum.merge(&values.sum(slot));
                count += keys.count(slot);
            }
            sum.mean(count as u64)
        }
    }
}
