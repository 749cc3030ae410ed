//! `cargo xtask schedule`: which layer and which slot everything of the default machine has.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use weightware_compiler::machine::{Machine, Module};
use weightware_compiler::{Budget, Graph, Schedule, solve};

use crate::figures::seconds;
use crate::workspace;

const FILE: &str = "crates/compiler/schedules/default.txt";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
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
        let graph = Machine::new(&Module::ALL).graph;
        let committed = fs::read_to_string(workspace::path(FILE)).context(FILE)?;
        let parsed = Schedule::parse(&graph, &committed);
        if let Ok(schedule) = &parsed {
            println!("{FILE}:\n{}", Use::of(&committed).table(&graph, schedule));
        }
        if self.check {
            parsed.with_context(|| {
                format!("{FILE} does not fit the machine: cargo xtask schedule solves it anew")
            })?;
            return Ok(());
        }
        let (seed, found) = self.solve(&graph)?;
        let (text, new) = (found.to_text(&graph), Use::of(&found.to_text(&graph)));
        println!("found with seed {seed}:\n{}", new.table(&graph, &found));
        let old = parsed.ok().map(|_| Use::of(&committed).wiping());
        if self.force || old.is_none_or(|old| new.wiping() < old) {
            fs::write(workspace::path(FILE), text).context(FILE)?;
            println!("written to {FILE}");
        } else {
            println!("not better than {FILE}, which stays as it is (--force writes it)");
        }
        Ok(())
    }

    /// The best of the seeds' schedules: the fewest heads spent on wiping, then the fewest neurons.
    fn solve(&self, graph: &Graph) -> Result<(u64, Schedule)> {
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
                let schedule = solve(graph, Budget::DEFAULT, seed, self.moves);
                let mut solved = solved.lock().expect("no thread panics");
                match schedule {
                    Ok(schedule) => {
                        let wiping = Use::of(&schedule.to_text(graph)).wiping();
                        solved.0.push((wiping, seed, schedule));
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

/// Heads and neurons of each layer.
#[derive(Debug, PartialEq, Eq)]
struct Use {
    layers: Vec<Layer>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Layer {
    heads: usize,
    /// Slots wiped by heads, two a head.
    wiped: usize,
    neurons: usize,
    wiping_neurons: usize,
}

impl Use {
    /// Counts the lines of a schedule's text.
    fn of(text: &str) -> Self {
        let mut layers = vec![];
        for line in text.lines() {
            let words: Vec<_> = line.split_whitespace().take(2).collect();
            let [kind, at] = words[..] else { continue };
            let Some((Ok(layer), phase)) = at
                .split_once('.')
                .map(|(layer, phase)| (layer.parse::<usize>(), phase))
            else {
                continue;
            };
            if layers.len() < layer {
                layers.resize(layer, Layer::default());
            }
            let layer = &mut layers[layer - 1];
            match (kind, phase) {
                ("head", _) => layer.heads += 1,
                ("neuron", _) => layer.neurons += 1,
                ("wipe", "attn") => layer.wiped += 1,
                ("wipe", _) => layer.wiping_neurons += 1,
                _ => {}
            }
        }
        Self { layers }
    }

    /// Slots wiped by heads, which a cache pays for, and by neurons: the fewer, the better.
    fn wiping(&self) -> (usize, usize) {
        let sum = |of: fn(&Layer) -> usize| self.layers.iter().map(of).sum();
        (sum(|layer| layer.wiped), sum(|layer| layer.wiping_neurons))
    }

    fn table(&self, graph: &Graph, schedule: &Schedule) -> String {
        let Budget { d_model, d_ffn, .. } = Budget::DEFAULT;
        let heads = d_model / 2;
        let mut text = format!(
            "{:5} {:>14} {:>9} {:>16} {:>9} {:>28} {:>14}\n",
            "layer",
            format!("heads of {heads}"),
            "(wiping)",
            format!("neurons of {d_ffn}"),
            "(wiping)",
            format!("slots of {d_model}: behind heads"),
            "behind neurons"
        );
        for (layer, stage) in self.layers.iter().zip((0..).step_by(2)) {
            let wiping = layer.wiped.div_ceil(2);
            let slots = |stage| schedule.readable(graph, stage).len();
            text += &format!(
                "{:5} {:14} {:>9} {:16} {:>9} {:28} {:14}\n",
                stage / 2 + 1,
                layer.heads + wiping,
                format!("({wiping})"),
                layer.neurons + layer.wiping_neurons,
                format!("({})", layer.wiping_neurons),
                slots(stage),
                slots(stage + 1),
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_a_schedule_uses() {
        let text = "shape layers=2 d_model=4 d_ffn=2\nslot  0 one    # embed to logits\nhead   1.attn   a\n\
                    neuron 1.ffn    b\nwipe   2.attn   c  # slot 1\nwipe   2.ffn    d  # slot 2\nneuron 2.ffn e\n";
        let first = Layer {
            heads: 1,
            neurons: 1,
            ..Layer::default()
        };
        let second = Layer {
            wiped: 1,
            neurons: 1,
            wiping_neurons: 1,
            heads: 0,
        };
        let used = Use::of(text);
        assert_eq!(used.layers, [first, second]);
        assert_eq!(used.wiping(), (1, 1));
    }

    #[test]
    fn the_committed_schedule_fits() {
        let graph = Machine::new(&Module::ALL).graph;
        let schedule = Schedule::parse(&graph, weightware_compiler::DEFAULT_SCHEDULE).unwrap();
        let used = Use::of(weightware_compiler::DEFAULT_SCHEDULE);
        assert_eq!(used.layers.len(), Budget::DEFAULT.layers);
        assert!(used.table(&graph, &schedule).lines().count() == 8);
        for layer in used.layers {
            assert!(layer.heads + layer.wiped.div_ceil(2) <= Budget::DEFAULT.d_model / 2);
            assert!(layer.neurons + layer.wiping_neurons <= Budget::DEFAULT.d_ffn);
        }
    }
}
