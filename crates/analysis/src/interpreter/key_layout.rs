//! The key layout: where a decoder keeps the keys and values of every head, by the proved kind of
//! its keys.
//!
//! The state of a decoder depends only on the layout and the weights, not on polynomials.

use std::sync::Arc;

use crate::interpreter::assumptions::{Bailout, HeadAt};
use crate::symbolic::hash::QuickMap;
use crate::symbolic::interval::Range;
use crate::symbolic::polynomial::{PolyId, Polynomial};
use crate::weights::sparse_weights::Offer;

/// The kind of a head's keys, and the place of its values. A part of the value that does not reach
/// the residual stream has no place.
#[derive(Debug, Clone, Copy)]
pub enum Head {
    /// All keys are equal, so the head averages the values of all tokens: for each part, the index
    /// of the [running sum](KeyLayout::sums) of its values.
    Mean([Option<u32>; 2]),
    /// The key at position t is `(a t, -b t^2)`, so the head attends to the position nearest to its
    /// query.
    Place {
        /// a and b, which are positive.
        key: [f64; 2],
        /// Whether every token attends to itself; then values need not be kept.
        own: bool,
        /// For each part, the value of the token at that position.
        values: [Option<Value>; 2],
    },
    /// Other heads of the layer have equal keys.
    Group {
        /// The index of the [group](KeyLayout::groups).
        group: u32,
        /// For each part, the index of the value in the group.
        values: [Option<u32>; 2],
    },
    /// The keys may be any: the index among [such heads](KeyLayout::hulls).
    Hull(u32),
}

/// The value that a head reads at a position that it attends to.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// A function of the token's id, plus `c[0] t + c[1] t^2` at position t.
    Table {
        /// The index of the function in [`KeyLayout::tables`].
        table: u32,
        /// The coefficients `c`.
        time: [f64; 2],
    },
    /// A number that the token computed and that the decoder keeps.
    Stream {
        /// The index in [`KeyLayout::streams`].
        stream: u32,
        /// The bounds of the number.
        range: Range,
    },
}

/// A table of a function of token ids.
#[derive(Debug, Clone)]
pub struct IdTable {
    /// The value for each id; the last entry is for the first token, whichever id it has.
    pub entries: Vec<f64>,
    /// The bounds of all entries.
    pub(crate) range: Range,
    /// The entry, if all are equal.
    pub(crate) constant: Option<f64>,
}

/// A running sum of a head's values over all tokens so far.
#[derive(Debug, Clone)]
pub struct Sum {
    /// A head whose values are added up.
    pub head: HeadAt,
    /// The component of the value that is added up: 0 or 1.
    pub part: usize,
    /// The summand of a token.
    pub form: PolyId,
    /// The summand of the first token.
    pub first: f64,
    /// The bounds of the sum at any position. They are proved if sums may be
    /// [wide](crate::Assumptions::wide); otherwise the decoder checks them.
    pub range: Range,
    /// The summand of a token for each id, if it is a function of the id.
    pub by_id: Option<Vec<f64>>,
}

/// A group of heads of one layer that have equal keys.
#[derive(Debug, Clone)]
pub struct Group {
    /// The layer of the heads, from 0.
    pub layer: usize,
    /// Whether all keys have one x, so that the highest key wins for every query. Otherwise keys
    /// are `(2 j, -j^2 + lift)` with integers j, which the decoder checks.
    pub latest: bool,
    /// Whether keys may tie. A head that finds some gets the average of their values.
    pub averages: bool,
    /// The indices of the heads among the live heads of the layer.
    pub heads: Vec<usize>,
    /// x and y of the key.
    pub key: [PolyId; 2],
    /// A head and a part of it for every distinct value.
    pub values: Vec<(usize, usize)>,
    /// The form of each entry of `values`.
    pub forms: Vec<PolyId>,
    /// The bounds of the values, the first token's included.
    pub ranges: Vec<Range>,
    /// For each value, the greatest distance from an integer, if it is proved to be small.
    pub nearness: Vec<Option<f64>>,
}

