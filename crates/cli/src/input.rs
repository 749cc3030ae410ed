//! Loading of programs, models and input.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Error, anyhow};
use weightware::{
    BLOCK, Clang, Computer, Input, Instruction, Library, Lowered, MemoryWindow, Model, Options,
    Profile, Program, Source, profile_model,
};

use crate::args::{ModelArgs, ProgramArgs};
use crate::builtin;
use crate::failure::{Failure, Result};
use crate::folders;
use crate::function::Function;
use crate::grown::Grown;
use crate::sources;
use crate::stdin;
use crate::stored::{Invocation, Stored};
use crate::target::Target;
use crate::units::{flag, kibibytes};

/// Bytes of a page of memory.
const PAGE: u64 = 1 << 16;

/// Bytes for the state of most programs: a frame has some hundreds.
const ROOM: u64 = 16 << 10;

/// A program before its input is known.
#[derive(Clone)]
pub(crate) struct Loaded {
    source: Source,
    /// The module, or the text, that it was lowered from.
    bytes: Vec<u8>,
    options: Options,
    /// The number at which its block in the weights begins, if it was grown into them.
    start: Option<u32>,
    /// The profile of the machine that it is lowered for.
    profile: Option<Profile>,
    /// Why it was lowered for one context, if it was.
    why_one: Option<&'static str>,
    /// Whether `options` were given a number of pages by the user.
    pages_given: bool,
    /// The program's name, its first argument.
    name: String,
    /// The program's name in errors.
    place: String,
    arguments: Vec<String>,
    env: Vec<String>,
    input: Option<Vec<u8>>,
    from_stdin: bool,
}

/// A program with its input.
pub(crate) struct Ready {
    pub(crate) program: Program,
    /// Bytes of input.
    pub(crate) input: Vec<u8>,
}

impl Loaded {
    /// Reads the program from the file, or from stdin if it is `-`, for a machine of a profile.
    pub(crate) fn read(
        file: &Path,
        args: &ProgramArgs,
        machine: impl Into<Target>,
        quiet: bool,
    ) -> Result<Self> {
        let Target {
            profile,
            library,
            is_open,
        } = machine.into();
        let from_stdin = file == Path::new("-");
        let place = match from_stdin {
            true => "the program on stdin".to_owned(),
            false => file.display().to_string(),
        };
        let compiles = Clang::compiles(file);
        keep(file, "-o", args.clang.output.as_deref())?;
        let (sources, mut arguments) = sources::split(file, &args.more);
        arguments.extend(args.arguments.iter().cloned());
        let bytes = match (from_stdin, compiles) {
            (true, _) => stdin::whole("a program", quiet)?,
            (_, true) => sources::compile(&sources, &args.clang, library.as_deref(), quiet)?,
            _ => std::fs::read(file)
                .map_err(|error| Failure::Refused(Error::new(error).context(place.clone())))?,
        };
        if let (Some(option), false) = (args.clang.given(), compiles) {
            return Err(Failure::Refused(anyhow!(
                "{option} is for C and C++, which {place} is not: a module keeps what it was linked with"
            )));
        }
        let mut options = Options::default()
            .with_file(if from_stdin { Path::new("stdin") } else { file })
            .with_turns(true);
        options.library = match is_open {
            true => builtin::imported_by(&bytes)?,
            false => library,
        };
        if let Some(pages) = pages(args.memory, profile)? {
            options = options.with_memory_pages(pages);
        }
        if let Some(export) = &args.invoke {
            options = options.with_invocation(export, arguments.drain(..));
        }
        let source = Source::parse_with(&bytes, &options)
            .map_err(|error| match bytes.is_empty() {
                true => anyhow!("{place}: this is empty, and no program"),
                false => Error::new(error).context(place.clone()),
            })
            .map_err(Failure::Refused)?;
        let name = file.file_name().unwrap_or(file.as_os_str());
        Ok(Self {
            source,
            bytes,
            options,
            start: None,
            profile,
            why_one: None,
            pages_given: args.memory.is_some(),
            name: name.to_string_lossy().into_owned(),
            place,
            arguments,
            env: args.env.clone(),
            input: args.input_hex.clone(),
            from_stdin,
        })
    }

