//! The key layout: where a decoder keeps the keys and values of every head, by the proved kind of
//! its keys.
//!
//! A decoder that has the layout and the weights needs no polynomial.

use std::sync::Arc;

use crate::interpreter::assumptions::{Bailout, HeadAt};
use crate::symbolic::hash::QuickMap;
use crate::symbolic::interval::Range;
use crate::symbolic::polynomial::{PolyId, Polynomial};
use crate::weights::sparse_weights::Offer;

/// The kind of a head's keys, and where its values are. A part of the value that does not reach the
/// residual stream has no place.
#[derive(Debug, Clone, Copy)]
pub enum Head {
    /// All keys are equal: every token counts alike. By part, the running sum of its values.
    Mean([Option<u32>; 2]),
    /// Keys are `(a t, -b t^2)` at position t: the nearest position counts.
    Place {
        /// a and b, which are positive.
        key: [f64; 2],
        /// Whether every token attends to itself; then values need not be kept.
        own: bool,
        /// By part, the value of the token there.
        values: [Option<Value>; 2],
    },
    /// Keys are shared with other heads of the layer.
    Group {
        /// The group.
        group: u32,
        /// By part, the number of the value in the group.
        values: [Option<u32>; 2],
    },
    /// Any keys: its number among such heads.
    Hull(u32),
}

/// The value that a head which attends by position reads at a token.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// A function of the token's id, plus `c[0] t + c[1] t^2` at position t.
    Table {
        /// The function.
        table: u32,
        /// c.
        time: [f64; 2],
    },
    /// A number computed at the token and kept.
    Stream {
        /// Its number among the streams.
        stream: u32,
        /// Its bounds.
        range: Range,
    },
}

/// A function of token ids.
#[derive(Debug, Clone)]
pub struct IdTable {
    /// By id; the last entry is for the first token, whichever id it has.
    pub entries: Vec<f64>,
    /// The bounds of all entries.
    pub(crate) range: Range,
    /// The entry, if all are equal.
    pub(crate) constant: Option<f64>,
}

/// A running sum, over all tokens so far.
#[derive(Debug, Clone)]
pub struct Sum {
    /// A head whose values are summed.
    pub head: HeadAt,
    /// The part of the value.
    pub part: usize,
    /// The number that a token adds.
    pub form: PolyId,
    /// The number that the first token adds.
    pub first: f64,
    /// The bounds of the sum at any position. Proved if sums may be
    /// [wide](crate::Assumptions::wide); otherwise the decoder checks them.
    pub range: Range,
    /// The number that a token adds, by its id, if it is a function of the id.
    pub by_id: Option<Vec<f64>>,
}

/// Heads of one layer with equal keys.
#[derive(Debug, Clone)]
pub struct Group {
    /// The layer.
    pub layer: usize,
    /// Whether only the highest key counts: all keys have the same x. Otherwise keys are `(2 j,
    /// -j^2 + lift)` with integers j, which the decoder checks.
    pub latest: bool,
    /// Their places among the live heads of the layer.
    pub heads: Vec<usize>,
    /// x and y.
    pub key: [PolyId; 2],
    /// A head and a part of it for every distinct value.
    pub values: Vec<(usize, usize)>,
    /// These values.
    pub forms: Vec<PolyId>,
    /// Their bounds, the first token's values included.
    pub ranges: Vec<Range>,
    /// Their greatest distance from integers, if they are proved to be close.
    pub nearness: Vec<Option<f64>>,
}

/// Where the keys and values of all live heads are kept.
///
/// A head is taken to find one token. The decoder checks that no two keys [at a place](Head::Place)
/// or [in a group](Head::Group) score alike, unless their values are equal.
#[derive(Debug)]
pub struct KeyLayout {
    /// By layer, by live head: the kind of its keys.
    pub heads: Vec<Vec<Head>>,
    /// Functions of ids.
    pub tables: Vec<IdTable>,
    /// Tables by their function, and by the bits of the first token's entry.
    pub(crate) table_of: QuickMap<(Polynomial, u64), u32>,
    /// Running sums.
    pub sums: Vec<Sum>,
    /// Numbers that every token keeps: the head whose value it is, and the part.
    pub streams: Vec<(HeadAt, usize)>,
    /// Heads with equal keys.
    pub groups: Vec<Group>,
    /// Heads with keys of any kind.
    pub hulls: Vec<HeadAt>,
    /// By hull, by part: the bounds of the values.
    pub(crate) hull_ranges: Vec<[Range; 2]>,
    /// The first token's keys and values: by layer, by live head.
    pub first: Arc<Vec<Vec<Offer>>>,
}

impl KeyLayout {
    /// The layout of no head.
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

    /// All live heads, in order.
    pub fn live_heads(&self) -> impl Iterator<Item = HeadAt> {
        let layers = self.heads.iter().map(Vec::len).enumerate();
        layers.flat_map(|(layer, heads)| (0..heads).map(move |head| (layer, head)))
    }

    /// The number of a head among all live heads.
    ///
    /// # Panics
    /// If the layout has no such layer.
    #[must_use]
    pub fn number_of(&self, (layer, head): HeadAt) -> usize {
        self.heads[..layer].iter().map(Vec::len).sum::<usize>() + head
    }

    /// The heads that a bailout is about.
    ///
    /// # Panics
    /// If it names a group of another layout.
    #[must_use]
    pub fn heads_of(&self, bailout: Bailout) -> Vec<HeadAt> {
        match bailout {
            Bailout::Head(at) => vec![at],
            Bailout::Group(group) => {
                let group = &self.groups[group as usize];
                group
                    .heads
                    .iter()
                    .map(|&head| (group.layer, head))
                    .collect()
            }
            Bailout::Sums | Bailout::Sentinel | Bailout::Model => vec![],
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
