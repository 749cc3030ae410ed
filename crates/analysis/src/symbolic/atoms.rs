//! Atoms, the variables of polynomials: each kind is a way in which a number is computed.

use crate::symbolic::polynomial::{Atom, PolyId};

/// The atom of kind [`AtomKind::Time`].
pub const TIME: Atom = 1;

/// How a number is computed. Indices are into the lists of a [`KeyLayout`](crate::KeyLayout).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AtomKind {
    /// The constant 1.
    One,
    /// The position of the token, the first one's being 0.
    Time,
    /// A column of the token's embedding; the token is of a class.
    Token {
        /// The column.
        slot: u16,
        /// The class.
        class: u16,
    },
    /// The counter of [`Cases`](crate::Cases), where it is known to lie within bounds.
    Index {
        /// The bits of the least and the greatest value.
        bounds: [u64; 2],
    },
    /// The position t at which the key `(a t, -b t^2)` scores most with a query `(x, y)`: the
    /// nearest to `a x / (2 b y)`, the token's own included.
    Place {
        /// x and y.
        query: [PolyId; 2],
        /// The bits of a and b, which are positive.
        key: [u64; 2],
    },
    /// The entry of a table for the token at a place.
    Read {
        /// An atom of kind [`Place`](Self::Place).
        place: Atom,
        /// The table.
        table: u32,
    },
    /// A number that the token at a place computed and kept.
    Kept {
        /// An atom of kind [`Place`](Self::Place).
        place: Atom,
        /// The number's stream.
        stream: u32,
    },
    /// The average over all tokens so far, rounded once.
    Mean {
        /// The running sum.
        sum: u32,
    },
    /// The exact sum over all tokens so far.
    Sum {
        /// The running sum.
        sum: u32,
    },
    /// The integer that a number is close to.
    Near {
        /// The number.
        of: Atom,
    },
    /// A value at the token of the highest key so far.
    Latest {
        /// The group of heads.
        group: u32,
        /// The value's number in the group.
        value: u32,
    },
    /// The key `(2 j, -j^2 + lift)` that scores most with a query; it stands for no number.
    Entry {
        /// The group of heads.
        group: u32,
        /// x and y.
        query: [PolyId; 2],
    },
    /// A value of the token with that key.
    Found {
        /// An atom of kind [`Entry`](Self::Entry).
        entry: Atom,
        /// The value's number in the group.
        value: u32,
    },
    /// A part of the output of a head with keys of any kind.
    Hull {
        /// The head's number among such heads.
        head: u32,
        /// x and y.
        query: [PolyId; 2],
        /// The second part of the output, not the first.
        part: bool,
    },
    /// `base + (products added up in order)`, every operation rounded.
    Rounded {
        /// The last summand.
        base: PolyId,
        /// The bits of weights, and their factors.
        terms: Box<[(u64, PolyId)]>,
    },
    /// The number that another is, where that is assumed to lie within bounds.
    Within {
        /// The other.
        of: Atom,
        /// The bits of the least and the greatest value.
        bounds: [u64; 2],
    },
    /// `max(gate, 0) * value`, rounded.
    Gated {
        /// A form of either sign.
        gate: PolyId,
        /// Its factor.
        value: PolyId,
    },
    /// `gate * value`, rounded.
    Product {
        /// A form that is not negative.
        gate: PolyId,
        /// Its factor.
        value: PolyId,
    },
}