    /// The program that a folder stores beside the model that has it in its weights.
    pub(crate) fn stored(
        folder: &Path,
        stored: &Stored,
        args: &ProgramArgs,
        machine: impl Into<Target>,
    ) -> Result<Self> {
        let path = folder.join(&stored.file);
        let mut loaded = Self::beside(&path, stored, args, machine.into(), "compile")?;
        loaded.fix(stored)?;
        Ok(loaded)
    }

    /// The program that a folder stores beside the model that it was grown into.
    pub(crate) fn grown(
        folder: &Path,
        grown: &Grown,
        args: &ProgramArgs,
        machine: impl Into<Target>,
    ) -> Result<Self> {
        let path = grown.path(folder);
        let mut loaded = Self::beside(&path, &grown.program, args, machine.into(), "grow")?;
        loaded.options.first = grown.first;
        loaded.start = Some(grown.start);
        loaded.fix(&grown.program)?;
        Ok(loaded)
    }

    /// A program that a command has put into the weights, before it is lowered.
    fn beside(
        path: &Path,
        stored: &Stored,
        args: &ProgramArgs,
        machine: Target,
        command: &str,
    ) -> Result<Self> {
        let Target {
            profile, library, ..
        } = machine;
        if let Some(option) = args.of_lowering() {
            return Err(Failure::Refused(anyhow!(
                "{option} is for a program that is not in the weights yet, and this one is: leave it out, or give it to `weightware {command}`"
            )));
        }
        let bytes = std::fs::read(path).map_err(|error| {
            Failure::Refused(Error::new(error).context(format!(
                "{}: it is the program in the weights; `weightware {command}` writes it",
                path.display()
            )))
        })?;
        let mut arguments = args.more.clone();
        arguments.extend(args.arguments.iter().cloned());
        let mut loaded = Self {
            source: Source::Tokens(Program::default()),
            bytes,
            options: Options::default().with_file(path).with_turns(true),
            start: None,
            profile,
            why_one: None,
            pages_given: true,
            name: stored.name.clone(),
            place: path.display().to_string(),
            arguments,
            env: args.env.clone(),
            input: args.input_hex.clone(),
            from_stdin: false,
        };
        loaded.options.library = library;
        Ok(loaded)
    }

    /// Lowers the program as it was lowered for the weights.
    pub(crate) fn fix(&mut self, stored: &Stored) -> Result<()> {
        self.pages_given = true;
        self.profile = None;
        if let Some(Invocation { export, arguments }) = &stored.invoke {
            self.options = self
                .options
                .clone()
                .with_invocation(export, arguments.iter().cloned());
        }
        self.options.turns = stored.turns;
        self.options.state_address = stored.state_address;
        self.parse(stored.memory_pages)
    }

    /// How the program was lowered.
    pub(crate) fn stored_as(&self, args: &ProgramArgs) -> Stored {
        let text = matches!(self.source, Source::Tokens(_));
        Stored {
            file: if text { "program.tok" } else { "program.wasm" }.to_owned(),
            name: self.name.clone(),
            memory_pages: self.options.memory_pages,
            turns: self.options.turns,
            state_address: self.options.state_address,
            invoke: args.invoke.clone().map(|export| Invocation {
                export,
                arguments: args.more.iter().chain(&args.arguments).cloned().collect(),
            }),
        }
    }

    /// The library that the program was lowered for.
    pub(crate) fn library(&self) -> Option<&Library> {
        self.options.library.as_deref()
    }

    /// The result of the lowering, if the program is a module.
    pub(crate) fn lowered(&self) -> Option<&Lowered> {
        self.source.lowered()
    }

    /// The module's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The function that an instruction of the program belongs to, if it was lowered from a module.
    pub(crate) fn function(&self, instruction: usize) -> Option<Function> {
        let location = self.lowered()?.location(instruction)?;
        Some(Function {
            name: location.name.to_owned(),
            index: location.function,
            offset: location.offset,
        })
    }

