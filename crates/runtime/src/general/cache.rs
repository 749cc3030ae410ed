//! The keys and values of one head, under one engine.

use super::Engine;
use super::error::Kind;
use super::linear_cache::LinearCache;
use super::real::Real;
use super::report::HeadReport;

/// The keys and values of one head of one sequence.
#[derive(Debug, Clone)]
pub(super) enum HeadCache<R> {
    Linear(LinearCache<R>),
}

/// Buffers that queries reuse.
#[derive(Debug, Default)]
pub(super) struct Buffers<R> {
    scores: Vec<R>,
}

impl<R: Real> HeadCache<R> {
    pub(super) fn new(engine: Engine, head_dim: usize) -> Self {
        match engine {
            Engine::Softmax | Engine::Sparse(_) => Self::Linear(LinearCache::new(head_dim)),
        }
    }

    pub(super) fn push(&mut self, key: &[R], value: &[R]) -> Result<(), weightware_hull::Error> {
        match self {
            Self::Linear(cache) => cache.push(key, value),
        }
        Ok(())
    }

    pub(super) fn attend(
        &mut self,
        query: &[R],
        buffers: &mut Buffers<R>,
        report: &mut HeadReport,
        out: &mut [R],
    ) -> Result<(), weightware_hull::Error> {
        report.queries += 1;
        match self {
            Self::Linear(cache) => {
                cache.attend(query, &mut buffers.scores, out);
                let len = cache.len() as u64;
                report.scans += 1;
                report.keys += len;
                report.keys_before += len;
                report.operations += len;
            }
        }
        Ok(())
    }

    /// Takes back the latest keys.
    pub(super) fn truncate(&mut self, len: usize) -> Result<(), Kind> {
        match self {
            Self::Linear(cache) => cache.truncate(len),
        }
        Ok(())
    }
}
