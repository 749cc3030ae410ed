//! Whole runs of modules: by the weights, by the plain interpreter, or by an independent engine.

use weightware::{Computer, Engine, RunEnd};
use weightware_compiler::machine::Profile;
use weightware_frontend::{Error, Lowered, Options, lower};
use weightware_isa::{Interpreter, Outcome, Program};

use crate::host;
use crate::streams::Streams;

/// A way to run modules.
#[derive(Debug, Clone, Copy)]
pub enum Executor<'c> {
    /// An independent engine runs the module itself. This tests a suite, not the machine.
    Wasmi,
    /// The plain interpreter runs the lowered program: a quick check, which does not test the
    /// weights.
    Interpreter,
    /// The plain interpreter, with contexts of this many tokens.
    Turning(u64),
    /// An engine decodes the weights.
    Weights(&'c Computer, Engine),
}

/// A module ready to be run.
#[derive(Debug)]
pub enum Loaded {
    /// The module itself.
    Module(Vec<u8>),
    /// The lowered program.
    Program(Box<Lowered>),
}

/// The engine of commands that name none.
pub const FASTEST: Engine = Engine::Plan;

/// The end of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// The program ended by itself.
    Outcome(Outcome),
    /// The run reached the limit on tokens.
    Budget,
    /// The next token would not be certified, for this reason.
    Horizon(String),
    /// The program is not valid, or the model is not one of this machine.
    Broken(String),
}

/// The result of a run.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The bytes of output.
    pub streams: Streams,
    /// How it ended.
    pub ending: Ending,
    /// The number of tokens of the trace.
    pub tokens: u64,
    /// The number of tokens of the prompt.
    pub prompt: u64,
}

impl Executor<'_> {
    /// Prepares a module for this executor.
    ///
    /// # Errors
    /// If it cannot be lowered.
    pub fn load(&self, module: &[u8], options: &Options) -> Result<Loaded, Error> {
        match self {
            Executor::Wasmi => Ok(Loaded::Module(module.to_vec())),
            Executor::Turning(_) => {
                let options = options.clone().with_turns(true);
                Ok(Loaded::Program(Box::new(lower(module, &options)?)))
            }
            _ => Ok(Loaded::Program(Box::new(lower(module, options)?))),
        }
    }

    /// Runs a module that this executor has prepared, for at most `limit` tokens.
    #[must_use]
    pub fn run(&self, loaded: &Loaded, input: &[u8], limit: u64) -> Ran {
        match loaded {
            Loaded::Module(module) => wasmi(module, input),
            Loaded::Program(lowered) => self.program(&lowered.with_input(input), limit),
        }
    }

    /// Runs a program for at most `limit` tokens.
    fn program(&self, program: &Program, limit: u64) -> Ran {
        match *self {
            Executor::Wasmi => unreachable!("load keeps the module for this executor"),
            Executor::Interpreter | Executor::Turning(_) => {
                let mut run = Interpreter::new(program);
                if let Executor::Turning(tokens) = *self {
                    run = Profile::STOCK.with_context(tokens).interpreter(program);
                }
                let ending = loop {
                    let ending = match run.run(limit) {
                        Ok(Some(outcome)) => Ending::Outcome(outcome),
                        Ok(None) => Ending::Budget,
                        Err(fault) => Ending::Broken(fault.to_string()),
                    };
                    if run.tokens() > limit {
                        break Ending::Budget;
                    }
                    if !run.turn() {
                        break ending;
                    }
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
                        unreachable!("a run without a check ended as {end:?}")
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
