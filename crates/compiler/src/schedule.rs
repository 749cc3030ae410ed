//! Schedules: register allocation for the residual stream. A schedule gives the half-layer of every
//! writer, the slot of every dimension, and the wipes of slots.
//!
//! Half-layers are counted from 0: half-layer 2l is the attention of layer l, half-layer 2l + 1 its
//! feed-forward network. A dimension lives from the half-layer that first writes it (-1 for the
//! embedding) to the last that reads it. Another dimension can take its slot
//! - in that last half-layer, if it holds an exact integer: the half-layer adds new - old;
//! - in a later half-layer, after a wipe to exact zero, if it is inexact: a residue of new - old
//!   could change a token; or if the new value is a fraction, which would be rounded beside a large
//!   old;
//! - in that last half-layer or later, without a wipe, if it continues it: new is added to old.

mod error;

use std::fmt::Write as _;

use crate::form::Dim;
use crate::graph::{Graph, Origin, WriterIdx};

pub use error::{ScheduleError, ScheduleErrorKind};

use ScheduleErrorKind as Kind;

/// The slot of a dimension that has none yet.
const UNPLACED: usize = usize::MAX;

/// The shape that a schedule must fit into. Heads have dimension 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// The number of layers.
    pub layers: usize,
    /// The slots of the residual stream; the heads per layer are half as many.
    pub d_model: usize,
    /// The neurons per layer.
    pub d_ffn: usize,
}

impl Budget {
    /// 7 layers of 36 slots, 18 heads and 36 neurons.
    pub const DEFAULT: Budget = Budget {
        layers: 7,
        d_model: 36,
        d_ffn: 36,
    };

    /// The shape of the machine that translates addresses to cells: one layer more.
    pub const FAR: Budget = Budget {
        layers: 8,
        ..Self::DEFAULT
    };

    pub(crate) const fn half_layers(&self) -> i32 {
        2 * self.layers as i32
    }

    /// The heads or neurons of each half-layer, in order.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = usize> + use<> {
        [self.d_model / 2, self.d_ffn].into_iter().cycle()
    }
}

/// Sets a dimension's slot to zero, or subtracts its value while another dimension is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wipe {
    pub(crate) dim: Dim,
    pub(crate) half_layer: i32,
}

/// The half-layer of every writer, the slot of every dimension, and the wipes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub(crate) budget: Budget,
    /// The half-layer of each writer.
    pub(crate) half_layers: Vec<i32>,
    /// The slot of each dimension.
    pub(crate) slots: Vec<usize>,
    pub(crate) wipes: Vec<Wipe>,
}

/// The lifetime of a dimension, during which it occupies its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    /// The first half-layer that writes it, -1 for the embedding. For a fraction the half-layer
    /// before that, since its slot must be zero.
    pub(crate) first: i32,
    /// The last half-layer that writes it.
    pub(crate) ready: i32,
    /// The last half-layer that reads it.
    pub(crate) last: i32,
    pub(crate) inexact: bool,
    /// The half-layer in which the dimension that continues it begins in its slot.
    pub(crate) taken_over: Option<i32>,
}

impl Life {
    /// The last half-layer in which no other dimension may be written to the slot.
    pub(crate) const fn end(&self) -> i32 {
        if let Some(first) = self.taken_over {
            first - 1
        } else if self.inexact || self.last == self.first {
            self.last
        } else {
            self.last - 1
        }
    }
}

