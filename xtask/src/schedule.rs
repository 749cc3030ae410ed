//! `cargo xtask schedule`: the half-layers and slots of a machine.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use weightware_certify::next_tokens;
use weightware_compiler::machine::planned::Planned;
use weightware_compiler::machine::{Extension, Machine, Profile, Rom};
use weightware_compiler::proof::{self, Proof, Verdict};
use weightware_compiler::{Budget, Failed, Graph, Schedule, Usage, attempt};

use crate::figures::seconds;
use crate::workspace;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The machine that translates addresses to cells instead of the default one
    #[arg(long)]
    far: bool,
    /// The machine with instructions and memory in its weights; the neurons of tables are
    /// additional ones
    #[arg(long)]
    rom: bool,
    /// The machine whose program is in its weights
    #[arg(long, conflicts_with = "rom")]
    specialised: bool,
    /// Schedules to try
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Moves of the search for each of them
    #[arg(long, default_value_t = 1_000_000)]
    moves: u32,
    /// Solve nothing: check the committed schedule and show its usage
    #[arg(long)]
    check: bool,
    /// Write the schedule found even if the committed one is as good
    #[arg(long)]
    force: bool,
    /// Planned features, separated by commas, that the machine is to have as well, or `all` except
    /// merged-shifts: shows how many seeds fit and what is exceeded
    #[arg(long, value_delimiter = ',', value_parser = features)]
    planned: Vec<Features>,
    /// With planned features: another size of the residual stream, of half as many heads
    #[arg(long, requires = "planned")]
    d_model: Option<usize>,
    /// With planned features: another number of neurons a layer
    #[arg(long, requires = "planned")]
    d_ffn: Option<usize>,
    /// With planned features: a file to write the best schedule to
    #[arg(long, requires = "planned", conflicts_with_all = ["check", "force"])]
    out: Option<PathBuf>,
}

type Features = Vec<Planned>;

