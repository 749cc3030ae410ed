//! Operations of training, counted from shapes.
//!
//! ```text
//! forward, for a sequence of T tokens:
//!   linear maps    2 T (entries of all matrices of layers) + 2 (supervised rows) d_model vocab
//!   attention      layers 4 heads head_dim T (T + 1) / 2            q.k and p v, causal
//!   exponentials   layers heads T (T + 1) / 2                       listed apart
//! backward: twice the forward pass
//! ```

use serde::{Deserialize, Serialize};
use weightware_model::general::Config;

use crate::random::{Random, Stream};
use crate::settings::Training;
use crate::task::Task;

/// Operations of one training step of a batch of the greatest length, and of a run of such steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Floating-point operations of linear maps in a step.
    pub linear: f64,
    /// Floating-point operations of scores and averages in a step, without exponentials.
    pub attention: f64,
    /// Exponentials of attention in a step's forward pass.
    pub exponentials: f64,
    /// `steps * (linear + attention)`.
    pub run: f64,
}

impl Cost {
    /// The cost of training `config` on a task.
    #[must_use]
    pub fn new(config: &Config, task: &dyn Task, training: &Training) -> Self {
        let mut random = Random::new(0, Stream::Batch, 0);
        let batch = task.train(&mut random, 1);
        let (length, context) = (batch.length as f64, task.context() as f64);
        let supervised = batch.targets.len() as f64 / length * context;
        let maps = config.tensors().into_iter().filter(|shape| {
            let is_embedding =
                ["tok.weight", "head.weight", "positions.weight"].contains(&shape.name.as_str());
            shape.dims.len() == 2 && !is_embedding
        });
        let entries: usize = maps.map(|shape| shape.len()).sum();
        let head = supervised * (config.d_model * config.vocab) as f64;
        let pairs = config.layers() as f64 * context * (context + 1.0) / 2.0;
        let steps = 3.0 * training.batch as f64;
        let linear = steps * 2.0 * (context * entries as f64 + head);
        let attention = steps * 4.0 * pairs * config.attention_width() as f64;
        Self {
            linear,
            attention,
            exponentials: training.batch as f64 * pairs * config.heads as f64,
            run: training.steps as f64 * (linear + attention),
        }
    }
}
