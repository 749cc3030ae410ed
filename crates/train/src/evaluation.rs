//! Tests of a model: loss and accuracy, by position.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::ops;
use crate::random::{Random, Stream};
use crate::settings::Evaluation;
use crate::task::Task;
use crate::transformer::Transformer;

/// The results of one test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestResult {
    /// The test's name.
    pub name: String,
    /// Sequences that were tried.
    pub sequences: usize,
    /// Mean cross-entropy of a supervised token, in nats.
    pub loss: f64,
    /// Fraction of supervised tokens whose logit is the greatest.
    pub accuracy: f64,
    /// Fraction of sequences in which all supervised tokens are right.
    pub exact: f64,
    /// Accuracy of the first, second, .. supervised token of a sequence.
    pub by_position: Vec<f64>,
}

impl TestResult {
    /// `e^loss`.
    #[must_use]
    pub fn perplexity(&self) -> f64 {
        libm::exp(self.loss)
    }

    /// How many positions from the first on have an accuracy of at least `bound`.
    #[must_use]
    pub fn reach(&self, bound: f64) -> usize {
        self.by_position
            .iter()
            .take_while(|&&accuracy| accuracy >= bound)
            .count()
    }
}

/// The results of tests as a table of plain text.
#[must_use]
pub fn table_of_tests(tests: &[TestResult]) -> String {
    let mut table = String::from(
        "test                    sequences     loss  perplexity  accuracy     exact  reach 99 %\n",
    );
    for test in tests {
        table.push_str(&format!(
            "{:<24}{:>9}{:>9.4}{:>12.4}{:>10.4}{:>10.4}{:>12}\n",
            test.name,
            test.sequences,
            test.loss,
            test.perplexity(),
            test.accuracy,
            test.exact,
            test.reach(0.99)
        ));
    }
    table
}

/// Runs test number `test` of a task. Tests are the same for all runs and seeds.
///
/// # Errors
/// If a sequence is longer than learned positions, or memory does not suffice.
pub fn evaluate(
    model: &Transformer,
    task: &dyn Task,
    test: usize,
    settings: &Evaluation,
) -> Result<TestResult> {
    let (mut sequences, mut loss, mut exact) = (0, 0.0, 0);
    let mut right: Vec<usize> = Vec::new();
    while sequences < settings.sequences {
        let count = settings.batch.min(settings.sequences - sequences);
        let mut random = Random::new(test as u64, Stream::Test, sequences as u64);
        let batch = task.test(test, sequences, &mut random, count);
        if batch.sequences == 0 {
            break;
        }
        let logits = model.forward(&batch)?.detach();
        let targets = std::sync::Arc::new(batch.targets.clone());
        let mean = ops::cross_entropy(&logits, &targets)?.to_dtype(candle_core::DType::F64)?;
        loss += mean.to_scalar::<f64>()? * batch.targets.len() as f64;
        let greatest: Vec<u32> = logits.argmax(1)?.to_vec1()?;
        let positions = batch.targets.len() / batch.sequences;
        right.resize(positions, 0);
        let is_right: Vec<bool> = greatest
            .iter()
            .zip(&batch.targets)
            .map(|(is, must)| is == must)
            .collect();
        for sequence in is_right.chunks(positions) {
            exact += usize::from(sequence.iter().all(|&is_right| is_right));
            for (right, &is_right) in right.iter_mut().zip(sequence) {
                *right += usize::from(is_right);
            }
        }
        sequences += batch.sequences;
    }
    let count = sequences.max(1) as f64;
    let tokens = (count * right.len() as f64).max(1.0);
    Ok(TestResult {
        name: task.tests()[test].clone(),
        sequences,
        loss: loss / tokens,
        accuracy: right.iter().sum::<usize>() as f64 / tokens,
        exact: exact as f64 / count,
        by_position: right.iter().map(|&right| right as f64 / count).collect(),
    })
}
