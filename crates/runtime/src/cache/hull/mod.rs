//! The hull cache: extreme-point search in the convex hull of past keys.
//!
//! Heads and layers share keys, values and queries that are equal by the weights: see [`Lookups`].
//! A stream of keys has an index; a stream of values has a sum for every slot of the index.

mod keys;
mod store;
#[cfg(test)]
mod tests;
mod values;

use keys::{Change, Keys};
use values::Values;

use weightware_hull::{ExactSum, Hint, Point, Winners};

use super::{Answers, Full};
use crate::network::{Layer, Lookups, Network};

/// Streams of keys and of values, and the queries to the streams of keys.
#[derive(Debug)]
pub(crate) struct Hull {
    keys: Vec<Keys>,
    values: Vec<Values>,
    queries: Vec<QueryState>,
    /// The answers of all layers.
    answers: Vec<f64>,
}

/// The result of a query, which the next token reuses if it still holds.
#[derive(Debug, Clone)]
struct QueryState {
    query: Point,
    /// The place of the last result in the index.
    hint: Hint,
    /// The slot that won at the last token, and its number of keys; `SEVERAL` if more slots won.
    slot: u32,
    count: f64,
    /// The winners, if several slots won.
    winners: Winners,
    /// Whether the answers are those of the token before.
    is_settled: bool,
}

impl QueryState {
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

    /// Answers a query after one more key. A repeated query keeps its result if it still holds.
    #[inline]
    fn advance(&mut self, keys: &Keys, query: Point) {
        self.is_settled = query == self.query && self.outlasts(keys);
        if !self.is_settled {
            self.query = query;
            self.search(keys);
        }
    }

    /// Whether the last key provably changed neither the winner nor the sums of its slot.
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
            Err(_) => unreachable!("a query outside the domain was refused before the cache"),
        }
    }
}

/// Marks several winning slots; no slot has this number.
const SEVERAL: u32 = u32::MAX;

impl Hull {
    /// A cache for the lookups of a network.
    pub(crate) fn new(network: &Network) -> Self {
        Self::of(
            network.key_streams,
            network.value_streams,
            network.queries,
            network.answers,
        )
    }

    fn of(keys: usize, values: usize, queries: usize, answers: usize) -> Self {
        Self {
            keys: (0..keys).map(|_| Keys::new()).collect(),
            values: (0..values).map(|_| Values::new()).collect(),
            queries: vec![QueryState::never(); queries],
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
        self.look_up(&layer.lookups, products, answers)
    }
}

impl Hull {
    #[inline]
    fn look_up(
        &mut self,
        lookups: &Lookups,
        products: &[f64],
        out: &mut [f64],
    ) -> Result<(), Full> {
        let Self {
            keys,
            values,
            queries,
            answers,
        } = self;
        let point = |[x, y]: [usize; 2]| Point::new(products[x], products[y]);
        for new in &lookups.keys {
            // Numbers outside the domain were refused before, so the only error is a full index.
            let pushed = keys[new.stream].push(point(new.key));
            pushed.map_err(|_| Full(new.head))?;
        }
        for new in &lookups.values {
            let change = &keys[new.keys].change;
            for &[stream, value] in &new.values {
                values[stream].push(products[value], change);
            }
        }
        let answers = &mut answers[lookups.answers_at..][..lookups.answers.len()];
        let mut first = 0;
        for query in &lookups.queries {
            let keys = &keys[query.keys];
            let state = &mut queries[query.number];
            if query.is_new {
                state.advance(keys, point(query.query));
            }
            let those = first..first + query.answers;
            first = those.end;
            if state.is_settled {
                continue;
            }
            for (&stream, answer) in lookups.answers[those.clone()]
                .iter()
                .zip(&mut answers[those])
            {
                let values = &mut values[stream];
                *answer = if state.slot == SEVERAL {
                    mean(keys, values, &state.winners)
                } else {
                    values.mean(state.slot, state.count)
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
        Winners::Empty => unreachable!("the token's own key was appended before its query"),
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