    /// An error of a run that did not begin, with the function that it is about.
    pub(crate) fn refused(&self, error: weightware::Error) -> Failure {
        let function = match &error {
            weightware::Error::MissingModule { index, .. } => self.function(*index),
            _ => None,
        };
        let error = Error::new(error);
        Failure::Refused(match function {
            Some(function) => error.context(format!("{}: in {function}", self.place)),
            None => error,
        })
    }

    /// The program with its arguments, environment and input, which is read from stdin if the
    /// program reads any. A program that takes no arguments is given none, as other engines do. The
    /// library that it was lowered for is in the weights.
    pub(crate) fn program(&mut self, quiet: bool) -> Result<Ready> {
        let bytes = match &self.input {
            _ if !self.source.reads_bytes() => Vec::new(),
            Some(bytes) => bytes.clone(),
            None if self.from_stdin => {
                return Err(Failure::Refused(anyhow!(
                    "the program reads input, but stdin holds the program itself; give the program as a file, or its input by --input-hex"
                )));
            }
            None => stdin::whole("the program's input", quiet)?,
        };
        self.with_input(bytes)
    }

    fn with_input(&mut self, bytes: Vec<u8>) -> Result<Ready> {
        let names = std::iter::once(&self.name).chain(&self.arguments);
        let input = Input {
            arguments: names.map(|name| name.clone().into_bytes()).collect(),
            environment: self
                .env
                .iter()
                .map(|entry| entry.clone().into_bytes())
                .collect(),
            bytes: bytes.clone(),
        };
        self.check_room(&input)?;
        self.fit(&input)?;
        self.leave_room(&input)?;
        let program = Program {
            resident: self.library().map(Library::resident),
            ..self.source.program(input)
        };
        let program = match self.start {
            Some(start) => self.in_block(program, start)?,
            None => program,
        };
        Ok(Ready {
            program,
            input: bytes,
        })
    }

    /// The program with its state saved at the end of the memory of a profile, so that it is the
    /// same for every input.
    pub(crate) fn with_fixed_state(&mut self, profile: Profile) -> Result<Ready> {
        let address = profile.memory_bytes().saturating_sub(ROOM) / u64::from(BLOCK);
        self.options.state_address = u32::try_from(address * u64::from(BLOCK)).ok();
        self.profile = None;
        self.parse(self.options.memory_pages)?;
        self.with_input(vec![])
    }

    /// Lowers the program for a block of the weights that begins at a number. Returns the number of
    /// its first instruction, and the block.
    pub(crate) fn at(&mut self, start: u32) -> Result<(u32, Arc<[Instruction]>)> {
        let program = self.source.program(Input::default());
        let first = program.first_in_block(start, self.inputs());
        self.options.first = first.map_err(|error| self.unplaced(error))?;
        self.start = Some(start);
        self.parse(self.options.memory_pages)?;
        Ok((self.options.first, self.block()?))
    }

    /// The code of the program in the weights, if it was grown into them.
    pub(crate) fn block(&self) -> Result<Arc<[Instruction]>> {
        let start = self.start.unwrap_or(0);
        let program = self.in_block(self.source.program(Input::default()), start)?;
        let blocks = program.resident.map(|part| part.library);
        let block = blocks.into_iter().flatten().next();
        Ok(block.map_or_else(|| Arc::from([]), |(_, code)| code))
    }

    /// The instructions of the program, in the prompt or in the weights.
    pub(crate) fn instructions(&self, program: &Program) -> usize {
        let blocks = program.resident.iter().flat_map(|part| &part.library);
        let mut own = blocks.filter(|(first, _)| Some(*first) == self.start);
        own.next()
            .map_or(program.code.len(), |(_, code)| code.len())
    }

    /// The program that jumps to its block, which begins at a number.
    fn in_block(&self, program: Program, start: u32) -> Result<Program> {
        let program = program.into_block(start, self.inputs());
        program.map_err(|error| self.unplaced(error))
    }

    fn unplaced(&self, error: impl std::error::Error + Send + Sync + 'static) -> Failure {
        Failure::Refused(Error::new(error).context(self.place.clone()))
    }

    /// The sections that hold input.
    pub(crate) fn inputs(&self) -> usize {
        usize::from(self.lowered().is_some_and(|lowered| lowered.reads_input))
    }

