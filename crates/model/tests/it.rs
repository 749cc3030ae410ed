//! All tests of the package in one program: it links once, and long tests run in parallel.

mod folder;
mod general;
mod hostile;
