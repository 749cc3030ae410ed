//! The library modules that the command has built in.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Error, anyhow};
use weightware::{Library, Resident, Rom, SOFTWARE, imported_modules};
use weightware_modules::{Module, SHARED};

use crate::failure::{Failure, Result};

/// The names of all modules: the operators that the machine lacks first.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let modules = Module::all().iter().map(|module| module.name.as_str());
    std::iter::once(SOFTWARE).chain(modules)
}

/// A library of some modules, in the order of all names. `none` stands for no module.
pub(crate) fn library(wanted: &[String]) -> Result<Arc<Library>> {
    let mut library = Library::default();
    for name in names().filter(|name| wanted.iter().any(|wanted| wanted == name)) {
        add(&mut library, name)?;
    }
    Ok(Arc::new(library))
}

/// The library of the modules that a WebAssembly module imports from; `None` if it imports from
/// none.
pub(crate) fn imported_by(bytes: &[u8]) -> Result<Option<Arc<Library>>> {
    let mut wanted = imported_modules(bytes);
    wanted.retain(|name| Module::named(name).is_some());
    if wanted.is_empty() {
        return Ok(None);
    }
    wanted.push(SOFTWARE.to_owned());
    library(&wanted).map(Some)
}

/// Adds a module to a library.
pub(crate) fn add(library: &mut Library, name: &str) -> Result<()> {
    if library.module(name).is_some() {
        return Err(Failure::Refused(anyhow!(
            "the model has the library module `{name}` already: leave it out"
        )));
    }
    let added = match Module::named(name) {
        Some(module) => library.add(name, module.wasm),
        None if name == SOFTWARE => library.add_software(),
        None => {
            let names: Vec<_> = names().collect();
            return Err(Failure::Refused(anyhow!(
                "there is no library module `{name}`; the modules are {}",
                names.join(", ")
            )));
        }
    };
    added.map_err(|error| Failure::Failed(Error::new(error).context(format!("module {name}"))))
}

/// The content of the weights of a model with a library.
pub(crate) fn rom(library: &Library) -> Rom {
    let Resident {
        memory, library, ..
    } = library.resident();
    Rom {
        memory,
        library,
        ..Rom::default()
    }
}

/// Writes the headers of all modules into a folder.
pub(crate) fn write_headers(folder: &Path) -> Result<()> {
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

/// A folder with the headers, for compilations of this process.
pub(crate) fn headers() -> Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("weightware-headers-{}", std::process::id()));
    write_headers(&folder)?;
    Ok(folder)
}
