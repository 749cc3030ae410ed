//! Modules against independent implementations: natively by many cases, through the weights by few.

#![forbid(unsafe_code)]

mod costs;
mod crypto;
mod driver;
mod dsp;
mod elementary;
mod formats;
mod graph;
mod imported;
mod integers;
mod manifests;
mod numbers;
mod random;
mod sorting;
mod strings;
