//! An abstract interpreter for transformers with two-dimensional heads: exact forms and proved
//! bounds of a token's numbers, from the weights alone.
//!
//! [`Analysis`] runs the network once, over abstract values instead of numbers. Its results hold
//! for every sequence of tokens, and it knows no meaning of tokens. The attention is hard-max: the
//! average value of all keys whose score is the greatest.
//!
//! # The idea
//! - An *atom* ([`AtomKind`]) is a number that is not known before decoding: the position, a column
//!   of the token's embedding, a head's output, a number that may be rounded.
//! - A *form* ([`Polynomial`]) is a polynomial of degree 2 over atoms. It equals the number that
//!   the network computes, bit for bit. So terms cancel, and numbers are equal if their forms are.
//! - Every atom and every form has bounds and a *grain* ([`Range`]): it is a multiple of `2^grain`.
//! - A form's *mass* is the sum of the greatest magnitudes of its terms. A sum whose mass is less
//!   than `2^(53 + grain)` is exact in any order of its additions: all partial sums are floats.
//!   Then the sum is a form.
//! - An operation that may round has a new atom as its result, which is computed by the network's
//!   operations in their order.
//! - Such an atom records a form that it is *close* to, and a bound of the difference. If the
//!   number and the form are multiples of `2^grain` and differ by less than that, they are equal.
//!   So the analysis recognises rounding to an integer by adding and subtracting 1.5 · 2^52, and
//!   the average of n numbers times n as their sum.
//!
//! Numbers that cancel, that a closed gate multiplies, or that are never read have no atoms. Heads
//! are classified by their keys ([`Head`]): all equal, positions, near a parabola, the highest, or
//! any.
//!
//! | part | contents |
//! |---|---|
//! | [`Interner`] | atoms and forms, each once, with bounds: [`bounds`](Interner::bounds), [`tight`](Interner::tight), [`integers`](Interner::integers) |
//! | [`KeyLayout`] | where a decoder keeps the keys and values of every head |
//! | [`Cases`] | the classes, the lookup and the counter by which the network distinguishes tokens |
//! | [`Scope`] | assumptions about a token, and the forms derived from them: [`slot`](Analysis::slot), [`key`](Analysis::key), [`query`](Analysis::query), [`value`](Analysis::value), [`answers`](Analysis::answers) |
//!
//! # Preconditions
//! The decoder checks that the [assumptions](Assumptions) about the tokens hold, that a head [finds
//! one token](KeyLayout), and that keys in a table lie near their parabola.
//!
//! This crate must never know the meaning of tokens: opcodes, graphs, caches.
//!
//! # Examples
//! The bounds of the columns that the unembedding reads, for one result of the lookup:
//!
//! ```
//! use std::sync::Arc;
//! use weightware_analysis::{Analysis, Cases, Counted, Assumptions, SparseWeights};
//!
//! let model = weightware_compiler::default_model();
//! let rows = Arc::new(SparseWeights::new(&model));
//! let begin = 0; // Every sequence begins with this token, and it does not occur again.
//! let assumptions = Assumptions::beginning_with(begin);
//! let mut analysis = Analysis::new(&rows, &Arc::new(rows.offers(begin)), &assumptions)?;
//! let cases = Cases::new(&mut analysis);
//!
//! let (class, kind, last) = (1, cases.kinds - 1, 2 * rows.layers.len());
//! let mut scope = cases.scope(&mut analysis, class, kind, Counted::Exactly(0.0));
//! for &slot in &rows.columns {
//!     let form = analysis.slot(&mut scope, last, slot)?;
//!     let bounds = analysis.interner.tight(&analysis.interner[form]);
//!     println!("slot {slot} lies between {} and {}", bounds.lo, bounds.hi);
//!     assert!(bounds.grain >= 0, "the default model's unembedding reads integers");
//! }
//! analysis.end(scope);
//! # Ok::<(), weightware_analysis::Bailout>(())
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod interpreter;
mod symbolic;
#[cfg(test)]
mod testing;
mod weights;

pub use interpreter::analysis::Analysis;
pub use interpreter::assumptions::{Assumptions, Bailout, HeadAt};
pub use interpreter::cases::{Cases, Counted, Counter};
pub use interpreter::key_layout::{Group, Head, IdTable, KeyLayout, Sum, Value};
pub use interpreter::scope::Scope;
pub use symbolic::atoms::{AtomKind, TIME};
pub use symbolic::hash::{QuickHasher, QuickMap, QuickSet};
pub use symbolic::interner::{Interner, Mark};
pub use symbolic::interval::{Range, power};
pub use symbolic::polynomial::{Atom, Monomial, PolyId, Polynomial};
pub use weights::classes::{Classes, IRREGULAR};
pub use weights::rows::{Entry, Row, row, row_of};
pub use weights::sparse_weights::{Offer, SparseHead, SparseLayer, SparseWeights};
pub use weights::tables::{LayerTables, Table};
