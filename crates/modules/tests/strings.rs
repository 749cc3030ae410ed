//! Memory and texts of `strings` against slices of Rust.

use crate::args;
use crate::driver::{Argument, Called, Calls, NOWHERE, Target, native_and_machine};
use crate::random::Random;

const A: u32 = 0;
const B: u32 = 8 << 10;
const OUT: u32 = 16 << 10;

/// A text of few letters, so that there is something to find.
fn text(random: &mut Random, count: usize) -> Vec<u8> {
    let letters = 1 + random.below(3);
    (0..count)
        .map(|_| b'a' + random.below(letters) as u8)
        .collect()
}

fn terminated(text: &[u8]) -> Vec<u8> {
    [text, b"\0"].concat()
}

fn difference(a: &[u8], b: &[u8]) -> i32 {
    let [a, b] = [a, b].map(|bytes| bytes.iter().chain(std::iter::repeat(&0)));
    let pairs = a.zip(b).take(10_000);
    pairs
        .map(|(a, b)| i32::from(*a) - i32::from(*b))
        .find(|difference| *difference != 0)
        .unwrap_or(0)
}

fn place(base: u32, at: Option<usize>) -> u32 {
    at.map_or(NOWHERE, |at| base + at as u32)
}

fn memory(calls: &mut Calls, random: &mut Random, count: usize) {
    let (n, bytes) = (count as u32, random.bytes(count));
    let shift = random.below(9) as u32;
    calls.write(A + shift, &bytes);
    calls.write(OUT, &vec![b'#'; count + 40]);
    calls.returns("memcpy", args![OUT + 8, A + shift, n], OUT + 8);
    let margin = [b'#'; 8];
    calls.reads(OUT, &[&margin, &bytes[..], &margin].concat());
    // Overlapping, up and down.
    let to = A + random.below(30) as u32;
    calls.returns("memmove", args![to, A + shift, n], to);
    calls.reads(to, &bytes);
    let byte = random.next() as u8;
    calls.returns("memset", args![OUT + 8, i32::from(byte) - 256, n], OUT + 8);
    calls.reads(OUT, &[&margin, &vec![byte; count][..], &margin].concat());
    let mut other = bytes.clone();
    if count > 0 && random.below(3) > 0 {
        other[random.below(count)] ^= 1 << random.below(8);
    }
    calls.write(A, &bytes);
    calls.write(B + shift, &other);
    calls.returns("memcmp", args![A, B + shift, n], difference(&bytes, &other));
    let byte = if count > 0 && random.below(2) == 0 {
        bytes[random.below(count)]
    } else {
        byte
    };
    let found = bytes.iter().position(|&b| b == byte);
    calls.returns("memchr", args![A, i32::from(byte), n], place(A, found));
}

fn texts(calls: &mut Calls, random: &mut Random, count: usize) {
    let a = text(random, count);
    let mut b = match random.below(3) {
        0 => text(random, count),
        1 => a[..random.below(count + 1)].to_vec(),
        _ => a.clone(),
    };
    if random.below(4) == 0 {
        b.push(0xff);
    }
    let most = random.below(count + 3);
    let n = most as u32;
    calls.write(A, &terminated(&a));
    calls.write(B, &terminated(&b));
    calls.returns("strlen", args![A], count as u32);
    calls.returns("strnlen", args![A, n], count.min(most) as u32);
    calls.returns("strcmp", args![A, B], difference(&a, &b));
    let cut = |text: &[u8]| text[..text.len().min(most)].to_vec();
    calls.returns("strncmp", args![A, B, n], difference(&cut(&a), &cut(&b)));
    let copied = terminated(&a);
    calls.returns("strcpy", args![OUT, A], OUT);
    calls.reads(OUT, &copied);
    calls.returns("strcat", args![OUT, B], OUT);
    calls.reads(OUT, &terminated(&[&a[..], &b].concat()));
    calls.call("strcpy", args![OUT, A]);
    calls.returns("strncat", args![OUT, B, n], OUT);
    calls.reads(OUT, &terminated(&[&a[..], &cut(&b)].concat()));
    calls.write(OUT, &vec![b'#'; most + 2]);
    calls.returns("strncpy", args![OUT, A, n], OUT);
    let mut padded = cut(&a);
    padded.resize(most, 0);
    calls.reads(OUT, &[&padded[..], b"##"].concat());
    let byte = [0, b'a', b'b', b'c', 0xff][random.below(5)];
    let whole = terminated(&b);
    let first = whole.iter().position(|&b| b == byte);
    calls.returns("strchr", args![B, i32::from(byte)], place(B, first));
    let last = whole.iter().rposition(|&b| b == byte);
    calls.returns("strrchr", args![B, i32::from(byte)], place(B, last));
}

