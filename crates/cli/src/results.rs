//! Results of `--invoke`, read off the trace.

use std::collections::VecDeque;
use std::fmt::Write;

use weightware::{ResultType, Token};

/// The results, a line each, from the last lines of the trace: one for each result, the last result
/// first, then a jump and the end.
pub(crate) fn text(types: &[ResultType], lines: &VecDeque<Vec<Token>>) -> String {
    let values = lines.iter().take(types.len()).rev();
    types
        .iter()
        .zip(values)
        .fold(String::new(), |mut text, (ty, line)| {
            let bytes = line.iter().filter_map(|token| match token {
                Token::Byte(byte, _) => Some(*byte),
                _ => None,
            });
            let bits = bytes
                .zip(0..8)
                .fold(0, |bits, (byte, at)| bits | u64::from(byte) << (8 * at));
            let _ = match ty {
                ResultType::I32 => writeln!(text, "{}", (bits as u32).cast_signed()),
                ResultType::I64 => writeln!(text, "{}", bits.cast_signed()),
                ResultType::F32 => writeln!(text, "{}", f32::from_bits(bits as u32)),
                ResultType::F64 => writeln!(text, "{}", f64::from_bits(bits)),
            };
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_in_order() {
        let line = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|&byte| Token::byte(byte))
                .collect::<Vec<_>>()
        };
        let lines = VecDeque::from([
            line(&1.5_f64.to_le_bytes()),
            line(&(-2_i32).to_le_bytes()),
            line(&[9, 0, 0]),
            vec![Token::Halt],
        ]);
        assert_eq!(
            text(&[ResultType::I32, ResultType::F64], &lines),
            "-2\n1.5\n"
        );
    }
}
