//! `cargo xtask long`: a program that stores in one of eight instructions, up to the horizon.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use clap::Args;
use clap::builder::PossibleValuesParser;
use weightware::{Attended, Computer, Decoder, End, Engine, Profile, Program, profile_model};
use weightware_isa::Interpreter;

use crate::figures::{seconds, thousands};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The profile
    #[arg(long, default_value = "stock", value_parser = PossibleValuesParser::new(Profile::ALL.map(|profile| profile.name)))]
    profile: String,
    /// Tokens of the trace [default: up to the horizon]
    #[arg(long)]
    tokens: Option<u64>,
    /// Then so many tokens by the hull engine, with stock softmax over all past keys at sampled positions
    #[arg(long, default_value_t = 0)]
    stock: u64,
}

/// Writes and reads words at 16,384 places, all over the memory, each overlapped by a byte; and the word at 64 again and again.
/// Three stores in 25 instructions.
fn program(profile: &Profile) -> Result<Program> {
    let far = profile.cells.is_some();
    let (apart, pages) = if far { (508, "80") } else { (8, "02") };
    let constant = |number: u32| {
        let bytes = number.to_le_bytes().map(|byte| format!("{byte:02x}"));
        format!("i32.const {}", bytes.join(" "))
    };
    let mut text = format!("{{ {} local.set 00 00 00 00\n", constant(1));
    let mixed = [
        "local.get 00 00 00 00",
        &constant(1_664_525),
        "i32.mul 00 00 00 00",
        &constant(1_013_904_223),
        "i32.add 00 00 00 00",
        "local.tee 00 00 00 00",
        &constant(9),
        "i32.shr_u 00 00 00 00",
        &constant(0x3fff),
        "i32.and 00 00 00 00",
        &constant(apart),
        "i32.mul 00 00 00 00",
        "local.tee 01 00 00 00",
        "local.get 00 00 00 00",
        &format!("i32.store 00 00 00 {pages}"),
        "local.get 01 00 00 00",
        "local.get 00 00 00 00",
        &format!("i32.store8 03 00 00 {pages}"),
        &constant(64),
        "local.get 01 00 00 00",
        &constant(0x1ff8),
        "i32.xor 00 00 00 00",
        &format!("i32.load 00 00 00 {pages}"),
        &format!("i32.store 00 00 00 {pages}"),
        "br 02 00 00 00",
    ];
    for line in mixed {
        writeln!(text, "{line}")?;
    }
    Ok(format!("{text}}}").parse()?)
}

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        let Some(profile) = Profile::named(&self.profile) else {
            bail!("there is no profile {}", self.profile);
        };
        let computer = Computer::new(profile_model(profile))?;
        let program = program(&profile)?;
        let start = Instant::now();
        let mut run = computer.run(&program, Engine::Plan, self.tokens)?;
        let mut interpreter = Interpreter::new(&program);
        let mut compared = 0_u64;
        while let Some((token, _)) = run.step() {
            let wanted = interpreter.next();
            ensure!(
                matches!(&wanted, Some(Ok(wanted)) if *wanted == token),
                "token {compared} is {token}, and {wanted:?} to the plain interpreter"
            );
            compared += 1;
        }
        println!(
            "profile {}: {} tokens of the plan engine are those of the plain interpreter, {}",
            profile.name,
            thousands(compared),
            seconds(start.elapsed())
        );
        match run.end() {
            End::Budget => println!("the limit of --tokens is reached"),
            End::Horizon { position, why } => {
                println!("horizon before position {position}: {why}");
                if let Some(further) = run.further() {
                    println!("--profile {} goes further", further.name);
                }
            }
            end => bail!("an endless program ended: {end:?}"),
        }
        if self.stock > 0 {
            sampled(&computer, &program, self.stock)?;
        }
        Ok(())
    }
}

/// Live keys of a head with a box, and their values.
struct Past {
    layer: usize,
    head: usize,
    reach: f64,
    keys: Vec<[f64; 2]>,
    values: Vec<[f64; 2]>,
}

/// A score, with `1 / sqrt(2)` multiplied in somewhere.
type Score = fn(query: [f64; 2], key: [f64; 2]) -> f64;

/// Where libraries multiply by it: query, scores, query and key by its root each.
const CONVENTIONS: [Score; 3] = [
    |query, key| {
        let query = query.map(|q| q * 0.5_f64.sqrt());
        query[0] * key[0] + query[1] * key[1]
    },
    |query, key| (query[0] * key[0] + query[1] * key[1]) * 0.5_f64.sqrt(),
    |query, key| {
        let root = 0.5_f64.sqrt().sqrt();
        let (query, key) = (query.map(|q| q * root), key.map(|k| k * root));
        query[0] * key[0] + query[1] * key[1]
    },
];

