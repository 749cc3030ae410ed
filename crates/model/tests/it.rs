//! All tests of the package in one program: linked once, and long tests run beside one another.

mod folder;
mod hostile;