    /// Refuses an input that reaches where the program in the weights saves its state.
    fn check_room(&self, input: &Input) -> Result<()> {
        let Some(state) = self.options.state_address else {
            return Ok(());
        };
        let ends = self.lowered().and_then(|lowered| lowered.input_end(input));
        match ends {
            Some(end) if end > u64::from(state) => Err(Failure::Refused(anyhow!(
                "the input is too long by {} bytes for the model, which saves the program's state after it; `weightware {} --shape far` has room for more",
                end - u64::from(state),
                match self.start {
                    Some(_) => "weights --rom none",
                    None => "compile",
                }
            ))),
            _ => Ok(()),
        }
    }

    /// The window of the module's memory that a machine of another profile holds.
    pub(crate) fn window(&self, profile: Profile) -> Option<MemoryWindow> {
        let mut loaded = self.clone();
        if !self.pages_given {
            loaded.lower(profile.memory_pages(0)).ok()?;
        }
        Some(loaded.lowered()?.memory)
    }

    /// This program with its input, lowered for a machine of another profile.
    pub(crate) fn lowered_for(&self, profile: Profile, ready: &Ready) -> Result<(Self, Ready)> {
        let mut loaded = self.clone();
        loaded.profile = Some(profile);
        loaded.options.turns = true;
        loaded.why_one = None;
        loaded.parse(match self.pages_given {
            true => self.options.memory_pages,
            false => Some(profile.memory_pages(0)),
        })?;
        let ready = loaded.with_input(ready.input.clone())?;
        Ok((loaded, ready))
    }

    /// Why the program cannot go on in another context, if it cannot.
    pub(crate) fn why_one(&self) -> &'static str {
        match (self.lowered(), self.why_one) {
            (None, _) => "a token program has no handler that saves its state",
            (Some(_), Some(why)) => why,
            (Some(_), None) => "its functions or globals have more words than can be saved",
        }
    }

    /// Lowers the program again, without the handler that goes on in another context.
    fn keep_to_one(&mut self, why: &'static str) -> Result<()> {
        self.options.turns = false;
        self.why_one = Some(why);
        self.parse(self.options.memory_pages)
    }

    /// The program with its input, for a model that lacks an instruction of the handler.
    pub(crate) fn without_handler(&mut self, ready: Ready) -> Result<Ready> {
        self.keep_to_one("the model lacks instructions of the handler that saves its state")?;
        self.with_input(ready.input)
    }

    /// Leaves room for the state of a program that goes on in another context, after memory and
    /// input: the memory grows by a little less. Without room, the program has one context.
    fn leave_room(&mut self, input: &Input) -> Result<()> {
        let (Some(profile), Some(lowered)) = (self.profile, self.source.lowered()) else {
            return Ok(());
        };
        let fits = |lowered: &Lowered, room: u64| {
            state_address(lowered, input) + room <= profile.memory_bytes()
        };
        if fits(lowered, ROOM) {
            return Ok(());
        }
        let pages = profile.memory_pages(input_bytes(lowered, input) + ROOM);
        let most = self.options.memory_pages.unwrap_or(0);
        let little = 8 * u64::from(pages) >= 7 * u64::from(most);
        if little && pages < most && !self.pages_given {
            self.lower(pages)?;
        }
        // Memory is saved in blocks, and a state has one at least.
        let room = self
            .source
            .lowered()
            .is_some_and(|lowered| fits(lowered, u64::from(BLOCK)));
        if !room {
            self.keep_to_one(match profile.cells {
                Some(_) => "its memory leaves the machine no room for its state, and a smaller --memory may",
                None => "its memory leaves the machine no room for its state, and --shape far or a smaller --memory may",
            })?;
        }
        Ok(())
    }

    /// Leaves room for the input: it lies after all that the memory may grow to, so the memory
    /// grows by less where the machine holds no more.
    fn fit(&mut self, input: &Input) -> Result<()> {
        let (Some(profile), Some(lowered)) = (self.profile, self.source.lowered()) else {
            return Ok(());
        };
        let (Some(end), Some(start)) = (lowered.input_end(input), lowered.input_address) else {
            return Ok(());
        };
        let pages = profile.memory_pages(end - u64::from(start));
        let grows_less = pages > 0 && self.options.memory_pages.is_none_or(|most| pages < most);
        match end > profile.memory_bytes() && grows_less && !self.pages_given {
            true => self.lower(pages),
            false => Ok(()),
        }
    }

    /// Lowers the program again, with a memory that grows to a number of pages.
    fn lower(&mut self, pages: u32) -> Result<()> {
        self.parse(Some(pages))
    }

    fn parse(&mut self, pages: Option<u32>) -> Result<()> {
        self.options.memory_pages = pages;
        let source = Source::parse_with(&self.bytes, &self.options);
        self.source = source
            .map_err(|error| Failure::Refused(Error::new(error).context(self.place.clone())))?;
        Ok(())
    }
}

