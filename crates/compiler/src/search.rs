//! The scheduler: simulated annealing over the half-layers of the writers.
//!
//! The cost is what does not fit (slots, heads, neurons, squared and summed over half-layers) and, far below it, how
//! long dimensions live. Deterministic: a seed gives one schedule.

use crate::graph::{Graph, Writer, WriterIdx};
use crate::schedule::{Budget, Schedule, ScheduleError, lives, readers};

/// Solves a graph's schedule.
///
/// # Errors
/// If no schedule that fits was found within the given number of moves; the best attempt's complaint is returned.
pub fn solve(
    graph: &Graph,
    budget: Budget,
    seed: u64,
    moves: u32,
) -> Result<Schedule, ScheduleError> {
    let mut search = Search::new(graph, budget, seed)?;
    search.anneal(moves);
    Schedule::allocate(graph, search.best, budget)
}

/// The best of the schedules that a number of seeds lead to: the fewest heads spent on wiping, whose keys and values a
/// cache would have to keep; then the fewest neurons.
///
/// # Errors
/// If no seed leads to a schedule that fits.
pub fn solve_best(
    graph: &Graph,
    budget: Budget,
    seeds: u64,
    moves: u32,
) -> Result<Schedule, ScheduleError> {
    let mut failure = ScheduleError("no seed was tried".to_owned());
    let mut best: Option<Schedule> = None;
    for seed in 1..=seeds {
        match solve(graph, budget, seed, moves) {
            Ok(schedule)
                if best
                    .as_ref()
                    .is_none_or(|best| schedule.wiping() < best.wiping()) =>
            {
                best = Some(schedule)
            }
            Ok(_) => {}
            Err(error) => failure = error,
        }
    }
    best.ok_or(failure)
}

struct Search<'g> {
    graph: &'g Graph,
    budget: Budget,
    sources: Vec<Vec<WriterIdx>>,
    /// Writers that read what this one writes.
    sinks: Vec<Vec<WriterIdx>>,
    readers: Vec<Vec<WriterIdx>>,
    stages: Vec<i32>,
    best: Vec<i32>,
    random: u64,
}

impl<'g> Search<'g> {
    fn new(graph: &'g Graph, budget: Budget, seed: u64) -> Result<Self, ScheduleError> {
        let sources: Vec<_> = graph
            .writers()
            .map(|(writer, _)| graph.sources(writer))
            .collect();
        let mut sinks = vec![vec![]; sources.len()];
        let mut stages = vec![0; sources.len()];
        for writer in graph.order() {
            let earliest = sources[writer.index()]
                .iter()
                .map(|source| stages[source.index()] + 1)
                .max()
                .unwrap_or(0);
            stages[writer.index()] = earliest + (earliest + i32::from(!is_head(graph, writer))) % 2;
            for source in &sources[writer.index()] {
                sinks[source.index()].push(writer);
            }
        }
        if let Some(late) = stages.iter().position(|&stage| stage >= budget.stages()) {
            let (name, layers) = (&graph.writers[late].name, budget.layers);
            return Err(ScheduleError(format!(
                "{name} cannot be reached within {layers} layers"
            )));
        }
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let (readers, best) = (readers(graph), stages.clone());
        Ok(Self {
            graph,
            budget,
            sources,
            sinks,
            readers,
            stages,
            best,
            random,
        })
    }

    /// A pseudo-random number below a bound (xorshift64*).
    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    fn anneal(&mut self, moves: u32) {
        let (mut cost, mut best) = (self.cost(), f64::MAX);
        for step in 0..moves {
            let heat = 600.0 * (1.0 - f64::from(step) / f64::from(moves)).powi(4) + 0.01;
            let writer = self.below(self.stages.len() as u64) as usize;
            let old = self.stages[writer];
            let Some(new) = self.another_stage(writer) else {
                continue;
            };
            self.stages[writer] = new;
            let changed = self.cost();
            let chance = ((cost - changed) / heat).exp();
            if changed <= cost || (self.below(1 << 20) as f64) < chance * f64::from(1 << 20) {
                cost = changed;
            } else {
                self.stages[writer] = old;
            }
            if cost < best {
                best = cost;
                self.best.clone_from(&self.stages);
            }
        }
    }

    fn another_stage(&mut self, writer: usize) -> Option<i32> {
        let after = self.sources[writer]
            .iter()
            .map(|source| self.stages[source.index()] + 1)
            .max()
            .unwrap_or(0);
        let before = self.sinks[writer]
            .iter()
            .map(|sink| self.stages[sink.index()])
            .min();
        let before = before.unwrap_or(self.budget.stages());
        let parity = self.stages[writer] % 2;
        let first = after + (after + parity) % 2;
        let count = (before - first + 1) / 2;
        (count > 1).then(|| first + 2 * self.below(count as u64) as i32)
    }

    fn cost(&self) -> f64 {
        let stages = self.budget.stages();
        let lives = lives(self.graph, &self.readers, &self.stages, &self.budget);
        let mut slots = vec![0_i32; stages as usize + 2];
        let mut load = vec![0_i32; stages as usize + 1];
        // Slots beside `slots` that wait for a neuron to wipe them.
        let mut waited = vec![0_i32; stages as usize + 2];
        let mut lived = 0;
        for life in &lives {
            let end = life.end().min(stages);
            (life.first..=end).for_each(|stage| slots[(stage + 1) as usize] += 1);
            lived += end - life.first;
            // Somebody must wipe the slot; a neuron can if the slot is left alone until the next feed-forward stage.
            let wipe = life.last + i32::from(life.last % 2 == 0);
            if life.last % 2 == 0 && (0..stages).contains(&(end + 1)) {
                waited[(end + 2) as usize] += 1;
            }
            if wipe < stages {
                load[wipe as usize] += 1;
            }
        }
        for &stage in &self.stages {
            load[stage as usize] += 1;
        }
        let over = |have: i32, room: usize| f64::from((have - room as i32).max(0)).powi(2);
        let slots_taken = slots;
        let slots: f64 = slots_taken
            .iter()
            .map(|&have| over(have, self.budget.d_model))
            .sum();
        let load: f64 = (0..stages)
            .map(|stage| {
                // Two heads are left for wiping.
                let room = if stage % 2 == 0 {
                    self.budget.d_model / 2 - 2
                } else {
                    self.budget.d_ffn
                };
                over(load[stage as usize], room)
            })
            .sum();
        let waiting: f64 = slots_taken
            .iter()
            .zip(&waited)
            .map(|(&have, &more)| over(have + more, self.budget.d_model))
            .sum();
        100.0 * (slots + load) + 8.0 * waiting + 0.1 * f64::from(lived)
    }
}

fn is_head(graph: &Graph, writer: WriterIdx) -> bool {
    Writer::is_head(&graph.writers[writer.index()].writer)
}
