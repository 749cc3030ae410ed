//! The tests of the package in one program: it links once, and long tests run in parallel.
//! `hostile` counts all memory of its process, so it is a program of its own.

mod adder;
mod arithmetic;
mod determinism;
mod ending;
mod extensions;
mod far;
mod fuzz;
#[cfg(feature = "candle")]
mod general;
mod growth;
mod horizon;
mod ladder;
mod long;
mod mutate;
mod real;
mod renaming;
mod spec;
mod tidy;
mod tokens;
mod turns;
