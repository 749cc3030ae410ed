//! Programs run to their end, by the plain interpreter or by the weights.

use weightware::{Computer, End, Engine};
use weightware_isa::{Interpreter, Outcome, Program};

/// What runs a program.
#[derive(Debug, Clone, Copy)]
pub enum Executor<'c> {
    /// The plain interpreter: a quick look, which shows nothing of the weights.
    Interpreter,
    /// The weights, decoded.
    Weights(&'c Computer, Engine),
}

/// The engine that commands take if none is named.
pub const FASTEST: Engine = Engine::Hull;

/// How a program came to its end.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// It ended itself.
    Outcome(Outcome),
    /// The limit on tokens is reached.
    Budget,
    /// The next token would not be certified, because of this.
    Horizon(String),
    /// It is no program, or the model is none of this machine.
    Broken(String),
}

/// A program that was run.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The bytes put out.
    pub output: Vec<u8>,
    /// How it ended.
    pub ending: Ending,
    /// Tokens on the trace.
    pub tokens: u64,
    /// Tokens of the prompt.
    pub prompt: u64,
}

impl Executor<'_> {
    /// Runs a program for at most so many tokens.
    #[must_use]
    pub fn run(&self, program: &Program, limit: u64) -> Ran {
        match *self {
            Executor::Interpreter => {
                let mut run = Interpreter::new(program);
                let ending = match run.run(limit) {
                    Ok(Some(outcome)) => Ending::Outcome(outcome),
                    Ok(None) => Ending::Budget,
                    Err(fault) => Ending::Broken(fault.to_string()),
                };
                Ran {
                    output: run.output().to_vec(),
                    ending,
                    tokens: run.tokens(),
                    prompt: program.full_prompt().count() as u64,
                }
            }
            Executor::Weights(computer, engine) => {
                let mut run = match computer.run(program, engine, Some(limit)) {
                    Ok(run) => run,
                    Err(error) => {
                        return Ran {
                            output: vec![],
                            ending: Ending::Broken(error.to_string()),
                            tokens: 0,
                            prompt: 0,
                        };
                    }
                };
                let ending = match run.finish() {
                    End::Outcome(outcome) => Ending::Outcome(outcome),
                    End::Budget => Ending::Budget,
                    End::Horizon { why, .. } => Ending::Horizon(why),
                    End::Nonsense { token } => Ending::Broken(format!("the token {token}")),
                };
                Ran {
                    output: run.reader().output().to_vec(),
                    ending,
                    tokens: run.reader().tokens(),
                    prompt: run.prompt_tokens(),
                }
            }
        }
    }
}
