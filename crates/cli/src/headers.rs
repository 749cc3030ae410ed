//! Headers of the library modules, for C and C++ programs.

use std::fs;
use std::path::Path;

use anyhow::{Context, Error};
use weightware::{Clang, Library};
use weightware_modules::{Module, SHARED};

use crate::failure::{Failure, Result, printable};
use crate::say;

/// Writes the headers of all modules into a folder.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let headers = Module::all().iter().flat_map(|module| module.files);
    let headers = headers.filter(|file| file.path.ends_with(".h"));
    for file in headers.chain([&SHARED]) {
        let path = folder.join(file.path);
        let written = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, file.text))
            .with_context(|| path.display().to_string());
        written.map_err(Failure::Failed)?;
    }
    Ok(())
}

/// Compiles C and C++ that may include the headers, and shows warnings. Functions of the C library
/// come from the modules of a library that have them.
pub(crate) fn compile(mut clang: Clang, library: Option<&Library>, quiet: bool) -> Result<Vec<u8>> {
    let headers = std::env::temp_dir().join(format!("weightware-headers-{}", std::process::id()));
    write(&headers)?;
    for module in library.iter().flat_map(|library| &library.modules) {
        if let Some(libc) = Module::named(&module.name).and_then(Module::libc) {
            let path = headers.join(libc.path);
            let written = fs::write(&path, libc.text).with_context(|| path.display().to_string());
            written.map_err(Failure::Failed)?;
            clang = clang.instead_of_library(path);
        }
    }
    let clang = clang.with_argument(format!("-I{}", headers.display()));
    let compiled = clang.compile();
    let _ = fs::remove_dir_all(headers);
    let compiled = compiled.map_err(|error| Failure::Refused(Error::new(error)))?;
    if !compiled.messages.is_empty() && !quiet {
        say(&printable(&compiled.messages));
    }
    Ok(compiled.module)
}
