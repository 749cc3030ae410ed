//! `cargo xtask proof`: a page of the documentation with the proof of the next token.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use clap::Args;
use weightware::proof::{Proof, Unwritten, Verdict};
use weightware::{NextTokens, Profile, next_tokens, profile_model, proof};

use crate::thousands::thousands;
use crate::workspace;

const FILE: &str = "docs/proof.md";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if the page would change
    #[arg(long)]
    check: bool,
}

/// The proofs of a profile's weights.
struct Proved {
    profile: Profile,
    next: NextTokens,
    values: Vec<Proof>,
    unwritten: Unwritten,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        let mut all = vec![];
        for profile in Profile::ALL {
            let model = profile_model(profile);
            all.push(Proved {
                profile,
                next: next_tokens(&model),
                values: proof::values(profile, &model)?,
                unwritten: proof::unwritten(profile, &model)?,
            });
        }
        let page = page(&all);
        if !self.check {
            println!("{page}");
        }
        workspace::keep_page(FILE, &page, self.check, "cargo xtask proof")?;
        for Proved {
            profile,
            next,
            values,
            unwritten,
        } in &all
        {
            let problems: Vec<String> = next.problems().collect();
            ensure!(
                problems.is_empty(),
                "{}: {}",
                profile.name,
                problems.join("; ")
            );
            let wrong = values
                .iter()
                .find(|proof| matches!(proof.verdict, Verdict::Wrong(..)));
            ensure!(wrong.is_none(), "{}: {wrong:?}", profile.name);
            ensure!(unwritten.holds(), "{}: {unwritten:?}", profile.name);
        }
        Ok(())
    }
}

fn page(all: &[Proved]) -> String {
    let [stock, ..] = all else {
        unreachable!("Profile::ALL is not empty");
    };
    format!(
        "# The next token\n\n\
         Written by `cargo xtask proof`; do not edit.\n\n\
         ## A: one token is picked\n\n\
         The unembedding reads two numbers, the code of the end token and the result, and picks the token that is nearest. Statement A: for \
         every instruction that a lookup can find, at every byte index up to and including the end token, and for every state whose keys lie \
         inside their boxes, one token is nearest; the code alone decides between tokens of different codes, and no rounding reaches the \
         margin. It is proved from the exported weights and `config.json` alone, by bounds of every number on the way \
         (`weightware certify`, crate `weightware-certify`).\n\n{}\n\
         The margin is 1 where bytes compete, which are neighbours on a parabola; codes are 2^30 = 1,073,741,824 apart, of which the result \
         may take as much as its bounds allow.\n\n\
         By instruction, stock profile. \"Result\" is how far the result may go at the end token, where nothing reads it: it must not \
         outweigh a code.\n\n{}\n\
         ## B: it is the right one\n\n\
         Statement B: that token is the one of the plain interpreter, for every operand. From the weights the two numbers are derived as exact \
         polynomials of what lookups find, and compared with an equation for each class of instructions, at every byte index, in all profiles \
         (crate `weightware-compiler`, module `proof`). An equation is over bytes and words that lookups find: a is the byte of the second \
         operand at the index, b that of the top. The arithmetic of bytes and the signs of comparisons on which the equations rest are checked \
         case by case. Instructions without an equation are tested, as the table says; a minimum that was observed is not a bound.\n\n{}\n\
         ## Memory that was never written\n\n\
         Keys of memory reach as far as a profile holds it, and loads may query any address. A token that writes nothing has a key too, \
         at a meaningless place, and is cleared: lowered so far that no load finds it. A load finds instead a store to \
         another address, which the weights detect: the byte is 0.\n\n{}\n\
         ## Outside\n\n\
         - Ties: statement A assumes that heads find one token. Where keys of a table tie, the decoder averages, as softmax does; the plan \
         engine stops using its tables there and continues with hulls.\n\
         - Cases that cannot arise: where bounds contradict one another, no state is left, and the case counts as proved.\n\
         - That a lookup finds what its query asks for: the keys and their exactness are [the certificate's](horizons.md); that the stack, the \
         words, the memory and the calls are found by those keys is what the [machine's sections](../crates/compiler/src/machine) state and \
         what the tests compare with the plain interpreter, token by token, up to the last positions (`cargo xtask far`, `cargo xtask horizon`).\n\
         - That programs are well formed: an opcode is followed by four bytes, a call by a `resume`.\n\
         - Running sums of stock softmax beyond position 1,050,628: they are counted by run (`weightware certify FILE`).\n\
         - The bounds themselves: the plan engine uses the same analysis, so it is compared with the exact evaluator at far positions \
         (`crates/compiler/src/proof/tests.rs`).\n",
        profiles(all),
        instructions(&stock.next),
        values(all),
        unwritten(all),
    )
}

