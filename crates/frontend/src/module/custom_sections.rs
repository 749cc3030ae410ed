//! Custom sections of a binary, which hold debug information.

use wasmparser::{Parser, Payload};

/// The custom sections of a WebAssembly binary, by name, after the offset of the code section's
/// contents. DWARF addresses are relative to that offset. A malformed binary is read up to the
/// first error.
///
/// ```
/// let (code, sections) = weightware_frontend::custom_sections(b"\0asm\x01\0\0\0\0\x04\x02hi!");
/// assert_eq!((code, sections), (None, vec![("hi", &b"!"[..])]));
/// ```
#[must_use]
pub fn custom_sections(binary: &[u8]) -> (Option<u64>, Vec<(&str, &[u8])>) {
    let (mut code, mut sections) = (None, vec![]);
    for payload in Parser::new(0).parse_all(binary).map_while(Result::ok) {
        match payload {
            Payload::CodeSectionStart {
                unchecked_range, ..
            } => code = Some(unchecked_range.start),
            Payload::CustomSection(section) => sections.push((section.name(), section.data())),
            _ => {}
        }
    }
    (code, sections)
}