/// The lifetimes of all dimensions for given half-layers.
pub(crate) fn lives(
    graph: &Graph,
    readers: &[Vec<WriterIdx>],
    half_layers: &[i32],
    budget: &Budget,
) -> Vec<Life> {
    let lives = graph
        .dims
        .iter()
        .zip(readers)
        .zip(graph.dims())
        .map(|((node, readers), dim)| {
            let parts = node
                .parts
                .iter()
                .map(|part| half_layers[part.output.writer.index()]);
            let given = matches!(node.origin, Origin::Embedding | Origin::Position(_));
            let first = if given {
                -1
            } else {
                parts
                    .clone()
                    .min()
                    .map_or(-1, |first| first - i32::from(node.fraction))
            };
            let ready = parts.max().unwrap_or(-1);
            let read = readers
                .iter()
                .map(|reader| half_layers[reader.index()])
                .max()
                .unwrap_or(ready);
            // Dimensions that every lookup and wipe needs, or that the unembedding reads, live to
            // the end.
            let kept = dim.index() < 3 || graph.outputs.contains(&dim);
            Life {
                first,
                ready,
                last: if kept {
                    budget.half_layers()
                } else {
                    read.max(ready)
                },
                inexact: node.inexact,
                taken_over: None,
            }
        });
    let mut lives: Vec<Life> = lives.collect();
    for (node, dim) in graph.dims.iter().zip(0..) {
        if let Some(heir) = node.heir {
            lives[dim].taken_over = Some(lives[heir.index()].first);
        }
    }
    lives
}

/// For each dimension, the writers that read it.
pub(crate) fn readers(graph: &Graph) -> Vec<Vec<WriterIdx>> {
    let mut readers = vec![vec![]; graph.dims.len()];
    for (writer, _) in graph.writers() {
        let mut reads = graph.reads(writer);
        reads.sort_unstable();
        reads.dedup();
        for dim in reads {
            readers[dim.index()].push(writer);
        }
    }
    readers
}

impl Schedule {
    /// Assigns slots and wipes for given half-layers.
    ///
    /// # Errors
    /// If more than `d_model` dimensions live at once.
    pub(crate) fn allocate(
        graph: &Graph,
        half_layers: Vec<i32>,
        budget: Budget,
    ) -> Result<Self, ScheduleError> {
        let lives = lives(graph, &readers(graph), &half_layers, &budget);
        let mut order: Vec<Dim> = graph.dims().collect();
        order.sort_by_key(|dim| lives[dim.index()].first);
        let mut tenants: Vec<Option<Dim>> = vec![None; budget.d_model];
        let mut slots = vec![UNPLACED; graph.dims.len()];
        let mut wipes = vec![];
        // The neurons of each half-layer, to spread the wipes.
        let mut load = vec![0; budget.half_layers() as usize + 1];
        half_layers
            .iter()
            .for_each(|&half_layer| load[half_layer as usize] += 1);
        for dim in order {
            let first = lives[dim.index()].first;
            if let Origin::Continued(old) = graph.dims[dim.index()].origin {
                // `check` finds the error if the old dimension has no slot yet.
                let slot = slots[old.index()];
                slots[dim.index()] = slot;
                if let Some(tenant) = tenants.get_mut(slot) {
                    *tenant = Some(dim);
                }
                continue;
            }
            // A wipe by a neuron is cheap, one by a head expensive. Unused slots are taken before a
            // wipe by a head, and after a wipe by a neuron.
            let choice = (0..budget.d_model)
                .filter_map(|slot| match tenants[slot] {
                    None => Some((1, slot, None)),
                    Some(old)
                        if lives[old.index()].end() < first
                            && lives[old.index()].taken_over.is_none() =>
                    {
                        let half_layer =
                            wipe_half_layer(&lives[old.index()], first, &load, &budget);
                        Some((
                            2 * i32::from(half_layer % 2 == 0),
                            slot,
                            Some(Wipe {
                                dim: old,
                                half_layer,
                            }),
                        ))
                    }
                    Some(_) => None,
                })
                .min_by_key(|&(cost, slot, _)| (cost, slot));
            let Some((_, slot, wipe)) = choice else {
                let name = graph.name(dim);
                return Err(Kind::SlotsTaken {
                    dim: name.to_owned(),
                    half_layer: first,
                }
                .into());
            };
            slots[dim.index()] = slot;
            tenants[slot] = Some(dim);
            if let Some(Wipe { half_layer, .. }) = wipe {
                load[half_layer as usize] += 1;
            }
            wipes.extend(wipe);
        }
        wipes.sort_by_key(|wipe| (wipe.half_layer, slots[wipe.dim.index()]));
        let schedule = Self {
            budget,
            half_layers,
            slots,
            wipes,
        };
        schedule.check(graph)?;
        Ok(schedule)
    }

