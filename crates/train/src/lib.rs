//! Training of small transformers of any head dimension on a CPU, reproducibly.
//!
//! A [`Run`] is determined by its [`Settings`]: the model, the [task], the
//! [optimiser], the seed. It trains a [`Transformer`] over candle's graph, whose costly
//! [operations](ops) are fused, and writes a model folder that `weightware_model::general::Model`
//! reads, beside [its results](files). A [grid](grid::Grid) is many runs.
//!
//! # Examples
//! ```
//! use std::sync::atomic::AtomicBool;
//! use weightware_train::{Outcome, Run, Settings};
//!
//! let settings = Settings::parse(
//!     r#"
//!     [task]
//!     kind = "tracking"
//!     group = "z2"
//!     length = 2
//!     tests = [2]
//!     [model]
//!     d_model = 8
//!     heads = 4
//!     head_dim = 2
//!     [training]
//!     steps = 200
//!     batch = 16
//!     learning_rate = 0.01
//!     "#,
//!     "the example",
//! )?;
//! let dir = std::env::temp_dir().join("weightware-train-example");
//! let outcome = Run::new(settings)?.finish(&dir, &AtomicBool::new(false), |_| ())?;
//! let Outcome::Finished(result) = outcome else { unreachable!("nobody stops it") };
//! assert!(result.tests[0].accuracy > 0.9);
//! let model = weightware_model::general::Model::load(&dir)?;
//! assert_eq!(model.config.heads, 4);
//! # std::fs::remove_dir_all(dir).ok();
//! # Ok::<(), weightware_train::Error>(())
//! ```
#![forbid(unsafe_code)]

pub mod checkpoint;
mod cost;
mod error;
mod evaluation;
pub mod grid;
mod haystack;
pub mod ops;
pub mod optimiser;
mod plot;
mod random;
mod real;
mod report;
mod run;
mod sample;
mod settings;
pub mod task;
mod transformer;

pub use cost::Cost;
pub use error::{Error, Result};
pub use evaluation::{TestResult, evaluate, table_of_tests};
pub use haystack::{Answers, search};
pub use plot::{Plot, Series};
pub use random::Random;
pub use report::report;
pub use run::{Outcome, Progress, Run, RunResult, files};
pub use sample::texts;
pub use settings::{Evaluation, Sample, Settings, Training};
pub use transformer::Transformer;
