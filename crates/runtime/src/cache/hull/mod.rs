//! The hull cache: extreme-point search instead of a scan.
//!
//! Keys, values and questions that are equal by the weights are one, whatever heads and layers they
//! belong to: see [`Asks`](crate::network::Asks). A stream of keys has an index; a stream of values
//! has a sum for every slot of it.

mod keys;
mod store;
#[cfg(test)]
mod tests;
mod values;

use keys::{Change, Keys};
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
    /// The answers of all layers.
    answers: Vec<f64>,
}

/// What is remembered of a question.
#[derive(Debug, Clone)]
struct Asked {
    query: Point,
    /// Where in the index the last answer was.
    hint: Hint,
    /// The slot that won at this token, and how many keys fell on it; `SEVERAL` if not one slot
    /// won.
    slot: u32,
    count: f64,
    /// What won then.
    winners: Winners,
    /// Whether its answers are those of the token before.
    is_settled: bool,
}

impl Asked {
    fn never() -> Self {
        Self {
            query: Point::default(),
            hint: Hint::default(),
            slot: SEVERAL,
            count: 0.0,
            winners: Winners::Empty,
            is_settled: false,
        }
    }

    /// Asks what was asked at the token before as well, after one more key.
    #[inline]
    fn ask(&mut self, keys: &Keys, query: Point) {
        self.is_settled = query == self.query && self.outlasts(keys);
        if !self.is_settled {
            self.query = query;
            self.search(keys);
        }
    }

    /// Whether the last key certainly changed neither the winner nor what is kept under its slot.
    #[inline]
    fn outlasts(&self, keys: &Keys) -> bool {
        let is_left_alone = match keys.change {
            Change::Append => keys.index.still_wins(self.query, self.slot),
            Change::Join(slot) => slot != self.slot,
            Change::Nothing => true,
            Change::Replace(_) | Change::Merge(..) => false,
        };
        is_left_alone && self.slot != SEVERAL
    }

    #[inline]
    fn search(&mut self, keys: &Keys) {
        match keys.index.winners(self.query, &mut self.hint) {
            Ok(Winners::One(slot)) => {
                self.slot = slot;
                self.count = keys.count(slot);
            }
            Ok(winners) => {
                self.slot = SEVERAL;
                self.winners = winners;
            }
            Err(_) => unreachable!("queries are checked"),
        }
    }
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
            network.answers,
        )
    }

    fn of(keys: usize, values: usize, questions: usize, answers: usize) -> Self {
        Self {
            keys: (0..keys).map(|_| Keys::new()).collect(),
            values: (0..values).map(|_| Values::new()).collect(),
            questions: vec![Asked::never(); questions],
            answers: vec![0.0; answers],
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
    fn ask(&mut self, asks: &Asks, products: &[f64], out: &mut [f64]) -> Result<(), Full> {
        let Self {
            keys,
            values,
            questions,
            answers,
        } = self;
        let point = |[x, y]: [usize; 2]| Point::new(products[x], products[y]);
        for new in &asks.keys {
            // Numbers out of the domain do not come here: what can fail is the room.
            let pushed = keys[new.stream].push(point(new.key));
            pushed.map_err(|_| Full(new.head))?;
        }
        for new in &asks.values {
            let change = &keys[new.keys].change;
            for &[stream, value] in &new.values {
                values[stream].push(products[value], change);
            }
        }
        let answers = &mut answers[asks.answers_at..][..asks.answers.len()];
        let mut first = 0;
        for question in &asks.questions {
            let keys = &keys[question.keys];
            let asked = &mut questions[question.number];
            if question.is_new {
                asked.ask(keys, point(question.query));
            }
            let those = first..first + question.answers;
            first = those.end;
            if asked.is_settled {
                continue;
            }
            for (&stream, answer) in asks.answers[those.clone()].iter().zip(&mut answers[those]) {
                let values = &mut values[stream];
                *answer = if asked.slot == SEVERAL {
                    mean(keys, values, &asked.winners)
                } else {
                    values.mean(asked.slot, asked.count)
                };
            }
        }
        out.copy_from_slice(answers);
        Ok(())
    }
}

/// The average value of the keys of several slots.
#[cold]
fn mean(keys: &Keys, values: &mut Values, winners: &Winners) -> f64 {
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
