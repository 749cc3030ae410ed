//! Heads whose keys have been equal so far.

use weightware_hull::{Error, ExactSum, Hint, Inserted, Point, Winners};

use super::keys::{Keys, Past};
use super::values::Values;

/// Every so many tokens, a head whose question was its own looks whether it still is.
const RESCAN: u64 = 64;

/// What a head remembers of its last question.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// Where among the token's questions it was.
    asked: usize,
    /// Where in the index the answer was.
    hint: Hint,
}

/// One stream of keys, and the streams of values that belong to it.
#[derive(Debug)]
pub(super) struct Group {
    keys: Keys,
    /// Kept while a split is possible.
    past: Option<Past>,
    streams: Vec<Values>,
    /// How many heads share the keys.
    pub(super) members: u32,
    /// The last token whose key is in the index, that key, and where it went.
    stamp: u64,
    key: Point,
    inserted: Inserted,
    /// The token at which the group split off, and from which one.
    born: u64,
    parent: usize,
    /// This token's queries and their winners, since heads often ask the same.
    asked: Vec<Point>,
    winners: Vec<Winners>,
}

impl Group {
    /// The group of all heads before the first token.
    pub(super) fn new(members: u32, values: u32) -> Self {
        Self {
            keys: Keys::new(),
            past: (members > 1).then(Past::new),
            streams: vec![Values::new(values)],
            members,
            stamp: 0,
            key: Point { x: 0.0, y: 0.0 },
            inserted: Inserted::Interior,
            born: 0,
            parent: 0,
            asked: Vec::new(),
            winners: Vec::new(),
        }
    }

    /// Appends a head's key of the token, unless another head has already; `false` if that head's was another key.
    #[inline]
    pub(super) fn push_key(&mut self, token: u64, key: Point) -> Result<bool, Error> {
        if self.stamp == token {
            return Ok(self.has_key(key));
        }
        if let Some(past) = &mut self.past {
            past.note(&self.keys, key);
        }
        self.stamp = token;
        self.key = key;
        self.inserted = self.keys.push(key)?;
        self.asked.clear();
        self.winners.clear();
        Ok(true)
    }

    /// Whether this is the key of the group's last token. No key has a coordinate -0, so equality is equality of bits.
    #[inline]
    pub(super) fn has_key(&self, key: Point) -> bool {
        self.key == key
    }

    /// Whether the group split off from `parent` at this token.
    pub(super) fn split_off_from(&self, token: u64, parent: usize) -> bool {
        self.born == token && self.parent == parent
    }

    /// The group without its last key, and `key` in its place; it has no members yet.
    pub(super) fn split(&self, token: u64, own: usize, key: Point) -> Result<Self, Error> {
        let Some(past) = &self.past else {
            unreachable!("only a group of several heads is split");
        };
        let mut keys = past.before_last()?;
        let inserted = keys.push(key)?;
        Ok(Self {
            keys,
            past: None,
            streams: Vec::new(),
            members: 0,
            stamp: token,
            key,
            inserted,
            born: token,
            parent: own,
            asked: Vec::new(),
            winners: Vec::new(),
        })
    }

    /// Counts one more head, which is about to leave `from`.
    pub(super) fn join(&mut self, from: &Self) {
        self.members += 1;
        if self.members == 2 {
            self.past = from.past.as_ref().map(|past| past.with_last(self.key));
        }
    }

    /// Counts one head less.
    pub(super) fn leave(&mut self) {
        self.members -= 1;
        if self.members < 2 {
            self.past = None;
        }
    }

    /// Appends a value to the stream, or takes it to another stream if this one has another value at this token.
    #[inline]
    pub(super) fn push_value(&mut self, token: u64, own: usize, stream: &mut usize, value: f64) {
        let inserted = self.inserted;
        let values = &mut self.streams[*stream];
        if values.stamp != token {
            values.push(token, value, inserted);
        } else if values.value != value {
            let parent = (own, *stream);
            let new = self.sibling(token, parent, value).unwrap_or_else(|| {
                let mut new = self.streams[*stream].before(token, parent);
                new.push(token, value, inserted);
                self.add(new)
            });
            self.streams[*stream].members -= 1;
            self.streams[new].members += 1;
            *stream = new;
        }
    }

    /// Takes a value out of the stream `parent` of the group `from` into a stream of this group.
    pub(super) fn move_value(
        &mut self,
        token: u64,
        from: &mut Self,
        parent: (usize, usize),
        value: f64,
    ) -> usize {
        let old = &mut from.streams[parent.1];
        let new = self.sibling(token, parent, value).unwrap_or_else(|| {
            let mut new = old.before(token, parent);
            new.push(token, value, self.inserted);
            self.add(new)
        });
        old.members -= 1;
        if old.members == 0 {
            old.clear();
        }
        self.streams[new].members += 1;
        new
    }

    fn sibling(&self, token: u64, parent: (usize, usize), value: f64) -> Option<usize> {
        self.streams.iter().rposition(|s| {
            s.members > 0 && s.born == token && s.parent == parent && s.value == value
        })
    }

    fn add(&mut self, values: Values) -> usize {
        match self.streams.iter().position(|s| s.members == 0) {
            Some(free) => {
                self.streams[free] = values;
                free
            }
            None => {
                self.streams.push(values);
                self.streams.len() - 1
            }
        }
    }

    /// The average values of the keys of the greatest score.
    #[inline]
    pub(super) fn answer(
        &mut self,
        token: u64,
        query: Point,
        streams: [Option<usize>; 2],
        trail: &mut Trail,
    ) -> Result<[f64; 2], Error> {
        debug_assert_eq!(self.stamp, token, "a head asks after its key is in");
        // A head mostly asks what the same head asked before it as at the last token, or what none did.
        let known = match self.asked.get(trail.asked) {
            Some(&asked) if asked == query => Some(trail.asked),
            None if !token.is_multiple_of(RESCAN) => None,
            _ => self.asked.iter().position(|&asked| asked == query),
        };
        let at = match known {
            Some(known) => known,
            None => {
                let winners = self.keys.index.winners(query, &mut trail.hint)?;
                self.asked.push(query);
                self.winners.push(winners);
                self.asked.len() - 1
            }
        };
        trail.asked = at;
        let winners = &self.winners[at];
        Ok(streams
            .map(|stream| stream.map_or(0.0, |s| mean(&self.keys, &self.streams[s], winners))))
    }

    /// How many streams of values are in use.
    pub(super) fn streams(&self) -> usize {
        self.streams.iter().filter(|s| s.members > 0).count()
    }

    pub(super) fn bytes(&self) -> usize {
        let past = self.past.as_ref().map_or(0, Past::bytes);
        let values: usize = self.streams.iter().map(Values::bytes).sum();
        self.keys.bytes() + past + values + size_of::<Self>()
    }
}

#[inline]
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
