//! The columns of the tables in the weights, as one list.

use weightware_analysis::SparseWeights;

/// The entries of all columns, one column after the other.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) entries: Vec<f64>,
    pub(crate) all: Vec<Column>,
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// The argument of the first entry, which is 0, as are all before it.
    pub(crate) first: f64,
    /// The argument up to which the column is 0 after its last entry; none beyond is known.
    pub(crate) limit: f64,
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
                columns.all.push(Column {
                    first: table.first,
                    limit: table.limit,
                    start: columns.entries.len(),
                    len: values.len(),
                });
                columns.entries.extend(values);
            }
        }
        columns
    }

    /// The entry of a column at an integer; `None` beyond its limit.
    #[inline]
    pub(crate) fn entry(&self, column: u32, argument: f64) -> Option<f64> {
        let column = &self.all[column as usize];
        let past = (argument - column.first).max(0.0);
        // The cast saturates.
        let past = past as usize;
        if past < column.len {
            return Some(self.entries[column.start + past]);
        }
        (argument <= column.limit).then_some(0.0)
    }
}
