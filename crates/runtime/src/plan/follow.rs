//! Tokens that follow one another, several at once.

use weightware_analysis::{IRREGULAR, Refusal};
use weightware_model::TokenId;

use super::choice::Prefix;
use super::memory::Memory;
use super::native::{Processor, Ran};
use super::step::{NEVER, NONE, Plan};
use crate::network::Network;
use crate::said::Said;

/// Why programs no longer follow each other.
enum Followed {
    /// The token was not taken in.
    Pending,
    /// It has begun, and is of a class that has no code.
    Begun(u16),
    /// It has begun, and its class' code told what programs are chosen by.
    Led(u16, Lead),
    /// Its program ran; what follows is to be computed.
    Ran(u32),
    /// There are enough tokens, or there is nothing to follow.
    Ended,
}

/// What programs are chosen by: what a lookup found, and the index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lead {
    pub(super) found: usize,
    pub(super) index: f64,
}

impl Lead {
    /// As registers tell it after a prefix ran.
    #[inline]
    pub(super) fn of(memory: &mut Memory, prefix: &Prefix) -> Self {
        let index = prefix.index;
        let index = index.map_or(0.0, |register| memory.set_index(register));
        let place = prefix.place;
        let found = place.map_or(0, |register| memory.id_at(register));
        Self { found, index }
    }
}

impl Plan {
    /// Takes tokens in, beginning with one, as long as others follow and there is room for them; none behind an end token.
    /// The last of them is not taken in. After a refusal, that of the last token, the others stand.
    pub(super) fn steps(
        &mut self,
        network: &Network,
        first: u16,
        said: &mut Said<'_>,
    ) -> Result<(), Refusal> {
        let mut token = first;
        while !said.is_full() {
            let next = match self.follow(&mut token, &network.ends, said)? {
                Followed::Pending => self.step(network, token, true)?,
                Followed::Ran(program) => self.output(network, program, Ran::Unknown),
                Followed::Begun(class) => self.step_by_choice(network, class, true)?,
                Followed::Led(class, lead) => self.step_led(network, class, lead, true)?,
                Followed::Ended => return Ok(()),
            };
            let Some(next) = next.filter(|_| self.memory.outside.is_none()) else {
                return Ok(());
            };
            said.push(TokenId(next));
            if network.ends[next as usize] {
                return Ok(());
            }
            token = next as u16;
        }
        Ok(())
    }

    /// As long as programs with code follow each other.
    fn follow(
        &mut self,
        token: &mut u16,
        ends: &[bool],
        said: &mut Said<'_>,
    ) -> Result<Followed, Refusal> {
        if self.translator.is_none() || self.last == NONE {
            return Ok(Followed::Pending);
        }
        let (classes, prefixes) = (&self.analysis.classes, self.prefixes.len());
        let mut processor = Processor::new(&mut self.memory, &self.heads, &self.predictions.tokens);
        loop {
            let class = classes.of((*token).into());
            let at = self.last as usize * prefixes + usize::from(class);
            let mut program = self.successors.get(at).copied().unwrap_or(NEVER);
            let follower = self.programs.get(program as usize);
            let is_last = processor.count() > self.analysis.longest;
            let lacks_code = match follower {
                Some(written) => written.program.code.is_none(),
                None => program != NEVER,
            };
            if class == IRREGULAR || is_last || lacks_code {
                return Ok(Followed::Pending);
            }
            processor.begin(*token)?;
            let mut ran = match follower {
                Some(written) => processor.run(&written.program)?,
                None => Ran::Unguarded,
            };
            if ran == Ran::Unguarded {
                let prefix = self.prefixes[usize::from(class)].as_ref();
                let Some(prefix) = prefix.filter(|prefix| prefix.program.code.is_some()) else {
                    return Ok(Followed::Begun(class));
                };
                processor.run(&prefix.program)?;
                let lead = Lead::of(processor.memory(), prefix);
                let number = self.choice.number(class, lead.found, lead.index, true);
                program = self.program_of[number];
                match self.programs.get(program as usize) {
                    Some(written) if written.program.code.is_some() => {
                        ran = processor.run(&written.program)?;
                    }
                    _ => return Ok(Followed::Led(class, lead)),
                }
            }
            self.last = program;
            let Ran::Token(next) = ran else {
                return Ok(Followed::Ran(self.last));
            };
            if processor.is_outside() {
                return Ok(Followed::Ended);
            }
            said.push(TokenId(next));
            if said.is_full() || ends[next as usize] {
                return Ok(Followed::Ended);
            }
            *token = next as u16;
        }
    }
}
