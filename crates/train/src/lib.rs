//! Training of small transformers of any head dimension on a CPU, reproducibly.
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
