//! Equivalence classes of token ids: ids that agree in the embedding columns that gates, queries
//! and keys depend on.

use std::collections::BTreeSet;

use crate::symbolic::hash::QuickMap;
use crate::symbolic::interval::Range;
use crate::weights::sparse_weights::SparseWeights;

/// The class of an id that is assumed to occur only at the first position: forms do not hold for
/// it.
pub const IRREGULAR: u16 = u16::MAX;

/// Only columns with at most this many values distinguish ids.
const FEW_VALUES: usize = 3;

/// If there would be more classes than this, ids are not distinguished.
const MOST_CLASSES: usize = 64;

/// Classes of token ids, with the bounds of every column of the embedding. Class 0 contains all
/// regular ids.
///
/// All ids are regular, except the first token's if some column is one constant for all other ids
/// and another number for it: such a sentinel is assumed not to occur again. Regular ids are in one
/// class if they agree in the columns of few values that gates, queries and keys depend on.
#[derive(Debug)]
pub struct Classes {
    of_id: Vec<u16>,
    /// The bounds of each column of the embedding, by class, then by slot.
    ranges: Vec<Vec<Range>>,
    /// Whether no id of a class adds to a sum, by class, then by sum.
    quiet: Vec<Vec<bool>>,
}

impl Classes {
    /// Class 0 only; `sentinel` may be irregular.
    pub(crate) fn new(rows: &SparseWeights, sentinel: Option<usize>) -> Self {
        let mut of_id = vec![0; rows.vocab];
        if let Some(sentinel) = sentinel {
            let is_unlike_all = |slot: usize| {
                let mut others = (0..rows.vocab).filter(|&id| id != sentinel);
                let one = others.next().map(|id| rows.embedded(id, slot));
                one.is_some_and(|one| {
                    one != rows.embedded(sentinel, slot)
                        && others.all(|id| rows.embedded(id, slot) == one)
                })
            };
            if (0..rows.d_model).any(is_unlike_all) {
                of_id[sentinel] = IRREGULAR;
            }
        }
        let mut all = Self {
            of_id,
            ranges: Vec::new(),
            quiet: Vec::new(),
        };
        all.bound(rows);
        all
    }

    /// Divides the regular ids by those of the slots that have few values.
    pub(crate) fn divide(&mut self, rows: &SparseWeights, slots: &BTreeSet<u16>) {
        let regular = |all: &Self| -> Vec<usize> {
            (0..rows.vocab)
                .filter(|&id| all.of_id[id] != IRREGULAR)
                .collect()
        };
        let ids = regular(self);
        let mut slots: Vec<u16> = slots.iter().copied().collect();
        let value = |id: usize, slot: u16| rows.embedded(id, slot.into()).to_bits();
        slots.retain(|&slot| {
            let mut values = Vec::new();
            ids.iter().all(|&id| {
                let value = value(id, slot);
                if !values.contains(&value) {
                    values.push(value);
                }
                values.len() <= FEW_VALUES
            })
        });
        let mut known: QuickMap<Vec<u64>, u16> = QuickMap::default();
        let mut of_id = self.of_id.clone();
        for &id in &ids {
            let key = slots.iter().map(|&slot| value(id, slot)).collect();
            let next = known.len() as u16 + 1;
            of_id[id] = *known.entry(key).or_insert(next);
            if known.len() > MOST_CLASSES {
                return;
            }
        }
        self.of_id = of_id;
        self.bound(rows);
    }

