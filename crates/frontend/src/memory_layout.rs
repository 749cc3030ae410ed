//! The layout of the machine's memory: the guest's memory, and the hidden data beside it.

use crate::error::Error;
use crate::module::reachability::Reachability;
use crate::module::{Module, PAGE};
use crate::width::Bits;

/// The most pages that the machine holds: the initial memory and hidden data together.
const PAGES: u32 = 255;

/// Pages to which a memory may grow by default if hidden data lies after it. The machine is exact
/// for 152 KiB.
const GROWS_TO: u32 = 2;

/// The most pages to which any memory grows: one less than 32-bit addresses reach, so that its size
/// in bytes fits a word.
const MOST: u32 = (1 << 16) - 1;

/// The layout of the machine's memory.
///
/// The machine holds the guest's addresses from an origin on. The origin is 0 unless a module
/// declares more pages than the machine has. Such a module reserves megabytes of stack and uses
/// little of it, so the origin lies within the stack. Accesses below the origin trap.
///
/// Hidden data lies after the largest memory that the guest may grow to. If there is no input and
/// that address is too far, hidden data has the page before the guest's memory, and all addresses
/// of the guest are shifted by one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemoryLayout {
    /// The guest's address at which the machine's memory begins, a multiple of the page size.
    pub(crate) origin: u32,
    /// The number that is added to the guest's addresses, after the origin is subtracted.
    pub(crate) shift: u32,
    /// Initial pages of the guest's memory.
    pub(crate) initial: u32,
    /// Pages to which it may grow.
    pub(crate) limit: u32,
    /// The initial pages that the machine holds, from the origin on.
    pub(crate) held: u32,
    /// Whether the guest's maximum is greater than the limit.
    pub(crate) capped: bool,
    /// The initial stack pointer, by the convention of linkers.
    pub(crate) stack_pointer: Option<u32>,
    /// The machine's address of the hidden data.
    pub(crate) hidden: u32,
    /// The machine's address after the largest memory that the guest may grow to.
    pub(crate) end: u32,
}

impl MemoryLayout {
    /// The layout for a module; `most` is the option that limits the memory's pages.
    pub(crate) fn new(
        module: &Module<'_>,
        reach: Reachability,
        most: Option<u32>,
    ) -> Result<Self, Error> {
        let initial = module.memory.map_or(0, |memory| memory.initial);
        let hides = reach.hides_input || reach.hides_segments;
        // A page for hidden data, before or after the memory.
        let room = PAGES - u32::from(hides);
        let wanted = most.unwrap_or(GROWS_TO).min(room);
        let below = match initial > room {
            true => first_page(module, initial, wanted),
            false => 0,
        };

        let maximum = module.memory.and_then(|memory| memory.maximum);
        let declared = maximum.map_or(MOST, |pages| u32::try_from(pages).unwrap_or(MOST));
        let declared = (declared.max(initial) - below).min(MOST);
        let first = initial - below;
        // The machine holds a part of the first pages, which then do not grow.
        let clamped = first > room;
        let allowed = declared.min(most.unwrap_or(MOST)).max(first);
        let limit = match reach {
            _ if clamped || !reach.grows_memory => first,
            _ if hides && most.is_none() => allowed.min(first.max(GROWS_TO)),
            _ if reach.hides_input => allowed.min(room),
            _ => allowed,
        };
        let held = match clamped {
            true => wanted.max(last_page(module) - below).min(room),
            false => first,
        };
        let before = hides && !reach.hides_input && limit > first.max(GROWS_TO);
        let shift = if before { PAGE } else { 0 };
        if before && segments(module) > PAGE as usize {
            return Err(Error::too_large(
                "passive data segments of more than 64 KiB beside a memory that grows",
            )
            .remedy("link with a smaller maximum of the memory"));
        }
        let after = match clamped {
            true => held,
            false => limit.min(room),
        };
        Ok(Self {
            origin: below * PAGE,
            shift,
            initial,
            limit: limit + below,
            held,
            capped: reach.grows_memory && limit < declared,
            stack_pointer: stack_pointer(module, initial),
            hidden: if before { 0 } else { after * PAGE },
            end: shift.saturating_add(after * PAGE),
        })
    }

    /// The fourth immediate byte of the guest's accesses, which bounds them: a number of pages.
    pub(crate) fn pages(&self) -> u8 {
        u8::try_from(self.held + self.shift / PAGE).unwrap_or(u8::MAX)
    }
}

/// The first page that the machine holds of a module with more pages than the machine has: the page
/// of its data; or, if a stack lies below the data, the page from which the stack has an eighth of
/// the pages held.
fn first_page(module: &Module<'_>, initial: u32, wanted: u32) -> u32 {
    let addresses = module.data.iter().filter_map(|data| data.address);
    let data = addresses.min().unwrap_or(u32::MAX);
    let stack = stack_pointer(module, initial).unwrap_or(0);
    let stack_page = (stack / PAGE).saturating_sub((wanted / 8).clamp(1, 16));
    stack_page.min(data / PAGE).min(initial)
}

/// The page after the last one that contains data or the initial stack pointer.
fn last_page(module: &Module<'_>) -> u32 {
    let initial = module.memory.map_or(0, |memory| memory.initial);
    let active = module.data.iter().filter_map(|data| {
        let bytes = u32::try_from(data.bytes.len()).ok()?;
        data.address?.checked_add(bytes)
    });
    let end = active.chain(stack_pointer(module, initial)).max();
    end.unwrap_or(0).div_ceil(PAGE)
}

/// The initial stack pointer. Linkers make it the first mutable global.
fn stack_pointer(module: &Module<'_>, initial: u32) -> Option<u32> {
    let global = module.globals.iter().find(|global| global.mutable)?;
    match global.value {
        Some(Bits::Word(word)) => {
            Some(word).filter(|word| (1..=initial).contains(&word.div_ceil(PAGE)))
        }
        _ => None,
    }
}

/// Bytes of passive data segments.
fn segments(module: &Module<'_>) -> usize {
    let passive = module.data.iter().filter(|data| data.address.is_none());
    passive.map(|data| data.bytes.len()).sum()
}
