//! Source files of C and C++ on the command line, and their compilation.

use std::path::{Path, PathBuf};

use anyhow::Error;
use weightware::{Clang, Library};

use crate::args::ClangArgs;
use crate::failure::{Failure, Result};
use crate::headers;

/// The files to compile together, and the program's arguments: after a C file others may follow,
/// and what is none begins the arguments.
pub(crate) fn split(file: &Path, more: &[String]) -> (Vec<PathBuf>, Vec<String>) {
    let count = match Clang::compiles(file) {
        true => more
            .iter()
            .take_while(|name| Clang::takes(Path::new(name)))
            .count(),
        false => 0,
    };
    let sources = more[..count].iter().map(PathBuf::from);
    let sources = std::iter::once(file.to_owned()).chain(sources).collect();
    (sources, more[count..].to_vec())
}

/// Compiles C and C++, shows warnings, and keeps the module where that is wanted.
pub(crate) fn compile(
    sources: &[PathBuf],
    args: &ClangArgs,
    library: Option<&Library>,
    quiet: bool,
) -> Result<Vec<u8>> {
    let mut clang = Clang::new(sources).with_stack(args.stack_size.unwrap_or(Clang::STACK));
    for argument in args.arguments() {
        clang = clang.with_argument(argument);
    }
    let module = headers::compile(clang, library, quiet)?;
    if let Some(path) = &args.output {
        std::fs::write(path, &module).map_err(|error| {
            Failure::Failed(Error::new(error).context(format!("-o {}", path.display())))
        })?;
    }
    Ok(module)
}
