//! No machine code: programs are run step by step.

use super::Follows;
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

    pub(in crate::plan) fn translate(&self, _: &[&Program]) -> Option<Vec<Code>> {
        match *self {}
    }
}

impl Code {
    pub(in crate::plan) fn run(
        &self,
        _: &mut Memory,
        _: &Program,
        _: &[HeadAt],
        _: &[u16],
    ) -> Result<Follows, Refusal> {
        match *self {}
    }
}
