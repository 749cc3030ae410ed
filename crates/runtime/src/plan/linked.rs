//! Linked execution: a loop that runs linked kernels in machine code while their guards hold.

use weightware_analysis::{Bailout, IRREGULAR};
use weightware_model::TokenId;

use crate::network::Network;
use crate::plan::decode::{DispatchKey, NEVER, NONE, Plan};
use crate::plan::jit::{Executor, KernelExit, Translation};
use crate::token_buffer::TokenBuffer;

/// The state of the token at which linked execution stops.
enum Handoff {
    /// The token has not begun.
    Pending,
    /// The token has begun, and the prologue of its class has no code.
    Begun(u16),
    /// The token has begun, and its dispatch key is computed.
    Keyed(u16, DispatchKey),
    /// The kernel of the token ran, and the prediction is not computed yet.
    Ran(u32),
    /// The buffer is full, or the sequence ends.
    Ended,
}

impl Plan {
    /// Decodes from a token on, until the buffer is full or an end token is generated. The last
    /// token is not processed yet. A bailout concerns the last token only; the tokens before it are
    /// valid.
    pub(super) fn steps(
        &mut self,
        network: &Network,
        first: u16,
        tokens: &mut TokenBuffer<'_>,
    ) -> Result<(), Bailout> {
        let mut token = first;
        while !tokens.is_full() {
            let next = match self.run_linked(&mut token, &network.ends, tokens)? {
                Handoff::Pending => self.step(network, token, true)?,
                Handoff::Ran(kernel) => self.output(network, kernel, KernelExit::Unknown),
                Handoff::Begun(class) => self.step_by_dispatch(network, class, true)?,
                Handoff::Keyed(class, key) => self.step_with_key(network, class, key, true)?,
                Handoff::Ended => return Ok(()),
            };
            let Some(next) = next.filter(|_| self.state.outside.is_none()) else {
                return Ok(());
            };
            tokens.push(TokenId(next));
            if network.ends[next as usize] {
                return Ok(());
            }
            token = next as u16;
        }
        Ok(())
    }

    /// Runs kernels as long as they have code.
    fn run_linked(
        &mut self,
        token: &mut u16,
        ends: &[bool],
        tokens: &mut TokenBuffer<'_>,
    ) -> Result<Handoff, Bailout> {
        if self.translator.is_none() || self.last == NONE {
            return Ok(Handoff::Pending);
        }
        let (classes, prologues) = (&self.analysis.classes, self.prologues.len());
        let mut executor = Executor::new(&mut self.state, &self.heads, &self.predictions.tokens);
        loop {
            let class = classes.of((*token).into());
            let at = self.last as usize * prologues + usize::from(class);
            let mut kernel = self.links.get(at).copied().unwrap_or(NEVER);
            let follower = self.kernels.get(kernel as usize);
            let is_last = executor.count() > self.analysis.interner.last_position();
            let lacks_code = match follower {
                Some((_, translation)) => translation.code.is_none(),
                None => kernel != NEVER,
            };
            if class == IRREGULAR || is_last || lacks_code {
                return Ok(Handoff::Pending);
            }
            executor.begin(*token)?;
            let mut exit = match follower {
                Some((
                    lowered,
                    Translation {
                        code: Some(code), ..
                    },
                )) => executor.run(&lowered.kernel, code)?,
                _ => KernelExit::Unguarded,
            };
            if exit == KernelExit::Unguarded {
                let prologue = self.prologues[usize::from(class)].as_ref();
                let Some((
                    prologue,
                    Translation {
                        code: Some(code), ..
                    },
                )) = prologue
                else {
                    return Ok(Handoff::Begun(class));
                };
                executor.run(&prologue.kernel, code)?;
                let key = DispatchKey::of(executor.state(), prologue);
                let number = self.dispatch.number(class, key.found, key.index, true);
                kernel = self.kernel_of[number];
                match self.kernels.get(kernel as usize) {
                    Some((
                        lowered,
                        Translation {
                            code: Some(code), ..
                        },
                    )) => {
                        exit = executor.run(&lowered.kernel, code)?;
                    }
                    _ => return Ok(Handoff::Keyed(class, key)),
                }
            }
            self.last = kernel;
            let KernelExit::Token(next) = exit else {
                return Ok(Handoff::Ran(self.last));
            };
            if executor.is_outside() {
                return Ok(Handoff::Ended);
            }
            tokens.push(TokenId(next));
            if tokens.is_full() || ends[next as usize] {
                return Ok(Handoff::Ended);
            }
            *token = next as u16;
        }
    }
}
