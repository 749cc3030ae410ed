//! `cargo xtask certify`: a page of the documentation with the proven limits of the profiles, and
//! the share of them that programs use.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, ensure};
use clap::Args;
use weightware::{
    Certificate, CertifiedRun, Computer, KeySpan, Outcome, Profile, Program, RunEnd, Scaling,
    certify, profile_model,
};

use crate::demo::ADD;
use crate::thousands::thousands;
use crate::workspace;

const FILE: &str = "docs/horizons.md";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if the page would change
    #[arg(long)]
    check: bool,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        let page = page()?;
        if !self.check {
            println!("{page}");
        }
        workspace::keep_page(FILE, &page, self.check, "cargo xtask certify")
    }
}

fn page() -> Result<String> {
    Ok(format!(
        "# Horizons\n\n\
         Written by `cargo xtask certify`; do not edit.\n\n\
         ## Profiles\n\n\
         The numbers of each compiled machine. Every engine stops at them, with exit code 125; what they were chosen for is proved \
         from the weights.\n\n\
         {}\n\
         ## Proved\n\n\
         The positions up to which one-hot heads are proved: in exact hard-max with keys anywhere inside the boxes; in stock softmax by where \
         a library multiplies by 1/sqrt(2) (the query, the scores, or query and keys by its root each), with the greatest \
         |index| of words and of addresses (or cells) for which that holds. The running sums of stock softmax are counted by run.\n\n\
         {}\n\
         ## Programs\n\n\
         The share of the stock profile that programs use, and the position up to which stock softmax is proved to compute what exact hard-max \
         computes, running sums included, for every scaling. \"Sums\" is the greatest sum of |value| relative to the bound at that length. \
         `weightware certify FILE` states it for any program.\n\n\
         {}",
        profiles(),
        proved(),
        programs()?,
    ))
}

/// The table of profiles.
fn profiles() -> String {
    let mut text = "| profile | layers | positions below | words of frames and stack | stores | addresses | written addresses |\n\
                    |---|---|---|---|---|---|---|\n"
        .to_owned();
    for profile in Profile::ALL {
        let counted = profile.cells.unwrap_or(profile.memory);
        let _ = writeln!(
            text,
            "| {} | {} | {} | 0 to {}, slope {} | below {}, slope {} | 0 to {} | {} |",
            profile.name,
            profile.budget().layers,
            thousands(profile.last_position + 1),
            profile.words.last(),
            slope(profile.words),
            thousands(counted.last_time),
            slope(counted),
            profile.memory.last(),
            match profile.cells {
                Some(cells) => cells.last().to_string(),
                None => "all".to_owned(),
            },
        );
    }
    text
}

fn slope(span: KeySpan) -> String {
    match span.factor {
        1 => format!("2^-{}", span.exponent),
        factor => format!("{factor} · 2^-{}", span.exponent),
    }
}

fn proved() -> String {
    let mut text = "| profile | exact hard-max | stock, query | stock, scores | stock, both |\n|---|---|---|---|---|\n".to_owned();
    for profile in Profile::ALL {
        let certificate = certify(&profile_model(profile));
        let stock = Scaling::ALL.map(|scaling| stock(&certificate, &profile, scaling));
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            profile.name,
            certificate.exact_positions(),
            stock.join(" | ")
        );
    }
    text
}

fn stock(certificate: &Certificate, profile: &Profile, scaling: Scaling) -> String {
    let position = certificate.stock_positions(scaling);
    let counted = profile.cells.unwrap_or(profile.memory);
    let index = |span: KeySpan| {
        let heads = certificate
            .heads
            .iter()
            .filter_map(|head| head.index_box.as_ref());
        let of_span = heads.filter(|bounds| bounds.index == span.reach as f64);
        let index = of_span.map(|bounds| bounds.stock_index[scaling as usize]);
        index.min().unwrap_or(0).min(span.reach.unsigned_abs())
    };
    let (words, addresses) = (index(profile.words), index(counted));
    match position {
        0 => format!("words {words}, addresses {addresses}"),
        position => format!("{position}; words {words}, addresses {addresses}"),
    }
}

fn programs() -> Result<String> {
    let computer = Computer::default();
    let sudoku = fs::read_to_string(workspace::path("programs/puzzles.txt"))?;
    let sudoku = sudoku.get(..81).context("a puzzle")?.as_bytes().to_vec();
    let of = |file: &str, input: &[u8]| -> Result<Program> {
        Ok(workspace::program(file)?.program(input))
    };
    let programs = [
        ("add", ADD.parse()?),
        ("matching", of("matching.wasm", b"")?),
        ("sudoku", of("sudoku.wasm", &sudoku)?),
        ("sha256", of("sha256.wasm", b"abc")?),
    ];
    let mut text = "| program | last position | stores | addresses | deepest word | sums | stock softmax follows to |\n\
                    |---|---|---|---|---|---|---|\n"
        .to_owned();
    for (name, program) in programs {
        let run = computer.certify(&program, None)?;
        let halted = matches!(
            run.end,
            RunEnd::Outcome(Outcome::Halted | Outcome::Exited(0))
        );
        ensure!(halted, "{name}: {:?}", run.end);
        let _ = writeln!(text, "| {name} | {} |", row(&run, &computer)?);
    }
    Ok(text)
}

fn row(run: &CertifiedRun, computer: &Computer) -> Result<String> {
    let profile = Profile::default();
    let reach_of = |span: KeySpan| {
        let bounds = computer.model().config.key_bounds.iter();
        let of_span = bounds.filter(move |bound| bound.max_abs_x == 2.0 * span.reach as f64);
        of_span.filter_map(|bound| {
            let mut reach = run.key_ranges.iter();
            reach.find(|reach| (reach.layer, reach.head) == (bound.layer, bound.head))
        })
    };
    let greatest = |span: KeySpan| {
        let reached = reach_of(span).map(|reach| (reach.x[1] / 2.0) as i64 + span.centre);
        reached.max()
    };
    let share = |used: f64, all: f64| format!("{:.2} %", 100.0 * used / all);
    let memory = profile.memory;
    let unit = memory.lift() / memory.last_time as f64;
    let stores = reach_of(memory)
        .map(|reach| reach.lift / unit)
        .fold(0.0, f64::max);
    let address = greatest(memory).map_or("none".to_owned(), |address| format!("to {address}"));
    let followed = Scaling::ALL.map(|scaling| run.certified.stock_position(scaling));
    let followed = followed.into_iter().min().context("three conventions")?;
    Ok(format!(
        "{} ({}) | {stores:.0} ({}) | {address} | {} | {} | {followed}{} |",
        run.position,
        share(run.position as f64, profile.last_position as f64),
        share(stores, memory.last_time as f64),
        greatest(profile.words).unwrap_or(0),
        share(run.certified.sums().used(), 1.0),
        if followed == run.position {
            ", its end"
        } else {
            ""
        },
    )
    .trim_end_matches(" |")
    .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_up_to_date() {
        let written = fs::read_to_string(workspace::path(FILE)).unwrap();
        assert_eq!(written, page().unwrap(), "cargo xtask certify");
        let architecture = fs::read_to_string(workspace::path("ARCHITECTURE.md")).unwrap();
        assert!(architecture.contains(&profiles()), "{}", profiles());
    }
}
