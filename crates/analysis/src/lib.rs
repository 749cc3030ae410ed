//! What the weights of a transformer with two-dimensional heads make of a token: exact forms and proved bounds.
mod analysis;
mod answers;
mod arithmetic;
mod atoms;
mod bounds;
mod cases;
mod classes;
mod form;
mod hash;
mod heads;
mod interpret;
mod partial;
mod parts;
mod range;
mod rows;
mod shared;
mod sparse;

pub use analysis::{Analysis, Expected, Group, Head, HeadAt, Offer, Refusal, Sum, Survey, Value};
pub use atoms::{Atoms, Kind, Mark, TIME};
pub use cases::{Cases, Counted, Counter};
pub use classes::{Classes, IRREGULAR};
pub use form::{Atom, Form, FormId, Monomial, exact_product, exact_sum};
pub use hash::{QuickMap, QuickSet};
pub use interpret::Scope;
pub use range::{Range, power};
pub use rows::{HeadRows, LayerRows, Rows};
pub use sparse::{Entry, Row, row, row_of};
