//! Atoms, the variables of polynomials: the kind of an atom is the expression that computes it.

use crate::symbolic::polynomial::{Atom, PolyId};

/// The atom of the token's position, of kind [`AtomKind::Time`].
pub const TIME: Atom = 1;

/// The expression that computes an atom. Indices refer to the lists of a
/// [`KeyLayout`](crate::KeyLayout).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AtomKind {
    /// The constant 1.
    One,
    /// The position of the token, counted from 0.
    Time,
    /// A column of the embedding of a token of a class.
    Token {
        /// The column.
        slot: u16,
        /// The class.
        class: u16,
    },
    /// The counter of [`Cases`](crate::Cases), assumed to lie within bounds.
    Index {
        /// The bits of the least and the greatest value.
        bounds: [u64; 2],
    },
    /// The position t whose key `(a t, -b t^2)` has the greatest score with a query `(x, y)`: the
    /// nearest to `a x / (2 b y)`, from 0 to the token's own.
    Place {
        /// x and y of the query.
        query: [PolyId; 2],
        /// The bits of a and b, which are positive.
        key: [u64; 2],
    },
    /// The entry of a table for the token at a place.
    Read {
        /// An atom of kind [`Place`](Self::Place).
        place: Atom,
        /// The index of the table.
        table: u32,
    },
    /// A number that the decoder kept for the token at a place.
    Kept {
        /// An atom of kind [`Place`](Self::Place).
        place: Atom,
        /// The index of the stream.
        stream: u32,
    },
    /// The average over all tokens so far, rounded once.
    Mean {
        /// The index of the running sum.
        sum: u32,
    },
    /// The exact sum over all tokens so far.
    Sum {
        /// The index of the running sum.
        sum: u32,
    },
    /// The integer that a number is close to.
    Near {
        /// The number.
        of: Atom,
    },
    /// A value of the token that has the highest key so far.
    Latest {
        /// The index of the group of heads.
        group: u32,
        /// The index of the value in the group.
        value: u32,
    },
    /// The key `(2 j, -j^2 + lift)` that has the greatest score with a query. This atom has no
    /// numeric value.
    Entry {
        /// The index of the group of heads.
        group: u32,
        /// x and y of the query.
        query: [PolyId; 2],
    },
    /// A value of the token whose key is an entry.
    Found {
        /// An atom of kind [`Entry`](Self::Entry).
        entry: Atom,
        /// The index of the value in the group.
        value: u32,
    },
    /// A part of the output of a head whose keys may be any.
    Hull {
        /// The index of the head among such heads.
        head: u32,
        /// x and y of the query.
        query: [PolyId; 2],
        /// Whether this is the second part of the output.
        part: bool,
    },
    /// `base + (products added up in order)`, every operation rounded.
    Rounded {
        /// The last summand.
        base: PolyId,
        /// The factors of each product: the bits of a weight, and a form.
        terms: Box<[(u64, PolyId)]>,
    },
    /// An atom that is assumed to lie within bounds.
    Within {
        /// The atom.
        of: Atom,
        /// The bits of the least and the greatest value.
        bounds: [u64; 2],
    },
    /// The value of a column of a table at an integer.
    Looked {
        /// The table: its layer, and its index in the layer.
        table: [u32; 2],
        /// The column.
        column: u32,
        /// The integer.
        argument: PolyId,
    },
    /// `max(gate, 0) * value`, rounded.
    Gated {
        /// The gate, which may have either sign.
        gate: PolyId,
        /// The value.
        value: PolyId,
    },
    /// `gate * value`, rounded.
    Product {
        /// The gate, which is not negative.
        gate: PolyId,
        /// The value.
        value: PolyId,
    },
}
