//! What the weights of a transformer with two-dimensional heads make of a token: exact forms, and
//! proved bounds.
//!
//! Abstract interpretation: [`Analysis`] runs the network once, over what is known of its numbers
//! instead of the numbers themselves. What it finds holds of every sequence of tokens, whatever the
//! tokens mean. The attention is hard-max: the average value of all keys whose score is the
//! greatest.
//!
//! # The idea
//! - An *atom* ([`AtomKind`]) is a number that is not known before decoding: the position, a column
//!   of the token's embedding, what a head finds, a number that may be rounded.
//! - A *form* ([`Polynomial`]) is a polynomial of degree 2 over atoms. It *is* the number that the
//!   network computes, bit for bit. So terms may cancel, and two numbers are equal if their forms
//!   are.
//! - Every atom and every form has bounds and a *grain* ([`Range`]): it is a multiple of `2^grain`.
//! - A form's *mass* is the sum of the greatest magnitudes of its terms. A sum is exact, in
//!   whatever order it is added up, if its mass is at most `2^(53 + grain)`: all sums on the way
//!   are floats. Then it is a form.
//! - An operation that may round makes a new atom, which is computed by the very operations of the
//!   network in their order.
//! - Such an atom remembers a form that it is *close* to, and how close. A number that is a
//!   multiple of `2^grain`, and less than that away from a form that is one too, is that form:
//!   adding and taking away 1.5 · 2^52 is known to round, and the average of n numbers times n to
//!   be their sum.
//!
//! What cancels, is multiplied by a closed gate, or is read by nobody is gone. Heads are known by
//! their keys ([`Head`]): all equal, by position, near a parabola, the highest of all, or any.
//!
//! [`Cases`] finds what a network tells tokens apart by. A [`Scope`] holds what is assumed of a
//! token, and the forms that follow: [`Analysis::slot`], [`key`](Analysis::key),
//! [`query`](Analysis::query), [`value`](Analysis::value) and [`answers`](Analysis::answers) derive
//! them on demand. [`Interner::bounds`] and [`Interner::tight`] bound a form, [`Interner::integers`] counts
//! what it may be.
//!
//! # What it takes for granted
//! That the [assumptions](Assumptions) about the tokens hold, that a head [finds one
//! token](Analysis), and that keys in a table lie near their parabola: whoever decodes has to check
//! these.
//!
//! This crate must never know what tokens mean, opcodes, graphs or caches.
//!
//! # Examples
//! What the unembedding reads behind a token, by what one lookup finds:
//!
//! ```
//! use std::sync::Arc;
//! use weightware_analysis::{Analysis, Cases, Counted, Assumptions, SparseWeights};
//!
//! let model = weightware_compiler::default_model();
//! let rows = Arc::new(SparseWeights::new(&model));
//! let begin = 0; // Every sequence begins with this token, and it does not come again.
//! let assumptions = Assumptions::beginning_with(begin);
//! let mut analysis = Analysis::new(&rows, &Arc::new(rows.offers(begin)), &assumptions)?;
//! let cases = Cases::new(&mut analysis);
//!
//! let (class, kind, behind) = (1, cases.kinds - 1, 2 * rows.layers.len());
//! let mut scope = cases.scope(&mut analysis, class, kind, Counted::Exactly(0.0));
//! for &slot in &rows.columns {
//!     let form = analysis.slot(&mut scope, behind, slot)?;
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
