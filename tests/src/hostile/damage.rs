//! Damaged inputs.

use crate::random::Random;

/// Valid inputs, and replacements for their parts.
#[derive(Debug)]
pub(super) struct Damage {
    valid: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

/// Words that many formats handle badly.
const WORDS: [&[u8]; 22] = [
    b"\xff\xff\xff\xff\x0f",
    b"\x80\x80\x80\x80\x80\x00",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x00\x00\x00\x00\x00\x00\x00\x80",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x7f",
    b"\x80",
    b"\0asm\x01\0\0\0",
    b"18446744073709551615",
    b"18446744073709551616",
    b"4294967295",
    b"4294967296",
    b"-1",
    b"1e308",
    b"1e999",
    b"0.1",
    b"null",
    b"\"\\ud800\"",
    b"\xc3\x28",
    b"{\"",
    b"[[[[[[[[[[[[[[[[",
    b"((((((((((((((((",
];

/// The length at which longer inputs are cut.
const LONGEST: usize = 1 << 18;

impl Damage {
    pub(super) fn new(valid: Vec<Vec<u8>>, words: Vec<Vec<u8>>) -> Self {
        assert!(!valid.is_empty(), "there are valid inputs to damage");
        let trouble = WORDS.iter().map(|word| word.to_vec());
        Self {
            valid,
            words: words.into_iter().chain(trouble).collect(),
        }
    }

    fn pick<'v>(&self, from: &'v [Vec<u8>], random: &mut Random) -> &'v [u8] {
        &from[random.below(from.len() as u64) as usize]
    }

    pub(super) fn input(&self, random: &mut Random) -> Vec<u8> {
        let mut input = match random.below(16) {
            // Noise: bytes, or words.
            0 => (0..random.below(300))
                .map(|_| random.bits() as u8)
                .collect(),
            1 => {
                let words = (0..random.below(60)).map(|_| self.pick(&self.words, random));
                words.collect::<Vec<_>>().join(&b' ')
            }
            _ => self.pick(&self.valid, random).to_vec(),
        };
        // Sometimes a valid input stays valid.
        for _ in 0..random.below(6) {
            self.damage(&mut input, random);
        }
        input.truncate(LONGEST);
        input
    }

    fn damage(&self, input: &mut Vec<u8>, random: &mut Random) {
        let at = random.below(input.len() as u64 + 1) as usize;
        let len = match random.below(3) {
            0 => random.below(4),
            1 => random.below(40),
            _ => random.below(input.len() as u64 + 1),
        };
        let end = (at + len as usize).min(input.len());
        match random.below(11) {
            0 | 1 if at < input.len() => input[at] ^= 1 << random.below(8),
            2 if at < input.len() => input[at] = random.bits() as u8,
            3 => drop(input.drain(at..end)),
            4 => input.truncate(at),
            5 => {
                let again = input[at..end].to_vec();
                input.splice(at..at, again);
            }
            6 => {
                // The rest of another valid input.
                let other = self.pick(&self.valid, random);
                let from = random.below(other.len() as u64 + 1) as usize;
                input.truncate(at);
                input.extend(&other[from..]);
            }
            7 => {
                let word = self.pick(&self.words, random).to_vec();
                input.splice(at..at, word);
            }
            8 => {
                // A word replaces as many bytes.
                let word = self.pick(&self.words, random).to_vec();
                let end = (at + word.len()).min(input.len());
                input.splice(at..end, word);
            }
            9 => {
                // A word replaces a word of the input.
                let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-+".contains(byte);
                let begin = input[..at]
                    .iter()
                    .rposition(|byte| !is_word(byte))
                    .map_or(0, |at| at + 1);
                let len = input[begin..]
                    .iter()
                    .take_while(|byte| is_word(byte))
                    .count();
                let word = self.pick(&self.words, random).to_vec();
                input.splice(begin..begin + len, word);
            }
            _ => {
                let times = 1 << random.below(14);
                let part = input[at..end.min(at + 16)].repeat(times);
                input.splice(at..at, part);
            }
        }
    }
}