/// The layout of the keys and values of all live heads in a decoder.
///
/// The layout assumes that a head finds one token. The decoder checks that no two keys [at a
/// place](Head::Place) or [in a group](Head::Group) have equal scores, unless their values are
/// equal.
#[derive(Debug)]
pub struct KeyLayout {
    /// The kind of each head's keys, by layer, then by live head.
    pub heads: Vec<Vec<Head>>,
    /// The tables of functions of ids.
    pub tables: Vec<IdTable>,
    /// Tables by their function, and by the bits of the first token's entry.
    pub(crate) table_of: QuickMap<(Polynomial, u64), u32>,
    /// The running sums that the decoder keeps instead of keys.
    pub sums: Vec<Sum>,
    /// The numbers that the decoder keeps for every token: each is a part of the value of a head.
    pub streams: Vec<(HeadAt, usize)>,
    /// The groups of heads with equal keys.
    pub groups: Vec<Group>,
    /// The heads whose keys may be any.
    pub hulls: Vec<HeadAt>,
    /// The bounds of the values of each hull, by part.
    pub(crate) hull_ranges: Vec<[Range; 2]>,
    /// The forms of the values of each of them.
    pub(crate) hull_forms: Vec<[PolyId; 2]>,
    /// The first token's keys and values, by layer, then by live head.
    pub first: Arc<Vec<Vec<Offer>>>,
}

impl KeyLayout {
    /// A layout without heads.
    pub(crate) fn new(first: &Arc<Vec<Vec<Offer>>>) -> Self {
        Self {
            heads: Vec::new(),
            tables: Vec::new(),
            table_of: QuickMap::default(),
            sums: Vec::new(),
            streams: Vec::new(),
            groups: Vec::new(),
            hulls: Vec::new(),
            hull_ranges: Vec::new(),
            hull_forms: Vec::new(),
            first: Arc::clone(first),
        }
    }

    /// The kind of a head's keys.
    #[inline]
    pub(crate) fn head(&self, (layer, head): HeadAt) -> Head {
        self.heads[layer][head]
    }

    /// The first token's key and value at a head.
    #[inline]
    pub(crate) fn first(&self, (layer, head): HeadAt) -> Offer {
        self.first[layer][head]
    }

    /// All live heads, layer by layer.
    pub fn live_heads(&self) -> impl Iterator<Item = HeadAt> {
        let layers = self.heads.iter().map(Vec::len).enumerate();
        layers.flat_map(|(layer, heads)| (0..heads).map(move |head| (layer, head)))
    }

    /// The index of a head among all live heads.
    ///
    /// # Panics
    /// If the layout has no such layer.
    #[must_use]
    pub fn number_of(&self, (layer, head): HeadAt) -> usize {
        self.heads[..layer].iter().map(Vec::len).sum::<usize>() + head
    }

    /// The heads whose keys a bailout found not to be of their kind.
    ///
    /// # Panics
    /// If it names a group of another layout.
    #[must_use]
    pub fn heads_of(&self, bailout: Bailout) -> Vec<HeadAt> {
        match bailout {
            Bailout::Head(at) => vec![at],
            Bailout::Group(group) | Bailout::Tie(group) => {
                let group = &self.groups[group as usize];
                group
                    .heads
                    .iter()
                    .map(|&head| (group.layer, head))
                    .collect()
            }
            Bailout::Sums | Bailout::Tables | Bailout::Sentinel | Bailout::Model => vec![],
        }
    }

    /// The number of streams of keys, and of values, that a decoder keeps.
    #[must_use]
    pub fn streams_kept(&self) -> (usize, usize) {
        let values: usize = self.groups.iter().map(|group| group.values.len()).sum();
        let keys = self.groups.len() + self.hulls.len();
        (
            keys,
            values + self.sums.len() + self.streams.len() + 2 * self.hulls.len(),
        )
    }
}
