//! The memory's first contents as data sections.

use crate::module::Module;

/// Runs of zeros longer than this end a section: a new one costs an instruction and a token.
const GAP: usize = 8;

/// A data section: its address and its bytes.
pub(crate) type Section = (u32, Vec<u8>);

/// The bytes that the data segments leave in memory, later ones over earlier ones, without long runs of zeros: memory
/// that was never written is zero.
pub(crate) fn sections(module: &Module<'_>) -> Vec<Section> {
    let ends = module
        .data
        .iter()
        .map(|data| data.address as usize + data.bytes.len());
    let mut image = vec![0; ends.max().unwrap_or(0)];
    for data in &module.data {
        let start = data.address as usize;
        image[start..start + data.bytes.len()].copy_from_slice(data.bytes);
    }
    let mut sections: Vec<Section> = Vec::new();
    let written = image.iter().enumerate().filter(|&(_, &byte)| byte != 0);
    for (address, &byte) in written {
        match sections.last_mut() {
            Some((start, bytes)) if address - (*start as usize + bytes.len()) <= GAP => {
                bytes.resize(address - *start as usize, 0);
                bytes.push(byte);
            }
            _ => sections.push((u32::try_from(address).unwrap_or(u32::MAX), vec![byte])),
        }
    }
    sections
}

/// The section of the input: its length, then its bytes.
pub(crate) fn input(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut section = length.to_le_bytes().to_vec();
    section.extend_from_slice(bytes);
    section
}
