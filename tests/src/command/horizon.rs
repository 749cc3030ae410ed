//! `cargo xtask horizon`.

use std::time::Instant;

use clap::Args;
use weightware::{Computer, End, Engine};
use weightware_tests::horizon::{Adversary, adversaries, at_positions, beside, farthest};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Tokens for which scans over all past keys, stock softmax and hard-max, run the first program that stores
    #[arg(long, default_value_t = 100_000)]
    linear: u64,
    /// Positions up to the horizon at which stock softmax is looked at, in the same program; takes two more runs by hulls
    #[arg(long, default_value_t = 0)]
    stock: u64,
    /// Hulls run all programs, not the first that stores alone
    #[arg(long)]
    all: bool,
    /// Programs whose names hold this
    #[arg(long, default_value = "")]
    only: String,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<bool, String> {
        let computer = Computer::default();
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
            let mut engines = vec![(Engine::Plan, None)];
            if first || self.all || adversary.soon {
                engines.push((Engine::Hull, None));
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
                if limit.is_none() {
                    passed &= matches!(stopped.end, End::Horizon { .. });
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
                        "  softmax at position {}: {} heads attend to one token, {} average, off by {:.1e} at most; wrong: {:?}",
                        at.position, at.one_hot, at.averages.0, at.averages.1, at.wrong
                    );
                    passed &= at.wrong.is_empty();
                }
            }
        }
        Ok(passed)
    }
}
