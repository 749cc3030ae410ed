//! All tests of the package in one program: linked once, and long tests run beside one another.

mod common;
mod exact;
mod names;
mod parity;
mod planned;
mod precision;
mod proof;
mod weights;
