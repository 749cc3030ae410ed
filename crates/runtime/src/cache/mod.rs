//! KV caches: softmax and hard-max by a scan over past keys, hard-max by convex hulls.

mod hardmax;
mod hull;
mod per_head;
mod softmax;

pub(crate) use hull::Hull;

use crate::network::Layer;
use crate::qkv::Qkv;

/// The cache of exact hard-max by a scan.
pub(crate) type Hardmax = per_head::PerHead<hardmax::HardmaxScan>;

/// The cache of stock softmax.
pub(crate) type Softmax = per_head::PerHead<softmax::SoftmaxScan>;

/// The error of a cache that cannot hold another key, with the index of the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full(pub(crate) usize);

/// A KV cache for each head; heads share nothing.
pub(crate) trait Cache {
    /// Whether scores are compared exactly, which requires keys and queries in the domain of exact
    /// comparison.
    const EXACT: bool;

    /// Begins the next token.
    fn begin(&mut self);

    /// Appends the keys and values of consecutive heads, the first of which has the index `first`
    /// among all live heads. Then writes each head's answer, in which its new key counts too.
    ///
    /// Within a token, heads are passed in order, each once.
    fn attend(&mut self, first: usize, qkv: &[Qkv], answers: &mut [[f64; 2]]) -> Result<(), Full>;

    /// About how many bytes the cache holds.
    fn bytes(&self) -> usize;
}

/// A KV cache that answers the lookups of a layer.
pub(crate) trait Answers {
    /// Whether scores are compared exactly, which requires keys and queries in the domain of exact
    /// comparison.
    const EXACT: bool;

    /// Begins the next token.
    fn begin(&mut self);

    /// Appends the keys and values of a layer, then writes the [answers](crate::network::Lookups)
    /// to its queries. Its first head has the index `first` among all live heads; the products are
    /// those of the layers up to this one.
    ///
    /// Within a token, layers are passed in order, each once.
    fn answer(
        &mut self,
        layer: &Layer,
        first: usize,
        products: &[f64],
        answers: &mut [f64],
    ) -> Result<(), Full>;
}

impl<C: Cache> Answers for C {
    const EXACT: bool = C::EXACT;

    fn begin(&mut self) {
        Cache::begin(self);
    }

    fn answer(
        &mut self,
        layer: &Layer,
        first: usize,
        products: &[f64],
        answers: &mut [f64],
    ) -> Result<(), Full> {
        let qkv: Vec<Qkv> = layer.heads.iter().map(|h| h.call(products)).collect();
        let mut given = vec![[0.0; 2]; qkv.len()];
        self.attend(first, &qkv, &mut given)?;
        for (head, given) in layer.heads.iter().zip(given) {
            for (answer, given) in head.answers.into_iter().zip(given) {
                if let Some(answer) = answer {
                    answers[answer] = given;
                }
            }
        }
        Ok(())
    }
}

fn bytes_of<T>(vec: &Vec<T>) -> usize {
    vec.capacity() * size_of::<T>()
}
