//! A check of the item counts of sections against their lengths. It runs before the validator,
//! which reserves memory for as many items as a section declares.

use crate::Error;

/// Sections that begin with a count of items of at least a byte each: all except custom sections,
/// the start function and the count of data segments.
const COUNTED: [u8; 11] = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 13];

/// Rejects a section that declares more items than it has bytes. The validator finds other errors.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Error> {
    let mut at = 8;
    while let Some(&id) = bytes.get(at) {
        let Some((length, body)) = number(bytes, at + 1) else {
            return Ok(());
        };
        if COUNTED.contains(&id)
            && let Some((count, _)) = number(bytes, body)
            && count > length
        {
            return Err(Error::invalid(format!(
                "a section of {length} bytes declares {count} items"
            ))
            .at_offset(body as u64));
        }
        at = body.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
    }
    Ok(())
}

/// An unsigned number in LEB128, and the index of its end.
fn number(bytes: &[u8], start: usize) -> Option<(u64, usize)> {
    let mut number = 0;
    for (&byte, place) in bytes.get(start..)?.iter().zip(0..5) {
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Some((number, start + place + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_no_more_than_bytes() {
        let module = |section: &[u8]| [b"\0asm\x01\0\0\0", section].concat();
        // 802,815 imports in 13 bytes.
        let mut section = vec![2, 13, 0xff, 0xff, 0x30];
        section.resize(15, 0);
        let error = check(&module(&section)).expect_err("too many");
        assert_eq!(error.offset(), Some(10));
        assert!(error.is_invalid());
        for fine in [
            &[1, 1, 0][..],
            &[0, 3, 0xff, 0xff, 0x30],
            &[12, 1, 90],
            &[2, 0xff],
            &[],
        ] {
            assert!(check(&module(fine)).is_ok(), "{fine:?}");
        }
    }
}
