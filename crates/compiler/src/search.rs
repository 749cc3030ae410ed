//! The scheduler: simulated annealing over the half-layers of the writers.
//!
//! The cost is the excess over the budget (slots, heads and neurons, squared and summed over
//! half-layers) and, with a far smaller weight, the lifetimes of the dimensions. The search is
//! deterministic: a seed determines the schedule.

use crate::graph::{Graph, Origin, Writer, WriterIdx};
use crate::schedule::{
    Budget, Schedule, ScheduleError, ScheduleErrorKind, half_layer_name, lives, readers,
};

/// Searches for a graph's schedule.
///
/// # Errors
/// If no schedule that fits was found within the given number of moves: the error of the best
/// attempt.
pub fn solve(
    graph: &Graph,
    budget: Budget,
    seed: u64,
    moves: u32,
) -> Result<Schedule, ScheduleError> {
    attempt(graph, budget, seed, moves).map_err(|failed| failed.error)
}

/// A search that found no schedule that fits.
#[derive(Debug, Clone)]
pub struct Failed {
    /// The error of the best attempt.
    pub error: ScheduleError,
    /// The resources that the best attempt exceeds: `slots at 6.attn`, in the order of half-layers.
    /// Empty if only the assignment of slots failed.
    pub exceeded: Vec<String>,
}

/// Searches for a graph's schedule, and reports what the best attempt exceeds if none fits.
///
/// # Errors
/// If no schedule that fits was found within the given number of moves.
pub fn attempt(graph: &Graph, budget: Budget, seed: u64, moves: u32) -> Result<Schedule, Failed> {
    let none = |error| Failed {
        error,
        exceeded: vec![],
    };
    let mut search = Search::new(graph, budget, seed).map_err(none)?;
    search.anneal(moves);
    search.half_layers.clone_from(&search.best);
    let exceeded = search.exceeded();
    let schedule = Schedule::allocate(graph, search.best, budget);
    schedule.map_err(|error| Failed { error, exceeded })
}

