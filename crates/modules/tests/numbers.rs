//! Numbers as text in `strings` against the C library of the host: strtol, strtod.

use crate::args;
use crate::driver::{Called, Calls, Target};
use crate::random::Random;

const TEXT: u32 = 0;
const END: u32 = 6 << 10;
const OUT: u32 = 8 << 10;

pub(crate) const ORACLE: &str = include_str!("driver/oracle.h");

fn read(calls: &mut Calls, name: &str, text: &str, base: Option<i32>) {
    calls.note(text);
    calls.write(TEXT, &[text.as_bytes(), b"\0"].concat());
    match base {
        Some(base) => calls.call(name, args![TEXT, END, base]),
        None => calls.call(name, args![TEXT, END]),
    }
    calls.reads(END, &[0; 4]);
}

const INTEGERS: [&str; 26] = [
    "",
    " ",
    "-",
    "+",
    "0",
    "-0",
    "08",
    "0x",
    "0xg",
    "0X1f",
    "-0x10",
    "  \t\n42abc",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "4294967295",
    "4294967296",
    "-4294967295",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999",
    "z1Z",
];

fn integers(calls: &mut Calls, cases: usize) {
    let mut random = Random::new(8);
    let drawn = (0..cases).map(|_| {
        let value = random.wide();
        match random.below(4) {
            0 => format!("{value}"),
            1 => format!(" -{value}x"),
            2 => format!("{value:#x}"),
            _ => format!("+{}{value:o}", random.below(10)),
        }
    });
    let drawn: Vec<String> = drawn.collect();
    let texts = INTEGERS.into_iter().chain(drawn.iter().map(String::as_str));
    for (at, text) in texts.enumerate() {
        for name in ["strtol", "strtoul", "strtoll", "strtoull"] {
            for base in [0, 10, 16, 2 + at as i32 % 35] {
                read(calls, name, text, Some(base));
            }
        }
    }
}

#[test]
fn integers_are_read() {
    Calls::run_against(ORACLE, "strings", Target::Native, |calls| {
        integers(calls, 500)
    });
    Calls::run_against(ORACLE, "strings", Target::Machine, |calls| {
        integers(calls, 2)
    });
}

/// Fewer of all cases, by imported functions.
pub(crate) fn imported() -> Called {
    let by = |build: fn(&mut Calls)| {
        Calls::run_against(ORACLE, "strings", Target::Imported, build).into_iter()
    };
    let called = by(|calls| integers(calls, 1));
    called.chain(by(|calls| numbers(calls, 8, 2))).collect()
}

/// Halfway cases, limits, forms and malformed texts.
const NUMBERS: [&str; 46] = [
    "",
    ".",
    "-",
    "+.e1",
    "1",
    "-0",
    "1.5e",
    "1e+",
    "1e-x",
    "  \n-2.5E3z",
    "inf",
    "-INFINITY",
    "infinit",
    "nan",
    "-nan(12_x)",
    "nan(?",
    "0x",
    "0x.p1",
    "0x1p-1074",
    "0x1.8p1",
    "0X.8P+3q",
    "0x1.fffffffffffff8p0",
    "0x1.00000000000008p0",
    "0x1.000000000000080000000001p0",
    "0x1p-1075",
    "0x1.0001p-1075",
    "0x123456789abcdef01p-4",
    "0x1p1024",
    "1e308",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "1.7976931348623159e308",
    "1e309",
    "5e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "2.2250738585072011e-308",
    "2.2250738585072014e-308",
    "9007199254740993",
    "9007199254740992.999999",
    "9007199254740993.0000000000000000000000000000000000001",
    "8.41e21",
    "123456789012345678901234567890",
    "1e99999999999",
    "0e99999999999",
    "1e-99999999999",
];

fn number(random: &mut Random) -> String {
    match random.below(6) {
        0 => format!("{:e}", random.f64()),
        1 => format!("{}", random.f64()),
        2 => format!("{:.*e}", random.below(30), random.f64()),
        // Halfway between two numbers, exactly and nearly.
        3 => {
            let x = f64::from_bits(random.next() % (1 << 62));
            let exponent = random.below(3);
            let digits = format!("{:.770e}", x);
            let (mantissa, power) = digits.split_once('e').expect("an exponent");
            format!("{mantissa}{}e{power}", exponent % 2)
        }
        4 => format!(
            "{}.{}e{}",
            random.next(),
            random.next(),
            random.below(700) as i32 - 360
        ),
        _ => format!(
            "{}e{}",
            random.next() >> random.below(64),
            random.below(60) as i32 - 30
        ),
    }
}

/// The decimal digits of the point halfway between two neighbours of f64.
fn halfway(random: &mut Random) -> String {
    // m 2^-k = m 5^k 10^-k
    let (m, k) = (random.next() >> 10 | 1 << 53 | 1, 1 + random.below(40));
    let mut digits = vec![];
    let mut rest = m;
    while rest > 0 {
        digits.push((rest % 10) as u32);
        rest /= 10;
    }
    for _ in 0..k {
        let mut carry = 0;
        for digit in &mut digits {
            let product = *digit * 5 + carry;
            *digit = product % 10;
            carry = product / 10;
        }
        if carry > 0 {
            digits.push(carry);
        }
    }
    let text: String = digits
        .iter()
        .rev()
        .filter_map(|&digit| char::from_digit(digit, 10))
        .collect();
    format!(
        "{text}{}e-{k}",
        ["", ".0000000000000000000001"][random.below(2)]
    )
}

fn numbers(calls: &mut Calls, listed: usize, cases: usize) {
    let mut random = Random::new(9);
    for text in NUMBERS.into_iter().take(listed) {
        read(calls, "strtod", text, None);
    }
    for _ in 0..cases {
        let text = number(&mut random);
        read(calls, "strtod", &text, None);
        let text = halfway(&mut random);
        read(calls, "strtod", &text, None);
        calls.write(TEXT, &[text.as_bytes(), b"\0"].concat());
        let value: f64 = text.parse().expect("a number");
        calls.call("atof", args![TEXT]);
        calls.note(&format!("{value:e}"));
        calls.call("dtoa", args![value, OUT]);
    }
}

#[test]
fn numbers_are_read() {
    Calls::run_against(ORACLE, "strings", Target::Native, |calls| {
        numbers(calls, NUMBERS.len(), 4000)
    });
    Calls::run_against(ORACLE, "strings", Target::Machine, |calls| {
        numbers(calls, 24, 3)
    });
}

/// Every number that dtoa writes is read as itself, by Rust.
#[test]
fn numbers_survive_a_round_trip() {
    let mut random = Random::new(10);
    let mut calls = Calls::new("strings", Target::Native);
    for _ in 0..4000 {
        let value = random.f64();
        calls.call("dtoa", args![value, OUT]);
        calls.reads_with(OUT, 25, move |found| {
            let text = found.split(|&b| b == 0).next().map(String::from_utf8_lossy);
            let read: f64 = text
                .unwrap_or_default()
                .parse()
                .map_err(|error| format!("{error}"))?;
            let is_same = read.to_bits() == value.to_bits() || read.is_nan() && value.is_nan();
            is_same
                .then_some(())
                .ok_or(format!("{value:e} becomes {read:e}"))
        });
    }
    calls.run();
}
