//! Errors of schedules, each with its place and a remedy.

use std::fmt;

use super::half_layer_name;

/// A schedule that does not fit its graph or its budget, or a text that is not a schedule.
///
/// Its display names the place, the problem and the remedy.
///
/// ```
/// use weightware_compiler::{Graph, Schedule, ScheduleErrorKind};
///
/// let error = Schedule::parse(&Graph::new(), "shape layers=two d_model=4 d_ffn=4").unwrap_err();
/// assert_eq!((error.line(), error.kind()), (Some(1), &ScheduleErrorKind::NotAShape));
/// assert_eq!(
///     error.to_string(),
///     "line 1: this is not a shape; write `shape layers=L d_model=D d_ffn=F` with three numbers"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleError {
    kind: Box<ScheduleErrorKind>,
    line: Option<usize>,
}

/// The kinds of [`ScheduleError`]. Half-layers are counted from 0; names are those of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScheduleErrorKind {
    /// The schedule has another number of writers or dimensions than the graph.
    OtherGraph,
    /// A head is not in an attention, a neuron is not in a feed-forward network, or a writer is in
    /// no layer.
    WriterPlace {
        /// The writer.
        writer: String,
        /// Its half-layer.
        half_layer: i32,
    },
    /// A writer is not after another one that it needs.
    Order {
        /// The writer.
        writer: String,
        /// Its half-layer.
        half_layer: i32,
        /// The writer that must be earlier.
        source: String,
    },
    /// A half-layer has too few heads or neurons.
    Load {
        /// The half-layer.
        half_layer: i32,
        /// The heads or neurons that it needs.
        needed: usize,
        /// The heads or neurons that it has.
        available: usize,
    },
    /// Two dimensions are in one slot at once.
    SharedSlot {
        /// The dimensions, the older one first.
        dims: [String; 2],
        /// The half-layer in which the newer one begins.
        half_layer: i32,
    },
    /// A slot is not wiped exactly once between two dimensions.
    Wipes {
        /// The dimensions, the older one first.
        dims: [String; 2],
    },
    /// A dimension that takes another one's slot over is in another slot, or the slot is wiped, or
    /// the other dimension is read later.
    TakenOver {
        /// The dimensions, the older one first.
        dims: [String; 2],
        /// The half-layer in which the newer one begins.
        half_layer: i32,
    },
    /// A dimension has no slot.
    Unplaced {
        /// The dimension.
        dim: String,
    },
    /// A dimension is in a slot that the model does not have.
    NoSuchSlot {
        /// The dimension.
        dim: String,
        /// Its slot.
        slot: usize,
        /// The number of slots.
        d_model: usize,
    },
    /// No slot is free in the half-layer in which a dimension begins.
    SlotsTaken {
        /// The dimension.
        dim: String,
        /// The half-layer.
        half_layer: i32,
    },
    /// The writers before a writer take more than the budget's layers.
    TooFewLayers {
        /// The writer.
        writer: String,
        /// The budget's layers.
        layers: usize,
    },
    /// The search was to try no seed.
    NoSeed,
    /// The machine has a planned feature, which cannot be assembled.
    Planned {
        /// The feature.
        feature: &'static str,
    },
    /// The text has no line that states the shape.
    NoShape,
    /// A line that begins with `shape` does not state one.
    NotAShape,
    /// A line names an unknown dimension, or its slot is not a number.
    UnknownSlot,
    /// A line names an unknown writer or half-layer.
    UnknownWriter,
    /// A wipe names an unknown dimension or half-layer.
    UnknownWipe,
    /// A line begins with an unknown word, or has too few or too many words.
    UnknownLine,
}

use ScheduleErrorKind as Kind;

impl ScheduleError {
    pub(crate) fn at_line(self, line: usize) -> Self {
        Self {
            line: Some(line),
            ..self
        }
    }

    /// The rule that the schedule, or its text, breaks.
    #[must_use]
    pub fn kind(&self) -> &ScheduleErrorKind {
        &self.kind
    }

