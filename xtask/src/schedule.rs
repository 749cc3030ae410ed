//! `cargo xtask schedule`: which layer and which slot everything of a machine has.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use weightware_compiler::machine::{Machine, Module, Profile};
use weightware_compiler::{Budget, Graph, Schedule, Usage, solve};

use crate::figures::seconds;
use crate::workspace;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The machine that translates addresses to cells instead of the default one
    #[arg(long)]
    far: bool,
    /// Schedules to try
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Moves of the search for each of them
    #[arg(long, default_value_t = 1_000_000)]
    moves: u32,
    /// Solve nothing: check the committed schedule and show what it uses
    #[arg(long)]
    check: bool,
    /// Write the schedule found even if the committed one is as good
    #[arg(long)]
    force: bool,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        let (profile, file) = match self.far {
            false => (Profile::STOCK, "crates/compiler/schedules/default.txt"),
            true => (Profile::FAR, "crates/compiler/schedules/far.txt"),
        };
        let graph = Machine::with_profile(profile, &Module::ALL).graph;
        let committed = fs::read_to_string(workspace::path(file)).context(file)?;
        let parsed = Schedule::parse(&graph, &committed);
        if let Ok(schedule) = &parsed {
            println!("{file}:\n{}", schedule.usage(&graph));
        }
        if self.check {
            parsed.with_context(|| {
                format!("{file} does not fit the machine: cargo xtask schedule solves it anew")
            })?;
            return Ok(());
        }
        let (seed, found) = self.solve(&graph, profile.budget())?;
        let new = found.usage(&graph);
        println!("found with seed {seed}:\n{new}");
        let old = parsed.ok().map(|old| wiping(&old.usage(&graph)));
        if self.force || old.is_none_or(|old| wiping(&new) < old) {
            fs::write(workspace::path(file), found.to_text(&graph)).context(file)?;
            println!("written to {file}");
        } else {
            println!("not better than {file}, which stays as it is (--force writes it)");
        }
        Ok(())
    }

    /// The best of the seeds' schedules: the fewest heads spent on wiping, then the fewest neurons.
    fn solve(&self, graph: &Graph, budget: Budget) -> Result<(u64, Schedule)> {
        let start = Instant::now();
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds {msg}, {eta} left")?;
        let bar = ProgressBar::new(self.seeds).with_style(style);
        bar.tick();
        let next = AtomicU64::new(1);
        let solved = Mutex::new((vec![], None));
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed > self.seeds {
                    return;
                }
                let schedule = solve(graph, budget, seed, self.moves);
                let mut solved = solved.lock().expect("no thread panics");
                match schedule {
                    Ok(schedule) => {
                        solved
                            .0
                            .push((wiping(&schedule.usage(graph)), seed, schedule));
                    }
                    Err(error) => solved.1 = Some(error),
                }
                bar.set_message(format!("{} fit", solved.0.len()));
                bar.inc(1);
            }
        };
        thread::scope(|scope| {
            let threads = thread::available_parallelism().map_or(1, usize::from);
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
        bar.finish_and_clear();
        let (found, error) = solved.into_inner().expect("no thread panics");
        let fit = found.len();
        println!(
            "{fit} of {} seeds fit, {}\n",
            self.seeds,
            seconds(start.elapsed())
        );
        let best = found
            .into_iter()
            .min_by_key(|(wiping, seed, _)| (*wiping, *seed));
        let why = || error.map_or_else(String::new, |error| error.to_string());
        let (_, seed, schedule) = best.with_context(why)?;
        Ok((seed, schedule))
    }
}

/// Heads that only wipe slots, which a cache pays for, and such neurons: the fewer, the better.
fn wiping(usage: &Usage) -> (usize, usize) {
    let layers = usage.layers.iter();
    let heads = layers.clone().map(|layer| layer.wiping_heads).sum();
    (heads, layers.map(|layer| layer.wiping_neurons).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schedule_fits() {
        for profile in Profile::ALL {
            let graph = Machine::with_profile(profile, &Module::ALL).graph;
            let schedule = Schedule::parse(&graph, profile.schedule()).unwrap();
            let (usage, budget) = (schedule.usage(&graph), profile.budget());
            assert_eq!(usage.layers.len(), budget.layers);
            assert_eq!(usage.to_string().lines().count(), budget.layers + 1);
            for layer in usage.layers {
                assert!(layer.heads <= budget.d_model / 2);
                assert!(layer.neurons <= budget.d_ffn);
            }
        }
    }
}
