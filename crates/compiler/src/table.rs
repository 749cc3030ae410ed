//! Functions of an integer, as a row of neurons: one neuron for each bend.
//!
//! ```text
//! f(x) = sum over bends of change * relu(x - at)         change: by how much the slope changes there
//! ```
//! The same neurons compute several functions, the columns: they differ in the output weights. At
//! the integers a function may have any values, since each integer can have a bend.

/// Functions of an integer that are 0 before the first bend, and linear between bends and after the
/// last one.
///
/// ```
/// use weightware_compiler::Table;
///
/// let table = Table::new(2, [(10, vec![[3, 1], [7, 1]])]);
/// let rows: Vec<Vec<i128>> = (9..=12).map(|x| table.at(x)).collect();
/// assert_eq!(rows, [[0, 0], [3, 1], [7, 1], [0, 0]]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    columns: usize,
    bends: Vec<Bend>,
}

/// A bend of the functions of a [`Table`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bend {
    /// The integer from which on the slopes are different.
    pub at: i64,
    /// By how much the slope of each column changes; at least one is not 0.
    pub changes: Vec<i64>,
    /// The values of the columns at the bend.
    pub(crate) values: Vec<i128>,
    /// Their slopes after it.
    pub(crate) slopes: Vec<i128>,
}

impl Table {
    /// The functions with given rows of values: each run of rows begins at an integer. Outside the
    /// runs all values are 0.
    ///
    /// # Panics
    /// If runs are not in ascending order, overlap, have rows of another length, begin at the least
    /// integer, or have a value of 2^60 or more.
    #[must_use]
    pub fn new<R: AsRef<[i64]>>(
        columns: usize,
        runs: impl IntoIterator<Item = (i64, Vec<R>)>,
    ) -> Self {
        let mut table = Self {
            columns,
            bends: vec![],
        };
        let none = vec![0; columns];
        let mut next = i64::MIN;
        for (first, rows) in runs.into_iter().filter(|(_, rows)| !rows.is_empty()) {
            assert!(first >= next, "runs ascend and do not overlap");
            if next < first && next > i64::MIN {
                table.reach(next, &none);
                table.bend(next, &none);
            }
            for (row, x) in rows.iter().zip(first..) {
                let row: Vec<i128> = row.as_ref().iter().map(|&value| value.into()).collect();
                assert_eq!(row.len(), columns, "a row has a value for each column");
                table.reach(x, &row);
            }
            next = first + i64::try_from(rows.len()).expect("a run has fewer than 2^63 rows");
        }
        if next > i64::MIN {
            table.reach(next, &none);
            table.bend(next, &none);
        }
        table
    }

    /// The functions whose slopes change by these amounts, the integers in ascending order.
    pub(crate) fn of_changes(
        columns: usize,
        changes: impl IntoIterator<Item = (i64, Vec<i64>)>,
    ) -> Self {
        let mut table = Self {
            columns,
            bends: vec![],
        };
        for (at, changes) in changes {
            let old = table.bends.last().map(|last| last.slopes.clone());
            let old = old.unwrap_or_else(|| vec![0; columns]);
            let slopes = old
                .iter()
                .zip(&changes)
                .map(|(old, change)| old + i128::from(*change));
            table.bend(at, &slopes.collect::<Vec<i128>>());
        }
        table
    }

    /// Continues the functions so that they have these values at x, by bends at x - 1 and before.
    fn reach(&mut self, x: i64, values: &[i128]) {
        let before = self.at(x - 1);
        let slopes: Vec<i128> = values
            .iter()
            .zip(before)
            .map(|(new, old)| new - old)
            .collect();
        self.bend(x - 1, &slopes);
    }

    /// Bends the functions at x, so that they have these slopes from there on. The last bend may be
    /// at x, too: then both are one.
    fn bend(&mut self, x: i64, slopes: &[i128]) {
        let values = self.at(x);
        self.bends.pop_if(|last| last.at == x);
        let old = match self.bends.last() {
            Some(last) => last.slopes.clone(),
            None => vec![0; self.columns],
        };
        let changes = slopes.iter().zip(old).map(|(new, old)| {
            i64::try_from(new - old).expect("values of a table are far below 2^62")
        });
        let changes: Vec<i64> = changes.collect();
        if changes.iter().any(|&change| change != 0) {
            self.bends.push(Bend {
                at: x,
                changes,
                values,
                slopes: slopes.to_vec(),
            });
        }
    }

    /// The number of functions.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The bends, ascending: a neuron each.
    #[must_use]
    pub fn bends(&self) -> &[Bend] {
        &self.bends
    }

