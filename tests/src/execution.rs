//! Modules run to their end: by the weights, by the plain interpreter, by an independent engine.

use weightware::{Computer, Engine, RunEnd};
use weightware_frontend::{Error, Lowered, Options, lower};
use weightware_isa::{Interpreter, Outcome, Program};

use crate::host;
use crate::streams::Streams;

/// What runs modules.
#[derive(Debug, Clone, Copy)]
pub enum Executor<'c> {
    /// An independent engine runs the module itself: shows what a suite is worth, and nothing of
    /// the machine.
    Wasmi,
    /// The plain interpreter runs the lowered program: a quick look, which shows nothing of the
    /// weights.
    Interpreter,
    /// The weights, decoded.
    Weights(&'c Computer, Engine),
}

/// A module ready to be run.
#[derive(Debug)]
pub enum Loaded {
    /// As it is.
    Module(Vec<u8>),
    /// As a program.
    Program(Box<Lowered>),
}

/// The engine that commands take if none is named.
pub const FASTEST: Engine = Engine::Plan;

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
    pub streams: Streams,
    /// How it ended.
    pub ending: Ending,
    /// Tokens on the trace.
    pub tokens: u64,
    /// Tokens of the prompt.
    pub prompt: u64,
}

impl Executor<'_> {
    /// Makes a module ready.
    ///
    /// # Errors
    /// If it cannot be lowered.
    pub fn load(&self, module: &[u8], options: &Options) -> Result<Loaded, Error> {
        match self {
            Executor::Wasmi => Ok(Loaded::Module(module.to_vec())),
            _ => Ok(Loaded::Program(Box::new(lower(module, options)?))),
        }
    }

    /// Runs a module that this executor has made ready, for at most so many tokens.
    #[must_use]
    pub fn run(&self, loaded: &Loaded, input: &[u8], limit: u64) -> Ran {
        match loaded {
            Loaded::Module(module) => wasmi(module, input),
            Loaded::Program(lowered) => self.program(&lowered.with_input(input), limit),
        }
    }

    /// Runs a program for at most so many tokens.
    fn program(&self, program: &Program, limit: u64) -> Ran {
        match *self {
            Executor::Wasmi => unreachable!("it makes no program of a module"),
            Executor::Interpreter => {
                let mut run = Interpreter::new(program);
                let ending = match run.run(limit) {
                    Ok(Some(outcome)) => Ending::Outcome(outcome),
                    Ok(None) => Ending::Budget,
                    Err(fault) => Ending::Broken(fault.to_string()),
                };
                Ran {
                    streams: Streams::new(run.output(), run.stderr()),
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
                            streams: Streams::default(),
                            ending: Ending::Broken(error.to_string()),
                            tokens: 0,
                            prompt: 0,
                        };
                    }
                };
                let ending = match run.finish() {
                    RunEnd::Outcome(outcome) => Ending::Outcome(outcome),
                    RunEnd::MaxTokens => Ending::Budget,
                    RunEnd::Horizon { reason, .. } => Ending::Horizon(reason.to_string()),
                    RunEnd::UnknownToken { token } => Ending::Broken(format!("the token {token}")),
                    RunEnd::Derailed { at, token } => {
                        Ending::Broken(format!("no program makes token {}, {token}", at.index))
                    }
                    end @ (RunEnd::Differs { .. } | RunEnd::Fault { .. }) => {
                        unreachable!("nobody checks the run: {end:?}")
                    }
                };
                Ran {
                    streams: Streams::new(run.reader().output(), run.reader().stderr()),
                    ending,
                    tokens: run.reader().tokens(),
                    prompt: run.prompt_tokens(),
                }
            }
        }
    }
}

fn wasmi(module: &[u8], input: &[u8]) -> Ran {
    let (streams, ending) = match host::run(module, input) {
        Ok((streams, outcome)) => (streams, Ending::Outcome(outcome)),
        Err(error) => (Streams::default(), Ending::Broken(error)),
    };
    Ran {
        streams,
        ending,
        tokens: 0,
        prompt: 0,
    }
}
