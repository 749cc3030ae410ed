//! Data sections of a program: the initial memory without its zeros, and the input.

use crate::error::Error;
use crate::memory_layout::MemoryLayout;
use crate::module::Module;

/// The longest run of zeros within a section. A new section costs an instruction and a token.
const GAP: usize = 8;

/// Addresses below this are within the reach of the instruction `section`.
pub(crate) const FARTHEST: usize = 1 << 24;

/// A data section: its address and its bytes.
pub(crate) type Section = (u32, Vec<u8>);

/// The sections of the initial memory: the active data segments, later ones over earlier ones.
/// Unwritten memory reads as zero, so long runs of zeros are left out.
///
/// # Errors
/// If there is data at addresses from 2^24 on, which no instruction `section` reaches.
pub(crate) fn sections(module: &Module<'_>, layout: &MemoryLayout) -> Result<Vec<Section>, Error> {
    // No data lies below the origin.
    let active = module.data.iter().filter_map(|data| {
        let address = data.address?.checked_sub(layout.origin)?;
        Some((address as usize, data.bytes))
    });
    let ends = active.clone().map(|(start, bytes)| start + bytes.len());
    let end = ends.max().unwrap_or(0);
    if end + layout.shift as usize > FARTHEST {
        return Err(far_data());
    }
    let mut image = vec![0; end];
    for (start, bytes) in active {
        image[start..start + bytes.len()].copy_from_slice(bytes);
    }
    Ok(without_zeros(&image, layout.shift))
}

/// The error for data beyond the reach of `section`.
pub(crate) fn far_data() -> Error {
    Error::too_large("there is data at addresses from 2^24 on")
        .remedy("link with a smaller stack and a smaller initial memory")
}

/// Splits bytes that begin at an address into sections without long runs of zeros.
pub(crate) fn without_zeros(image: &[u8], first: u32) -> Vec<Section> {
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
        .iter_mut()
        .for_each(|(address, _)| *address += first);
    sections
}

/// The input of a program: the bytes of stdin, and arguments and environment for WASI.
///
/// ```
/// use weightware_frontend::Input;
///
/// let input = Input {
///     arguments: vec![b"program".to_vec(), b"-v".to_vec()],
///     ..Input::from(b"to be read".as_slice())
/// };
/// assert_eq!(input.bytes, b"to be read");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// The bytes of stdin.
    pub bytes: Vec<u8>,
    /// The arguments that WASI passes to the program; by convention the first is its name.
    pub arguments: Vec<Vec<u8>>,
    /// The environment variables that WASI passes to the program, each `NAME=VALUE`.
    pub environment: Vec<Vec<u8>>,
}

impl From<&[u8]> for Input {
    fn from(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            ..Self::default()
        }
    }
}

impl<const N: usize> From<&[u8; N]> for Input {
    fn from(bytes: &[u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl From<&Vec<u8>> for Input {
    fn from(bytes: &Vec<u8>) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl From<&Input> for Input {
    fn from(input: &Input) -> Self {
        input.clone()
    }
}

impl Input {
    /// Encodes the input as a section: the length of its bytes, then the bytes. If the program
    /// reads arguments, there follow the count and the size of the arguments and of the
    /// environment, the offsets of all strings, and the strings, each with a zero at its end.
    pub(crate) fn section(&self, arguments: bool) -> Vec<u8> {
        let mut section = word(self.bytes.len()).to_vec();
        section.extend_from_slice(&self.bytes);
        if arguments {
            let lists = [&self.arguments, &self.environment];
            let mut offsets = Vec::new();
            let mut strings = Vec::new();
            for list in lists {
                let start = strings.len();
                for string in list {
                    offsets.extend(word(strings.len() - start));
                    strings.extend_from_slice(string);
                    strings.push(0);
                }
                section.extend(word(list.len()));
                section.extend(word(strings.len() - start));
            }
            section.extend(offsets);
            section.extend(strings);
        }
        section
    }
}

fn word(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes()
}
