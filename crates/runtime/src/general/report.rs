//! Counts of the work of heads, and bounds of what they left out.

/// The work of one head since the decoder was made.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct HeadReport {
    /// The layer, from 0.
    pub layer: usize,
    /// The head within the layer, from 0.
    pub head: usize,
    /// Queries answered.
    pub queries: u64,
    /// Queries answered by a scan of all keys.
    pub scans: u64,
    /// Queries that a scan answered because more keys than the limit would have been needed.
    pub fallbacks: u64,
    /// Keys whose values were averaged, over all queries.
    pub keys: u64,
    /// Keys that the queries had before them, over all queries.
    pub keys_before: u64,
    /// Keys, vertices and nodes that were looked at, over all queries.
    pub operations: u64,
    /// The greatest bound of the probability that a query left out.
    pub missed: f64,
    /// The greatest bound of the error of a component of the head's output.
    pub output_error: f64,
}

impl HeadReport {
    /// The counts of several heads together, under the numbers of this one.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        self.queries += other.queries;
        self.scans += other.scans;
        self.fallbacks += other.fallbacks;
        self.keys += other.keys;
        self.keys_before += other.keys_before;
        self.operations += other.operations;
        self.missed = self.missed.max(other.missed);
        self.output_error = self.output_error.max(other.output_error);
        self
    }
}
