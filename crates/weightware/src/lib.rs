//! A computer inside a transformer: compile weights, lower WebAssembly, decode traces
