//! KV caches by linear scan: every query scans all past keys of its head.

use weightware_hull::Point;

use super::{Cache, Full, bytes_of};
use crate::qkv::Qkv;

/// A past token's key and value.
pub(super) type Past = (Point, [f64; 2]);

/// The attention of one head, by a scan over its past keys and values.
pub(crate) trait Scan: Default {
    /// Whether scores are compared exactly.
    const EXACT: bool;

    /// The output for a query; `past` has at least one token.
    fn attend(&mut self, query: Point, past: &[Past]) -> [f64; 2];
}

/// The past keys and values of every head, without sharing.
#[derive(Debug)]
pub(crate) struct PerHead<S> {
    heads: Vec<Vec<Past>>,
    scan: S,
}

impl<S: Scan> PerHead<S> {
    pub(crate) fn new(heads: usize) -> Self {
        Self {
            heads: vec![Vec::new(); heads],
            scan: S::default(),
        }
    }
}

impl<S: Scan> Cache for PerHead<S> {
    const EXACT: bool = S::EXACT;

    fn begin(&mut self) {}

    fn attend(&mut self, first: usize, qkv: &[Qkv], answers: &mut [[f64; 2]]) -> Result<(), Full> {
        for ((call, answer), past) in qkv.iter().zip(answers).zip(&mut self.heads[first..]) {
            past.push((call.key, call.value));
            *answer = self.scan.attend(call.query, past);
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.heads.iter().map(bytes_of).sum()
    }
}
