//! Profiles: the numbers that determine how far a machine is exact.
//!
//! The latest write is found among keys `(2 j, -j^2 + slope * time)` with `|j| <= reach`. This
//! requires `slope * time < 1` and exact keys: `reach^2` is at most 2^53 units of `2^-exponent`. So
//! a profile trades time for space. Stock softmax must resolve the slope despite the rounding of a
//! score, about `reach^2 * 2^-52`; `weightware certify` proves what it resolves.

use weightware_isa::{Interpreter, Nearest, Program};
use weightware_model::{Config, KeyBound, KeyRange};

use crate::schedule::Budget;

/// A range of numbers, from 0 to `centre + reach`, that keys stand for, and the times that order
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySpan {
    /// The middle of the range: a key's index is the number less this.
    pub centre: i64,
    /// The greatest `|index|`, at least `centre`.
    pub reach: i64,
    /// The slope is `factor * 2^-exponent`.
    pub factor: i64,
    /// The exponent of the slope: see `factor`.
    pub exponent: i32,
    /// The greatest time that may order keys.
    pub last_time: u64,
}

/// A limit that a run may exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The last certified position.
    Positions,
    /// The greatest count of stores.
    Stores,
    /// The size of the memory.
    Addresses,
    /// Bytes that are written, where addresses are translated.
    Written,
    /// Words of frames and the operand stack.
    Words,
}

impl KeySpan {
    /// The greatest number of the range.
    #[must_use]
    pub const fn last(&self) -> i64 {
        self.centre + self.reach
    }

    /// The greatest lift, `slope * last_time`, below 1.
    #[must_use]
    pub fn lift(&self) -> f64 {
        self.factor as f64 * self.last_time as f64 * 0.5_f64.powi(self.exponent)
    }
}

/// The numbers that determine how far a machine is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// The profile's name, as in `config.json`.
    pub name: &'static str,
    /// The greatest certified position.
    pub last_position: u64,
    /// The tokens of a context after its prompt and the restored state: from then on jumps are
    /// interrupted.
    pub context: u64,
    /// The span of words of locals and globals, frames, and stack entries; positions order them.
    pub words: KeySpan,
    /// The span of addresses. A count of stores that begins with 1 orders them, unless addresses
    /// are translated to cells, which leaves them unordered.
    pub memory: KeySpan,
    /// The span of cell numbers, if addresses are translated. The count of stores then orders the
    /// cells.
    pub cells: Option<KeySpan>,
}

impl Profile {
    /// The default profile: exact in stock softmax, in every library that multiplies by `1 /
    /// sqrt(2)`, for 22 million tokens and 349 thousand stores into 152 KiB.
    pub const STOCK: Self = Self {
        name: "stock",
        last_position: 22_000_000,
        context: 3_500_000,
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

    /// A profile for long runs: exact in hard-max for 67 million tokens and 2^21 stores into 128
    /// KiB.
    pub const LONG: Self = Self {
        name: "long",
        last_position: 67_000_000,
        context: 20_000_000,
        words: words(1, 26, 67_000_000),
        memory: KeySpan {
            // With 2^16 the sum of its square and a lift would be rounded.
            centre: (64 << 10) - 1,
            reach: 64 << 10,
            factor: 1,
            exponent: 21,
            last_time: (1 << 21) - 2,
        },
        cells: None,
    };

    /// A profile with 8 MiB of memory, of which this many bytes may be written in total, and
    /// otherwise like the default. Its machine has one layer more.
    pub const FAR: Self = Self {
        name: "far",
        memory: KeySpan {
            centre: 1 << 22,
            reach: 1 << 22,
            // A constant lift above the first token, which otherwise would win at the centre. It
            // orders nothing.
            factor: 1,
            exponent: 1,
            last_time: 1,
        },
        cells: Some(Self::STOCK.memory),
        ..Self::STOCK
    };

    /// The profile `far` for programs that write more: exact in hard-max for 262 thousand stores
    /// into 362 KiB.
    pub const WIDE: Self = Self {
        name: "wide",
        context: 2_900_000,
        cells: Some(cells(185_362, 18)),
        ..Self::FAR
    };

    /// The profile `far` for programs that write 1 MiB: exact in hard-max for 33 thousand stores.
    pub const HUGE: Self = Self {
        name: "huge",
        context: 170_000,
        cells: Some(cells((1 << 19) - 1, 15)),
        ..Self::FAR
    };

    /// All profiles, the default first.
    pub const ALL: [Self; 5] = [Self::STOCK, Self::LONG, Self::FAR, Self::WIDE, Self::HUGE];

    /// The shape of the profile's machine with all modules.
    #[must_use]
    pub const fn budget(&self) -> Budget {
        match self.cells {
            None => Budget::DEFAULT,
            Some(_) => Budget::FAR,
        }
    }

    /// The committed schedule of the profile's machine with all modules: the half-layer of every
    /// writer, the slot of every dimension.
    #[must_use]
    pub const fn schedule(&self) -> &'static str {
        match self.cells {
            None => include_str!("../../schedules/default.txt"),
            Some(_) => include_str!("../../schedules/far.txt"),
        }
    }

    /// The shape of the profile's machine with instructions and memory in its weights, without the
    /// neurons of its tables.
    #[must_use]
    pub const fn rom_budget(&self) -> Budget {
        Budget {
            d_ffn: 48,
            ..self.budget()
        }
    }