    /// The writers of a half-layer that count against the budget: all but tables.
    pub(crate) fn counted_at(&self, graph: &Graph, half_layer: i32) -> usize {
        let counted = self.writers_at(half_layer);
        let is_table = |writer: &WriterIdx| graph.writers[writer.index()].writer.is_table();
        counted.filter(|writer| !is_table(writer)).count()
    }

    /// The writers of a half-layer, in order of creation.
    pub(crate) fn writers_at(&self, half_layer: i32) -> impl Iterator<Item = WriterIdx> {
        self.half_layers
            .iter()
            .zip(0..)
            .filter(move |(at, _)| **at == half_layer)
            .map(|(_, index)| WriterIdx(index))
    }

    /// The wipes of a half-layer.
    pub(crate) fn wipes_at(&self, half_layer: i32) -> impl Iterator<Item = Wipe> {
        self.wipes
            .iter()
            .copied()
            .filter(move |wipe| wipe.half_layer == half_layer)
    }

    /// The number of heads (one wipes two slots) or neurons that a half-layer needs.
    pub(crate) fn load(&self, graph: &Graph, half_layer: i32) -> usize {
        let wipes = self.wipes_at(half_layer).count();
        self.counted_at(graph, half_layer)
            + if half_layer % 2 == 0 {
                wipes.div_ceil(2)
            } else {
                wipes
            }
    }

    /// The number of wipes by heads, and of wipes by neurons.
    pub fn wiping(&self) -> (usize, usize) {
        let by_head = self
            .wipes
            .iter()
            .filter(|wipe| wipe.half_layer % 2 == 0)
            .count();
        (by_head, self.wipes.len() - by_head)
    }

    /// Checks all invariants that the assembly relies on.
    ///
    /// # Errors
    /// If a writer is in the wrong half-layer or reads a dimension that is not complete yet, or if
    /// a slot holds two dimensions at once.
    pub fn check(&self, graph: &Graph) -> Result<(), ScheduleError> {
        let fail = |kind: Kind| Err(kind.into());
        if self.half_layers.len() != graph.writers.len() || self.slots.len() != graph.dims.len() {
            return fail(Kind::OtherGraph);
        }
        let d_model = self.budget.d_model;
        let mut slots = graph.dims().zip(self.slots.iter().copied());
        if let Some((dim, slot)) = slots.find(|&(_, slot)| slot >= d_model) {
            let dim = graph.name(dim).to_owned();
            return fail(match slot {
                UNPLACED => Kind::Unplaced { dim },
                slot => Kind::NoSuchSlot { dim, slot, d_model },
            });
        }
        for (writer, kind) in graph.writers() {
            let name = &graph.writers[writer.index()].name;
            let half_layer = self.half_layers[writer.index()];
            if !(0..self.budget.half_layers()).contains(&half_layer)
                || (half_layer % 2 == 0) != kind.is_head()
            {
                return fail(Kind::WriterPlace {
                    writer: name.clone(),
                    half_layer,
                });
            }
            for source in graph.sources(writer) {
                if self.half_layers[source.index()] >= half_layer {
                    return fail(Kind::Order {
                        writer: name.clone(),
                        half_layer,
                        source: graph.writers[source.index()].name.clone(),
                    });
                }
            }
        }
        for half_layer in 0..self.budget.half_layers() {
            let room = if half_layer % 2 == 0 {
                self.budget.d_model / 2
            } else {
                self.budget.d_ffn
            };
            let load = self.load(graph, half_layer);
            if load > room {
                return fail(Kind::Load {
                    half_layer,
                    needed: load,
                    available: room,
                });
            }
        }
        let lives = lives(graph, &readers(graph), &self.half_layers, &self.budget);
        for old in graph.dims() {
            let Some(new) = graph.dims[old.index()].heir else {
                continue;
            };
            let half_layer = lives[new.index()].first;
            if self.slots[old.index()] != self.slots[new.index()]
                || self.wipes.iter().any(|wipe| wipe.dim == old)
                || lives[old.index()].last > half_layer
            {
                let dims = [old, new].map(|dim| graph.name(dim).to_owned());
                return fail(Kind::TakenOver { dims, half_layer });
            }
        }
        let mut tenants: Vec<Dim> = graph.dims().collect();
        tenants.sort_by_key(|dim| (self.slots[dim.index()], lives[dim.index()].first));
        for pair in tenants.windows(2) {
            let [old, new] = [pair[0], pair[1]];
            if self.slots[old.index()] != self.slots[new.index()] {
                continue;
            }
            let (life, first) = (&lives[old.index()], lives[new.index()].first);
            let dims = [graph.name(old).to_owned(), graph.name(new).to_owned()];
            if graph.dims[old.index()].heir == Some(new) {
                continue;
            }
            if life.end() >= first {
                return fail(Kind::SharedSlot {
                    dims,
                    half_layer: first,
                });
            }
            let last = if life.inexact { first - 1 } else { first };
            let wiped = self.wipes.iter().filter(|wipe| wipe.dim == old);
            if !wiped
                .clone()
                .all(|wipe| (life.last..=last).contains(&wipe.half_layer))
                || wiped.count() != 1
            {
                return fail(Kind::Wipes { dims });
            }
        }
        Ok(())
    }

