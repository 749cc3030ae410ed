//! The commands.

pub(crate) mod spec;

use clap::Args;
use weightware::{Computer, Engine};
use weightware_tests::{Executor, FASTEST};

/// What runs programs.
#[derive(Debug, Args)]
pub(crate) struct How {
    /// How the weights are decoded: softmax, hardmax, hull, ...
    #[arg(long, value_parser = engine)]
    engine: Option<Engine>,
    /// The plain interpreter instead of the weights: a quick look
    #[arg(long, conflicts_with = "engine")]
    interpreter: bool,
}

impl How {
    pub(crate) fn executor<'c>(&self, computer: &'c Computer) -> Executor<'c> {
        match self.interpreter {
            true => Executor::Interpreter,
            false => Executor::Weights(computer, self.engine.unwrap_or(FASTEST)),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.interpreter {
            true => "plain interpreter",
            false => self.engine.unwrap_or(FASTEST).name(),
        }
    }
}

fn engine(name: &str) -> Result<Engine, String> {
    let mut engines = Engine::ALL.into_iter();
    let found = engines.find(|engine| engine.name() == name);
    found.ok_or_else(|| {
        let names = Engine::ALL.map(Engine::name).join(", ");
        format!("the engines are {names}")
    })
}
