//! Speculative assumptions of an analysis, and bailouts: the reasons to give one up.

use std::fmt;

use crate::symbolic::hash::QuickSet;

/// A live head: its layer, and its index among the live heads of that layer.
pub type HeadAt = (usize, usize);

pub(crate) type Result<T> = std::result::Result<T, Bailout>;

/// The reason why an analysis does not hold for a model or for the tokens so far, and so the
/// assumption to give up.
///
/// An analysis returns [`Head`](Self::Head) and [`Model`](Self::Model). A decoder checks the
/// assumptions at every token, and returns any of the reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bailout {
    /// A head attends by position, and its output may be rounded; or, while decoding, two positions
    /// have the same greatest score. [Demote](Assumptions::demoted) the head: it gets a hull, which
    /// averages ties.
    Head(HeadAt),
    /// The heads of a group share their keys, and a key lies off their parabola, or a query is so
    /// far from all keys that an omitted key might win; or the latest two keys tie, and their
    /// values differ. Demote all heads of the group.
    Group(u32),
    /// A query finds keys of a group that tie, and their values differ. Let the group
    /// [average](Assumptions::averaged) them.
    Tie(u32),
    /// A running sum leaves the [range](crate::Sum::range) that was assumed, from 0 to a bound. Let
    /// sums be [wide](Assumptions::wide).
    Sums,
    /// The argument of a table is beyond its first entry, and the table was assumed to be 0; or it
    /// is beyond the table's [limit](crate::Table::limit). Let tables be
    /// [read](Assumptions::reads_tables).
    Tables,
    /// The first token's id occurs again, and forms hold only for the other ids. Assume no
    /// [sentinel](Assumptions::sentinel).
    Sentinel,
    /// Bounds do not prove that numbers stay finite, that scores are compared exactly, or that
    /// positions are not rounded; or the sequence needs more memory than the decoder has. There is
    /// no assumption to give up: decode without an analysis.
    Model,
}

impl fmt::Display for Bailout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head((layer, head)) => write!(
                f,
                "layer {layer}, live head {head}: its keys and values are not of the assumed kind"
            ),
            Self::Group(group) => write!(
                f,
                "group {group} of heads: their keys and values are not of the assumed kind"
            ),
            Self::Tie(group) => write!(f, "group {group} of heads: keys tie"),
            Self::Sums => f.write_str("a running sum leaves the range that was assumed"),
            Self::Tables => f.write_str("a table is read, or its argument is beyond its limit"),
            Self::Sentinel => f.write_str("the first token's id occurs again"),
            Self::Model => f.write_str("numbers may overflow, or positions are rounded"),
        }
    }
}

impl std::error::Error for Bailout {}

/// Speculative assumptions of an analysis about the tokens to come. Forms hold as long as the
/// assumptions do; an assumption that fails is dropped.
#[derive(Debug, Clone, Default)]
pub struct Assumptions {
    /// Heads about whose keys nothing is assumed.
    pub demoted: QuickSet<HeadAt>,
    /// Heads whose keys may tie, in a [group](crate::Group::averages).
    pub averaged: QuickSet<HeadAt>,
    /// Whether running sums may have any value. Otherwise sums of numbers that may be great or
    /// negative are assumed to stay between 0 and [a bound](crate::Sum::range), which the decoder
    /// checks.
    pub wide: bool,
    /// Whether [far](crate::Table::is_far) tables may be read. Otherwise their arguments are
    /// assumed to be at most those of the first entries, so that these tables are 0, which the
    /// decoder checks.
    pub reads_tables: bool,
    /// The first token's id, if it is assumed not to occur again.
    pub sentinel: Option<usize>,
}

impl Assumptions {
    /// The assumptions of a proof: only that sequences begin with a token that does not occur
    /// again.
    #[must_use]
    pub fn beginning_with(first: usize) -> Self {
        Self {
            sentinel: Some(first),
            wide: true,
            reads_tables: true,
            ..Self::default()
        }
    }
}
