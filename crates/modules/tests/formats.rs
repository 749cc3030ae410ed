//! Printf's engine in `strings` against the C library of the host.

use weightware::{Outcome, Trap};
use weightware_modules::Module;

use crate::args;
use crate::driver::{Called, Calls, NOWHERE, Target, machine};
use crate::numbers::ORACLE;
use crate::random::Random;

const TEXT: u32 = 0;
const BLOCK: u32 = 4 << 10;
const STRINGS: u32 = 5 << 10;
const COUNTS: u32 = 6 << 10;
const WIDE: u32 = 7 << 10;
const OUT: u32 = 8 << 10;

/// Fewer of all cases, by imported functions.
pub(crate) fn imported() -> Called {
    Calls::run_against(ORACLE, "strings", Target::Imported, |calls| {
        formats(calls, 12, 3)
    })
}

/// A format and its arguments, as C lays them out on a target.
struct Block {
    bytes: Vec<u8>,
    pointers: Vec<(u32, u32)>,
    /// Directives `%n`.
    counts: u32,
}

impl Block {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes
            .resize(self.bytes.len().next_multiple_of(bytes.len()), 0);
        self.bytes.extend(bytes);
    }

    fn push_pointer(&mut self, target: Target, to: u32) {
        self.push(&vec![0; target.pointer()]);
        let at = self.bytes.len() - target.pointer();
        self.pointers.push((at as u32, to));
    }
}

/// A directive of printf, with its arguments pushed to the block.
fn directive(random: &mut Random, target: Target, block: &mut Block) -> String {
    let kind = random.below(13);
    if kind == 6 {
        return "%%".into();
    }
    if kind == 7 {
        block.push_pointer(target, COUNTS + 8 * block.counts);
        block.counts += 1;
        // The others have not the same size on all targets.
        let length = ["", "hh", "h", "ll", "j"][random.below(5)];
        return format!("%{length}n");
    }
    let mut text = "%".to_owned();
    for flag in ['-', '+', ' ', '#', '0', '\''] {
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
            text += ["c", "lc", "C"][random.below(3)];
        }
        5 => {
            block.push_pointer(target, STRINGS + random.below(12) as u32);
            text.push('s');
        }
        8 => {
            block.push_pointer(target, WIDE + 4 * random.below(12) as u32);
            text += ["ls", "S"][random.below(2)];
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
    let wide = b"twelve wides\0".iter();
    let wide: Vec<u8> = wide.flat_map(|&b| u32::from(b).to_le_bytes()).collect();
    calls.write(WIDE, &wide);
    for _ in 0..cases {
        let mut block = Block {
            bytes: vec![],
            pointers: vec![],
            counts: 0,
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
        calls.write(COUNTS, &[b'#'; 64]);
        calls.call("format", args![OUT, size, TEXT, BLOCK]);
        calls.reads(OUT, &[0; 64]);
        calls.reads(COUNTS, &[0; 64]);
        let (size, skip) = (random.below(20) as u32, random.below(30) as u32);
        calls.call("format_from", args![OUT, size, skip, TEXT, BLOCK]);
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
    for directive in [
        "%m", "%1$d", "%02$s", "%Lf", "%.3Lg", "%LE", "%La", "%lc", "%-5C",
    ] {
        let program = format!(
            r#"
            #include "strings/strings.h"
            __attribute__((export_name("_start"))) void start(void) {{
                char buffer[64];
                uint32_t arguments[8] = {{233}};
                strings_format(buffer, 64, "{directive}", arguments);
            }}"#
        );
        let outcome = machine::Driver::new(strings, &program, Target::Imported).outcome(b"");
        assert_eq!(outcome, Outcome::Trapped(Trap::Unreachable), "{directive}");
    }
}

/// Lengths that an `int` does not hold are -1, and long ones take no time.
#[test]
fn lengths_have_31_bits() {
    let formats: [(&[u8], i32); 12] = [
        (b"%2147483647d\0", i32::MAX),
        (b"%-2147483647d\0", i32::MAX),
        (b"%.2147483647d\0", i32::MAX),
        (b"%+.2147483647d\0", -1),
        (b"%2147483647d%d\0", -1),
        (b"%2147483647d.\0", -1),
        (b"%2147483648d\0", -1),
        (b"%99999999999d\0", -1),
        (b"%.2147483648d\0", -1),
        (b"%.2147483647x %n\0", -1),
        (b"%s %2147483640s%s\0", -1),
        (b"%1000000000s%1147483647s\0", i32::MAX),
    ];
    for target in [Target::Native, Target::Imported] {
        let mut calls = Calls::new("strings", target);
        calls.write(BLOCK, &[0; 32]);
        for (format, length) in formats {
            calls.note(&String::from_utf8_lossy(format));
            calls.write(TEXT, format);
            calls.returns("format", args![OUT, 5, TEXT, BLOCK], length);
        }
        // Floating point, whose alternate form keeps all zeros.
        calls.write(BLOCK, &0.000_122_070_312_5f64.to_le_bytes());
        let formats: [(&[u8], i32); 4] = [
            (b"%.2147483647g\0", 15),
            (b"%#.2147483647g\0", -1),
            (b"%.2147483645f\0", i32::MAX),
            (b"%.2147483646f\0", -1),
        ];
        for (format, length) in formats {
            calls.note(&String::from_utf8_lossy(format));
            calls.write(TEXT, format);
            calls.returns("format", args![OUT, 5, TEXT, BLOCK], length);
        }
        // The last bytes, and none beyond them.
        calls.write(TEXT, b"%2147483640d%s\0");
        calls.write(BLOCK, &[0; 32]);
        for (skip, expected) in [(i32::MAX as u32 - 10, &b"  0(nul\0"[..]), (1 << 31, b"\0")] {
            calls.returns(
                "format_from",
                args![OUT, 8, skip, TEXT, BLOCK],
                2_147_483_646,
            );
            calls.reads(OUT, expected);
        }
        calls.run();
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
