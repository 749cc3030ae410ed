//! The pipeline from a module's bytes to a program.

mod control;
mod definite_assignment;
mod direct_ops;
mod entry;
mod function;
mod imports;
mod key;
mod linker;
mod memory;
mod runtime_library;
mod tables;

use weightware_isa::{Instruction, Op, Program};

use crate::data_sections::{self, Input, Section};
use crate::error::Error;
use crate::lowered::Lowered;
use crate::memory_layout::MemoryLayout;
use crate::module::Module;
use crate::module::reachability::reach;
use crate::options::Options;
use entry::Entry;
use linker::Linker;

/// Lowers a module: a binary, or text if it does not begin like one.
///
/// # Errors
/// If the text cannot be parsed, if the module is not valid, or if something that is reachable from its entry is not
/// supported.
pub fn lower(bytes: &[u8], options: &Options) -> Result<Lowered, Error> {
    let encoded;
    let binary = if bytes.starts_with(b"\0asm") {
        bytes
    } else {
        encoded = wat::parse_bytes(bytes)
            .map_err(|error| Error::invalid(format!("the text cannot be parsed: {error}")))?;
        &encoded
    };
    let guest = Module::parse(binary, &options.globals)?;
    let entry = Entry::find(&guest, options.entry.as_deref())?;
    let layout = MemoryLayout::new(&guest, reach(&guest, &entry.roots())?, options.memory_pages)?;
    let mut linker = Linker::new(&guest, layout, options);
    entry.request(&mut linker);
    linker.functions()?;
    let first = linker.asm.len();
    entry.lower(&mut linker);

    let (reads_bytes, reads_arguments) = (linker.reads_bytes, linker.reads_arguments);
    let reads_input = reads_bytes || reads_arguments;
    let mut sections = data_sections::sections(&guest, layout.shift);
    for &segment in &linker.passive {
        let address = linker.passive_address(segment);
        let bytes = guest.data[segment as usize].bytes;
        sections.extend(data_sections::without_zeros(bytes, address));
    }
    if reads_input {
        let address = layout.hidden + linker.input_offset();
        sections.push((address, Input::default().section(reads_arguments)));
    }
    if sections.iter().any(|&(address, _)| address >= 1 << 24) {
        return Err(Error::too_large("there is data at addresses from 2^24 on")
            .remedy("link with a smaller initial memory"));
    }
    let functions = std::mem::take(&mut linker.functions);
    let (code, origins) = linker.finish(first, sections.len())?;
    let program = program(code, sections);
    Ok(Lowered {
        program,
        reads_input,
        reads_bytes,
        reads_arguments,
        memory_pages: layout.initial,
        functions,
        origins,
    })
}

/// The sections before the code, whose addresses count them already.
fn program(code: Vec<Instruction>, sections: Vec<Section>) -> Program {
    let heads = sections
        .iter()
        .map(|&(address, _)| Instruction::with_byte(Op::Section, address, 0));
    Program {
        code: heads.chain(code).collect(),
        sections: sections.into_iter().map(|(_, bytes)| bytes).collect(),
    }
}