    /// The line of the text, counted from 1, if the error is in one line.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The remedy: how to correct the schedule.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match &*self.kind {
            Kind::OtherGraph => "solve a schedule for this graph",
            Kind::WriterPlace { .. } => {
                "put heads into attentions and neurons into feed-forward networks of the shape"
            }
            Kind::Order { .. } => "move the first after the second",
            Kind::Load { .. } | Kind::SlotsTaken { .. } | Kind::TooFewLayers { .. } => {
                "enlarge the budget, or search with other seeds or more moves"
            }
            Kind::SharedSlot { .. } => "give one of them another slot",
            Kind::Wipes { .. } => {
                "wipe the first once, after its last reader and before the second is written"
            }
            Kind::TakenOver { .. } => {
                "give both one slot without a wipe, and read the first no later than the second is written"
            }
            Kind::Unplaced { .. } => "add a line `slot N NAME`",
            Kind::NoSuchSlot { .. } => "choose a slot below d_model",
            Kind::NoSeed => "try at least one seed",
            Kind::Planned { .. } => "assemble a machine without planned features",
            Kind::NoShape => "begin with `shape layers=L d_model=D d_ffn=F`",
            Kind::NotAShape => "write `shape layers=L d_model=D d_ffn=F` with three numbers",
            Kind::UnknownSlot => "write `slot N NAME` with a dimension of the graph",
            Kind::UnknownWriter => {
                "write `head` or `neuron`, a half-layer such as `1.attn`, and a writer of the graph"
            }
            Kind::UnknownWipe => {
                "write `wipe`, a half-layer such as `1.ffn`, and a dimension of the graph"
            }
            Kind::UnknownLine => "begin with `shape`, `slot`, `head`, `neuron` or `wipe`",
        }
    }
}

impl From<ScheduleErrorKind> for ScheduleError {
    fn from(kind: ScheduleErrorKind) -> Self {
        Self {
            kind: Box::new(kind),
            line: None,
        }
    }
}

impl fmt::Display for ScheduleErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |half_layer: &i32| half_layer_name(*half_layer);
        match self {
            Kind::OtherGraph => f.write_str("the schedule is of another graph"),
            Kind::WriterPlace { writer, half_layer } => {
                write!(f, "{}: {writer} cannot be here", at(half_layer))
            }
            Kind::Order {
                writer,
                half_layer,
                source,
            } => write!(
                f,
                "{}: {writer} needs {source}, which is not earlier",
                at(half_layer)
            ),
            Kind::Load {
                half_layer,
                needed,
                available,
            } => {
                let kind = if half_layer % 2 == 0 {
                    "heads"
                } else {
                    "neurons"
                };
                write!(
                    f,
                    "{}: {needed} {kind} are needed, and there are {available}",
                    at(half_layer)
                )
            }
            Kind::SharedSlot {
                dims: [old, new],
                half_layer,
            } => write!(f, "{}: {old} and {new} share a slot", at(half_layer)),
            Kind::Wipes { dims: [old, new] } => {
                write!(f, "{old} is not wiped once before {new} takes its slot")
            }
            Kind::TakenOver {
                dims: [old, new],
                half_layer,
            } => write!(
                f,
                "{}: {new} does not take over what {old} leaves",
                at(half_layer)
            ),
            Kind::Unplaced { dim } => write!(f, "{dim} has no slot"),
            Kind::NoSuchSlot { dim, slot, d_model } => {
                write!(f, "{dim} is in slot {slot} of {d_model}")
            }
            Kind::SlotsTaken { dim, half_layer } => {
                write!(f, "{}: no slot is left for {dim}", at(half_layer))
            }
            Kind::TooFewLayers { writer, layers } => {
                write!(f, "{writer} cannot be reached within {layers} layers")
            }
            Kind::NoSeed => f.write_str("no seed was tried"),
            Kind::Planned { feature } => write!(
                f,
                "{feature} is planned: it can be scheduled, but not yet assembled"
            ),
            Kind::NoShape => f.write_str("the shape is missing"),
            Kind::NotAShape => f.write_str("this is not a shape"),
            Kind::UnknownSlot => f.write_str("there is no such dimension, or this is not a slot"),
            Kind::UnknownWriter => f.write_str("there is no such writer or half-layer"),
            Kind::UnknownWipe => f.write_str("there is no such dimension or half-layer"),
            Kind::UnknownLine => f.write_str("this is not a line of a schedule"),
        }
    }
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}; {}", self.kind, self.remedy())
    }
}

impl std::error::Error for ScheduleError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::schedule::Schedule;

    #[test]
    fn errors_name_line_kind_and_remedy() {
        let shape = "shape layers=1 d_model=4 d_ffn=4\n";
        let rows = [
            ("", None, Kind::NoShape),
            ("shape layers=1", Some(1), Kind::UnknownLine),
            ("\nslot 0 nothing", Some(2), Kind::UnknownSlot),
            ("head 1.attn nothing", Some(1), Kind::UnknownWriter),
            ("wipe 1.ffn nothing", Some(1), Kind::UnknownWipe),
            (
                shape,
                None,
                Kind::Unplaced {
                    dim: "one".to_owned(),
                },
            ),
        ];
        for (text, line, kind) in rows {
            let error = Schedule::parse(&Graph::new(), text).unwrap_err();
            assert_eq!((error.line(), error.kind()), (line, &kind), "{text:?}");
            assert!(error.to_string().ends_with(error.remedy()), "{error}");
        }
    }
}
