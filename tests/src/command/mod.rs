//! The commands, and the options that they share.

pub(crate) mod far;
pub(crate) mod fuzz;
pub(crate) mod general;
pub(crate) mod horizon;
pub(crate) mod hostile;
pub(crate) mod long;
pub(crate) mod mutate;
pub(crate) mod real;
pub(crate) mod spec;
pub(crate) mod tokens;
pub(crate) mod toolchains;
pub(crate) mod verify;

use clap::Args;
use weightware::{Computer, Engine};
use weightware_tests::real::{Measured, Verdict};
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

/// Those of the given names, in the order of all; all if none is named.
pub(crate) fn named<T>(
    names: &[String],
    all: Vec<T>,
    name_of: fn(&T) -> &String,
) -> Result<Vec<T>, String> {
    let known: Vec<&String> = all.iter().map(name_of).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
        return Err(format!("{unknown:?}: choose from {}", known.join(", ")));
    }
    let is_chosen = |one: &T| names.is_empty() || names.contains(name_of(one));
    Ok(all.into_iter().filter(is_chosen).collect())
}

/// The head of the table of programs.
pub(crate) fn show_head() {
    println!(
        "| program | bytes | prompt | trace | contexts | reread | profile | seconds | outcome | native |"
    );
    println!("|---|---:|---:|---:|---:|---:|---|---:|---|---|");
}

/// A row of the table: how a program ran.
pub(crate) fn show(name: &str, measured: &Measured) {
    let number = |number: Option<u64>| number.map_or("-".to_owned(), |one| one.to_string());
    let native = match measured.native {
        None => "-",
        Some(None) => "same",
        Some(Some(_)) => "WRONG",
    };
    println!(
        "| {name} | {} | {} | {} | {} | {} | {} | {:.1} | {} | {} |",
        measured.size,
        number(measured.prompt),
        number(measured.tokens),
        number(measured.contexts.map(|(contexts, _)| contexts)),
        number(measured.contexts.map(|(_, reread)| reread)),
        measured.profile.unwrap_or("-"),
        measured.seconds,
        measured.verdict.line(),
        native
    );
    if let Verdict::Unknown(problem) = &measured.verdict {
        eprintln!("{name}: {problem}");
    }
}
