//! Value numbering of the forward pass: it identifies, from the weights alone, products that are
//! equal for all tokens.

use std::collections::HashMap;
use std::hash::Hash;

use crate::sparse::{Row, Rows};

/// The number of writes to each slot of the residual stream, up to the current half-layer.
#[derive(Debug)]
pub(crate) struct SlotVersions(Vec<u32>);

impl SlotVersions {
    /// The versions of the embedding.
    pub(crate) fn new(slots: usize) -> Self {
        Self(vec![0; slots])
    }

    /// Records a write to slots; adding a zero counts as a write.
    pub(crate) fn write(&mut self, slots: &[u16]) {
        for &slot in slots {
            self.0[usize::from(slot)] += 1;
        }
    }
}

/// An input, its version and a weight's bits.
type Term = (u32, u32, u64);

/// The distinct products of rows with the residual stream. Two products with equal weights have one
/// number if no half-layer in between writes a slot that they read.
#[derive(Debug, Default)]
pub(crate) struct Products {
    known: Interner<Vec<Term>>,
    /// The new products of the current half-layer.
    new: Vec<Row>,
    /// The place of each number among all products. Numbers of the current half-layer have none
    /// yet.
    places: Vec<usize>,
}

impl Products {
    /// The value number of a product.
    pub(crate) fn number(&mut self, row: Row, versions: &SlotVersions) -> usize {
        let term = |e: &crate::sparse::Entry| {
            let version = versions.0[e.input as usize];
            (e.input, version, e.weight.to_bits())
        };
        let (number, is_new) = self.known.of(row.iter().map(term).collect());
        if is_new {
            self.new.push(row);
        }
        number
    }

    /// Ends a half-layer: the rows of its new products, and the place of the first.
    pub(crate) fn end(&mut self) -> (Rows, usize) {
        let first = self.places.len();
        let (rows, places) = Rows::new(&std::mem::take(&mut self.new));
        self.places.extend(places.iter().map(|place| first + place));
        (rows, first)
    }

    /// The place of a product of a half-layer that has ended.
    pub(crate) fn place(&self, number: usize) -> usize {
        self.places[number]
    }

    /// The count of distinct products.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }
}

/// Numbers distinct items from 0.
#[derive(Debug)]
pub(crate) struct Interner<T>(HashMap<T, usize>);

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Hash + Eq> Interner<T> {
    /// The number of an item, and whether the item is new.
    pub(crate) fn of(&mut self, thing: T) -> (usize, bool) {
        let next = self.0.len();
        let number = *self.0.entry(thing).or_insert(next);
        (number, number == next)
    }

    /// The count of distinct items.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sparse::row;

    #[test]
    fn products_are_equal_until_a_slot_is_written_to() {
        let mut versions = SlotVersions::new(3);
        let mut products = Products::default();
        let rows = || [row([1.0, 0.0, 2.0]), row([0.0, 3.0, 0.0]), row([0.0; 3])];
        let mut numbers = || rows().map(|row| products.number(row, &versions));
        assert_eq!((numbers(), numbers()), ([0, 1, 2], [0, 1, 2]));
        products.end();
        versions.write(&[2]);
        let later = rows().map(|row| products.number(row, &versions));
        assert_eq!(later, [3, 1, 2]);
        let (_, first) = products.end();
        assert_eq!((first, products.place(3), products.len()), (3, 3, 4));
        // The empty row is last of its half-layer, the shorter one first.
        assert_eq!([0, 1, 2].map(|n| products.place(n)), [1, 0, 2]);
    }
}
