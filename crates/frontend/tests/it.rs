//! All tests of the package in one program: linked once, with long tests in parallel.

mod arithmetic;
mod control;
mod costs;
mod faults;
mod floats;
mod library;
mod numbers;
mod oracle;
mod passes;
mod random;
mod refusals;
mod tables;
mod turns;
