//! `grow`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Error, anyhow};
use weightware::{Clang, Computer, Library, LibraryProgram, Model, Profile, Resident, Rom};

use crate::args::{GrowArgs, ProgramArgs};
use crate::card::{self, Contents};
use crate::failure::{Failure, Result};
use crate::grown::Grown;
use crate::input::{Loaded, Ready};
use crate::needs::Needs;
use crate::stored::Stored;
use crate::target::Target;
use crate::thousands::thousands;
use crate::units::flag;
use crate::{builtin, folders, grown, headers, library, names, say};

pub(crate) fn grow(args: &GrowArgs) -> Result<u8> {
    let model = folders::model(&args.folder)?;
    let computer = Computer::new(model.clone()).map_err(refused)?;
    let Some(rom) = computer.rom() else {
        return Err(Failure::Refused(anyhow!(
            "the model {} has no room for code in its weights: write one that has, `weightware weights --rom none --out DIR`",
            args.folder.display()
        )));
    };
    if computer.is_specialised() {
        return Err(Failure::Refused(anyhow!(
            "the model {} has a program in its weights, and runs no other: grow one without, `weightware weights --rom none --out DIR`, or compile the program again",
            args.folder.display()
        )));
    }
    let (mut library, mut programs) = library::read(&args.folder, &computer)?;
    let known = library.modules.len();
    for (number, name) in args.add.iter().enumerate() {
        if !args.add[..number].contains(name) {
            builtin::add(&mut library, name)?;
        }
    }
    for folder in &args.module {
        add_folder(&mut library, folder)?;
    }
    let new = match (&args.file, &args.name, args.given.given()) {
        (Some(file), Some(name), _) => {
            grown::check_name(name, &programs)?;
            Some(lowered(file, name, &args.given, &computer, &library)?)
        }
        (_, _, Some(option)) => {
            return Err(Failure::Refused(anyhow!(
                "{option} is for a program: name one, --program FILE --as NAME"
            )));
        }
        _ => None,
    };
    if let Some(new) = &new {
        programs.push(new.grown.clone());
        library.programs.push(new.program.clone());
    }
    let grown = with(rom, &library, known).grow(&model).map_err(refused)?;
    let (neurons, same) = compare(&model, &grown);
    if !same {
        // The growth is checked as a stranger would check it.
        return Err(Failure::Failed(anyhow!(
            "a weight of the model changed; nothing was written"
        )));
    }
    if let Some(new) = &new {
        new.write(&args.folder)?;
    }
    let saved = grown.save(&args.folder).map_err(Error::new);
    saved.map_err(Failure::Failed)?;
    library::write(&library, &programs, &args.folder)?;
    // Names are those of the machine, and stay.
    if let Ok(names) = names::read(&grown, &args.folder) {
        card::write_with_names(&grown, &names, &Contents::Library(&library), &args.folder)?;
    }
    for module in &library.modules[known..] {
        say(&format!(
            "{}: {}, {} instructions from {} on",
            module.name,
            match module.functions.len() {
                1 => "1 function".to_owned(),
                count => format!("{count} functions"),
            },
            thousands(module.code.len() as u64),
            thousands(module.first.into())
        ));
    }
    if let Some(New { grown, program, .. }) = &new {
        say(&format!(
            "{}: a program, {} instructions from {} on; `weightware run --model {} --program {}` runs it",
            grown.name,
            thousands(program.code.len() as u64),
            thousands(program.first.into()),
            args.folder.display(),
            grown.name
        ));
    }
    say(&format!(
        "{} neurons added; all weights of the model are as before, bit for bit",
        thousands(neurons as u64)
    ));
    Ok(0)
}

/// A program that the weights will have.
struct New {
    grown: Grown,
    program: LibraryProgram,
    /// The module that it was lowered from.
    bytes: Vec<u8>,
}

impl New {
    /// Writes the module beside the model.
    fn write(&self, folder: &Path) -> Result<()> {
        let path = self.grown.path(folder);
        let written = fs::create_dir_all(folder.join(grown::FOLDER))
            .and_then(|()| fs::write(&path, &self.bytes))
            .with_context(|| path.display().to_string());
        written.map_err(Failure::Failed)
    }
}

