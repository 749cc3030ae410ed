//! The page about long programs.

use std::fmt::Write as _;

use super::{Long, Whole};
use crate::thousands::thousands;

/// The page, as Markdown: for every program the figures that do not depend on the machine.
#[must_use]
pub fn page(runs: &[(&Long, &Whole)]) -> String {
    let mut page = "# Long programs\n\nWritten by `cargo xtask long --bless`; do not edit.\n\n\
        C programs with a C library ([programs](../programs/README.md)), each a run of its own. The last position counts the prompt too; stores are those \
        to the memory, and what is said is counted in bytes.\n\n\
        | program | clang | bytes | prompt | tokens | stores | last position | stdout | stderr |\n\
        |---|---|---:|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    for (long, whole) in runs {
        let _ = writeln!(
            page,
            "| {} | `-{}` | {} | {} | {} | {} | {} | {} | {} |",
            long.name,
            long.level,
            thousands(long.size() as u64),
            thousands(whole.prompt),
            thousands(whole.tokens),
            thousands(whole.stores),
            thousands(whole.last_position()),
            thousands(whole.said.streams.output.len() as u64),
            thousands(whole.said.streams.stderr.len() as u64),
        );
    }
    let sum = |count: fn(&Whole) -> u64| runs.iter().map(|(_, whole)| count(whole)).sum::<u64>();
    let _ = writeln!(
        page,
        "\n{} programs, {} tokens, {} stores.",
        runs.len(),
        thousands(sum(|whole| whole.tokens)),
        thousands(sum(|whole| whole.stores)),
    );
    page
}
