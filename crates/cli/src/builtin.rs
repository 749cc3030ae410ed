//! The library modules that the command has built in.

use std::sync::Arc;

use anyhow::{Error, anyhow};
use weightware::{Library, SOFTWARE, imported_modules};
use weightware_modules::Module;

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
        None => return Err(unknown(name)),
    };
    added.map_err(|error| Failure::Failed(Error::new(error).context(format!("module {name}"))))
}

/// The refusal of a name that is not built in.
pub(crate) fn unknown(name: &str) -> Failure {
    let names: Vec<_> = names().collect();
    Failure::Refused(anyhow!(
        "there is no library module `{name}`; the modules are {}",
        names.join(", ")
    ))
}
