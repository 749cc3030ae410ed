//! Limits that end a run at the horizon, in the terms of programs: memory, stores, length, stack.

use weightware::{Exceeded, Limit, MemoryWindow, Profile};

use crate::contexts::Turn;
use crate::thousands::thousands;
use crate::units::{flag, kibibytes};

/// A run that stopped.
pub(crate) struct Stopped {
    pub(crate) exceeded: Exceeded,
    /// The position of the token that is not certified.
    pub(crate) position: u64,
    pub(crate) prompt_tokens: u64,
    pub(crate) turn: Turn,
    /// The memory of the module, if the program was lowered from one.
    pub(crate) window: Option<MemoryWindow>,
    /// The machine's address of the input, if there is one.
    pub(crate) input: Option<u64>,
}

impl Stopped {
    /// The limit that is exceeded.
    pub(crate) fn problem(&self) -> String {
        let Exceeded { limit, profile, .. } = &self.exceeded;
        let name = profile.name;
        let in_prompt = self.position < self.prompt_tokens;
        let turning = self.turn == Turn::Turning;
        match limit {
            Limit::Addresses if turning => format!(
                "the context is full, and the program's state comes to address {} of the machine, of which the profile {name} holds {}",
                thousands(self.exceeded.address.unwrap_or(0).unsigned_abs()),
                kibibytes(profile.memory_bytes())
            ),
            Limit::Written if turning => format!(
                "the context is full, and the program has written to more memory than can be saved: KiB by KiB it has more than the {} different bytes that the profile {name} holds",
                thousands(
                    profile
                        .cells
                        .map_or(0, |cells| cells.last().unsigned_abs() + 1)
                )
            ),
            Limit::Positions if turning && in_prompt => format!(
                "the prompt of {} tokens, which has the program's memory, is longer than the {} that the profile {name} is exact for",
                thousands(self.prompt_tokens),
                thousands(profile.last_position + 1)
            ),
            Limit::Positions if turning => format!(
                "the context is full, and the program's state and memory have no place up to the last position that the profile {name} is exact for, {}",
                thousands(profile.last_position)
            ),
            Limit::Positions if in_prompt => format!(
                "the prompt of {} tokens is longer than the {} that the profile {name} is exact for",
                thousands(self.prompt_tokens),
                thousands(profile.last_position + 1)
            ),
            Limit::Positions => format!(
                "the run has come to the last position that the profile {name} is exact for, {}",
                thousands(profile.last_position)
            ),
            Limit::Stores => format!(
                "the program has written to memory {} times, as often as the profile {name} is exact for",
                thousands(profile.last_store())
            ),
            Limit::Written => format!(
                "the program has written {} different bytes of memory, all that the profile {name} holds",
                thousands(
                    profile
                        .cells
                        .map_or(0, |cells| cells.last().unsigned_abs() + 1)
                )
            ),
            Limit::Words => {
                "the frames of calls and the operand stack need more words than the machine has"
                    .to_owned()
            }
            Limit::Addresses => {
                let machine = self.exceeded.address.unwrap_or(0).unsigned_abs();
                let (what, address) = self.place(machine, in_prompt);
                format!(
                    "{what} address {}, and the profile {name} holds {} of memory",
                    thousands(address),
                    kibibytes(profile.memory_bytes())
                )
            }
        }
    }

    /// Who uses the address, and the address as the program knows it.
    fn place(&self, machine: u64, in_prompt: bool) -> (&'static str, u64) {
        let guest = self
            .window
            .map_or(machine, |window| window.guest_address(machine));
        match self.input {
            Some(input) if in_prompt && machine >= input => (
                "the input, which lies after the program's memory, comes to",
                machine,
            ),
            _ if in_prompt => ("a data segment comes to", guest),
            _ => ("the program writes to", guest),
        }
    }

    /// The remedy.
    pub(crate) fn remedy(&self) -> String {
        match self.turn {
            Turn::Turning if self.exceeded.limit == Limit::Addresses => {
                let further = self.exceeded.further.map_or_else(String::new, |further| {
                    format!("; {} {}", flag(&further), self.offers(&further))
                });
                return format!(
                    "call less deeply, or leave it more room by a smaller --memory{further}"
                );
            }
            Turn::Running { context } if self.is_of_context() => {
                let usual = self.exceeded.profile.context;
                let shorter = if context > usual { usual } else { context / 2 };
                return format!("--context {} turns before", shorter.max(1));
            }
            _ => {}
        }
        if let Some(further) = &self.exceeded.further {
            return format!("{} {}", flag(further), self.offers(further));
        }
        match self.exceeded.limit {
            Limit::Positions if self.position < self.prompt_tokens => {
                "give a smaller program or less input".to_owned()
            }
            Limit::Positions => "give it less to do".to_owned(),
            Limit::Stores => "no profile that holds this much memory has more".to_owned(),
            Limit::Written => "no profile holds more".to_owned(),
            Limit::Words => "call less deeply, with fewer locals".to_owned(),
            Limit::Addresses => "no profile holds more: link with a smaller stack and initial memory, or give less input".to_owned(),
        }
    }

    /// Whether another context would begin again at 0: it is the run that exceeds the limit, by its
    /// length, and not the prompt.
    pub(crate) fn is_of_context(&self) -> bool {
        let counted = matches!(self.exceeded.limit, Limit::Positions | Limit::Stores);
        counted && self.position >= self.prompt_tokens
    }

    /// The greater limit of another profile.
    fn offers(&self, further: &Profile) -> String {
        match self.exceeded.limit {
            Limit::Positions => format!("goes on to {}", thousands(further.last_position)),
            Limit::Stores => format!(
                "has {} in {}",
                thousands(further.last_store()),
                kibibytes(further.memory_bytes())
            ),
            Limit::Written => {
                let cells = further.cells.unwrap_or(further.memory);
                format!("holds {}", thousands(cells.last().unsigned_abs()))
            }
            Limit::Addresses | Limit::Words => {
                format!("holds {}", kibibytes(further.memory_bytes()))
            }
        }
    }
}
