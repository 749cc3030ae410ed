//! The keys and values of one head, under one engine.

use weightware_hull::{Attention, Budget, Error, Method, Point, Point3, SparseCache, SparseCache3};

use super::engine::Engine;
use super::linear_cache::LinearCache;
use super::real::Real;
use super::report::HeadReport;

/// Keys that a query for a share of the probability may take before a scan is cheaper.
const MOST_KEYS: usize = 128;

/// The keys and values of one head of one sequence.
#[derive(Debug, Clone)]
pub(super) enum HeadCache<R> {
    Linear(LinearCache<R>),
    Plane(Box<SparseCache<2>>, Budget),
    Space(Box<SparseCache3<3>>, Budget),
}

/// Buffers that queries reuse.
#[derive(Debug, Default)]
pub(super) struct Buffers<R> {
    scores: Vec<R>,
}

impl<R: Real> HeadCache<R> {
    /// # Panics
    /// If the engine is sparse and the dimension neither 2 nor 3.
    pub(super) fn new(engine: Engine, head_dim: usize) -> Self {
        let budget = match engine {
            Engine::Softmax => return Self::Linear(LinearCache::new(head_dim)),
            Engine::Sparse(budget) => budget,
        };
        let limit = most_keys(budget);
        match head_dim {
            2 => Self::Plane(Box::new(SparseCache::new(limit)), budget),
            3 => Self::Space(Box::new(SparseCache3::new(limit)), budget),
            _ => unreachable!("the decoder refuses heads of dimension {head_dim}"),
        }
    }

    pub(super) fn push(&mut self, key: &[R], value: &[R]) -> Result<(), Error> {
        match self {
            Self::Linear(cache) => {
                cache.push(key, value);
                Ok(())
            }
            Self::Plane(cache, _) => cache.push(point(key), wide(value)),
            Self::Space(cache, _) => cache.push(point3(key), wide(value)),
        }
    }

    /// Goes on under another engine, with the same keys and values. Hulls stay if they are deep
    /// enough for the new budget.
    pub(super) fn switch(&mut self, engine: Engine, head_dim: usize) -> Result<(), Error> {
        if let Engine::Sparse(new) = engine {
            let (limit, budget) = match self {
                Self::Linear(_) => (0, None),
                Self::Plane(cache, budget) => (cache.limit(), Some(budget)),
                Self::Space(cache, budget) => (cache.limit(), Some(budget)),
            };
            if let Some(budget) = budget
                && most_keys(new) <= limit
            {
                *budget = new;
                return Ok(());
            }
        }
        *self = self.under(engine, head_dim)?;
        Ok(())
    }

    /// A copy under another engine.
    pub(super) fn under(&self, engine: Engine, head_dim: usize) -> Result<Self, Error> {
        let mut other = Self::new(engine, head_dim);
        for at in 0..self.len() {
            let (key, value) = self.entry(at);
            other.push(&key, &value)?;
        }
        Ok(other)
    }

    fn len(&self) -> usize {
        match self {
            Self::Linear(cache) => cache.len(),
            Self::Plane(cache, _) => cache.len(),
            Self::Space(cache, _) => cache.len(),
        }
    }

    /// A key and its value, by an index below the length.
    fn entry(&self, at: usize) -> (Vec<R>, Vec<R>) {
        let narrow = |numbers: &[f64]| numbers.iter().map(|&number| R::of(number)).collect();
        match self {
            Self::Linear(cache) => cache.entry(at),
            Self::Plane(cache, _) => {
                let (key, value) = cache.entry(at).unwrap_or_default();
                (narrow(&[key.x, key.y]), narrow(&value))
            }
            Self::Space(cache, _) => {
                let (key, value) = cache.entry(at).unwrap_or_default();
                (narrow(&[key.x, key.y, key.z]), narrow(&value))
            }
        }
    }

    /// Replaces `out` by the head's output for a query.
    pub(super) fn attend(
        &mut self,
        query: &[R],
        buffers: &mut Buffers<R>,
        report: &mut HeadReport,
        out: &mut [R],
    ) -> Result<(), Error> {
        match self {
            Self::Linear(cache) => {
                cache.attend(query, &mut buffers.scores, out);
                let len = cache.len() as u64;
                report.queries += 1;
                report.scans += 1;
                report.keys += len;
                report.keys_before += len;
                report.operations += len;
            }
            Self::Plane(cache, budget) => {
                let answer = cache.attend(point(query), *budget)?;
                report.count(&answer, cache.len(), cache.indexed());
                narrow(&answer.value, out);
            }
            Self::Space(cache, budget) => {
                let answer = cache.attend(point3(query), *budget)?;
                report.count(&answer, cache.len(), cache.indexed());
                narrow(&answer.value, out);
            }
        }
        Ok(())
    }

    /// Takes back the latest keys.
    pub(super) fn truncate(&mut self, len: usize) {
        match self {
            Self::Linear(cache) => cache.truncate(len),
            Self::Plane(cache, _) => cache.truncate(len),
            Self::Space(cache, _) => cache.truncate(len),
        }
    }
}

/// The keys that hulls must be able to find for a query.
fn most_keys(budget: Budget) -> usize {
    match budget {
        Budget::Keys(k) => k,
        Budget::MassError(_) => MOST_KEYS,
    }
}

impl HeadReport {
    fn count<const N: usize>(&mut self, answer: &Attention<N>, len: usize, indexed: usize) {
        let is_scan = answer.method == Method::Scan;
        self.queries += 1;
        self.scans += u64::from(is_scan);
        self.fallbacks += u64::from(is_scan && indexed > 0);
        self.keys += answer.keys as u64;
        self.keys_before += len as u64;
        self.operations += answer.operations as u64;
        self.missed = self.missed.max(answer.missed);
        let errors = answer.output_error.iter().copied();
        self.output_error = errors.fold(self.output_error, f64::max);
    }
}

fn point<R: Real>(numbers: &[R]) -> Point {
    let [x, y] = wide(numbers);
    Point::new(x, y)
}

fn point3<R: Real>(numbers: &[R]) -> Point3 {
    let [x, y, z] = wide(numbers);
    Point3::new(x, y, z)
}

fn wide<R: Real, const N: usize>(numbers: &[R]) -> [f64; N] {
    core::array::from_fn(|i| numbers[i].wide())
}

fn narrow<R: Real>(numbers: &[f64], out: &mut [R]) {
    for (out, &number) in out.iter_mut().zip(numbers) {
        *out = R::of(number);
    }
}
