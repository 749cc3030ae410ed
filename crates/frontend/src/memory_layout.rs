//! The layout of the machine's memory: the guest's memory, and the hidden data beside it.

use crate::error::Error;
use crate::module::reachability::Reachability;
use crate::module::{Module, PAGE};

/// The most pages of a memory, and of what accesses beside the guest's memory may use.
const PAGES: u32 = 255;

/// Pages to which a memory may grow by default if hidden data lies after it. The machine is exact
/// for little more.
const GROWS_TO: u32 = 2;

/// The most pages to which any memory grows: one less than addresses reach, so that its size in
/// bytes fits a word.
const MOST: u32 = (1 << 16) - 1;

/// A layout. The hidden data lies after all that the guest's memory may become; or, if that is too
/// far, in a page of its own before it, and all of the guest's addresses are shifted by that page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemoryLayout {
    /// The number added to the guest's addresses.
    pub(crate) shift: u32,
    /// Initial pages of the guest's memory.
    pub(crate) initial: u32,
    /// Pages to which it may grow.
    pub(crate) limit: u32,
    /// The address of the hidden data.
    pub(crate) hidden: u32,
}

impl MemoryLayout {
    /// The layout for a module; `most` is the option that limits the memory's pages.
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

    /// The fourth immediate byte of the guest's accesses: the pages that they may use.
    pub(crate) fn pages(&self) -> u8 {
        u8::try_from(self.initial + self.shift / PAGE).unwrap_or(u8::MAX)
    }
}
