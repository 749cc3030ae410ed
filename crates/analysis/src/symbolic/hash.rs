//! Multiplicative hashing, and a hash table of numbers with open addressing.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A multiplicative hasher: one multiplication for each word. It does not resist keys that are
/// chosen to collide; the keys of this crate are forms and small numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct QuickHasher(u64);

impl Hasher for QuickHasher {
    #[inline]
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        for &byte in rest {
            self.write_u64(byte.into());
        }
    }

    #[inline]
    fn write_u16(&mut self, number: u16) {
        self.write_u64(number.into());
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(26) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    #[inline]
    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }
}

/// A map whose keys are hashed by [`QuickHasher`].
pub type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<QuickHasher>>;
/// A set whose members are hashed by [`QuickHasher`].
pub type QuickSet<K> = HashSet<K, BuildHasherDefault<QuickHasher>>;

/// A hash for [`Numbered`].
#[inline]
pub(crate) fn hash_of(key: &impl Hash) -> u32 {
    let mut hasher = QuickHasher::default();
    key.hash(&mut hasher);
    hasher.finish() as u32
}

/// A hash table with open addressing and linear probing. It holds the numbers of distinct items,
/// which are kept elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Numbered {
    /// Hash and number, at the first free place at or after that of the hash. The length is a power
    /// of two, and at least a quarter of the places are free.
    places: Vec<(u32, u32)>,
    len: usize,
}

/// Marks a free place; no item has this number.
const FREE: (u32, u32) = (0, u32::MAX);

impl Numbered {
    /// The number of the item that has a hash and satisfies a predicate.
    #[inline]
    pub(crate) fn find(&self, hash: u32, is: impl Fn(u32) -> bool) -> Option<u32> {
        let last = self.places.len().checked_sub(1)?;
        let mut at = hash as usize & last;
        while self.places[at] != FREE {
            let (known, number) = self.places[at];
            if known == hash && is(number) {
                return Some(number);
            }
            at = (at + 1) & last;
        }
        None
    }

    /// Adds an item that is not in the table.
    pub(crate) fn insert(&mut self, hash: u32, number: u32) {
        if 3 * self.places.len() <= 4 * self.len {
            let places = vec![FREE; (2 * self.places.len()).max(64)];
            for (hash, number) in std::mem::replace(&mut self.places, places) {
                if number != FREE.1 {
                    self.place(hash, number);
                }
            }
        }
        self.place(hash, number);
        self.len += 1;
    }

    fn place(&mut self, hash: u32, number: u32) {
        let last = self.places.len() - 1;
        let mut at = hash as usize & last;
        while self.places[at] != FREE {
            at = (at + 1) & last;
        }
        self.places[at] = (hash, number);
    }

    /// Keeps the items whose numbers are less than `end`.
    pub(crate) fn truncate(&mut self, end: usize) {
        let all = std::mem::take(self);
        for (hash, number) in all.places {
            if (number as usize) < end {
                self.insert(hash, number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_whatever_their_hashes() {
        for hashes in [1, 7, u32::MAX] {
            let words: Vec<String> = (0..1000).map(|i: u32| format!("{}", i * i)).collect();
            let hash = |word: &String| hash_of(&word.as_bytes()) % hashes;
            let mut numbered = Numbered::default();
            let find = |numbered: &Numbered, word: &String| {
                numbered.find(hash(word), |number| words[number as usize] == *word)
            };
            for (number, word) in (0..).zip(&words) {
                assert_eq!(find(&numbered, word), None);
                numbered.insert(hash(word), number);
            }
            for (number, word) in (0..).zip(&words) {
                assert_eq!(find(&numbered, word), Some(number));
            }
            numbered.truncate(500);
            for (number, word) in (0..).zip(&words) {
                let kept = Some(number).filter(|number| *number < 500);
                assert_eq!(find(&numbered, word), kept);
            }
        }
    }
}
