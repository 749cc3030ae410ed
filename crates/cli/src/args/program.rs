//! How a program is compiled, lowered and given its input.

use std::path::PathBuf;

use anyhow::anyhow;

use super::values::{bytes_in_hex, size, variable};
use crate::failure::{Failure, Result};

pub(crate) const FILE_HELP: &str = "The program: a Wasm binary (.wasm), Wasm text (.wat), a token program, C or C++ (.c, .cpp; \
                                    needs clang), or `-` for a program on stdin";

/// A program that must be named.
#[derive(Debug, clap::Args)]
pub(crate) struct FileArgs {
    #[arg(help = FILE_HELP)]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) program: ProgramArgs,
}

/// A program that is named, or that a model has in its weights.
#[derive(Debug, clap::Args)]
pub(crate) struct SourceArgs {
    #[arg(help = FILE_HELP, required_unless_present = "model")]
    pub(crate) file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) program: ProgramArgs,
}

#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ProgramArgs {
    /// More C and C++ files, objects and archives, if FILE is one; then the program's arguments
    #[arg(value_name = "ARGS")]
    pub(crate) more: Vec<String>,

    /// The program's arguments, after `--`: these may begin with a hyphen
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) arguments: Vec<String>,

    /// Set a variable of the program's environment; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) env: Vec<String>,

    /// Call this export with ARGS, numbers, and print its results
    #[arg(long, value_name = "NAME")]
    pub(crate) invoke: Option<String>,

    /// The most memory that the program may have: bytes, or with K or M [default: what the model
    /// holds, beside the input]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) memory: Option<u64>,

    /// The program's input, as hexadecimal digits, instead of stdin
    #[arg(long, value_name = "HEX", value_parser = bytes_in_hex)]
    pub(crate) input_hex: Option<std::vec::Vec<u8>>,

    #[command(flatten)]
    pub(crate) clang: ClangArgs,
}

impl ProgramArgs {
    /// The program without input, which is given to each run of what is in the weights.
    pub(crate) fn without_input(&self, run: &str) -> Result<Self> {
        if self.invoke.is_none() && !(self.arguments.is_empty() && self.env.is_empty()) {
            return Err(Failure::Refused(anyhow!(
                "arguments and environment are input of a run: `{run}`"
            )));
        }
        Ok(Self {
            input_hex: Some(vec![]),
            ..self.clone()
        })
    }

    /// The name of an option that decides how the program is lowered, if one is given.
    pub(crate) fn of_lowering(&self) -> Option<&'static str> {
        let own = [
            ("--invoke", self.invoke.is_some()),
            ("--memory", self.memory.is_some()),
        ];
        let own = own
            .into_iter()
            .find_map(|(name, given)| given.then_some(name));
        own.or_else(|| self.clang.given())
    }

    /// The name of an option that is given, if one is.
    pub(crate) fn given(&self) -> Option<&'static str> {
        [
            ("ARGS", !(self.more.is_empty() && self.arguments.is_empty())),
            ("--env", !self.env.is_empty()),
            ("--invoke", self.invoke.is_some()),
            ("--memory", self.memory.is_some()),
            ("--input-hex", self.input_hex.is_some()),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
        .or_else(|| self.clang.given())
    }
}

/// For C and C++.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "C and C++")]
pub(crate) struct ClangArgs {
    /// The stack's size: bytes, or with K or M [default: 64K]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) stack_size: Option<u64>,

    /// Keep the compiled module in FILE
    #[arg(short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Optimisation [default: 2]
    #[arg(short = 'O', value_name = "LEVEL")]
    pub(crate) optimize: Option<String>,

    /// Define a macro
    #[arg(short = 'D', value_name = "NAME[=VALUE]")]
    pub(crate) define: Vec<String>,

    /// A folder of headers
    #[arg(short = 'I', value_name = "DIR")]
    pub(crate) include: Vec<String>,

    /// A folder of libraries
    #[arg(short = 'L', value_name = "DIR")]
    pub(crate) library_path: Vec<String>,

    /// A library
    #[arg(short = 'l', value_name = "NAME")]
    pub(crate) library: Vec<String>,

    /// A warning, or what goes to the linker: -Wall, -Wl,...
    #[arg(short = 'W', value_name = "FLAG")]
    pub(crate) warning: Vec<String>,

    /// Another argument for clang, such as --clang-arg=-std=c99; may be repeated
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    pub(crate) clang_arg: Vec<String>,
}

impl ClangArgs {
    /// The arguments for clang, without the stack's size and the output.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = String> {
        let flags = [
            ("-D", &self.define),
            ("-I", &self.include),
            ("-L", &self.library_path),
            ("-l", &self.library),
            ("-W", &self.warning),
        ];
        let flags = flags.into_iter().flat_map(|(flag, values)| {
            let values = values.iter();
            values.map(move |value| format!("{flag}{value}"))
        });
        let level = self.optimize.iter().map(|level| format!("-O{level}"));
        level.chain(flags).chain(self.clang_arg.iter().cloned())
    }

    /// The name of an option that is given, if one is.
    pub(crate) fn given(&self) -> Option<&'static str> {
        [
            ("--stack-size", self.stack_size.is_some()),
            ("-o", self.output.is_some()),
            ("-O", self.optimize.is_some()),
            ("-D", !self.define.is_empty()),
            ("-I", !self.include.is_empty()),
            ("-L", !self.library_path.is_empty()),
            ("-l", !self.library.is_empty()),
            ("-W", !self.warning.is_empty()),
            ("--clang-arg", !self.clang_arg.is_empty()),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
    }
}
