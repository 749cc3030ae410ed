//! Keys and values of past tokens, kept in three ways.

mod hardmax;
mod hull;
mod softmax;
mod sum;

pub(crate) use hardmax::Hardmax;
pub(crate) use hull::Hull;
pub(crate) use softmax::Softmax;
pub(crate) use sum::ExactSum;

use crate::standin::Point;

/// What one head asks and offers at one token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) query: Point,
    pub(crate) key: Point,
    pub(crate) value: [f64; 2],
}

/// A sum that had to be rounded, so that its bits would depend on the order of its terms; the index of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inexact(pub(crate) usize);

/// A cache of all live heads of a model.
pub(crate) trait Cache {
    /// Begins the next token.
    fn begin(&mut self);

    /// Appends the keys and values of some consecutive heads, the first of which is `first` among all live heads, then
    /// writes each head's answer, to which its own new key contributes.
    ///
    /// Heads of a token come in order, each once.
    fn attend(
        &mut self,
        first: usize,
        calls: &[Call],
        answers: &mut [[f64; 2]],
    ) -> Result<(), Inexact>;

    /// About how many bytes the cache holds.
    fn bytes(&self) -> usize;
}

fn bytes_of<T>(vec: &Vec<T>) -> usize {
    vec.capacity() * size_of::<T>()
}
