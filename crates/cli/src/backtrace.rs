//! Where a program trapped: its functions, and lines of its source where the module says them.

use std::fmt::Write;

use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, LittleEndian, SectionId};
use weightware::{PostMortem, custom_sections};

use crate::input::Loaded;

type Slice<'m> = EndianSlice<'m, LittleEndian>;

/// The callers that are shown.
const MOST_CALLERS: usize = 20;

/// The lines of a program's source.
struct Lines<'m> {
    context: Context<Slice<'m>>,
    /// DWARF's addresses count from the code section's contents.
    code: u64,
}

impl<'m> Lines<'m> {
    /// `None` for a module without debug information.
    fn new(module: &'m [u8]) -> Option<Self> {
        let (code, sections) = custom_sections(module);
        let section = |id: SectionId| -> Result<Slice<'m>, addr2line::gimli::Error> {
            let found = sections.iter().find(|(name, _)| *name == id.name());
            Ok(EndianSlice::new(
                found.map_or(&[], |(_, bytes)| bytes),
                LittleEndian,
            ))
        };
        let dwarf = Dwarf::load(section).ok()?;
        Some(Self {
            context: Context::from_dwarf(dwarf).ok()?,
            code: code?,
        })
    }

    /// The file, line and column of an operator of the module.
    fn of(&self, offset: u32) -> Option<String> {
        let address = u64::from(offset).checked_sub(self.code)?;
        let location = self.context.find_location(address).ok()??;
        let mut text = location.file?.to_owned();
        for number in [location.line, location.column].into_iter().flatten() {
            let _ = write!(text, ":{number}");
        }
        Some(text)
    }
}

/// The frames of a program that trapped, a line each, the innermost first. Calls that the lowering
/// inlined belong to the frame of their caller.
pub(crate) fn frames(loaded: &Loaded, found: &PostMortem) -> Vec<String> {
    let lines = Lines::new(loaded.bytes());
    let frames = std::iter::once(found.instruction).chain(found.callers.iter().copied());
    let functions = frames.filter_map(|instruction| loaded.function(instruction));
    // Routines of the lowering stand for an operator of their caller.
    let mut shown: Vec<String> = functions
        .filter(|function| function.index.is_some())
        .map(|function| {
            let line = function.offset.zip(lines.as_ref());
            match line.and_then(|(offset, lines)| lines.of(offset)) {
                Some(line) => format!("{function}, {line}"),
                None => function.to_string(),
            }
        })
        .collect();
    let mut runs: Vec<(String, usize)> = vec![];
    for frame in shown.drain(..) {
        match runs.last_mut() {
            Some((last, count)) if *last == frame => *count += 1,
            _ => runs.push((frame, 1)),
        }
    }
    let times = |(frame, count): (String, usize)| match count {
        1 => frame,
        count => format!("{frame}, {count} times"),
    };
    shown.extend(runs.into_iter().map(times));
    if shown.len() > MOST_CALLERS {
        let left = shown.len() - MOST_CALLERS;
        shown.truncate(MOST_CALLERS);
        shown.push(format!("... and {left} more"));
    }
    shown
}
