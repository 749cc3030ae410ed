//! WebAssembly modules lowered to programs of the token machine