/// The machine's address from which on a program saves its state, at least: after its memory and
/// its data.
fn state_address(lowered: &Lowered, input: &Input) -> u64 {
    let memory = u64::from(lowered.memory.end);
    let input = lowered.input_end(input).unwrap_or(0);
    memory.max(input).next_multiple_of(u64::from(BLOCK))
}

/// The bytes of a program's input, with all that is stored beside it.
fn input_bytes(lowered: &Lowered, input: &Input) -> u64 {
    let end = lowered.input_end(input).zip(lowered.input_address);
    end.map_or(0, |(end, start)| end - u64::from(start))
}

/// Refuses an output that would overwrite the file that is read.
pub(crate) fn keep(file: &Path, option: &str, output: Option<&Path>) -> Result<()> {
    let output = output.and_then(|output| output.canonicalize().ok());
    match output.is_some() && output == file.canonicalize().ok() {
        true => Err(Failure::Refused(anyhow!(
            "{option} would overwrite {}, which is read; name another file",
            file.display()
        ))),
        false => Ok(()),
    }
}

/// Pages that the memory may grow to: what is asked for, or what a machine of the profile holds.
fn pages(memory: Option<u64>, profile: Option<Profile>) -> Result<Option<u32>> {
    let to_pages = |bytes: u64| u32::try_from(bytes / PAGE).unwrap_or(u32::MAX);
    match (memory, profile) {
        (Some(memory), Some(profile)) if memory > profile.memory_bytes() => {
            let wider = Profile::ALL
                .into_iter()
                .find(|other| other.memory_bytes() >= memory);
            let remedy = match wider {
                Some(other) => {
                    format!("{} holds {}", flag(&other), kibibytes(other.memory_bytes()))
                }
                None => format!(
                    "no profile holds more than {}",
                    kibibytes(Profile::FAR.memory_bytes())
                ),
            };
            Err(Failure::Refused(anyhow!(
                "--memory: the profile {} holds {}; {remedy}",
                profile.name,
                kibibytes(profile.memory_bytes())
            )))
        }
        (Some(memory), _) => Ok(Some(to_pages(memory))),
        (None, profile) => Ok(profile.map(|profile| profile.memory_pages(0))),
    }
}

/// The model in a folder, or the compiled one.
pub(crate) fn compiled_or(args: &ModelArgs) -> Result<Model> {
    match (&args.folder, args.machine.any()) {
        (Some(folder), false) => folders::model(folder),
        (Some(_), true) => Err(Failure::Refused(anyhow!(
            "a model folder is what it is: --profile, --shape and --context choose among compiled weights; leave out either --model or these"
        ))),
        (None, _) => {
            let profile = args.machine.profile().unwrap_or_default();
            Ok(profile_model(args.machine.tuned(profile)?))
        }
    }
}

/// A computer with the model in a folder, or the compiled one.
pub(crate) fn computer(args: &ModelArgs) -> Result<Computer> {
    let model = compiled_or(args)?;
    Computer::new(model).map_err(|error| {
        let other = matches!(error, weightware::Error::MissingToken(_));
        let error = anyhow!(
            "{error}{}",
            match other {
                true => "; `weightware generate` decodes models of any vocabulary",
                false => "",
            }
        );
        Failure::Refused(match &args.folder {
            Some(folder) => error.context(format!("the model {}", folder.display())),
            None => error,
        })
    })
}
