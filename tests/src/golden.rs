//! Golden traces: `cases/NAME.trace`, a line for each executed instruction.

use std::fmt::Write as _;
use std::fs;

use crate::case::{Case, folder};
use crate::ladder::Trace;

/// Compares a case's trace with its golden file; with `BLESS=1` in the environment, writes the
/// file.
///
/// # Errors
/// The place where they differ, or the error of the file.
pub fn check(case: &Case) -> Result<(), String> {
    let path = folder().join(format!("{}.trace", case.name));
    if !case.trace {
        return match path.exists() {
            true => Err(format!(
                "{} is left over: the case has no `trace = true`",
                path.display()
            )),
            false => Ok(()),
        };
    }
    let actual = Trace::of(&case.program()?, case.max_tokens)?.lines();
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        return fs::write(&path, actual).map_err(|error| format!("{}: {error}", path.display()));
    }
    let golden = fs::read_to_string(&path)
        .map_err(|error| format!("{}: {error}; run with BLESS=1 to write it", path.display()))?;
    match difference(&golden, &actual) {
        None => Ok(()),
        Some(difference) => Err(format!(
            "the trace is not the golden one; if it should be, run with BLESS=1\n{difference}"
        )),
    }
}

/// Lines around the first difference: ` ` common, `-` golden, `+` actual.
fn difference(golden: &str, actual: &str) -> Option<String> {
    const CONTEXT: usize = 3;
    if golden == actual {
        return None;
    }
    let (golden, actual): (Vec<_>, Vec<_>) = (golden.lines().collect(), actual.lines().collect());
    let mut pairs = golden.iter().zip(&actual);
    let first = pairs
        .position(|(g, a)| g != a)
        .unwrap_or(golden.len().min(actual.len()));
    // The common lines at the ends.
    let tails = golden[first..]
        .iter()
        .rev()
        .zip(actual[first..].iter().rev());
    let tail = tails.take_while(|(g, a)| g == a).count();

    let mut text = format!("from line {} on:\n", first + 1);
    let mut say = |mark: char, lines: &[&str]| {
        for line in lines.iter().take(12) {
            let _ = writeln!(text, "{mark} {line}");
        }
        if lines.len() > 12 {
            let _ = writeln!(text, "{mark} ... {} lines more", lines.len() - 12);
        }
    };
    say(' ', &golden[first.saturating_sub(CONTEXT)..first]);
    say('-', &golden[first..golden.len() - tail]);
    say('+', &actual[first..actual.len() - tail]);
    say(
        ' ',
        &golden[golden.len() - tail..golden.len() - tail.saturating_sub(CONTEXT)],
    );
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn differences_are_shown_in_context() {
        let golden = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        assert_eq!(difference(golden, golden), None);
        let changed = golden.replace('5', "five\nfive and a half");
        let expected =
            "from line 5 on:\n  2\n  3\n  4\n- 5\n+ five\n+ five and a half\n  6\n  7\n  8\n";
        assert_eq!(difference(golden, &changed).as_deref(), Some(expected));
        let longer = format!("{golden}10\n");
        let expected = "from line 10 on:\n  7\n  8\n  9\n+ 10\n";
        assert_eq!(difference(golden, &longer).as_deref(), Some(expected));
    }
}
