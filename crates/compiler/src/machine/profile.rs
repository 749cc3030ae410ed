//! Profiles: the numbers that say how far a machine is exact.
//!
//! A latest write is found among keys `(2 j, -j^2 + slope * time)`, `|j| <= reach`. That takes
//! `slope * time < 1`, and keys that are exact: `reach^2` is at most 2^53 units of `2^-exponent`.
//! So what a profile has more of time it has less of space. Stock softmax must see the slope beside
//! the rounding of a score, about `reach^2 * 2^-52`; `weightware certify` proves what it sees.

use weightware_model::{Config, KeyBound, KeyRange};

use crate::schedule::Budget;

/// Numbers from 0 to `centre + reach` under which something is written, and the order of writes to
/// one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySpan {
    /// The middle: a key's index is the number less this.
    pub centre: i64,
    /// The greatest `|index|`; not below `centre`.
    pub reach: i64,
    /// The slope is `factor * 2^-exponent`.
    pub factor: i64,
    /// See `factor`.
    pub exponent: i32,
    /// The greatest time.
    pub last_time: u64,
}

/// What a run may exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The last position.
    Positions,
    /// The count of stores.
    Stores,
    /// The memory.
    Addresses,
    /// Bytes that are written, where addresses are translated.
    Written,
    /// Words of frames and the operand stack.
    Words,
}

impl KeySpan {
    /// The greatest number.
    #[must_use]
    pub const fn last(&self) -> i64 {
        self.centre + self.reach
    }

    /// `slope * last_time`, below 1.
    #[must_use]
    pub fn lift(&self) -> f64 {
        self.factor as f64 * self.last_time as f64 * 0.5_f64.powi(self.exponent)
    }
}

/// The numbers of a machine that say how far it is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Its name, as in `config.json`.
    pub name: &'static str,
    /// The greatest position.
    pub last_position: u64,
    /// Words of locals and globals, frames, entries of the stack: ordered by position.
    pub words: KeySpan,
    /// Addresses, ordered by a count of stores that begins with 1; or not ordered, if they are
    /// translated.
    pub memory: KeySpan,
    /// Numbers of cells, to which addresses are translated: then it is these that are ordered by a
    /// count of stores.
    pub cells: Option<KeySpan>,
}

impl Profile {
    /// The default. Exact in stock softmax, wherever a library multiplies by `1 / sqrt(2)`, for 22
    /// million tokens and 349 thousand stores into 152 KiB.
    pub const STOCK: Self = Self {
        name: "stock",
        last_position: 22_000_000,
        words: words(3, 26, 22_000_000),
        memory: KeySpan {
            centre: 76 << 10,
            reach: 76 << 10,
            factor: 3,
            exponent: 20,
            last_time: 349_500,
        },
        cells: None,
    };

    /// Exact in hard-max for 67 million tokens and 2^21 stores into 128 KiB.
    pub const LONG: Self = Self {
        name: "long",
        last_position: 67_000_000,
        words: words(1, 26, 67_000_000),
        memory: KeySpan {
            // Not 2^16, of whose square and a lift the sum would be rounded.
            centre: (64 << 10) - 1,
            reach: 64 << 10,
            factor: 1,
            exponent: 21,
            last_time: (1 << 21) - 2,
        },
        cells: None,
    };

    /// As the default, but for 8 MiB, of which the same number of bytes may be written: a machine
    /// of one layer more.
    pub const FAR: Self = Self {
        name: "far",
        memory: KeySpan {
            centre: 1 << 22,
            reach: 1 << 22,
            // No order, but above the first token, which answers for the centre.
            factor: 1,
            exponent: 1,
            last_time: 1,
        },
        cells: Some(Self::STOCK.memory),
        ..Self::STOCK
    };

    /// All profiles, the default first.
    pub const ALL: [Self; 3] = [Self::STOCK, Self::LONG, Self::FAR];

    /// The shape of its machine with all modules.
    #[must_use]
    pub const fn budget(&self) -> Budget {
        match self.cells {
            None => Budget::DEFAULT,
            Some(_) => Budget::FAR,
        }
    }

