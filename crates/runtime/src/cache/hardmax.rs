//! Hard-max by a scan with exact comparisons: the oracle of the other hard-max engines.

use std::cmp::Ordering;

use weightware_hull::{ExactSum, Point, compare_scores};

use super::per_head::{Past, Scan};

/// Hard-max attention: the average value of all keys whose score is the greatest.
#[derive(Debug, Default)]
pub(crate) struct HardmaxScan;

impl Scan for HardmaxScan {
    const EXACT: bool = true;

    fn attend(&mut self, query: Point, past: &[Past]) -> [f64; 2] {
        let (mut best, _) = past[past.len() - 1];
        let mut count = 0;
        let mut sums = [ExactSum::new(), ExactSum::new()];
        for &(key, value) in past {
            let order = compare_scores(query, key, best);
            if order == Ordering::Greater || count == 0 && order != Ordering::Less {
                best = key;
                count = 0;
                sums = Default::default();
            }
            if order != Ordering::Less {
                count += 1;
                sums[0].add(value[0]);
                sums[1].add(value[1]);
            }
        }
        sums.map(|sum| sum.mean(count))
    }
}
