//! Lowering of a module to a program: a worklist over reachable functions, then passes, then
//! encoding.

mod control;
mod control_frame;
mod definite_assignment;
mod entry;
mod function;
mod imports;
mod key;
mod library;
mod linker;
mod memory;
mod operators;
mod runtime_library;
mod sequences;
mod tables;

use std::collections::HashSet;

use weightware_isa::{Instruction, Op, Program};

use crate::code::{Code, Encoder, Label};
use crate::data_sections::{self, Input, Section};
use crate::error::{Error, printable};
use crate::handler::Extent;
use crate::library::Library;
use crate::lowered::{Lowered, MemoryWindow};
use crate::memory_layout::MemoryLayout;
use crate::module::reachability::reach;
use crate::module::{Module, PAGE, component};
use crate::options::Options;
use crate::passes::{self, Pass};
use entry::Entry;
use key::Dispatch;
use linker::Linker;

/// Lowers a WebAssembly module to a program of the token machine. Bytes that do not begin with the
/// magic number of a binary are text.
///
/// # Errors
/// If the text cannot be parsed, if the module is not valid, or if code that is reachable from its
/// entry is not supported.
pub fn lower(bytes: &[u8], options: &Options) -> Result<Lowered, Error> {
    let encoded;
    let binary = if bytes.starts_with(b"\0asm") {
        bytes
    } else {
        encoded = wat::parse_bytes(bytes).map_err(|mut error| {
            // The parser is built without the component model.
            if error.to_string().contains("parsing components") {
                return component();
            }
            if let Some(file) = &options.file {
                error.set_path(file);
            }
            Error::invalid(format!("the text cannot be parsed: {error}"))
        })?;
        &encoded
    };
    let guest = Module::parse(binary, &options.globals)?;
    let entry = Entry::find(
        &guest,
        options.entry.as_deref(),
        options.arguments.as_deref(),
    )?;
    let reached = reach(&guest, &entry.roots())?;
    let layout = MemoryLayout::new(&guest, reached, options.memory_pages)?;
    let mut linker = Linker::new(&guest, layout, options.passes.contains(Pass::Peephole));
    let library = options.library.as_deref();
    linker.library = library;
    if let Some(library) = library
        && guest
            .imports
            .iter()
            .any(|import| library.module(import.module).is_some())
    {
        linker.serve_library(&guest)?;
    }

    let roots: HashSet<Label> = entry.request(&mut linker);
    let mut reachable = lower_reachable(&mut linker)?;
    passes::run(
        &mut reachable.functions,
        (options.passes, passes::SHORT),
        &roots,
        &reachable.elements,
        || linker.code.label(),
    );
    let mut encoder = Encoder::default();
    for &(label, address) in &linker.absolute {
        encoder.bind_absolute(label, address);
    }
    for (label, code) in reachable.functions {
        encoder.function(label, &code)?;
    }
    for (label, dispatch) in reachable.dispatches {
        encoder.function(label, &linker.dispatch_code(dispatch))?;
    }
    for (label, code) in linker.trap_code() {
        encoder.function(label, &code)?;
    }
    let (entry_code, end) = entry.lower(&mut linker);

    let sections = sections(&linker, &guest)?;
    let before = sections.len() + options.first as usize;
    let (code, origins) = encoder.finish(&entry_code, end, before)?;
    let (reads_bytes, reads_arguments) = (linker.reads_bytes, linker.reads_arguments);
    Ok(Lowered {
        program: program(code, sections),
        reads_input: reads_bytes || reads_arguments,
        input_address: (reads_bytes || reads_arguments)
            .then(|| layout.hidden + linker.input_offset()),
        results: entry.results().to_vec(),
        imports: guest
            .imports
            .iter()
            .map(|import| printable(&format!("{}.{}", import.module, import.name)))
            .collect(),
        reads_bytes,
        reads_arguments,
        memory: MemoryWindow {
            initial: layout.initial,
            limit: layout.limit,
            origin: layout.origin,
            held: layout.held,
            capped: layout.capped,
            stack_pointer: layout.stack_pointer,
            shift: layout.shift,
            end: layout.end,
        },
        functions: linker.functions,
        rewritten: linker.rewritten,
        origins,
        first: options.first,
        turns: options.turns.then_some(Extent {
            initial: layout.shift + layout.held * PAGE,
            end: layout.end,
            words: library.map_or(0, Library::words),
            state: options.state_address,
            first: options.first,
        }),
    })
}

/// The code that is reachable from the entry.
#[derive(Default)]
struct Reachable {
    functions: Vec<(Label, Code)>,
    dispatches: Vec<(Label, Dispatch)>,
    /// Functions that calls through tables may reach.
    elements: HashSet<Label>,
}

/// Lowers the requested functions, and transitively the functions that their code requests.
fn lower_reachable(linker: &mut Linker<'_>) -> Result<Reachable, Error> {
    let mut reachable = Reachable::default();
    loop {
        while let Some((label, key)) = linker.next_function() {
            let code = function::lower(linker, key)?;
            reachable.functions.push((label, code));
        }
        let Some((label, dispatch)) = linker.next_dispatch() else {
            return Ok(reachable);
        };
        let elements = linker.request_elements(dispatch);
        reachable.elements.extend(elements);
        reachable.dispatches.push((label, dispatch));
    }
}

/// The initial memory, then the hidden data: passive segments, and an empty input if the program
/// reads any.
fn sections(linker: &Linker<'_>, guest: &Module<'_>) -> Result<Vec<Section>, Error> {
    let layout = linker.layout;
    let mut sections = data_sections::sections(guest, &layout)?;
    for &segment in &linker.passive {
        let address = linker.passive_address(segment);
        let bytes = guest.data[segment as usize].bytes;
        sections.extend(data_sections::without_zeros(bytes, address));
    }
    if linker.reads_bytes || linker.reads_arguments {
        let address = layout.hidden + linker.input_offset();
        let input = Input::default().section(linker.reads_arguments);
        sections.push((address, input));
    }
    let far = |&(address, _): &Section| address as usize >= data_sections::FARTHEST;
    if sections.iter().any(far) {
        return Err(data_sections::far_data());
    }
    Ok(sections)
}

/// The program, with a `section` instruction for each section before the code. The code's addresses
/// count these instructions already.
fn program(code: Vec<Instruction>, sections: Vec<Section>) -> Program {
    let heads = sections
        .iter()
        .map(|&(address, _)| Instruction::with_byte(Op::Section, address, 0));
    Program {
        code: heads.chain(code).collect(),
        sections: sections.into_iter().map(|(_, bytes)| bytes).collect(),
        turns: None,
        resident: None,
    }
}
