//! Statistics of a decoder: counts of its work and memory, and of bailouts by reason.

use std::fmt;

use weightware_analysis::Bailout;

/// The counts of a decoder's work and memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// The number of tokens that the layers have processed, the prompt included.
    pub tokens: u64,
    /// The approximate number of bytes of keys and values.
    pub cached_bytes: usize,
    /// The number of live heads: those that can change the residual stream.
    pub live_heads: usize,
    /// The number of streams of keys that are kept, after sharing.
    pub key_streams: usize,
    /// The number of streams of scalar values that are kept, after sharing.
    pub value_streams: usize,
    /// Whether a plan decodes the tokens. `false` with other engines, and after the plan engine has
    /// fallen back to the hull engine.
    pub planned: bool,
    /// The number of times that the plan engine gave up an assumption and decoded all tokens again.
    pub deoptimizations: u32,
    /// The number of bailouts of the sequence, by reason: those that deoptimised, and those while a
    /// plan was compiled.
    pub bailouts: Bailouts,
}

/// The reason for which the plan engine gave up an assumption, or plans as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BailoutReason {
    /// A head that attends by position found two positions of equal score, or reads a value that
    /// may be rounded.
    Place,
    /// A key lies off the parabola of its table, two keys tie, or a query is too far from all keys
    /// of a table.
    Keys,
    /// A running sum left the range that was assumed.
    Sum,
    /// A table of the weights is read, or its argument is beyond its limit.
    Tables,
    /// The first token's id occurred again.
    Sentinel,
    /// Bounds do not prove that a plan is exact, or the sequence exceeds the limits of a plan.
    Model,
}

impl BailoutReason {
    /// All bailout reasons, in the order of [`Bailouts::iter`].
    pub const ALL: [Self; 6] = [
        Self::Place,
        Self::Keys,
        Self::Sum,
        Self::Tables,
        Self::Sentinel,
        Self::Model,
    ];

    pub(crate) fn of(bailout: Bailout) -> Self {
        match bailout {
            Bailout::Head(_) => Self::Place,
            Bailout::Group(_) | Bailout::Tie(_) => Self::Keys,
            Bailout::Sums => Self::Sum,
            Bailout::Tables => Self::Tables,
            Bailout::Sentinel => Self::Sentinel,
            Bailout::Model => Self::Model,
        }
    }

    /// The name of the reason in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Keys => "keys",
            Self::Sum => "sum",
            Self::Tables => "tables",
            Self::Sentinel => "sentinel",
            Self::Model => "model",
        }
    }

    /// A sentence that states the reason and its consequence.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Place => {
                "A head that attends by position found two positions of equal score, or reads a value that may be \
                 rounded; the head gets a hull."
            }
            Self::Keys => {
                "A key lies off the parabola of its table, two keys tie, or a query is so far from all keys of a \
                 table that an omitted key might win; the heads of these keys get hulls."
            }
            Self::Sum => {
                "A running sum left the range that was assumed; from then on sums may have any value."
            }
            Self::Tables => {
                "Code or data in the weights is read, which was assumed not to be; from then on it may be. If it \
                 occurs twice, sums may be rounded, and the hull engine decodes the model."
            }
            Self::Sentinel => {
                "The first token's id occurred again, although it was assumed not to; from then on it may."
            }
            Self::Model => {
                "Numbers may overflow, positions may be rounded, or the sequence needs more positions, registers or \
                 kernels than a plan has; the hull engine decodes the model."
            }
        }
    }
}

impl fmt::Display for BailoutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The numbers of bailouts, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bailouts([u32; BailoutReason::ALL.len()]);

impl Bailouts {
    pub(crate) fn record(&mut self, bailout: Bailout) {
        self.0[BailoutReason::of(bailout) as usize] += 1;
    }

    /// The number of bailouts for a reason.
    #[must_use]
    pub fn count(&self, reason: BailoutReason) -> u32 {
        self.0[reason as usize]
    }

    /// The total number of bailouts.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }

    /// All reasons with their counts, zeros included.
    pub fn iter(&self) -> impl Iterator<Item = (BailoutReason, u32)> {
        BailoutReason::ALL.into_iter().zip(self.0)
    }
}

/// The reasons that occurred, each with its count: `2 keys, 1 sentinel`; `none` if there are none.
impl fmt::Display for Bailouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut occurred = self.iter().filter(|&(_, count)| count > 0).peekable();
        if occurred.peek().is_none() {
            return f.write_str("none");
        }
        while let Some((reason, count)) = occurred.next() {
            let comma = if occurred.peek().is_some() { ", " } else { "" };
            write!(f, "{count} {reason}{comma}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bailouts_are_counted_by_reason() {
        let mut bailouts = Bailouts::default();
        assert_eq!(
            (bailouts.total(), bailouts.to_string().as_str()),
            (0, "none")
        );
        for bailout in [Bailout::Group(3), Bailout::Model, Bailout::Group(0)] {
            bailouts.record(bailout);
        }
        assert_eq!(bailouts.to_string(), "2 keys, 1 model");
        assert_eq!(bailouts.total(), 3);
        assert_eq!(bailouts.count(BailoutReason::Keys), 2);
        assert_eq!(bailouts.count(BailoutReason::Place), 0);
    }

    #[test]
    fn every_reason_has_a_place_and_a_name_of_its_own() {
        for (at, reason) in BailoutReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, at);
            assert!(reason.description().ends_with('.'));
            let same = BailoutReason::ALL
                .iter()
                .filter(|other| other.name() == reason.name());
            assert_eq!(same.count(), 1);
        }
    }
}