/// A feature's name, or `all`.
fn features(name: &str) -> Result<Features, String> {
    match (name, Planned::named(name)) {
        ("all", _) => Ok(Planned::ADDED.to_vec()),
        (_, Some(planned)) => Ok(vec![planned]),
        (_, None) => {
            let names = Planned::ALL.map(Planned::name).join(", ");
            Err(format!("the features are {names}; or all"))
        }
    }
}

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        let profile = if self.far {
            Profile::FAR
        } else {
            Profile::STOCK
        };
        let file = match (self.far, self.rom, self.specialised) {
            (false, false, false) => "crates/compiler/schedules/default.txt",
            (true, false, false) => "crates/compiler/schedules/far.txt",
            (false, true, _) => "crates/compiler/schedules/rom.txt",
            (true, true, _) => "crates/compiler/schedules/far-rom.txt",
            (false, _, true) => "crates/compiler/schedules/specialised.txt",
            (true, _, true) => "crates/compiler/schedules/far-specialised.txt",
        };
        if !self.planned.is_empty() {
            return self.plan(profile);
        }
        let graph = self.machine(profile).graph;
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
        let (seed, found) = self.solve(&graph, profile)?;
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

    fn machine(&self, profile: Profile) -> Machine {
        match self.rom || self.specialised {
            false => Machine::with_profile(profile, &Extension::ALL),
            true => Machine::with_rom(profile, Rom::blank(self.specialised)),
        }
    }

    fn budget(&self, profile: Profile) -> Budget {
        match self.rom || self.specialised {
            false => profile.budget(),
            true => profile.rom_budget(),
        }
    }

    /// Checks whether the machine with planned features fits.
    fn plan(&self, profile: Profile) -> Result<()> {
        let planned = self.planned.concat();
        let rom = self.rom.then(Rom::default);
        let graph = Machine::with_planned(profile, &Extension::ALL, &planned, rom).graph;
        let budget = self.budget(profile);
        let budget = Budget {
            d_model: self.d_model.unwrap_or(budget.d_model),
            d_ffn: self.d_ffn.unwrap_or(budget.d_ffn),
            ..budget
        };
        ensure!(
            budget.d_model > 2,
            "a d_model of {} leaves no slot beside those of the position: take 36 or some more",
            budget.d_model
        );
        let heads = graph
            .writers()
            .filter(|(_, writer)| writer.is_head())
            .count();
        let neurons = graph.writers().count() - heads;
        println!(
            "{heads} heads, {neurons} neurons, {} dimensions; {} layers, d_model {}, d_ffn {}",
            graph.dims().count(),
            budget.layers,
            budget.d_model,
            budget.d_ffn
        );
        let solved = self.search(&graph, budget)?;
        for (what, seeds) in solved.most_exceeded().into_iter().take(8) {
            println!("{seeds:5} seeds exceed the {what}");
        }
        if let Some((_, (seed, found))) = solved.found.first() {
            println!("the best, of seed {seed}:\n{}", found.usage(&graph));
            if let Some(file) = &self.out {
                fs::write(file, found.to_text(&graph))
                    .with_context(|| file.display().to_string())?;
                println!("written to {}", file.display());
            }
        }
        Ok(())
    }

    /// The best of the seeds' schedules whose weights are proved: the fewest heads spent on wiping,
    /// then the fewest neurons.
    fn solve(&self, graph: &Graph, profile: Profile) -> Result<(u64, Schedule)> {
        let solved = self.search(graph, self.budget(profile))?;
        let mut found = solved.found.iter().map(|(_, found)| found);
        let best = found.find(|(_, schedule)| self.is_proved(profile, schedule));
        best.cloned()
            .with_context(|| match (solved.found.len(), solved.failed.last()) {
                (0, Some(failed)) => failed.error.to_string(),
                (fit, _) => format!("none of {fit} schedules that fit is proved: try more --seeds"),
            })
    }

    /// Whether the weights of all profiles that share a schedule are proved with this one. In
    /// others the analysis does not see that numbers cancel that share a slot.
    fn is_proved(&self, profile: Profile, schedule: &Schedule) -> bool {
        let profiles = Profile::ALL.into_iter();
        let mut sharing = profiles.filter(|other| other.schedule() == profile.schedule());
        sharing.all(|profile| {
            let machine = self.machine(profile);
            let Ok(model) = machine.assemble(schedule) else {
                return false;
            };
            let values = proof::values_of(&machine, schedule, &model);
            let unwritten = proof::unwritten_of(&machine, schedule, &model);
            values.is_ok_and(|proofs| {
                let wrong = |proof: &Proof| matches!(proof.verdict, Verdict::Wrong(..));
                !proofs.iter().any(wrong)
            }) && unwritten.is_ok_and(|unwritten| unwritten.holds())
                && next_tokens(&model).problems().next().is_none()
        })
    }

    /// Searches with every seed.
    fn search(&self, graph: &Graph, budget: Budget) -> Result<Solved> {
        let start = Instant::now();
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds {msg}, {eta} left")?;
        let bar = ProgressBar::new(self.seeds).with_style(style);
        bar.tick();
        let next = AtomicU64::new(1);
        let solved = Mutex::new(Solved::default());
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed > self.seeds {
                    return;
                }
                let attempt = attempt(graph, budget, seed, self.moves);
                let mut solved = solved.lock().expect("no thread panics");
                match attempt {
                    Ok(schedule) => {
                        let wiping = wiping(&schedule.usage(graph));
                        solved.found.push((wiping, (seed, schedule)));
                    }
                    Err(failed) => solved.failed.push(failed),
                }
                bar.set_message(format!("{} fit", solved.found.len()));
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
        let mut solved = solved.into_inner().expect("no thread panics");
        solved
            .found
            .sort_by_key(|(wiping, (seed, _))| (*wiping, *seed));
        println!(
            "{} of {} seeds fit, {}\n",
            solved.found.len(),
            self.seeds,
            seconds(start.elapsed())
        );
        Ok(solved)
    }
}

/// The results of the seeds.
#[derive(Debug, Default)]
struct Solved {
    /// For each schedule the numbers of its wipes, its seed, and the schedule itself: those with
    /// the fewest heads that only wipe come first, then those with the fewest such neurons.
    found: Vec<((usize, usize), (u64, Schedule))>,
    failed: Vec<Failed>,
}

impl Solved {
    /// The exceeded resources with the number of seeds, the most frequent first.
    fn most_exceeded(&self) -> Vec<(&str, usize)> {
        let mut counts = BTreeMap::new();
        for what in self.failed.iter().flat_map(|failed| &failed.exceeded) {
            *counts.entry(what.as_str()).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|&(what, seeds)| (Reverse(seeds), what));
        counts
    }
}

/// The heads that only wipe slots, which a cache pays for, and such neurons: the fewer, the better.
fn wiping(usage: &Usage) -> (usize, usize) {
    let layers = usage.layers.iter();
    let heads = layers.clone().map(|layer| layer.wiping_heads).sum();
    (heads, layers.map(|layer| layer.wiping_neurons).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_by_name() {
        assert_eq!(features("anywhere").unwrap(), [Planned::Anywhere]);
        assert_eq!(features("all").unwrap(), Planned::ADDED);
        assert!(
            features("roms")
                .unwrap_err()
                .contains("anywhere, merged-shifts")
        );
    }

    #[test]
    fn the_committed_schedule_fits() {
        for profile in Profile::ALL {
            let graph = Machine::with_profile(profile, &Extension::ALL).graph;
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
