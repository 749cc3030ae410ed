//! A program that trapped: where, at which address, and whether another machine would go on.

use weightware::{PostMortem, Profile, Program, Trap};

use crate::backtrace;
use crate::input::Loaded;
use crate::thousands::thousands;
use crate::units::{flag, kibibytes};

/// Addresses from here on are taken for negative ones.
const STACK_OVERFLOW: u64 = (1 << 32) - (1 << 24);

/// Where a program trapped.
pub(crate) struct Trapped {
    /// The address that it accessed, as the program knows it.
    pub(crate) address: Option<u64>,
    /// The bytes that it accessed there.
    pub(crate) bytes: u64,
    pub(crate) frames: Vec<String>,
    /// The pages of the module's memory that the machine does not hold: why it trapped, if it lies
    /// in them.
    pub(crate) left_out: Option<String>,
    hint: Option<String>,
}

impl Trapped {
    /// A trap of which nothing more is known.
    pub(crate) const UNKNOWN: Self = Self {
        address: None,
        bytes: 0,
        frames: vec![],
        left_out: None,
        hint: None,
    };

    pub(crate) fn new(
        trap: Trap,
        program: &Program,
        tokens: u64,
        loaded: Option<&Loaded>,
    ) -> Option<Self> {
        let found = PostMortem::of(program, tokens)?;
        let lowered = loaded.and_then(Loaded::lowered);
        let out_of_bounds = trap == Trap::OutOfBounds;
        let address = found.address.filter(|_| out_of_bounds);
        let address = address.map(|address| match lowered {
            Some(lowered) => lowered.accessed_address(found.instruction, address),
            None => address,
        });
        let accessed = address.map(|address| address..address + found.bytes);
        let window = lowered.map(|lowered| lowered.memory);
        let left_out = window
            .zip(accessed)
            .filter(|(window, accessed)| window.leaves_out(accessed));
        let below_zero = address.is_some_and(|address| address >= STACK_OVERFLOW);
        Some(Self {
            address,
            bytes: found.bytes,
            frames: loaded.map_or_else(Vec::new, |loaded| backtrace::frames(loaded, &found)),
            left_out: left_out.map(|(window, accessed)| {
                let held = window.held_addresses();
                let wider = Profile::ALL.into_iter().find(|profile| {
                    let wider = loaded.and_then(|loaded| loaded.window(*profile));
                    let wider = wider.map(|window| window.held_addresses());
                    wider.is_some_and(|held| held.start <= accessed.start && accessed.end <= held.end)
                });
                format!(
                    "the module declares {} of memory, of which this machine holds addresses {} to {}; {}",
                    kibibytes(u64::from(window.initial) << 16),
                    thousands(held.start),
                    thousands(held.end - 1),
                    match wider {
                        Some(profile) => format!("{} holds this one too", flag(&profile)),
                        None => "link with a smaller stack (-Wl,-z,stack-size=65536; Zig: --stack 65536) and initial memory".to_owned(),
                    }
                )
            }),
            hint: below_zero.then(|| {
                "the address lies below 0, where a stack goes that is too small: --stack-size gives C more, and clang's -Wl,-z,stack-size=BYTES".to_owned()
            }),
        })
    }

    /// The message about the trap.
    pub(crate) fn remark(&self, trap: Trap, count: &str) -> String {
        let address = self.address.map(|address| match u32::try_from(address) {
            Ok(low) if address >= STACK_OVERFLOW => {
                format!(" at address {} (as a signed number)", low.cast_signed())
            }
            _ => format!(" at address {}", thousands(address)),
        });
        let address = address.unwrap_or_default();
        let mut text = match &self.left_out {
            Some(left_out) => format!(
                "horizon: an access of {}{address} that this machine does not hold, after {count}: {left_out}",
                kibibytes(self.bytes)
            ),
            None => format!(
                "trap: {}{address} ({}), after {count}",
                trap.message(),
                trap.name()
            ),
        };
        if let Some(hint) = &self.hint {
            text += &format!("\n  {hint}");
        }
        for (frame, word) in self
            .frames
            .iter()
            .zip(std::iter::once("in").chain(std::iter::repeat("called from")))
        {
            text += &match frame.starts_with("...") {
                true => format!("\n  {frame}"),
                false => format!("\n  {word} {frame}"),
            };
        }
        text
    }
}