    /// The values of all columns at an integer. Takes O(log bends).
    #[must_use]
    pub fn at(&self, x: impl Into<i128>) -> Vec<i128> {
        let x = x.into();
        let below = self.bends.partition_point(|bend| i128::from(bend.at) <= x);
        match below.checked_sub(1).map(|at| &self.bends[at]) {
            None => vec![0; self.columns],
            Some(bend) => {
                let past = x - i128::from(bend.at);
                let lines = bend.values.iter().zip(&bend.slopes);
                lines.map(|(value, slope)| value + slope * past).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// A reproducible stream of pseudorandom numbers (xorshift64*).
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: i64) -> i64 {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as i64 % bound
        }
    }

    /// Rows by their integers: what a table must be.
    type Naive = BTreeMap<i64, Vec<i64>>;

    /// The arguments of [`Table::new`].
    type Runs = Vec<(i64, Vec<Vec<i64>>)>;

    /// Runs with few values, so that some bends are none, at gaps of 0, 1, 2 and more.
    fn runs(random: &mut Random, columns: usize) -> (Runs, Naive) {
        let (mut runs, mut naive) = (vec![], Naive::new());
        let mut first = random.below(60) - 40;
        for _ in 0..random.below(5) {
            let len = random.below(9);
            let size = [2, 5, 1 << 30][random.below(3) as usize];
            let mut row = || {
                (0..columns)
                    .map(|_| random.below(size) - size / 3)
                    .collect()
            };
            let rows: Vec<Vec<i64>> = (0..len).map(|_| row()).collect();
            naive.extend((first..).zip(rows.iter().cloned()));
            runs.push((first, rows));
            first += len + [0, 0, 1, 1, 2, 3, 70, 1 << 40][random.below(8) as usize];
        }
        (runs, naive)
    }

    /// The integers at which something may be wrong.
    fn places(naive: &Naive) -> Vec<i64> {
        let around = naive.keys().flat_map(|&x| x - 4..=x + 4);
        around.chain([-(1 << 50), 0, 1 << 50]).collect()
    }

    #[test]
    fn a_table_is_the_map_of_its_rows() {
        let mut random = Random(7);
        let mut bends = 0;
        for _ in 0..2_000 {
            let columns = 1 + random.below(3) as usize;
            let (runs, naive) = runs(&mut random, columns);
            let table = Table::new(columns, runs.clone());
            assert_eq!(table.columns(), columns);
            let none = vec![0; columns];
            let row = |x: i64| naive.get(&x).unwrap_or(&none);
            for x in places(&naive) {
                let wanted: Vec<i128> = row(x).iter().map(|&value| value.into()).collect();
                assert_eq!(table.at(x), wanted, "at {x} of {runs:?}");
                let sum = |column: usize| {
                    let past = |bend: &Bend| i128::from((x - bend.at).max(0));
                    let terms = table.bends();
                    let terms = terms.iter();
                    terms
                        .map(|bend| i128::from(bend.changes[column]) * past(bend))
                        .sum::<i128>()
                };
                assert_eq!((0..columns).map(sum).collect::<Vec<_>>(), wanted, "at {x}");
            }
            // There is a bend exactly where a slope changes.
            let changes = |x: i64| -> Vec<i64> {
                let [before, here, after] = [x - 1, x, x + 1].map(row);
                let change = |c: usize| after[c] - 2 * here[c] + before[c];
                (0..columns).map(change).collect()
            };
            let mut wanted: Vec<(i64, Vec<i64>)> = places(&naive)
                .into_iter()
                .map(|x| (x, changes(x)))
                .filter(|(_, changes)| changes.iter().any(|&change| change != 0))
                .collect();
            wanted.sort();
            wanted.dedup();
            let found = table.bends().iter();
            let found: Vec<_> = found.map(|bend| (bend.at, bend.changes.clone())).collect();
            assert_eq!(found, wanted, "{runs:?}");
            bends += found.len();
            assert_eq!(Table::of_changes(columns, found), table);
        }
        assert!(bends > 15_000, "{bends} bends are too few to tell");
    }

    #[test]
    fn changes_of_nothing_are_no_bends() {
        let table = Table::of_changes(2, [(3, vec![0, 0]), (5, vec![1, 0]), (5, vec![-1, 0])]);
        assert_eq!(table, Table::of_changes(2, []));
        assert_eq!(table.at(i64::MAX), [0, 0]);
        assert_eq!(Table::new::<Vec<i64>>(2, [(4, vec![])]), table);
        assert_eq!(Table::new(2, [(4, vec![[0, 0], [0, 0]])]), table);
    }

    #[test]
    fn great_values_are_exact() {
        let most = (1 << 60) - 1;
        let table = Table::new(1, [(-2, vec![[most], [-most], [most]])]);
        let rows: Vec<i128> = (-3..=1).map(|x: i64| table.at(x)[0]).collect();
        let most = i128::from(most);
        assert_eq!(rows, [0, most, -most, most, 0]);
        let steep = Table::of_changes(1, [(i64::MIN, vec![i64::MAX])]);
        assert_eq!(steep.at(i64::MIN + 2), [2 * i128::from(i64::MAX)]);
    }

    #[test]
    fn runs_that_overlap_are_refused() {
        let overlap = [(0, vec![[1], [2]]), (1, vec![[3]])];
        let descend = [(5, vec![[1]]), (1, vec![[3]])];
        for runs in [overlap, descend] {
            let refused = std::panic::catch_unwind(|| Table::new(1, runs.clone()));
            assert!(refused.is_err(), "{runs:?}");
        }
        let short = std::panic::catch_unwind(|| Table::new(2, [(0, vec![vec![1, 2], vec![3]])]));
        assert!(short.is_err());
    }
}
