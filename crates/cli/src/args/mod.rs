//! The commands and their arguments.

mod generate;
mod machine;
mod program;
mod values;

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};
use clap_complete::Shell;
use weightware::Extension;

pub(crate) use self::generate::{GeneralArgs, GenerateArgs, GenerateEngine};
pub(crate) use self::machine::{EngineName, MachineArgs, ModelArgs};
use self::program::FILE_HELP;
pub(crate) use self::program::{ClangArgs, FileArgs, ProgramArgs, SourceArgs};
use self::values::count;

const EXIT_CODES: &str = "\
Exit codes of `run` and `trace`:
    0        the program halted
    0-255    the program's own exit code, its lowest 8 bits
    1        reading or writing failed, or the model's answer means nothing to the machine
    2        refused: usage, file, program or model
    121      --check: the program does what no valid program does; what follows cannot be checked
    122      derailed: the model put out a token that no program makes there
    123      --check: the model put out another token than the plain interpreter
    124      the token limit was reached (--max-tokens)
    125      the horizon was reached: tokens beyond it are not certified, or the context is full and
             the program's state does not fit into another one
    130      interrupted by Ctrl-C
    134      the program trapped
    141      the reader of stdout, or of the program's stderr, is gone
A program may exit with one of these codes itself; --json tells which it was.";

const EXAMPLES: &str = "\
Examples:
    weightware run hello.wasm
    echo abc | weightware run echo.wasm --stats
    weightware trace hello.wasm | head
    weightware explain hello.wasm --token 0
    weightware weights --out model
    weightware tokens hello.wasm --full | weightware generate --model model --prompt -";

/// Runs WebAssembly inside a transformer: a program becomes a prompt, its execution the tokens
/// decoded after it.
#[derive(Debug, Parser)]
#[command(
    name = "weightware",
    version,
    arg_required_else_help = true,
    after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"),
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs a program: what it writes to stdout and stderr goes there as it is decoded
    #[command(after_help = format!("\
Examples:
    weightware run hello.wasm
    weightware run sudoku.wasm --stats < board.txt
    weightware run --profile long primes.wasm
    weightware run --context 100000 primes.wasm --stats
    weightware run loops.wasm --max-tokens 100000 --save loops.run
    weightware run --resume loops.run --json -
    weightware run sudoku.wasm --check < board.txt
    weightware run main.c list.c -O3 -DN=9 -o main.wasm
    weightware run hello.wasm first second --env LANG=C
    weightware run sum.wat --invoke add 3 5
    weightware run --model model --program fib

{EXIT_CODES}"))]
    Run(ExecutionArgs),

    /// Prints the tokens that are decoded, one executed instruction a line
    #[command(after_help = format!("\
A line is the bytes of an instruction's result, lowest first, and a token that says what it did. A line that begins with `#` says
where another context begins.

Examples:
    weightware trace hello.wasm | head
    echo '{{ i32.const 03 00 00 00 output 00 00 00 00 }}' | weightware trace -

{EXIT_CODES}"))]
    Trace(ExecutionArgs),

    /// Explains one token of the trace: attention, residual stream, logits
    #[command(after_help = "\
The run is decoded up to the token; then all tokens before it pass through the layers twice, by --engine. Later half-layers add to a
dimension that is marked `…`.

Examples:
    weightware explain hello.wasm --token 0
    weightware explain hello.wasm --token -1
    weightware explain sudoku.wasm --token 1000 --json < board.txt

Exit codes:
    0    the token is explained
    1    reading or writing failed, or the engines disagree
    2    refused: usage, file, program or model, or the run has no such token
    141  the reader of stdout is gone")]
    Explain(ExplainArgs),

    /// States what a program needs before it runs, and whether a machine has it
    #[command(after_help = "\
A program that reads input takes it from stdin: its length counts. With a model alone, what it has in its weights is listed.

Examples:
    weightware info hello.wasm
    weightware info database.wasm --shape far < queries.sql
    weightware info hello.c --json
    weightware info --model model

Exit codes:
    0    the program fits
    1    reading or writing failed
    2    refused: usage, file, program or model
    125  the program does not fit")]
    Info(InfoArgs),

    /// Prints a program's prompt
    #[command(after_help = "\
A program that reads input takes it from stdin: it is part of the prompt.

Examples:
    weightware tokens hello.wasm
    weightware tokens hello.wasm --full > prompt.txt")]
    Tokens(TokensArgs),

    /// Adds code to a model's weights: neurons are appended, and no weight changes
    #[command(after_help = "\
What the model has run before, it runs the same, from the same prompts. A module of your own is a folder of C files, whose exported
functions are declared as in the headers of `weightware modules --headers DIR`, or a WebAssembly module without state; its name is that
of the folder or file. A program keeps its file in DIR/programs; its prompt is its input and a jump to its code.