/// Lowers a program for the next block of the weights.
fn lowered(
    file: &Path,
    name: &str,
    args: &ProgramArgs,
    computer: &Computer,
    library: &Library,
) -> Result<New> {
    let start = library.next_number();
    let args = args.without_input("weightware run --model DIR --program NAME -- ARGS")?;
    let target = Target::of(computer, library.before(start));
    let profile = target.profile.unwrap_or_default();
    let mut loaded = Loaded::read(file, &args, target, false)?;
    if loaded.lowered().is_none() {
        return Err(Failure::Refused(anyhow!(
            "{}: the jumps of a token program hold numbers that count from 0, so it stays in the prompt; grow a module",
            file.display()
        )));
    }
    let ready = loaded.program(false)?;
    computer
        .check(&ready.program)
        .map_err(|error| loaded.refused(error))?;
    fits(file, &loaded, &ready, profile)?;
    loaded.with_fixed_state(profile)?;
    let (first, code) = loaded.at(start)?;
    if start as usize + code.len() >= END {
        return Err(Failure::Refused(anyhow!(
            "{}: the weights have no number left for its {} instructions; grow another model",
            file.display(),
            thousands(code.len() as u64)
        )));
    }
    Ok(New {
        grown: Grown {
            name: name.to_owned(),
            start,
            first,
            program: Stored {
                file: format!("{name}.wasm"),
                ..loaded.stored_as(&args)
            },
        },
        program: LibraryProgram {
            name: name.to_owned(),
            first: start,
            code,
        },
        bytes: loaded.bytes().to_vec(),
    })
}

/// The number after the greatest one that a jump can name, less the gap between blocks.
const END: usize = (1 << 24) - 32;

/// Refuses a program that the machine of the model does not hold.
fn fits(file: &Path, loaded: &Loaded, ready: &Ready, profile: Profile) -> Result<()> {
    let Err(why) = Needs::new(loaded, ready).fits(&profile) else {
        return Ok(());
    };
    let mut others = Profile::ALL.into_iter();
    let other = others.find(|other| {
        let lowered = loaded.lowered_for(*other, ready);
        lowered.is_ok_and(|(loaded, ready)| Needs::new(&loaded, &ready).fits(other).is_ok())
    });
    Err(Failure::Refused(anyhow!(
        "{}: by the profile {} of the model, {why}; {}",
        file.display(),
        profile.name,
        match other {
            Some(other) => format!(
                "`weightware weights --rom none {} --out DIR` writes a model that holds it",
                flag(&other)
            ),
            None => "no profile holds it".to_owned(),
        }
    )))
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::Refused(Error::new(error))
}

/// The content of the weights, with the new modules of a library.
fn with(rom: &Rom, library: &Library, known: usize) -> Rom {
    let Resident {
        library: blocks, ..
    } = library.resident();
    let mut memory = rom.memory.clone();
    let new = library.modules[known..].iter();
    memory.extend(new.flat_map(|module| module.memory.iter().cloned()));
    memory.sort();
    Rom {
        memory,
        library: blocks,
        ..rom.clone()
    }
}

/// Adds a module of the user's own: a folder of C sources, or a WebAssembly module.
fn add_folder(library: &mut Library, path: &Path) -> Result<()> {
    let place = || path.display().to_string();
    let name = path.file_stem().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::Refused(anyhow!("{}: it has no name", place())))?;
    let bytes = match path.is_dir() {
        true => compiled(library, path)?,
        false => std::fs::read(path)
            .with_context(place)
            .map_err(Failure::Refused)?,
    };
    let added = library.add(name, &bytes).map_err(Error::new);
    added.map_err(|error| Failure::Refused(error.context(place())))
}

/// Compiles the C sources in a folder, with their constants after those of the library.
fn compiled(library: &Library, folder: &Path) -> Result<Vec<u8>> {
    let place = || folder.display().to_string();
    let entries = std::fs::read_dir(folder).with_context(place);
    let entries = entries.map_err(Failure::Refused)?;
    let mut sources: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    sources.sort();
    if sources.is_empty() {
        return Err(Failure::Refused(anyhow!("{}: it has no C file", place())));
    }
    headers::compile(
        Clang::new(sources).as_library(library.free_address()),
        None,
        false,
    )
}

/// The neurons that a grown model has in addition, and whether everything else is as it was.
fn compare(model: &Model, grown: &Model) -> (usize, bool) {
    let same_bits = |a: &[f64], b: &[f64]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
    };
    let (old, new) = (&model.weights, &grown.weights);
    let mut same = same_bits(&old.tok.entries, &new.tok.entries)
        && same_bits(&old.head.entries, &new.head.entries)
        && old.layers.len() == new.layers.len();
    let mut added = 0;
    for (old, new) in old.layers.iter().zip(&new.layers) {
        let (before, after) = (old.neurons(), new.neurons());
        added += after - before;
        same &= same_bits(&old.in_proj.entries, &new.in_proj.entries)
            && same_bits(&old.out_proj.entries, &new.out_proj.entries);
        for neuron in 0..before {
            same &= same_bits(old.ff_in.row(neuron), new.ff_in.row(neuron))
                && same_bits(
                    old.ff_in.row(before + neuron),
                    new.ff_in.row(after + neuron),
                );
        }
        for slot in 0..old.ff_out.rows {
            same &= same_bits(old.ff_out.row(slot), &new.ff_out.row(slot)[..before]);
        }
    }
    (added, same)
}
