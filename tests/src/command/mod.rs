//! The commands, and the options that they share.

pub(crate) mod far;
pub(crate) mod fuzz;
pub(crate) mod horizon;
pub(crate) mod hostile;
pub(crate) mod long;
pub(crate) mod mutate;
pub(crate) mod spec;
pub(crate) mod tokens;
pub(crate) mod verify;

use clap::Args;
use weightware::{Computer, Engine};
use weightware_tests::{Executor, FASTEST};

/// The executor of programs.
#[derive(Debug, Args)]
pub(crate) struct How {
    /// How the weights are decoded: softmax, hardmax, hull, ...
    #[arg(long)]
    engine: Option<Engine>,
    /// The plain interpreter instead of the weights: a quick check
    #[arg(long, conflicts_with = "engine")]
    interpreter: bool,
    /// An independent engine runs the modules instead: tests the suite, not the machine
    #[arg(long, conflicts_with_all = ["engine", "interpreter"])]
    wasmi: bool,
}

impl How {
    pub(crate) fn executor<'c>(&self, computer: &'c Computer) -> Executor<'c> {
        match (self.wasmi, self.interpreter) {
            (true, _) => Executor::Wasmi,
            (_, true) => Executor::Interpreter,
            _ => Executor::Weights(computer, self.engine.unwrap_or(FASTEST)),
        }
    }

    /// Whether an executor was chosen.
    pub(crate) fn chosen(&self) -> bool {
        self.wasmi || self.interpreter || self.engine.is_some()
    }

    /// Whether the weights are the executor.
    pub(crate) fn weights(&self) -> bool {
        !self.wasmi && !self.interpreter
    }

    pub(crate) fn name(&self) -> &'static str {
        match (self.wasmi, self.interpreter) {
            (true, _) => "wasmi",
            (_, true) => "plain interpreter",
            _ => self.engine.unwrap_or(FASTEST).name(),
        }
    }
}
