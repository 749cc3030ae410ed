//! KV caches: softmax and hard-max by a scan over past keys, hard-max by convex hulls.

mod hardmax;
mod hull;
mod per_head;
mod softmax;

pub(crate) use hull::Hull;

use crate::network::Layer;
use crate::qkv::Qkv;

/// Hard-max by a scan, exactly.
pub(crate) type Hardmax = per_head::PerHead<hardmax::HardmaxScan>;

/// Stock softmax.
pub(crate) type Softmax = per_head::PerHead<softmax::SoftmaxScan>;

/// A cache that has no room for the key of the call of this index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full(pub(crate) usize);

/// A KV cache per head; heads share nothing.
pub(crate) trait Cache {
    /// Whether scores are compared exactly, which demands keys and queries in the domain of that.
    const EXACT: bool;

    /// Begins the next token.
    fn begin(&mut self);

    /// Appends the keys and values of some consecutive heads, the first of which is `first` among
    /// all live heads, then writes each head's answer, to which its own new key contributes.
    ///
    /// Heads of a token come in order, each once.
    fn attend(&mut self, first: usize, qkv: &[Qkv], answers: &mut [[f64; 2]]) -> Result<(), Full>;

    /// About how many bytes the cache holds.
    fn bytes(&self) -> usize;
}

/// A KV cache that answers the lookups of a layer.
pub(crate) trait Answers {
    /// Whether scores are compared exactly, which demands keys and queries in the domain of that.
    const EXACT: bool;

    /// Begins the next token.
    fn begin(&mut self);

    /// Appends the keys and values of a layer, then writes the [answers](crate::network::Lookups)
    /// to its queries. The first of its heads is `first` among all live heads; the products are
    /// those of the layers up to this one.
    ///
    /// Layers of a token come in order, each once.
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
