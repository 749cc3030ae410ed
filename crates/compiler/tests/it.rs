//! All tests of the package in one program: it links once, and long tests run in parallel.

mod adder;
mod common;
mod context;
mod continued;
mod exact;
mod names;
mod parity;
mod planned;
mod precision;
mod proof;
mod rom;
mod turn;
mod weights;
