//! All tests of the package in one program: linked once, and long tests run beside one another.

mod certify;
mod checked;
mod common;
mod contexts;
mod explain;
mod general;
mod grown;
mod libc;
mod limits;
mod models;
mod nonsense;
mod programs;
mod refused;
mod saved;
mod specialised;
mod switches;
