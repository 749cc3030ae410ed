//! `cargo xtask costs`: a page of the documentation with the costs of instructions in tokens and of
//! modules in hardware.

use std::fmt::Write as _;

use anyhow::Result;
use clap::Args;
use weightware_compiler::machine::{Extension, Machine, Profile};
use weightware_compiler::{Budget, Graph, Schedule, solve};
use weightware_isa::{EndToken, Op};

use crate::workspace;

const FILE: &str = "docs/costs.md";

/// Seeds and moves of the search for the smallest width.
const SEARCH: (u64, u32) = (6, 400_000);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if the page would change
    #[arg(long)]
    check: bool,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        workspace::keep_page(FILE, &page(), self.check, "cargo xtask costs")
    }
}

fn page() -> String {
    let graph = Machine::new(&Extension::ALL).graph;
    let schedule = Schedule::parse(&graph, Profile::STOCK.schedule())
        .expect("the committed schedule fits the machine");
    format!(
        "# Costs\n\n\
         Written by `cargo xtask costs`; do not edit.\n\n\
         ## Tokens per instruction\n\n\
         Trace tokens of every instruction of the machine, the end token included. Further operators of WebAssembly become \
         sequences of them: [the frontend's table](../crates/frontend/README.md).\n\n\
         {}\n\
         ## Hardware per module\n\n\
         Each module alone on top of the core, and the smallest `d_model` for which the scheduler found room within 7 layers, \
         `d_model / 2` heads and `d_ffn` 36, for the core with the modules down to that line ({} seeds of {} moves each).\n\n\
         {}\n\
         ## The default machine\n\n\
         All modules, by the committed schedule. Wiping heads and neurons do nothing but free slots.\n\n\
         ```text\n{}```\n",
        instructions(),
        SEARCH.0,
        SEARCH.1,
        modules(),
        schedule.usage(&graph),
    )
}

/// The table of instructions by cost.
fn instructions() -> String {
    let mut rows: Vec<(String, Vec<&str>)> = vec![];
    for &op in Op::ALL {
        let spec = op.spec();
        let tokens = match op {
            Op::Section | Op::Resume | Op::I64ConstHigh => continue,
            Op::BrIf | Op::BrUnless => format!("{}, not taken 1", spec.bytes + 1),
            _ => format!("{}", spec.bytes + 1),
        };
        // These opcodes only trap.
        if matches!(spec.end, EndToken::Trap(_)) && op != Op::Unreachable {
            continue;
        }
        match rows.iter_mut().find(|(cost, _)| *cost == tokens) {
            Some((_, names)) => names.push(spec.name),
            None => rows.push((tokens, vec![spec.name])),
        }
    }
    rows.sort_by_key(|(cost, _)| cost.split(',').next().and_then(|n| n.parse::<u32>().ok()));
    let mut text = "| tokens | instructions |\n|---|---|\n".to_owned();
    for (cost, names) in rows {
        let _ = writeln!(text, "| {cost} | {} |", names.join(", "));
    }
    text
}

/// Heads, neurons and dimensions of a graph.
fn hardware(graph: &Graph) -> [usize; 3] {
    let heads = graph
        .writers()
        .filter(|(_, writer)| writer.is_head())
        .count();
    [heads, graph.writers().count() - heads, graph.dims().count()]
}

fn module_row(name: &str, [heads, neurons, dims]: [usize; 3]) -> String {
    format!("| {name} | {heads} | {neurons} | {dims} |")
}

fn modules() -> String {
    let core = hardware(&Machine::new(&[]).graph);
    let mut text =
        "| module | heads | neurons | dimensions | smallest `d_model` |\n|---|---|---|---|---|\n"
            .to_owned();
    let _ = writeln!(text, "{} {} |", module_row("core", core), smallest(&[]));
    for (module, count) in Extension::ALL.iter().zip(1..) {
        let alone = hardware(&Machine::new(&[*module]).graph);
        let more = [0, 1, 2].map(|of| alone[of] - core[of]);
        let row = module_row(&format!("+ {}", module.name()), more);
        let _ = writeln!(text, "{row} {} |", smallest(&Extension::ALL[..count]));
    }
    text
}

/// The smallest width for which a search finds a schedule.
fn smallest(modules: &[Extension]) -> usize {
    let graph = Machine::new(modules).graph;
    let (seeds, moves) = SEARCH;
    let fits = |d_model: usize| {
        let budget = Budget {
            d_model,
            ..Budget::DEFAULT
        };
        (1..=seeds).any(|seed| solve(&graph, budget, seed, moves).is_ok())
    };
    let mut width = Budget::DEFAULT.d_model;
    while width > 2 && fits(width - 1) {
        width -= 1;
    }
    width
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the whole page except the solved column, which takes minutes.
    #[test]
    fn the_page_is_up_to_date() {
        let page = std::fs::read_to_string(workspace::path(FILE)).unwrap();
        assert!(page.contains(&instructions()), "cargo xtask costs");
        let core = hardware(&Machine::new(&[]).graph);
        assert!(
            page.contains(&module_row("core", core)),
            "cargo xtask costs"
        );
    }
}
