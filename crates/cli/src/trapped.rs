//! A program that trapped: where, at which address, and whether another machine would go on.

use weightware::{PostMortem, Program, Trap};

use crate::backtrace;
use crate::input::Loaded;
use crate::thousands::thousands;
use crate::units::kibibytes;

/// Addresses from here on are taken for negative ones.
const STACK_OVERFLOW: u64 = (1 << 32) - (1 << 24);

/// Where a program trapped.
pub(crate) struct Trapped {
    /// The address that it accessed, as the program knows it.
    pub(crate) address: Option<u64>,
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
        let window = loaded
            .and_then(Loaded::lowered)
            .map(|lowered| lowered.memory);
        let out_of_bounds = trap == Trap::OutOfBounds;
        let address = found.address.filter(|_| out_of_bounds);
        let address = address.map(|address| match window {
            Some(window) => window.guest_address(address),
            None => address,
        });
        let left_out = window
            .zip(address)
            .filter(|(window, address)| window.leaves_out(*address));
        let below_zero = address.is_some_and(|address| address >= STACK_OVERFLOW);
        Some(Self {
            address,
            frames: loaded.map_or_else(Vec::new, |loaded| backtrace::frames(loaded, &found)),
            left_out: left_out.map(|(window, _)| {
                let held = window.held_addresses();
                format!(
                    "the module declares {} of memory, of which this machine holds {} to {}",
                    kibibytes(u64::from(window.initial) << 16),
                    thousands(held.start),
                    thousands(held.end)
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
                "horizon: an access{address} that this machine does not hold, after {count}: {left_out}; link with a smaller stack (-Wl,-z,stack-size=65536; Zig: --stack 65536) and initial memory"
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