    /// The committed schedule of the profile's machine with instructions and memory in its weights.
    /// It is the same for all, but a machine whose program is in the weights (`specialised`) reads
    /// no instruction from the prompt.
    #[must_use]
    pub const fn rom_schedule(&self, specialised: bool) -> &'static str {
        match (self.cells, specialised) {
            (None, false) => include_str!("../../schedules/rom.txt"),
            (None, true) => include_str!("../../schedules/specialised.txt"),
            (Some(_), false) => include_str!("../../schedules/far-rom.txt"),
            (Some(_), true) => include_str!("../../schedules/far-specialised.txt"),
        }
    }

    /// Another profile whose limit exceeds this one's, and which holds all addresses up to
    /// `last_address`. Profiles of the default shape come first.
    #[must_use]
    pub fn further(&self, limit: Limit, last_address: i64) -> Option<Self> {
        let counted = |profile: &Self| profile.cells.unwrap_or(profile.memory);
        let goes_further = |other: &Self| match limit {
            Limit::Positions => other.last_position > self.last_position,
            Limit::Stores => counted(other).last_time > counted(self).last_time,
            Limit::Addresses => other.memory.last() > self.memory.last(),
            Limit::Written => counted(other).last() > counted(self).last(),
            Limit::Words => false,
        };
        let holds = |other: &Self| last_address <= other.memory.last();
        let mut all = Self::ALL.into_iter();
        all.find(|other| goes_further(other) && holds(other))
    }

    /// The limit that a key outside its box exceeds; `None` if the box is none of the machine's.
    ///
    /// The size of a box determines whether its keys are addresses, cells or words.
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

    /// The greatest address that keys of these ranges stand for; 0 if none is an address.
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

    /// Pages of 64 KiB that fit into the memory beside this many bytes.
    #[must_use]
    pub fn memory_pages(&self, beside: u64) -> u32 {
        let bytes = self.memory_bytes().saturating_sub(beside);
        u32::try_from(bytes >> 16).unwrap_or(u32::MAX)
    }

    /// The plain interpreter, with the contexts and the memory of this profile's machine.
    #[must_use]
    pub fn interpreter<'p>(&self, program: &'p Program) -> Interpreter<'p> {
        Interpreter::new(program)
            .with_context(self.context)
            .with_nearest(self.nearest())
    }

    /// The written address that `probe` finds.
    #[must_use]
    pub fn nearest(&self) -> Nearest {
        Nearest {
            centre: u32::try_from(self.memory.centre).unwrap_or(u32::MAX),
            mean: self.cells.is_some(),
        }
    }

    /// The profile with contexts of another length.
    #[must_use]
    pub const fn with_context(self, tokens: u64) -> Self {
        Self {
            context: tokens,
            ..self
        }
    }

    /// The profile with that name.
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

/// The span of words, which has the same size in every profile.
const fn words(factor: i64, exponent: i32, last_position: u64) -> KeySpan {
    KeySpan {
        centre: 1 << 13,
        reach: 1 << 13,
        factor,
        exponent,
        last_time: last_position,
    }
}

/// The span of as many cells and stores as hard-max can tell apart.
const fn cells(reach: i64, exponent: i32) -> KeySpan {
    KeySpan {
        centre: reach,
        reach,
        factor: 1,
        exponent,
        last_time: (1 << exponent) - 2,
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
        // The long profile has no such address, so it would stop at once.
        assert_eq!(name(stock, Limit::Stores, 140_000), None);
        assert_eq!(name(stock, Limit::Addresses, 160_000), Some("far"));
        assert_eq!(name(long, Limit::Addresses, 131_072), Some("stock"));
        assert_eq!(name(long, Limit::Addresses, 1 << 20), Some("far"));
        assert_eq!(name(long, Limit::Positions, 5), None);
        assert_eq!(name(far, Limit::Stores, 1 << 20), None);
        assert_eq!(name(far, Limit::Written, 1 << 20), Some("wide"));
        assert_eq!(name(Profile::WIDE, Limit::Written, 1 << 20), Some("huge"));
        assert_eq!(name(Profile::HUGE, Limit::Stores, 1 << 20), Some("far"));
        assert_eq!(name(far, Limit::Addresses, 1 << 24), None);
    }

    #[test]
    fn times_and_numbers_fit() {
        for profile in Profile::ALL {
            for span in [Some(profile.words), Some(profile.memory), profile.cells] {
                let Some(span) = span else { continue };
                // The plan engine's tables have no higher entries.
                assert!(span.lift() <= 1.0 - 0.5_f64.powi(20), "{}", profile.name);
                assert!(span.reach >= span.centre, "{}", profile.name);
            }
            for span in [Some(profile.words), profile.cells] {
                let Some(span) = span else { continue };
                let units = (span.reach * span.reach + 1) as f64 * 2_f64.powi(span.exponent);
                assert!(units <= 2_f64.powi(53), "{}", profile.name);
            }
            // Stores of the program, each 12 tokens at least, of a turn, which saves every word,
            // and of the blocks that the prompt restores.
            let blocks = profile
                .cells
                .map_or(profile.memory_bytes(), |cells| cells.last().unsigned_abs());
            let turn = u64::from(weightware_isa::FRAME_LIMIT) + blocks / 1024 + 100;
            assert!(
                profile.context / 12 + turn <= profile.last_store(),
                "{}",
                profile.name
            );
            assert!(profile.words.last() >= weightware_isa::FRAME_LIMIT.into());
            assert!(profile.words.last_time >= profile.last_position);
            assert_eq!(Profile::named(profile.name), Some(profile));
        }
    }
}
