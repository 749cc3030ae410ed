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
    values: Vec<i128>,
    /// Their slopes after it.
    slopes: Vec<i128>,
}

impl Table {
    /// The functions with given rows of values: each run of rows begins at an integer. Outside the
    /// runs all values are 0.
    ///
    /// # Panics
    /// If runs are not in ascending order, overlap, or have rows of another length.
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

    /// Bends the functions at x, so that they have these slopes from there on.
    fn bend(&mut self, x: i64, slopes: &[i128]) {
        let values = self.at(x);
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
