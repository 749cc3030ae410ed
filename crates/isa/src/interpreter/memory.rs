//! The interpreter's memory.

use super::paged::Paged;

/// Bytes, and when each was written.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    bytes: Paged<u8>,
    /// The number of the store that wrote a byte last, from 1. `None`: nobody asks.
    stores: Option<Paged<u32>>,
    store: u32,
}

impl Memory {
    /// A memory that was never written. `remembers`: it will be asked which bytes were written.
    pub(super) fn new(remembers: bool) -> Self {
        Self {
            bytes: Paged::default(),
            stores: remembers.then(Paged::default),
            store: 0,
        }
    }

    pub(super) fn get(&self, address: usize) -> u8 {
        self.bytes.get(address)
    }

    /// Writes the bytes of one store.
    pub(super) fn write(&mut self, address: usize, bytes: &[u8]) {
        self.store += 1;
        for (address, &byte) in (address..).zip(bytes) {
            self.bytes.set(address, byte);
            if let Some(stores) = &mut self.stores {
                stores.set(address, self.store);
            }
        }
    }

    /// The written addresses nearest to this one, below and above, it included, each with the number
    /// of the store that wrote it last.
    pub(super) fn nearest(&self, address: usize) -> [Option<(usize, u32)>; 2] {
        let Some(stores) = &self.stores else {
            return [None; 2];
        };
        [stores.last_until(address), stores.first_from(address)]
            .map(|found| found.map(|address| (address, stores.get(address))))
    }
}