/// The best of the schedules that some seeds lead to: the one with the fewest heads that wipe,
/// since a cache would have to keep their keys and values; then the one with the fewest neurons
/// that wipe.
///
/// # Errors
/// If no seed leads to a schedule that fits.
pub fn solve_best(
    graph: &Graph,
    budget: Budget,
    seeds: u64,
    moves: u32,
) -> Result<Schedule, ScheduleError> {
    let mut failure: ScheduleError = ScheduleErrorKind::NoSeed.into();
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

/// An end of a dimension's life.
#[derive(Clone, Copy)]
enum End {
    Writers,
    Readers,
}

struct Search<'g> {
    graph: &'g Graph,
    budget: Budget,
    sources: Vec<Vec<WriterIdx>>,
    /// The writers that read the outputs of each writer.
    sinks: Vec<Vec<WriterIdx>>,
    readers: Vec<Vec<WriterIdx>>,
    /// The writers of each dimension.
    writers: Vec<Vec<WriterIdx>>,
    half_layers: Vec<i32>,
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
        let mut half_layers = vec![0; sources.len()];
        for writer in graph.order() {
            let earliest = sources[writer.index()]
                .iter()
                .map(|source| half_layers[source.index()] + 1)
                .max()
                .unwrap_or(0);
            half_layers[writer.index()] =
                earliest + (earliest + i32::from(!is_head(graph, writer))) % 2;
            for source in &sources[writer.index()] {
                sinks[source.index()].push(writer);
            }
        }
        if let Some(late) = half_layers
            .iter()
            .position(|&half_layer| half_layer >= budget.half_layers())
        {
            let (name, layers) = (&graph.writers[late].name, budget.layers);
            return Err(ScheduleErrorKind::TooFewLayers {
                writer: name.clone(),
                layers,
            }
            .into());
        }
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let (readers, best) = (readers(graph), half_layers.clone());
        let writers = graph
            .dims
            .iter()
            .map(|dim| dim.parts.iter().map(|part| part.output.writer).collect());
        let writers = writers.collect();
        Ok(Self {
            graph,
            budget,
            sources,
            sinks,
            readers,
            writers,
            half_layers,
            best,
            random,
        })
    }

    /// A pseudorandom number below a bound (xorshift64*).
    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    fn anneal(&mut self, moves: u32) {
        let (mut cost, mut best) = (self.cost(), f64::MAX);
        let mut before = self.half_layers.clone();
        for step in 0..moves {
            let heat = 400.0 * (1.0 - f64::from(step) / f64::from(moves)).powi(2) + 0.01;
            if !self.shift() {
                self.half_layers.clone_from(&before);
                continue;
            }
            let changed = self.cost();
            let chance = ((cost - changed) / heat).exp();
            if changed <= cost || (self.below(1 << 20) as f64) < chance * f64::from(1 << 20) {
                cost = changed;
                before.clone_from(&self.half_layers);
            } else {
                self.half_layers.clone_from(&before);
            }
            if cost < best {
                best = cost;
                self.best.clone_from(&self.half_layers);
            }
        }
    }

    /// Moves a writer, or all writers or all readers of a dimension, earlier or later, together
    /// with the writers that depend on the move. Returns false if a writer would leave the network.
    fn shift(&mut self) -> bool {
        let distance = 1 + self.below(4) as i32;
        let way = if self.below(2) == 0 { 1 } else { -1 };
        if self.below(5) == 0 {
            let writer = self.below(self.half_layers.len() as u64) as usize;
            return self.put(writer, self.half_layers[writer] + 2 * way * distance, way);
        }
        // A slot becomes free only when the last of its writers, or of its readers, has moved.
        let dim = self.below(self.writers.len() as u64) as usize;
        let end = match self.below(3) {
            0 => End::Readers,
            _ => End::Writers,
        };
        let group = self.group(dim, end);
        let half_layers = group.iter().map(|writer| self.half_layers[writer.index()]);
        let outermost = if way > 0 {
            half_layers.min()
        } else {
            half_layers.max()
        };
        let Some(outermost) = outermost else {
            return false;
        };
        let (limit, count) = (outermost + way * distance, group.len());
        (0..count).all(|at| {
            let writer = self.group(dim, end)[at].index();
            let short = (limit - self.half_layers[writer]) * way;
            short <= 0
                || self.put(
                    writer,
                    self.half_layers[writer] + way * (short + short % 2),
                    way,
                )
        })
    }

    /// The writers at one end of a dimension's life.
    fn group(&self, dim: usize, end: End) -> &[WriterIdx] {
        match end {
            End::Writers => &self.writers[dim],
            End::Readers => &self.readers[dim],
        }
    }

    /// Moves a writer to a half-layer, and its sinks (`way` 1) or sources (-1) as far as the order
    /// of writers requires.
    fn put(&mut self, writer: usize, half_layer: i32, way: i32) -> bool {
        if !(0..self.budget.half_layers()).contains(&half_layer) {
            return false;
        }
        self.half_layers[writer] = half_layer;
        let count = if way > 0 {
            self.sinks[writer].len()
        } else {
            self.sources[writer].len()
        };
        (0..count).all(|at| {
            let other = if way > 0 {
                self.sinks[writer][at]
            } else {
                self.sources[writer][at]
            };
            let gap = (self.half_layers[other.index()] - half_layer) * way;
            // Heads have even half-layers, neurons odd ones.
            gap > 0 || {
                let parity = (self.half_layers[other.index()] - half_layer).rem_euclid(2);
                self.put(other.index(), half_layer + way * (2 - parity), way)
            }
        })
    }

    fn cost(&self) -> f64 {
        let need = self.need();
        let over = |excess: i32| f64::from(excess.max(0)).powi(2);
        let slots: f64 = need
            .slots
            .iter()
            .map(|&have| over(have - self.budget.d_model as i32))
            .sum();
        let load = need.load.iter().zip(self.budget.rooms());
        let load: f64 = load.map(|(&have, room)| over(have - room as i32)).sum();
        100.0 * (slots + load + f64::from(need.late))
            + f64::from(need.wiping)
            + 0.1 * f64::from(need.lived)
    }

    /// The resources that the half-layers exceed.
    fn exceeded(&self) -> Vec<String> {
        let need = self.need();
        let slots = need.slots.iter().zip(-1..);
        let slots = slots.filter(|&(&have, _)| have > self.budget.d_model as i32);
        let slots =
            slots.map(|(_, half_layer)| format!("slots at {}", half_layer_name(half_layer)));
        let load = need.load.iter().zip(self.budget.rooms()).zip(0..);
        let load = load.filter(|&((&have, room), _)| have > room as i32);
        let load = load.map(|(_, half_layer)| {
            let kind = if half_layer % 2 == 0 {
                "heads"
            } else {
                "neurons"
            };
            format!("{kind} at {}", half_layer_name(half_layer))
        });
        slots.chain(load).collect()
    }

    /// The resources that the half-layers need.
    fn need(&self) -> Need {
        let half_layers = self.budget.half_layers();
        let lives = lives(self.graph, &self.readers, &self.half_layers, &self.budget);
        // The counts of each half-layer, the embedding's first: dimensions that begin, dimensions
        // that end exact or inexact, and slots taken.
        let mut begins = vec![0_i32; half_layers as usize + 2];
        let mut ends = [begins.clone(), begins.clone()];
        let mut taken = begins.clone();
        let (mut lived, mut late) = (0, 0);
        for (life, node) in lives.iter().zip(&self.graph.dims) {
            let end = life.end().min(half_layers);
            if !matches!(node.origin, Origin::Continued(_)) {
                begins[(life.first + 1) as usize] += 1;
            }
            match life.taken_over {
                Some(first) => late += (life.last - first).max(0),
                None => {
                    let ends = &mut ends[usize::from(life.inexact)];
                    ends[(life.last.min(half_layers) + 1) as usize] += 1;
                }
            }
            (life.first..=end).for_each(|half_layer| taken[(half_layer + 1) as usize] += 1);
            lived += end - life.first;
        }
        let mut load = vec![0_i32; half_layers as usize];
        for (&half_layer, node) in self.half_layers.iter().zip(&self.graph.writers) {
            load[half_layer as usize] += i32::from(!node.writer.is_table());
        }
        let slots = self.budget.d_model as i32;
        let mut wiping = 0;
        let [exact, inexact] = &ends;
        // A neuron of the next half-layer wipes a slot that becomes free in an attention, unless
        // another dimension needs the slot before; then a head wipes it, two slots each.
        let mut alive = begins[0];
        for attention in (0..half_layers).step_by(2) {
            let (here, next) = (attention as usize + 1, attention as usize + 2);
            let free = slots - alive;
            let at_once = (begins[here] - free).max(0);
            let left = (free - begins[here]).max(0) + (exact[here] - at_once).max(0) + exact[next];
            let soon = (begins[next] - left).max(0);
            let heads = (at_once + soon + 1) / 2;
            wiping += heads;
            load[attention as usize] += heads;
            let dead = exact[here] + inexact[here] - at_once - soon + exact[next] + inexact[next];
            load[attention as usize + 1] += dead.max(0);
            alive += begins[here] + begins[next];
            alive -= exact[here] + inexact[here] + exact[next] + inexact[next];
        }
        Need {
            slots: taken,
            load,
            wiping,
            lived,
            late,
        }
    }
}

/// The resources that half-layers need.
struct Need {
    /// The slots of each half-layer, the embedding's first.
    slots: Vec<i32>,
    /// The heads or neurons of each half-layer.
    load: Vec<i32>,
    /// The heads that only wipe slots.
    wiping: i32,
    /// The sum of the lifetimes of all dimensions.
    lived: i32,
    /// The half-layers by which readers come after the one in which their dimension is taken over.
    late: i32,
}

fn is_head(graph: &Graph, writer: WriterIdx) -> bool {
    Writer::is_head(&graph.writers[writer.index()].writer)
}
