//! The stub of the template compiler without the feature `jit`: all kernels are interpreted.

use weightware_analysis::{Bailout, HeadAt};

use super::{KernelExit, Layout};
use crate::plan::exec::state::PlanState;
use crate::plan::ir::Kernel;

/// The code of a kernel: an empty type, since there is no code.
#[derive(Debug)]
pub(in crate::plan) enum Code {}

/// The translator of kernels: an empty type, since there is no code.
#[derive(Debug)]
pub(in crate::plan) enum Translator {}

impl Translator {
    pub(in crate::plan) fn new() -> Option<Self> {
        None
    }

    pub(in crate::plan) fn translate(
        &self,
        _: &[&Kernel],
        _: &Layout,
    ) -> Option<Vec<Option<Code>>> {
        match *self {}
    }
}

/// An executor without code, with exclusive access to a state.
#[derive(Debug)]
pub(in crate::plan) struct Executor<'m>(&'m mut PlanState);

impl<'m> Executor<'m> {
    #[inline]
    pub(in crate::plan) fn new(state: &'m mut PlanState, _: &'m [HeadAt], _: &'m [u16]) -> Self {
        Self(state)
    }

    /// Begins a token by [`PlanState::begin`].
    #[inline]
    pub(in crate::plan) fn begin(&mut self, id: u16) -> Result<(), Bailout> {
        self.0.begin(id)
    }

    /// The state, between runs.
    pub(in crate::plan) fn state(&mut self) -> &mut PlanState {
        self.0
    }

    /// The number of tokens that have begun.
    #[inline]
    pub(in crate::plan) fn count(&self) -> u64 {
        self.0.ids.len() as u64
    }

    /// Whether a key is outside its box.
    #[inline]
    pub(in crate::plan) fn is_outside(&self) -> bool {
        self.0.outside.is_some()
    }

    /// Never called: there is no code.
    pub(in crate::plan) fn run(&mut self, _: &Kernel, code: &Code) -> Result<KernelExit, Bailout> {
        match *code {}
    }
}
