//! The columns of the tables in the weights, as one list.

use weightware_analysis::SparseWeights;

/// The entries of all columns, one column after the other.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) entries: Vec<f64>,
    pub(crate) all: Vec<Column>,
}

/// A column of a table. It is 0 outside its runs.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// The greatest argument for which an entry is known.
    pub(crate) limit: f64,
    /// The argument up to which the column is 0.
    pub(crate) first: f64,
    /// The runs, ascending.
    pub(crate) runs: Vec<Run>,
}

/// Entries for consecutive arguments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// The argument of the first entry, which is 0.
    pub(crate) first: f64,
    /// The index of the first entry among those of all columns, and the number of entries.
    pub(crate) start: usize,
    pub(crate) len: usize,
}

impl Columns {
    pub(crate) fn new(rows: &SparseWeights) -> Self {
        let mut columns = Self {
            entries: vec![],
            all: vec![],
        };
        for table in rows.layers.iter().flat_map(|layer| &layer.tables) {
            for (_, values) in &table.columns {
                let runs = table
                    .runs
                    .iter()
                    .zip(values)
                    .map(|(&(first, len), values)| {
                        let start = columns.entries.len();
                        columns.entries.extend(values);
                        Run { first, start, len }
                    });
                columns.all.push(Column {
                    limit: table.limit,
                    first: table.first().min(table.limit),
                    runs: runs.collect(),
                });
            }
        }
        columns
    }

    /// The entry of a column at an integer; `None` beyond its limit.
    #[inline]
    pub(crate) fn entry(&self, column: u32, argument: f64) -> Option<f64> {
        let column = &self.all[column as usize];
        // Most instructions are in the prompt.
        if argument <= column.first {
            return Some(0.0);
        }
        for run in column.runs.iter().rev() {
            let past = argument - run.first;
            if past >= 0.0 {
                // The cast saturates.
                let past = past as usize;
                if past < run.len {
                    return Some(self.entries[run.start + past]);
                }
                break;
            }
        }
        (argument <= column.limit).then_some(0.0)
    }
}