fn searches(calls: &mut Calls, random: &mut Random, count: usize) {
    let haystack = text(random, count);
    let wanted = match random.below(4) {
        0 => text(random, random_length(count)),
        1 => {
            // Periodic: the parts of the two-way algorithm repeat.
            let length = 1 + count % 4;
            let period = text(random, length);
            period.repeat(1 + count % 3)
        }
        _ => {
            let start = random.below(count + 1);
            haystack[start..start + random.below(count - start + 1)].to_vec()
        }
    };
    calls.write(A, &terminated(&haystack));
    calls.write(B, &terminated(&wanted));
    let found = (0..=haystack.len()).find(|&at| haystack[at..].starts_with(&wanted));
    calls.returns("strstr", args![A, B], place(A, found));
    let set = [&b"ab"[..], b"c", b"", b"abc"][random.below(4)];
    calls.write(B, &terminated(set));
    let others = haystack.iter().position(|b| !set.contains(b));
    calls.returns("strspn", args![A, B], others.unwrap_or(count) as u32);
    let members = haystack.iter().position(|b| set.contains(b));
    calls.returns("strcspn", args![A, B], members.unwrap_or(count) as u32);
    calls.returns("strpbrk", args![A, B], place(A, members));
}

fn random_length(count: usize) -> usize {
    1 + count % 9
}

/// An integer in a base, by repeated division.
fn digits(value: i128, base: u32) -> Vec<u8> {
    let mut rest = value.unsigned_abs();
    let mut digits = vec![];
    while rest > 0 || digits.is_empty() {
        let digit = (rest % u128::from(base)) as u32;
        digits.push(char::from_digit(digit, base).expect("a digit") as u8);
        rest /= u128::from(base);
    }
    digits.extend((value < 0).then_some(b'-'));
    digits.reverse();
    digits
}

fn integers(calls: &mut Calls, random: &mut Random, _: usize) {
    let (wide, base) = (random.wide(), 2 + random.below(35) as u32);
    let word = wide as u32;
    let values: [(&str, Argument, i128); 4] = [
        ("itoa", word.into(), (word as i32).into()),
        ("utoa", word.into(), word.into()),
        ("lltoa", wide.into(), (wide as i64).into()),
        ("ulltoa", wide.into(), wide.into()),
    ];
    for (name, argument, value) in values {
        let text = digits(value, base);
        calls.returns(
            name,
            &[argument, OUT.into(), base.into()],
            text.len() as u32,
        );
        calls.reads(OUT, &terminated(&text));
    }
}

pub(crate) fn all(target: Target) -> Called {
    let mut random = Random::new(7);
    let mut calls = Calls::new("strings", target);
    let counts: Vec<usize> = match target {
        Target::Native => (0..100)
            .flat_map(|count| [count; 20])
            .chain([1000, 3000])
            .collect(),
        Target::Machine => vec![0, 1, 7, 8, 30],
        Target::Imported => vec![0, 1, 20],
    };
    for count in counts {
        for functions in [memory, texts, searches, integers] {
            functions(&mut calls, &mut random, count);
        }
    }
    calls.run()
}

native_and_machine!(all);

/// Bases beyond 2 to 36 write nothing.
#[test]
fn bases_without_digits() {
    let mut calls = Calls::new("strings", Target::Native);
    for (name, base) in [("itoa", 1), ("itoa", 37), ("utoa", 0)] {
        calls.write(OUT, b"####");
        calls.returns(name, args![-5, OUT, base], 0);
        calls.reads(OUT, b"\0");
    }
    calls.run();
}
