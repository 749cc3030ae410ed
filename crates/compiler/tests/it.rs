//! All tests of the package in one program: it links once, and long tests run in parallel.

mod common;
mod context;
mod exact;
mod names;
mod parity;
mod planned;
mod precision;
mod proof;
mod rom;
mod turn;
mod weights;