    /// The committed schedule of its machine with all modules: the half-layer of every writer, the
    /// slot of every dimension.
    #[must_use]
    pub const fn schedule(&self) -> &'static str {
        match self.cells {
            None => include_str!("../../schedules/default.txt"),
            Some(_) => include_str!("../../schedules/far.txt"),
        }
    }

    /// Another profile that goes further than this in what a run exceeded, for what has been
    /// written up to this address. One that serves the default shape is preferred.
    #[must_use]
    pub fn further(&self, limit: Limit, last_address: i64) -> Option<Self> {
        let counted = |profile: &Self| profile.cells.unwrap_or(profile.memory);
        let goes_further = |other: &Self| match limit {
            Limit::Positions => other.last_position > self.last_position,
            Limit::Stores => counted(other).last_time > counted(self).last_time,
            Limit::Addresses => other.memory.last() > self.memory.last(),
            Limit::Written | Limit::Words => false,
        };
        let holds = |other: &Self| last_address <= other.memory.last();
        let mut all = Self::ALL.into_iter();
        all.find(|other| goes_further(other) && holds(other))
    }

    /// What a key outside its box exceeds; `None` if its box is none of the machine's.
    ///
    /// The boxes of addresses, cells and words differ in size.
    #[must_use]
    pub fn limit_of(&self, config: &Config, key: &KeyRange) -> Option<Limit> {
        let bound = self.bound_of(config, key)?;
        let outside = key.x[0].abs().max(key.x[1].abs()) > bound.max_abs_x;
        match (outside, key.lift > bound.max_lift) {
            (true, _) if self.is_of_memory(bound) => Some(Limit::Addresses),
            (true, _) if has_reach(bound, &self.words) => Some(Limit::Words),
            (true, _) if self.cells.is_some_and(|cells| has_reach(bound, &cells)) => {
                Some(Limit::Written)
            }
            (false, true) => Some(Limit::Stores),
            _ => None,
        }
    }

    /// The greatest address that keys of these ranges stand for; 0 if none is of memory.
    pub fn last_address(&self, config: &Config, ranges: impl IntoIterator<Item = KeyRange>) -> i64 {
        let ranges = ranges.into_iter().filter(|range| {
            let bound = self.bound_of(config, range);
            bound.is_some_and(|bound| self.is_of_memory(bound))
        });
        let addresses = ranges.map(|range| (range.x[1] / 2.0) as i64 + self.memory.centre);
        addresses.max().unwrap_or(0)
    }

    fn bound_of<'c>(&self, config: &'c Config, key: &KeyRange) -> Option<&'c KeyBound> {
        let mut bounds = config.key_bounds.iter();
        bounds.find(|bound| (bound.layer, bound.head) == (key.layer, key.head))
    }

    fn is_of_memory(&self, bound: &KeyBound) -> bool {
        has_reach(bound, &self.memory)
    }

    /// Stores into memory that are exact, one after another.
    #[must_use]
    pub fn last_store(&self) -> u64 {
        self.cells.unwrap_or(self.memory).last_time
    }

    /// Bytes of memory, from address 0 on.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.memory.last().unsigned_abs() + 1
    }

    /// The profile of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name == name)
    }
}

fn has_reach(bound: &KeyBound, span: &KeySpan) -> bool {
    bound.max_abs_x == 2.0 * span.reach as f64
}

impl Default for Profile {
    fn default() -> Self {
        Self::STOCK
    }
}

/// Frames and the stack have as many words in every profile.
const fn words(factor: i64, exponent: i32, last_position: u64) -> KeySpan {
    KeySpan {
        centre: 1 << 13,
        reach: 1 << 13,
        factor,
        exponent,
        last_time: last_position,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_that_goes_further() {
        let name = |from: Profile, exceeded, last_address| {
            from.further(exceeded, last_address)
                .map(|profile| profile.name)
        };
        let (stock, long, far) = (Profile::STOCK, Profile::LONG, Profile::FAR);
        assert_eq!(name(stock, Limit::Positions, 5), Some("long"));
        assert_eq!(name(stock, Limit::Stores, 5), Some("long"));
        // It would stop at once.
        assert_eq!(name(stock, Limit::Stores, 140_000), None);
        assert_eq!(name(stock, Limit::Addresses, 160_000), Some("far"));
        assert_eq!(name(long, Limit::Addresses, 131_072), Some("stock"));
        assert_eq!(name(long, Limit::Addresses, 1 << 20), Some("far"));
        assert_eq!(name(long, Limit::Positions, 5), None);
        assert_eq!(name(far, Limit::Stores, 1 << 20), None);
        assert_eq!(name(far, Limit::Addresses, 1 << 24), None);
    }

    #[test]
    fn times_and_numbers_fit() {
        for profile in Profile::ALL {
            for span in [Some(profile.words), Some(profile.memory), profile.cells] {
                let Some(span) = span else { continue };
                // The plan engine's tables go no higher.
                assert!(span.lift() <= 1.0 - 0.5_f64.powi(20), "{}", profile.name);
                assert!(span.reach >= span.centre, "{}", profile.name);
            }
            assert!(profile.words.last() >= weightware_isa::FRAME_LIMIT.into());
            assert!(profile.words.last_time >= profile.last_position);
            assert_eq!(Profile::named(profile.name), Some(profile));
        }
    }
}
