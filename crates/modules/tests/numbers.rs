//! Numbers as text in `strings` against the C library of the host: strtol, strtod, printf.

use weightware::{Outcome, Trap};
use weightware_modules::Module;

use crate::args;
use crate::driver::{Called, Calls, NOWHERE, Target, machine};
use crate::random::Random;

const TEXT: u32 = 0;
const BLOCK: u32 = 4 << 10;
const STRINGS: u32 = 5 << 10;
const END: u32 = 6 << 10;
const OUT: u32 = 8 << 10;

const ORACLE: &str = include_str!("driver/oracle.h");

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
    let called = called.chain(by(|calls| numbers(calls, 8, 2)));
    called.chain(by(|calls| formats(calls, 12, 3))).collect()
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

/// A format and its arguments, as C lays them out on a target.
struct Block {
    bytes: Vec<u8>,
    pointers: Vec<(u32, u32)>,
}

impl Block {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes
            .resize(self.bytes.len().next_multiple_of(bytes.len()), 0);
        self.bytes.extend(bytes);
    }
}

/// A directive of printf, with its arguments pushed to the block.
fn directive(random: &mut Random, target: Target, block: &mut Block) -> String {
    let kind = random.below(10);
    if kind == 6 {
        return "%%".into();
    }
    let mut text = "%".to_owned();
    for flag in ['-', '+', ' ', '#', '0'] {
        if random.below(4) == 0 {
            text.push(flag);
        }
    }
    for (mark, most) in [("", 20), (".", 24)] {
        match random.below(5) {
            0 => {
                text += mark;
                text.push('*');
                let value = random.below(most) as i32 - if mark.is_empty() { 9 } else { 2 };
                block.push(&value.to_le_bytes());
            }
            1 => text += &format!("{mark}{}", random.below(most)),
            2 if mark == "." => text += mark,
            _ => {}
        }
    }
    match kind {
        0..=3 => {
            let length = ["", "hh", "h", "l", "ll", "j", "z", "t"][random.below(8)];
            let conversion = ['d', 'i', 'u', 'o', 'x', 'X'][random.below(6)];
            let (wide, word) = (random.wide(), random.word());
            text += length;
            match length {
                "ll" | "j" => block.push(&wide.to_le_bytes()),
                // Both a long of 32 bits and one of 64 hold these.
                "l" | "z" | "t" => {
                    let signed = i64::from(word as i32);
                    let value = if "di".contains(conversion) {
                        signed as u64
                    } else {
                        word.into()
                    };
                    block.push(&value.to_le_bytes()[..target.pointer()]);
                }
                _ => block.push(&word.to_le_bytes()),
            }
            text.push(conversion);
        }
        4 => {
            block.push(&(b'a' as u32 + random.below(26) as u32).to_le_bytes());
            text.push('c');
        }
        5 => {
            block.push(&vec![0; target.pointer()]);
            let at = block.bytes.len() - target.pointer();
            block
                .pointers
                .push((at as u32, STRINGS + random.below(12) as u32));
            text.push('s');
        }
        _ => {
            let value = match random.below(4) {
                0 => (random.below(200_000) as f64 - 100_000.0) / 1000.0,
                1 => random.below(4000) as f64 / 16.0 * 10f64.powi(random.below(12) as i32 - 6),
                _ => random.f64(),
            };
            // The sign of a NaN is not the same everywhere.
            block.push(&(if value.is_nan() { f64::INFINITY } else { value }).to_le_bytes());
            text.push(['a', 'A', 'e', 'E', 'f', 'F', 'g', 'G'][random.below(8)]);
        }
    }
    text
}

