//! The interpreter's memory.

use super::paged::Paged;

/// Bytes, and which of them were written.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    bytes: Paged<u8>,
    /// `None`: nobody asks.
    written: Option<Paged<bool>>,
}

impl Memory {
    /// A memory that was never written. `remembers`: it will be asked which bytes were written.
    pub(super) fn new(remembers: bool) -> Self {
        Self {
            bytes: Paged::default(),
            written: remembers.then(Paged::default),
        }
    }

    pub(super) fn get(&self, address: usize) -> u8 {
        self.bytes.get(address)
    }

    /// Sets bytes that count as never written.
    pub(super) fn preset(&mut self, address: usize, bytes: &[u8]) {
        for (address, &byte) in (address..).zip(bytes) {
            self.bytes.set(address, byte);
        }
    }

    pub(super) fn write(&mut self, address: usize, bytes: &[u8]) {
        for (address, &byte) in (address..).zip(bytes) {
            self.bytes.set(address, byte);
            if let Some(written) = &mut self.written {
                written.set(address, true);
            }
        }
    }

    /// The written addresses nearest to this one, below and above, it included.
    pub(super) fn nearest(&self, address: usize) -> [Option<usize>; 2] {
        let written = self.written.as_ref();
        written.map_or([None; 2], |written| {
            [written.last_until(address), written.first_from(address)]
        })
    }
}