    /// The complete dimensions in the slots after a half-layer that are still to be read.
    /// Half-layer -1 is the embedding.
    #[must_use]
    pub fn readable(&self, graph: &Graph, half_layer: i32) -> Vec<(usize, Dim)> {
        let lives = lives(graph, &readers(graph), &self.half_layers, &self.budget);
        let dims = graph.dims().filter(|dim| {
            (lives[dim.index()].ready..lives[dim.index()].last).contains(&half_layer)
        });
        dims.map(|dim| (self.slots[dim.index()], dim)).collect()
    }

    /// The schedule as text, which [`Schedule::parse`] reads.
    #[must_use]
    pub fn to_text(&self, graph: &Graph) -> String {
        let Budget {
            layers,
            d_model,
            d_ffn,
        } = self.budget;
        let mut text = format!("shape layers={layers} d_model={d_model} d_ffn={d_ffn}\n");
        let lives = lives(graph, &readers(graph), &self.half_layers, &self.budget);
        let mut dims: Vec<Dim> = graph.dims().collect();
        dims.sort_by_key(|dim| (self.slots[dim.index()], lives[dim.index()].first));
        for dim in dims {
            let (slot, life) = (self.slots[dim.index()], lives[dim.index()]);
            let (from, to) = (half_layer_name(life.first), half_layer_name(life.last));
            writeln!(
                text,
                "slot {slot:2} {:24} # {from} to {to}",
                graph.name(dim)
            )
            .expect("a write to a string does not fail");
        }
        for half_layer in 0..self.budget.half_layers() {
            let kind = if half_layer % 2 == 0 {
                "head"
            } else {
                "neuron"
            };
            for writer in self.writers_at(half_layer) {
                let name = &graph.writers[writer.index()].name;
                writeln!(text, "{kind:6} {:8} {name}", half_layer_name(half_layer))
                    .expect("a write to a string does not fail");
            }
            for wipe in self.wipes_at(half_layer) {
                let slot = self.slots[wipe.dim.index()];
                let name = graph.name(wipe.dim);
                writeln!(
                    text,
                    "wipe   {:8} {name:24} # slot {slot}",
                    half_layer_name(half_layer)
                )
                .expect("a write to a string does not fail");
            }
        }
        text
    }

