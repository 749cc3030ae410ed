//! The template compiler for x86-64 with AVX.

mod abi;
#[expect(clippy::useless_conversion, reason = "dynasm converts registers")]
mod emit;
#[expect(
    unsafe_code,
    reason = "this is the fence: memory is made executable, and entered"
)]
mod enter;
#[expect(clippy::useless_conversion, reason = "dynasm converts registers")]
mod steps;

use super::{KernelExit, Layout};

pub(in crate::plan) use enter::{Code, Executor, Translator};
