//! Memoisation of operations on polynomials, by the numbers of their operands.

use std::hash::{Hash, Hasher};

use crate::symbolic::hash::{Numbered, QuickMap, hash_of};
use crate::symbolic::polynomial::PolyId;

/// The memo tables of all operations.
#[derive(Debug, Default)]
pub(crate) struct OperationMemo {
    /// Products of neurons, by gate and value.
    pub(crate) gated: QuickMap<(PolyId, PolyId), PolyId>,
    pub(crate) sums: SumMemo,
    /// Bounds of lifts, by x and y of the key.
    pub(crate) lifts: QuickMap<(PolyId, PolyId), f64>,
}

/// The memo table of sums, by base and products.
#[derive(Debug, Default)]
pub(crate) struct SumMemo {
    known: Numbered,
    /// Base, the end of its products, and the sum.
    sums: Vec<(PolyId, usize, PolyId)>,
    products: Vec<(f64, PolyId)>,
}

/// Products, compared by the bits of their weights.
struct Bits<'t>(&'t [(f64, PolyId)]);

impl Hash for Bits<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for (weight, form) in self.0 {
            weight.to_bits().hash(state);
            form.hash(state);
        }
    }
}

impl PartialEq for Bits<'_> {
    fn eq(&self, other: &Self) -> bool {
        let bits = |&(weight, form): &(f64, PolyId)| (weight.to_bits(), form);
        self.0.iter().map(bits).eq(other.0.iter().map(bits))
    }
}

impl SumMemo {
    /// The hash of a sum's operands.
    pub(crate) fn hash(base: PolyId, terms: &[(f64, PolyId)]) -> u32 {
        hash_of(&(base, Bits(terms)))
    }

    pub(crate) fn find(&self, hash: u32, base: PolyId, terms: &[(f64, PolyId)]) -> Option<PolyId> {
        let is = |number: u32| {
            let number = number as usize;
            let (onto, end, _) = self.sums[number];
            let start = number.checked_sub(1).map_or(0, |last| self.sums[last].1);
            onto == base && Bits(&self.products[start..end]) == Bits(terms)
        };
        let number = self.known.find(hash, is)?;
        Some(self.sums[number as usize].2)
    }

    pub(crate) fn insert(
        &mut self,
        hash: u32,
        base: PolyId,
        terms: &[(f64, PolyId)],
        form: PolyId,
    ) {
        self.products.extend(terms);
        self.known.insert(hash, self.sums.len() as u32);
        self.sums.push((base, self.products.len(), form));
    }
}