    /// Parses the text of a schedule: one line for each slot, head, neuron and wipe, by name.
    ///
    /// # Errors
    /// If a line cannot be read, or the schedule does not fit the graph.
    pub fn parse(graph: &Graph, text: &str) -> Result<Self, ScheduleError> {
        let mut budget = None;
        let mut half_layers = vec![-1; graph.writers.len()];
        let mut slots = vec![UNPLACED; graph.dims.len()];
        let mut wipes = vec![];
        for (line, number) in text.lines().zip(1..) {
            let fail = |kind: Kind| Err(ScheduleError::from(kind).at_line(number));
            let words: Vec<&str> = line
                .split('#')
                .next()
                .unwrap_or("")
                .split_whitespace()
                .collect();
            let dim_of = |name: &str| graph.dims().find(|&dim| graph.name(dim) == name);
            match words[..] {
                [] => {}
                ["shape", layers, d_model, d_ffn] => {
                    let value = |word: &str, key: &str| word.strip_prefix(key)?.parse().ok();
                    let read = (
                        value(layers, "layers="),
                        value(d_model, "d_model="),
                        value(d_ffn, "d_ffn="),
                    );
                    let (Some(layers), Some(d_model), Some(d_ffn)) = read else {
                        return fail(Kind::NotAShape);
                    };
                    budget = Some(Budget {
                        layers,
                        d_model,
                        d_ffn,
                    });
                }
                ["slot", slot, name] => {
                    let (Some(dim), Ok(slot)) = (dim_of(name), slot.parse()) else {
                        return fail(Kind::UnknownSlot);
                    };
                    slots[dim.index()] = slot;
                }
                ["head" | "neuron", half_layer, name] => {
                    let at = graph.writers.iter().position(|node| node.name == name);
                    let (Some(at), Some(half_layer)) = (at, parse_half_layer(half_layer)) else {
                        return fail(Kind::UnknownWriter);
                    };
                    half_layers[at] = half_layer;
                }
                ["wipe", half_layer, name] => {
                    let (Some(dim), Some(half_layer)) =
                        (dim_of(name), parse_half_layer(half_layer))
                    else {
                        return fail(Kind::UnknownWipe);
                    };
                    wipes.push(Wipe { dim, half_layer });
                }
                _ => return fail(Kind::UnknownLine),
            }
        }
        let budget = budget.ok_or(Kind::NoShape)?;
        let schedule = Self {
            budget,
            half_layers,
            slots,
            wipes,
        };
        schedule.check(graph)?;
        Ok(schedule)
    }
}

/// The half-layer in which to wipe an old dimension before a new one is written: a feed-forward one
/// with the most room if possible, else an attention.
fn wipe_half_layer(old: &Life, first: i32, load: &[usize], budget: &Budget) -> i32 {
    let last = if old.inexact { first - 1 } else { first };
    (old.last.max(0)..=last)
        .filter(|&half_layer| half_layer % 2 == 1 && load[half_layer as usize] < budget.d_ffn)
        .min_by_key(|&half_layer| load[half_layer as usize])
        .unwrap_or_else(|| {
            (old.last.max(0)..=last)
                .find(|half_layer| half_layer % 2 == 0)
                .unwrap_or(last)
        })
}

/// The name of a half-layer: `embed`, `1.attn`, `1.ffn` and so on.
pub(crate) fn half_layer_name(half_layer: i32) -> String {
    match half_layer {
        -1 => "embed".to_owned(),
        half_layer if half_layer % 2 == 0 => format!("{}.attn", half_layer / 2 + 1),
        half_layer => format!("{}.ffn", half_layer / 2 + 1),
    }
}

fn parse_half_layer(name: &str) -> Option<i32> {
    let (layer, phase) = name.split_once('.')?;
    let layer: i32 = layer
        .parse()
        .ok()
        .filter(|layer| (1..=1000).contains(layer))?;
    match phase {
        "attn" => Some(2 * layer - 2),
        "ffn" => Some(2 * layer - 1),
        _ => None,
    }
}