    fn bound(&mut self, rows: &SparseWeights) {
        let classes = self
            .of_id
            .iter()
            .filter(|&&c| c != IRREGULAR)
            .max()
            .map_or(1, |&c| c as usize + 1);
        let mut ranges: Vec<Vec<Option<Range>>> = vec![vec![None; rows.d_model]; classes];
        for (embedded, &class) in rows.embedding.chunks(rows.d_model).zip(&self.of_id) {
            if class == IRREGULAR {
                continue;
            }
            for (range, &value) in ranges[usize::from(class)].iter_mut().zip(embedded) {
                match range {
                    // Most entries equal those of earlier ids.
                    Some(range) if range.lo == value || range.hi == value => {}
                    Some(range) => *range = range.union(Range::of(value)),
                    None => *range = Some(Range::of(value)),
                }
            }
        }
        // Class 0 has all regular ids.
        let all = (0..rows.d_model).map(|slot| {
            let of_slot = ranges.iter().filter_map(|class| class[slot]);
            of_slot.reduce(Range::union)
        });
        ranges[0] = all.collect();
        let zero = Range::of(0.0);
        self.ranges = ranges
            .into_iter()
            .map(|class| {
                class
                    .into_iter()
                    .map(|range| range.unwrap_or(zero))
                    .collect()
            })
            .collect();
    }

    /// Records which classes add to which running sums. `sums` has the summand of each id, if it is
    /// a function of the id.
    pub(crate) fn note_sums<'s>(&mut self, sums: impl Iterator<Item = Option<&'s [f64]>>) {
        self.quiet = vec![vec![]; self.count()];
        for by_id in sums {
            let mut quiet = vec![by_id.is_some(); self.count()];
            for (id, &term) in by_id.into_iter().flatten().enumerate() {
                if term != 0.0 && self.of_id[id] != IRREGULAR {
                    quiet[0] = false;
                    quiet[usize::from(self.of_id[id])] = false;
                }
            }
            for (all, quiet) in self.quiet.iter_mut().zip(quiet) {
                all.push(quiet);
            }
        }
    }

    /// Whether no token of a class adds to a running sum, given by its index in
    /// [`KeyLayout::sums`](crate::KeyLayout::sums).
    ///
    /// # Panics
    /// If there is no such class or sum, or before [`Cases::new`](crate::Cases::new).
    #[inline]
    #[must_use]
    pub fn adds_nothing(&self, class: u16, sum: u32) -> bool {
        self.quiet[usize::from(class)][sum as usize]
    }

    /// The class of a token id: 0 before [`Cases::new`](crate::Cases::new), and from 1 on after it;
    /// [`IRREGULAR`] for a sentinel.
    ///
    /// # Panics
    /// If the id is not in the vocabulary.
    #[inline]
    #[must_use]
    pub fn of(&self, id: usize) -> u16 {
        self.of_id[id]
    }

    /// The number of classes, class 0 included and [`IRREGULAR`] not.
    #[inline]
    #[must_use]
    pub fn count(&self) -> usize {
        self.ranges.len()
    }

    /// The bounds of a column of the embedding for tokens of a class.
    #[inline]
    pub(crate) fn range(&self, class: u16, slot: usize) -> Range {
        self.ranges[usize::from(class)][slot]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights with an embedding whose entries are digits in base 3.
    fn digits(vocab: usize) -> SparseWeights {
        let embedding =
            (0..vocab).flat_map(|id| (0..11).map(move |slot| (id / 3_usize.pow(slot) % 3) as f64));
        SparseWeights {
            d_model: 11,
            vocab,
            position_features: vec![],
            layers: vec![],
            columns: vec![],
            head: vec![],
            embedding: embedding.collect(),
            last_position: 1,
            nodes: 11,
            slot_nodes: vec![(0..11).collect()],
        }
    }

    #[test]
    fn ids_are_divided_by_few_values_only() {
        // 3^3 classes, 3^4 would be too many; 81,000 ids of 3^11 digits leave 16 bits.
        for (vocab, slots, classes) in [(1000, 3, 28), (1000, 4, 1), (81_000, 11, 1)] {
            let rows = digits(vocab);
            let mut all = Classes::new(&rows, None);
            all.divide(&rows, &(0..slots).collect());
            assert_eq!(all.count(), classes, "{vocab} ids by {slots} slots");
            for id in 0..vocab {
                for slot in 0..11 {
                    let Range { lo, hi, .. } = all.range(all.of(id), slot);
                    let embedded = rows.embedded(id, slot);
                    assert!((lo..=hi).contains(&embedded));
                    assert!(classes == 1 || slot >= slots.into() || lo == hi);
                }
            }
        }
    }
}
