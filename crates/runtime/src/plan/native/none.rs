//! No machine code: programs are run step by step.

use weightware_analysis::{HeadAt, Refusal};

use super::{Layout, Ran};
use crate::plan::memory::Memory;
use crate::plan::program::Program;

/// Code of a program; there is none.
#[derive(Debug)]
pub(in crate::plan) enum Code {}

/// Translates programs to code; there is none.
#[derive(Debug)]
pub(in crate::plan) enum Translator {}

impl Translator {
    pub(in crate::plan) fn new() -> Option<Self> {
        None
    }

    pub(in crate::plan) fn translate(
        &self,
        _: &[&Program],
        _: &Layout,
    ) -> Option<Vec<Option<Code>>> {
        match *self {}
    }
}

/// What runs code, with exclusive access to a memory.
#[derive(Debug)]
pub(in crate::plan) struct Processor<'m>(&'m mut Memory);

impl<'m> Processor<'m> {
    #[inline]
    pub(in crate::plan) fn new(memory: &'m mut Memory, _: &'m [HeadAt], _: &'m [u16]) -> Self {
        Self(memory)
    }

    /// Begins a token, as [`Memory::begin`] does.
    #[inline]
    pub(in crate::plan) fn begin(&mut self, id: u16) -> Result<(), Refusal> {
        self.0.begin(id)
    }

    /// The memory, between runs.
    pub(in crate::plan) fn memory(&mut self) -> &mut Memory {
        self.0
    }

    /// How many tokens have begun.
    #[inline]
    pub(in crate::plan) fn count(&self) -> u64 {
        self.0.ids.len() as u64
    }

    /// Whether a key is outside its box.
    #[inline]
    pub(in crate::plan) fn is_outside(&self) -> bool {
        self.0.outside.is_some()
    }

    /// Runs a program that has code.
    pub(in crate::plan) fn run(&mut self, program: &Program) -> Result<Ran, Refusal> {
        match &program.code {
            Some(code) => match *code {},
            None => unreachable!("others are run step by step"),
        }
    }
}
