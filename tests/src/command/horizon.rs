//! `cargo xtask horizon`.

use std::time::Instant;

use clap::Args;
use clap::builder::PossibleValuesParser;
use weightware::{Computer, Engine, Profile, RunEnd, profile_model};
use weightware_tests::horizon::{Adversary, adversaries, at_positions, beside, farthest};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The profile of the model
    #[arg(long, default_value = Profile::STOCK.name, value_parser = PossibleValuesParser::new(Profile::ALL.map(|profile| profile.name)))]
    profile: String,
    /// Tokens of each run [default: up to the horizon]
    #[arg(long)]
    tokens: Option<u64>,
    /// Tokens for which scans over all past keys, stock softmax and hard-max, run the first program
    /// that stores
    #[arg(long, default_value_t = 100_000)]
    linear: u64,
    /// Positions up to the horizon at which stock softmax is checked, in the same program; takes
    /// two more runs by hulls
    #[arg(long, default_value_t = 0)]
    stock: u64,
    /// Run all programs by hulls, not only the first that stores
    #[arg(long)]
    all: bool,
    /// Programs whose names contain this
    #[arg(long, default_value = "")]
    only: String,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<bool, String> {
        let profile = Profile::named(&self.profile).ok_or("no such profile")?;
        let computer = Computer::new(profile_model(profile)).map_err(|error| error.to_string())?;
        let far = farthest(&computer);
        println!(
            "greatest address {far}, last position {}",
            computer.model().config.last_position
        );
        let all = adversaries(far);
        let chosen: Vec<&Adversary> = all
            .iter()
            .filter(|adversary| adversary.name.contains(&self.only))
            .collect();
        let storing = chosen
            .iter()
            .find(|adversary| adversary.stores)
            .map(|adversary| adversary.name);
        let mut passed = true;
        for adversary in chosen {
            let first = Some(adversary.name) == storing;
            let mut engines = vec![(Engine::Plan, self.tokens)];
            if first || self.all || adversary.soon {
                engines.push((Engine::Hull, self.tokens));
            }
            if first && self.linear > 0 {
                engines.extend(
                    [Engine::Hardmax, Engine::Softmax].map(|engine| (engine, Some(self.linear))),
                );
            }
            println!("\n{}", adversary.name);
            let mut whole = None;
            for (engine, limit) in engines {
                let start = Instant::now();
                let stopped = beside(&computer, &adversary.program, engine, limit)?;
                let seconds = start.elapsed().as_secs_f64();
                println!(
                    "  {:8} {:>10} tokens, {:>8} stores, {seconds:8.1} s: {:?}",
                    engine.name(),
                    stopped.tokens,
                    stopped.stores,
                    stopped.end
                );
                if limit == self.tokens {
                    let limited = limit.is_some() && stopped.end == RunEnd::MaxTokens;
                    passed &= limited || matches!(stopped.end, RunEnd::Horizon { .. });
                    passed &= whole.get_or_insert_with(|| stopped.clone()) == &stopped;
                }
            }
            if first && self.stock > 0 {
                let tokens = whole.map_or(0, |stopped| stopped.tokens);
                let prompt = adversary.program.full_prompt().count() as u64;
                let positions: Vec<u64> = (1..=self.stock)
                    .map(|part| prompt + (tokens - 1) * part / self.stock - 1)
                    .collect();
                for at in at_positions(&computer, &adversary.program, &positions)? {
                    println!(
                        "  softmax at position {}: {} heads attend to one token, {} to several that tie, {} average, off by {:.1e} at most, {} find no key; wrong: {:?}",
                        at.position,
                        at.one_hot,
                        at.tied,
                        at.averages.0,
                        at.averages.1,
                        at.missed,
                        at.wrong
                    );
                    passed &= at.wrong.is_empty();
                }
            }
        }
        Ok(passed)
    }
}