Examples:
    weightware weights --rom none --out model
    weightware grow model --add software,sorting
    weightware grow model --module statistics
    weightware grow model --program fib.c --as fib
    weightware run --model model --program fib")]
    Grow(GrowArgs),

    /// Lists the library modules that a model may have in its weights, or the functions of one
    #[command(after_help = "\
A program reaches a module by import, `(import \"sorting\" \"sort_i32\" (func ...))`, or in C by its header. `run` then takes a
machine that has the module; --rom puts modules into a model folder.

Examples:
    weightware modules
    weightware modules sorting
    weightware modules --headers include
    weightware weights --rom software,sorting --out model")]
    Modules(ModulesArgs),

    /// Writes the compiled weights as a model folder
    #[command(after_help = "\
The folder holds config.json, model.safetensors, tokenizer.json and generation_config.json, a model card README.md, and names.json:
the names of heads, neurons and slots, which no engine reads. It is written into if it exists; other files in it stay, and so
does a README.md that this command did not write. What each layer uses of its heads, neurons and slots is told on stderr.

Examples:
    weightware weights --out model
    weightware weights --out long --profile long
    weightware weights --out far --shape far
    weightware weights --out small --modules core,traps,bits")]
    Weights(WeightsArgs),

    /// Compiles a program into the weights of a model, whose prompts then have only its input
    #[command(after_help = "\
The folder holds a model, and the program in two more files that no engine reads: program.wasm (or program.tok) and program.json, by
which `run` knows the input that the program takes, and checks that the weights hold this program. prompt.txt is the prompt without
input or arguments.

Examples:
    weightware compile sudoku.c --out solver
    weightware run --model solver < board.txt
    weightware compile fib.wasm --out fib
    weightware generate --model fib --prompt @fib/prompt.txt")]
    Compile(CompileArgs),

    /// Proves, head by head, up to where attention over a model's keys is exact
    #[command(after_help = "\
Computed from the weights alone. Exit code 0: what config.json states is proved; 1: it is not. Longer runs are covered one context at
a time, by the length in config.json. With a program the program is run, and a line for each box tells how far it went, and how it
ended; if it derailed, the exit code is 1 too.

Examples:
    weightware certify
    weightware certify --profile long
    weightware certify --model model --json
    weightware certify sudoku.wasm < board.txt")]
    Certify(CertifyArgs),

    /// Decodes a prompt with any model folder: a plain executor or a transformer as it is trained
    #[command(after_help = "\
Tokens are words separated by white space or single characters, as the model's tokenizer.json says. Decoding ends at an end token of
the model. Plain models decode greedily, by the engine plan if none is named. General models decode by softmax if no engine is named;
sparse finds the best keys of heads of dimension 2 or 3 in nested hulls, and --stats has the proved bounds of what they leave out.

Examples:
    weightware generate --model model --prompt @prompt.txt
    weightware generate --model copy --prompt 'a b c' --max-tokens 10
    weightware generate --model shakespeare --prompt 'ROMEO:' --max-tokens 500 --temperature 0.8 --seed 1
    weightware generate --model shakespeare --prompt 'ROMEO:' --engine sparse --mass-error 1e-6 --stats
    weightware generate --model large --draft small --block 4 --prompt 'ROMEO:' --max-tokens 500

Exit codes:
    0    an end token was reached
    1    reading or writing failed
    2    refused: usage, model or prompt
    124  the token limit was reached (--max-tokens)
    125  the horizon was reached: tokens beyond it are not certified
    130  interrupted by Ctrl-C
    141  the reader of stdout is gone")]
    Generate(GenerateArgs),

    /// Prints a script that completes commands in a shell
    #[command(after_help = "\
Examples:
    weightware completions bash > ~/.local/share/bash-completion/completions/weightware
    weightware completions zsh > ~/.zfunc/_weightware")]
    Completions {
        /// The shell
        shell: Shell,
    },

    /// Writes manual pages, one for each command
    #[command(after_help = "\
