//! No machine code: programs are run step by step.

use super::{Layout, Ran};
use crate::plan::analysis::{HeadAt, Refusal};
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

/// What runs programs, with exclusive access to a memory.
#[derive(Debug)]
pub(in crate::plan) struct Processor<'m> {
    memory: &'m mut Memory,
    heads: &'m [HeadAt],
}

impl<'m> Processor<'m> {
    #[inline]
    pub(in crate::plan) fn new(memory: &'m mut Memory, heads: &'m [HeadAt], _: &'m [u16]) -> Self {
        Self { memory, heads }
    }

    /// Begins a token, as [`Memory::begin`] does.
    #[inline]
    pub(in crate::plan) fn begin(&mut self, id: u16) -> Result<(), Refusal> {
        self.memory.begin(id)
    }

    /// The memory, between runs.
    pub(in crate::plan) fn memory(&mut self) -> &mut Memory {
        self.memory
    }

    /// How many tokens have begun.
    #[inline]
    pub(in crate::plan) fn count(&self) -> u64 {
        self.memory.ids.len() as u64
    }

    /// Whether a key is outside its box.
    #[inline]
    pub(in crate::plan) fn is_outside(&self) -> bool {
        self.memory.outside.is_some()
    }

    /// Runs the program for the last token.
    #[inline]
    pub(in crate::plan) fn run(&mut self, program: &Program) -> Result<Ran, Refusal> {
        let done = self.memory.run(program, .., self.heads);
        done.map(|()| Ran::Unknown)
    }
}