/// A row for each profile: the farthest query of loads, and the least query that finds a cleared
/// key.
fn unwritten(all: &[Proved]) -> String {
    let mut text =
        "| profile | loads ask below | found is no cleared key below |\n|---|---:|---:|\n"
            .to_owned();
    for Proved {
        profile, unwritten, ..
    } in all
    {
        let [asked, cleared] =
            [unwritten.asked, unwritten.cleared].map(|distance| thousands(distance.ceil() as u64));
        let _ = writeln!(text, "| {} | {asked} | {cleared} |", profile.name);
    }
    text
}

/// A row for each profile.
fn profiles(all: &[Proved]) -> String {
    let mut text = "| profile | cases | proved | least margin | least margin of codes |\n|---|---:|---:|---|---|\n".to_owned();
    for Proved { profile, next, .. } in all {
        let cases = next.all().count();
        let proved = next
            .all()
            .filter(|(.., picked)| picked.problem.is_none())
            .count();
        let least = next
            .least()
            .map_or_else(String::new, |(name, byte, picked)| {
                format!("{}, first of `{name}`, byte {byte}", picked.margin)
            });
        let codes = next
            .least_of_codes()
            .map_or_else(String::new, |(name, byte, picked)| {
                format!(
                    "{}, `{name}`, byte {byte}",
                    thousands(picked.code_margin as u64)
                )
            });
        let _ = writeln!(
            text,
            "| {} | {cases} | {proved} | {least} | {codes} |",
            profile.name
        );
    }
    text
}

/// A row for each token of programs.
fn instructions(next: &NextTokens) -> String {
    let mut text =
        "| found | bytes | least margin | least margin of codes | result at the end |\n|---|---:|---:|---:|---|\n".to_owned();
    for found in &next.found {
        let Some((end, before)) = found.counters.split_last() else {
            continue;
        };
        let least = |margin: fn(&weightware::Picked) -> f64| {
            let margins = found.counters.iter().map(margin);
            margins.fold(f64::INFINITY, f64::min)
        };
        let (all, codes) = (least(|p| p.margin), least(|p| p.code_margin));
        let (_, lo, hi) = end.columns.last().copied().unwrap_or_default();
        let bytes = match end.ends {
            true => before.len().to_string(),
            false => "no end".to_owned(),
        };
        let _ = writeln!(
            text,
            "| `{}` | {bytes} | {} | {} | {lo} to {hi} |",
            found.name,
            thousands(all as u64),
            thousands(codes as u64),
        );
    }
    text
}

/// A row for each equation with the instructions for which it is proved, then those without one.
fn values(all: &[Proved]) -> String {
    let mut rows: Vec<(String, String, Vec<&str>)> = vec![];
    let [stock, others @ ..] = all else {
        unreachable!("Profile::ALL is not empty");
    };
    for (at, proof) in stock.values.iter().enumerate() {
        let same = others
            .iter()
            .all(|other| other.values[at].verdict == proof.verdict);
        let (verdict, equation) = match &proof.verdict {
            Verdict::Proved(_) if same => ("proved".to_owned(), proof.equation.to_owned()),
            Verdict::Proved(_) => (
                "proved, of the stock profile alone".to_owned(),
                proof.equation.to_owned(),
            ),
            Verdict::Tested(how) => (format!("tested: {how}"), String::new()),
            Verdict::Wrong(byte, why) => (
                format!("WRONG at byte {byte}: {why}"),
                proof.equation.to_owned(),
            ),
        };
        let row = rows
            .iter_mut()
            .find(|row| (&row.0, &row.1) == (&verdict, &equation));
        match row {
            Some(row) => row.2.push(proof.op.spec().name),
            None => rows.push((verdict, equation, vec![proof.op.spec().name])),
        }
    }
    let proved = stock
        .values
        .iter()
        .filter(|proof| matches!(proof.verdict, Verdict::Proved(_)));
    let mut text = format!(
        "{} of {} instructions are proved.\n\n| verdict | result, beside the carry | instructions |\n|---|---|---|\n",
        proved.count(),
        stock.values.len()
    );
    for (verdict, equation, names) in rows {
        let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(text, "| {verdict} | {equation} | {} |", names.join(" "));
    }
    text
}
