//! Pages of the verdicts on programs, as Markdown.

use std::fmt::Write as _;

use weightware::Profile;
use weightware_real::Program;

use super::manifest::Toolchain;
use super::toolchains::Tried;
use super::{Measured, Verdict};
use crate::thousands::thousands;

/// Characters of a message that a table has room for.
const ROOM: usize = 300;

impl Verdict {
    /// The verdict in one line.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Right => "right".to_owned(),
            Self::Refused(why) => format!("refused: {}", cell(why)),
            Self::Stopped(why) => format!("stops {}", cell(why)),
            Self::Different(why) => format!("WRONG: {}", cell(why)),
            Self::Unknown(why) => format!("not run: {}", cell(why)),
        }
    }
}

/// A message as a cell of a table: its telling line, without what would end the cell.
fn cell(message: &str) -> String {
    let telling = message.lines().find(|line| line.contains("error:"));
    let line = telling.or(message.lines().next()).unwrap_or_default();
    let line: String = line.trim().chars().take(ROOM).collect();
    line.replace('|', "\\|")
}

fn number(number: Option<u64>) -> String {
    number.map_or("-".to_owned(), thousands)
}

/// Cells that are the same wherever the program runs.
fn cells(measured: &Measured) -> String {
    format!(
        "{} | {} | {} | {} | {} | {} | {}",
        number((measured.size > 0).then_some(measured.size as u64)),
        number(measured.prompt),
        number(measured.tokens),
        number(measured.contexts.map(|(contexts, _)| contexts)),
        number(measured.contexts.map(|(_, reread)| reread)),
        measured.profile.unwrap_or("-"),
        measured.verdict.line(),
    )
}

/// The page with what came of a toolchain between its markers.
///
/// # Errors
/// If the page has no markers of that name.
pub(super) fn with_toolchain(
    page: &str,
    toolchain: &Toolchain,
    tried: &Tried,
) -> Result<String, String> {
    let name = &toolchain.name;
    let (begin, end) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->"),
    );
    let missing = || format!("docs/toolchains.md has no {} ... {end}", begin.trim_end());
    let (before, rest) = page.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&end).ok_or_else(missing)?;
    let mut table = format!("```sh\n{}\n", toolchain.install);
    for (example, measured) in toolchain.examples.iter().zip(&tried.examples) {
        let profile = match measured.profile {
            Some(name) if name != Profile::STOCK.name => format!(" --profile {name}"),
            _ => String::new(),
        };
        let input = example
            .input
            .as_ref()
            .map_or(String::new(), |name| format!(" < {name}"));
        let _ = write!(
            table,
            "{}\nweightware run{profile} {}.wasm{input}\n",
            example.build, example.name
        );
    }
    let _ = write!(
        table,
        "```\n\nBy {}:\n\n| program | bytes | prompt | trace | contexts | reread | profile | outcome |\n|---|---:|---:|---:|---:|---:|---|---|\n",
        tried.version
    );
    for (example, measured) in toolchain.examples.iter().zip(&tried.examples) {
        let _ = writeln!(table, "| {} | {} |", example.name, cells(measured));
    }
    Ok(format!("{before}{begin}{table}{end}{after}"))
}

/// The page about real programs.
pub(super) fn programs(compiler: &str, done: &[(Program, Measured)]) -> String {
    let right = done
        .iter()
        .filter(|(_, measured)| measured.verdict == Verdict::Right);
    let mut page = format!(
        "# Real programs\n\nWritten by `cargo xtask real --native --write`; do not edit.\n\n\
        Sources of crates on crates.io, each with a small driver of ours \
        ([`tests/real`](../tests/real)), compiled by {compiler} with `{}`. Flags of a program beyond \
        these are what its port to WASI needs. Only two were tuned for the machine: Lua's stack has 16 KiB, and the driver of SQLite sets no memory aside for pages and small allocations. The plan engine decodes each by the first profile (stock, long, far, wide, huge) that gets it to its end; else \
        the row is of the profile that got furthest, and names what stopped it. A run that fills a context goes on in the next one; *reread* are the tokens of the prompts of all contexts but the first. *Right* means that both output \
        streams and the exit code are those of an independent engine (wasmi), and *same* that they are also those of a native program, which the system's C compiler makes from the same sources. [Horizons](horizons.md) explains the \
        limits. Times are of one core of a busy 2-core virtual machine, prefill included.\n\n\
        {} of {} are right.\n\n\
        | program | what it does | source | bytes | prompt | trace | contexts | reread | profile | outcome | native | seconds |\n\
        |---|---|---|---:|---:|---:|---:|---:|---|---|---|---:|\n",
        [
            "--target=wasm32-wasi -O2 -Wl,--stack-first -Wl,-z,stack-size=65536",
            &weightware_real::FLAGS.join(" ")
        ]
        .join(" "),
        right.count(),
        done.len(),
    );
    for (program, measured) in done {
        let seconds = match measured.tokens {
            Some(_) => format!("{:.1}", measured.seconds),
            None => "-".to_owned(),
        };
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {seconds} |",
            program.title(),
            program.about,
            program.crates.join(", "),
            cells(measured),
            native(measured),
        );
    }
    page
}

/// Whether the native program says the same.
fn native(measured: &Measured) -> String {
    match &measured.native {
        None => "-".to_owned(),
        Some(None) => "same".to_owned(),
        Some(Some(difference)) => format!("WRONG: {}", cell(difference)),
    }
}

/// A page without the last column of its table.
pub(super) fn without_times(page: &str) -> String {
    let lines = page.lines().map(|line| {
        let cut = line.trim_end_matches(" |").rsplit_once(" | ");
        match cut {
            Some((before, _)) if line.starts_with("| ") => before,
            _ => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}
