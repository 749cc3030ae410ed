//! Hostile program texts.

use weightware_isa::Program;

use super::run::Random;

const GOOD: &str = "\
{ section 00 00 01 00     # data
  i32.const 03 00 00 00 local.set 04 00 00 00 local.get 04 00 00 00 ; comment
  i64.const ff ff ff ff i64.const_high 00 00 00 80 drop 00 00 00 00
  call 0a 00 00 05 resume 09 00 00 00 br 0b 00 00 00 return 00 00 00 00 }
01 02 03 loaded
";

/// Words and characters at which a parser is likely to fail.
const ODD: [&str; 24] = [
    "{",
    "}",
    "loaded",
    "section",
    "resume",
    "i64.const_high",
    "halt",
    "trap(unreachable)",
    "out(00)",
    "call(255)",
    "commit(+1,sts=1,bt=0)",
    "<begin>",
    "00",
    "ff",
    "0",
    "000",
    "FF",
    "+1",
    "é",
    "\u{2028}",
    "\0",
    "#",
    ";",
    "\u{feff}",
];

/// Checks that a refusal names a line and a column that exist, and that an accepted program
/// survives printing and reading.
#[track_caller]
fn judge(text: &str) -> bool {
    match text.parse::<Program>() {
        Ok(program) => {
            assert_eq!(
                program.to_string().parse::<Program>().as_ref(),
                Ok(&program),
                "{text:?}"
            );
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            if let (Some(line), Some(column)) = (error.line(), error.column()) {
                let lines: Vec<&str> = text.lines().collect();
                assert!(
                    (1..=lines.len().max(1)).contains(&line),
                    "{error}: {text:?}"
                );
                let longest = lines.get(line - 1).map_or(0, |line| line.chars().count());
                assert!((1..=longest + 1).contains(&column), "{error}: {text:?}");
            }
            false
        }
    }
}

#[test]
fn a_good_text_is_good() {
    assert!(judge(GOOD), "{:?}", GOOD.parse::<Program>());
}

#[test]
fn damaged_texts_are_read_or_refused_at_a_place() {
    let mut random = Random(3);
    let mut read = 0;
    for _ in 0..20_000 {
        let mut words: Vec<&str> = GOOD.split_inclusive(' ').collect();
        for _ in 0..=random.below(3) {
            let at = random.below(words.len().max(1));
            if words.is_empty() {
                break;
            }
            match random.below(4) {
                0 => drop(words.remove(at)),
                1 => words[at] = ODD[random.below(ODD.len())],
                2 => words.insert(at, ODD[random.below(ODD.len())]),
                _ => words.truncate(at + 1),
            }
        }
        read += u32::from(judge(&words.concat()));
    }
    assert!(read > 300, "{read} of them are read");
}

#[test]
fn texts_of_odd_words() {
    let mut random = Random(4);
    for _ in 0..5_000 {
        let words = (0..random.below(40)).map(|_| ODD[random.below(ODD.len())]);
        judge(
            &words
                .collect::<Vec<_>>()
                .join([" ", "\n", ""][random.below(3)]),
        );
    }
}
