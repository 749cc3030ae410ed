//! Where in the machine's memory the guest's memory and the data beside it are.

use crate::error::Error;
use crate::module::reachability::Reachability;
use crate::module::{Module, PAGE};

/// Most pages of a memory, and pages that every access beside the guest's memory may use.
const PAGES: u32 = 255;

/// Pages to which a memory grows_memory that has other data behind it, if nobody says otherwise. The machine is exact for little
/// more.
const GROWS_TO: u32 = 2;

/// Most pages to which any memory grows_memory. One page less than an address reaches, so that its size in bytes is a word.
const MOST: u32 = (1 << 16) - 1;

/// The layout. The hidden data stands behind all that the guest's memory may become; or, if that is too much, in a page
/// of its own before it, and all of the guest's addresses are shifted by that page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemoryLayout {
    /// What is added to the guest's addresses.
    pub(crate) shift: u32,
    /// Pages of the guest's memory at first.
    pub(crate) initial: u32,
    /// Pages to which it may grow.
    pub(crate) limit: u32,
    /// Where the hidden data begins.
    pub(crate) hidden: u32,
}

impl MemoryLayout {
    /// `most` is what the options say about the memory's pages.
    pub(crate) fn new(
        module: &Module<'_>,
        reach: Reachability,
        most: Option<u32>,
    ) -> Result<Self, Error> {
        let initial = module.memory.map_or(0, |memory| memory.initial);
        let maximum = module.memory.and_then(|memory| memory.maximum);
        let declared = maximum.map_or(MOST, |pages| u32::try_from(pages).unwrap_or(MOST));
        let declared = declared.min(MOST).min(most.unwrap_or(MOST)).max(initial);
        let limit = match reach {
            Reachability {
                grows_memory: false,
                ..
            } => initial,
            Reachability {
                hides_data: true, ..
            } if most.is_none() => declared.min(initial.max(GROWS_TO)),
            _ => declared,
        };
        let before = reach.hides_data && limit > initial.max(GROWS_TO);
        let shift = if before { PAGE } else { 0 };
        if initial + shift / PAGE + u32::from(reach.hides_data && !before) > PAGES {
            return Err(Error::too_large(
                "beside a memory of 255 pages there is none for the input",
            )
            .remedy("link with a smaller initial memory"));
        }
        Ok(Self {
            shift,
            initial,
            limit,
            hidden: if before { 0 } else { limit.min(PAGES) * PAGE },
        })
    }

    /// The fourth byte of the guest's accesses.
    pub(crate) fn pages(&self) -> u8 {
        u8::try_from(self.initial + self.shift / PAGE).unwrap_or(u8::MAX)
    }
}