Examples:
    weightware man --out ~/.local/share/man/man1")]
    Man {
        /// The folder; it is made if it does not exist
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExecutionArgs {
    #[arg(help = FILE_HELP, required_unless_present_any = ["resume", "model"], conflicts_with = "resume")]
    pub(crate) file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) program: ProgramArgs,

    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// How to attend to past tokens
    #[arg(long, value_enum, default_value_t = EngineName::Plan)]
    pub(crate) engine: EngineName,

    /// Stop after this many tokens (more, if resumed), with exit code 124 [default: go on to the
    /// horizon]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub(crate) max_tokens: Option<u64>,

    /// Write what the program writes to stdout as hexadecimal digits
    #[arg(long)]
    pub(crate) output_hex: bool,

    /// Keep the run's tokens in FILE, those of its last context, from which --resume goes on
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,

    /// Go on with the run that --save kept in FILE, which holds program and input; it needs the
    /// same weights: name the model or the profile that the run had
    #[arg(long, value_name = "FILE", conflicts_with = "grown")]
    pub(crate) resume: Option<PathBuf>,

    /// Show each decoded token to a plain interpreter of the program: the first one that it does
    /// not confirm ends the run, with exit code 123, or 121 if it cannot tell. It never has a say
    /// in what is decoded
    #[arg(long)]
    pub(crate) check: bool,

    /// Tell on stderr, at the end, of counts, time and memory
    #[arg(long)]
    pub(crate) stats: bool,

    /// Write a JSON object that tells how the run ended to PATH, or to stderr if it is `-`
    #[arg(long, value_name = "PATH")]
    pub(crate) json: Option<PathBuf>,

    /// Show no progress and no hints on stderr
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, clap::Args)]
#[command(mut_arg("model", |model| model.help("A model folder to decode with instead of the compiled weights; its names.json has the names")))]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// The token: 0 is the first one that is generated, -1 the last
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) token: i64,

    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// How to attend to past tokens in the pass shown: hull, softmax or hardmax
    #[arg(long, value_enum, default_value_t = EngineName::Hull)]
    pub(crate) engine: EngineName,

    /// Show the kernel too that the engine `plan` runs for the token
    #[arg(long)]
    pub(crate) kernel: bool,

    /// A JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,

    /// Show no progress and no hints on stderr
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, clap::Args)]
#[command(mut_arg("model", |model| model.help("A model folder instead of the compiled weights")))]
pub(crate) struct InfoArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// A JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,

    /// Show no hints on stderr
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TokensArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// The machine, whose memory and library the program is lowered for
    #[command(flatten)]
    pub(crate) machine: ModelArgs,

    /// Begin with the fixed preamble that stands before every prompt
    #[arg(long)]
    pub(crate) full: bool,

    /// One instruction a line
    #[arg(long)]
    pub(crate) lines: bool,

    /// Show no hints on stderr
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct GrowArgs {
    /// The model folder, which is written into
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,

    /// Built-in library modules, with commas between
    #[arg(long, value_delimiter = ',', value_name = "LIST", value_parser = builtin_modules(), required_unless_present_any = ["module", "file"])]
    pub(crate) add: Vec<String>,

    /// A module of your own: a folder of C files, or a WebAssembly module; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) module: Vec<PathBuf>,

    /// A program, as `run` takes it from a file; `run --model DIR --program NAME` runs it then
    #[arg(long = "program", value_name = "FILE", requires = "name")]
    pub(crate) file: Option<PathBuf>,

    /// The name of the program: letters, digits, `-` and `_`
    #[arg(long = "as", value_name = "NAME", requires = "file")]
    pub(crate) name: Option<String>,

    #[command(flatten)]
    pub(crate) given: ProgramArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ModulesArgs {
    /// A module: its functions are listed
    #[arg(value_name = "MODULE")]
    pub(crate) name: Option<String>,

    /// Write the headers of all modules into DIR
    #[arg(long, value_name = "DIR")]
    pub(crate) headers: Option<PathBuf>,

    /// A JSON list instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompileArgs {
    #[command(flatten)]
    pub(crate) source: FileArgs,

    /// The folder; it is made if it does not exist
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    #[command(flatten)]
    pub(crate) machine: MachineArgs,

    /// Show no hints on stderr
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct WeightsArgs {
    /// The folder; it is made if it does not exist
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// The groups of instructions to compile, with commas between [default: all]; the core is
    /// always there
    #[arg(long, value_delimiter = ',', value_name = "LIST", value_parser = modules())]
    pub(crate) modules: Option<Vec<String>>,

    /// Library modules to put into the weights, with commas between; `none` for a model without
    /// any, into which modules can be put later
    #[arg(long, value_delimiter = ',', value_name = "LIST", value_parser = library_modules(), conflicts_with = "modules")]
    pub(crate) rom: Option<Vec<String>>,

    #[command(flatten)]
    pub(crate) machine: MachineArgs,
}

/// The names of all library modules.
fn builtin_modules() -> PossibleValuesParser {
    PossibleValuesParser::new(crate::builtin::names())
}

/// The names of all library modules, `all` and `none`.
fn library_modules() -> PossibleValuesParser {
    PossibleValuesParser::new(crate::builtin::names().chain(["all", "none"]))
}

/// `core` and the names of all modules.
fn modules() -> PossibleValuesParser {
    let names = Extension::ALL.into_iter().map(Extension::name);
    PossibleValuesParser::new(std::iter::once(Extension::CORE).chain(names))
}

#[derive(Debug, clap::Args)]
#[command(mut_arg("model", |model| model.help("The model folder [default: the compiled weights]")))]
pub(crate) struct CertifyArgs {
    #[arg(help = FILE_HELP)]
    pub(crate) file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) program: ProgramArgs,

    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// Stop the program after this many tokens [default: go on to the horizon]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub(crate) max_tokens: Option<u64>,

    /// A JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}
