//! The tests of the package in one program: linked once, and long tests run beside one another.
//! `hostile` counts all memory that its process takes, and is a program of its own.

mod arithmetic;
mod determinism;
mod ending;
mod far;
mod fuzz;
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