/// Runs the hull engine and asks stock softmax at some positions: it must answer the value of the latest key of the index asked for,
/// to the last bit, wherever it multiplies by `1 / sqrt(2)`.
fn sampled(computer: &Computer, program: &Program, tokens: u64) -> Result<()> {
    // A prime, so that samples meet every instruction of the loop.
    const EVERY: u64 = 997;
    let bounds = &computer.model().config.key_bounds;
    let mut past: Vec<_> = bounds
        .iter()
        .map(|bound| Past {
            layer: bound.layer,
            head: bound.head,
            reach: bound.max_abs_x / 2.0,
            keys: vec![],
            values: vec![],
        })
        .collect();
    let mut decoder = Decoder::new(computer.model(), Engine::Hull)?;
    let mut asked = 0_u64;
    let start = Instant::now();
    let mut see = |decoder: &Decoder, position: u64| -> Result<()> {
        for attended in decoder.attended() {
            let of_head =
                |past: &&mut Past| (past.layer, past.head) == (attended.layer, attended.head);
            let Some(past) = past.iter_mut().find(of_head) else {
                continue;
            };
            let half = attended.key[0] / 2.0;
            if attended.key[1] + half * half >= -0.5 {
                past.keys.push(attended.key);
                past.values.push(attended.value);
            }
            if position.is_multiple_of(EVERY) {
                asked += u64::from(past.ask(&attended, position)?);
            }
        }
        Ok(())
    };
    for (token, position) in computer.prompt(program).into_iter().zip(0..) {
        decoder.prefill(&[token])?;
        see(&decoder, position)?;
    }
    let mut position = decoder.len();
    while position < tokens {
        if decoder.generate(Some(1)).next().is_none() {
            break;
        }
        // The token before it went through the layers.
        see(&decoder, position - 1)?;
        position += 1;
    }
    println!(
        "stock softmax: {} answers at every {EVERY}th of {} positions are those of exact hard-max, by all three conventions, {}",
        thousands(asked),
        thousands(position),
        seconds(start.elapsed())
    );
    Ok(())
}

impl Past {
    /// Compares, if there is a key of the index asked for; else the answer does not matter.
    fn ask(&self, attended: &Attended, position: u64) -> Result<bool> {
        let query = attended.query;
        let index = query[0] / query[1];
        let at = |key: &&[f64; 2]| key[0] == 2.0 * index;
        // Heights order keys of one index.
        let latest = self
            .keys
            .iter()
            .filter(at)
            .map(|key| key[1])
            .reduce(f64::max);
        let Some(latest) = latest.filter(|_| index.abs() <= self.reach) else {
            return Ok(false);
        };
        let keys = || self.keys.iter().zip(&self.values);
        let tied = keys().filter(|(key, _)| at(key) && key[1] == latest);
        let (sum, count) = tied.fold(([0.0; 2], 0.0), |(sum, count), (_, value)| {
            ([sum[0] + value[0], sum[1] + value[1]], count + 1.0)
        });
        let wanted = sum.map(|sum| sum / count);
        for (convention, name) in CONVENTIONS.into_iter().zip(["query", "scores", "both"]) {
            let scores: Vec<f64> = self
                .keys
                .iter()
                .map(|&key| convention(query, key))
                .collect();
            let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
            let total: f64 = weights.iter().sum();
            let mut answer = [0.0; 2];
            for (weight, value) in weights.iter().zip(&self.values) {
                for part in 0..2 {
                    answer[part] += weight / total * value[part];
                }
            }
            let close =
                |part: usize| (answer[part] - wanted[part]).abs() <= 1e-9 * wanted[part].abs();
            // A tie of several is an average, which is rounded.
            let same = if count == 1.0 {
                answer == wanted
            } else {
                close(0) && close(1)
            };
            ensure!(
                same,
                "{name}: {answer:?}, not {wanted:?}, layer {}, head {}, position {position}",
                self.layer,
                self.head
            );
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_run_of_every_profile() {
        for profile in Profile::ALL {
            let arguments = Arguments {
                profile: profile.name.to_owned(),
                tokens: Some(20_000),
                stock: 3_000,
            };
            arguments.run().unwrap();
        }
    }
}