fn formats(calls: &mut Calls, cases: usize, directives: usize) {
    let mut random = Random::new(11);
    calls.write(STRINGS, b"twelve bytes\0");
    for _ in 0..cases {
        let mut block = Block {
            bytes: vec![],
            pointers: vec![],
        };
        let mut format = String::new();
        for _ in 0..1 + random.below(directives) {
            format += &directive(&mut random, calls.target, &mut block);
            format += ["", " ", "|x"][random.below(3)];
        }
        let size = [2000, 2000, 2000, 10, 1, 0][random.below(6)];
        calls.note(&format!("{format:?} {:02x?}", block.bytes));
        calls.write(TEXT, &[format.as_bytes(), b"\0"].concat());
        calls.write(BLOCK, &block.bytes);
        for (at, to) in block.pointers {
            calls.pointer(BLOCK + at, to);
        }
        calls.write(OUT, &[b'#'; 64]);
        calls.call("format", args![OUT, size, TEXT, BLOCK]);
        calls.reads(OUT, &[0; 64]);
    }
}

#[test]
fn formats_are_those_of_the_host() {
    Calls::run_against(ORACLE, "strings", Target::Native, |calls| {
        formats(calls, 20_000, 4)
    });
    Calls::run_against(ORACLE, "strings", Target::Machine, |calls| {
        formats(calls, 30, 3)
    });
}

/// Whole expansions: the greatest and the least numbers, with every digit they have.
fn expansions(calls: &mut Calls) {
    let formats = [
        "%.1100f", "%.0f", "%.800e", "%#.0e", "%.1074g", "%a", "%.3a",
    ];
    for value in [
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
        0.5,
        1.5,
        2.5,
        0.0,
        999_999.5,
        1e-5,
        9.995,
    ] {
        for format in formats {
            calls.note(&format!("{format} {value:e}"));
            calls.write(TEXT, &[format.as_bytes(), b"\0"].concat());
            calls.write(BLOCK, &value.to_le_bytes());
            calls.call("format", args![OUT, 2000, TEXT, BLOCK]);
            calls.reads(OUT, &[0; 1500]);
        }
    }
}

#[test]
fn expansions_are_exact() {
    Calls::run_against(ORACLE, "strings", Target::Native, expansions);
}

/// A directive that C does not define is written as it is.
#[test]
fn unknown_directives() {
    let mut calls = Calls::new("strings", Target::Native);
    calls.write(TEXT, b"a%y %\0");
    calls.returns("format", args![OUT, 20, TEXT, NOWHERE], 5);
    calls.reads(OUT, b"a%y %\0");
    calls.run();
}

/// Directives of C that the module does not have are no wrong text, but the end.
#[test]
fn foreign_directives_trap() {
    let strings = Module::named("strings").expect("a module");
    for directive in ["%n", "%hhn", "%ls", "%-5lc", "%Lf", "%.3Lg", "%LE", "%La"] {
        let program = format!(
            r#"
            #include "strings/strings.h"
            __attribute__((export_name("_start"))) void start(void) {{
                char buffer[64];
                uint32_t arguments[8] = {{0}};
                strings_format(buffer, 64, "{directive}", arguments);
            }}"#
        );
        let outcome = machine::Driver::new(strings, &program, Target::Imported).outcome(b"");
        assert_eq!(outcome, Outcome::Trapped(Trap::Unreachable), "{directive}");
    }
}

/// In WebAssembly, `va_list` points to the block that `format` takes.
#[test]
fn arguments_of_variadic_functions() {
    let program = r#"
        #include "strings/strings.h"
        __attribute__((import_module("env"), import_name("putchar"))) void put(int byte);
        __attribute__((export_name("_start"))) void start(void) {
            char buffer[64];
            int length = strings_snprintf(buffer, 64, "%s|%d|%.3f|%lld|%c|%x", "text", -5, 2.5, 1ll << 40, 'x', 300);
            for (int i = 0; i < length; i++) put(buffer[i]);
        }"#;
    let strings = Module::named("strings").expect("a module");
    for target in [Target::Machine, Target::Imported] {
        let output = machine::Driver::new(strings, program, target).output(b"");
        assert_eq!(output, b"text|-5|2.500|1099511627776|x|12c");
    }
}
