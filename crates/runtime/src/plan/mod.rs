//! The plan engine: a partial evaluator. It specialises the forward pass to the weights before
//! decoding (the first Futamura projection), dispatches each token to a specialised kernel, links
//! kernels that follow one another with guards between them, and deoptimises when an assumption
//! fails.
//!
//! | where | what |
//! |---|---|
//! | [`ir`] | kernels, the intermediate representation |
//! | [`lower`] | from the polynomials of the analysis to kernels; dispatch; values carried along links |
//! | [`exec`] | state, interpreter, tables of keys, cache of predictions |
//! | [`jit`] | machine code of kernels |
//! | [`decode`], [`linked`] | one token; tokens along links |
//! | [`engine`] | assumptions, deoptimisation, fallback to the hull engine |
//!
//! The network is interpreted over *polynomials* instead of numbers ([`weightware_analysis`]): a
//! slot of the residual stream is a polynomial of heads' outputs and of the token's embedding,
//! wherever bounds prove that no operation rounds; a number that may be rounded is an atom of its
//! own, computed by the very operations of the network, in order. So every number that a kernel
//! computes has the bits that the other engines compute. Numbers that cancel, that a closed gate
//! multiplies, or that are never read are not computed at all.
//!
//! Heads are served by the kind of their keys ([`weightware_analysis::Head`]): equal keys by
//! running sums, keys `(a t, -b t^2)` by the nearest position, keys of equal x by the highest so
//! far, keys near a parabola by a [`exec::table`], any others by a hull of their own. Kernels are
//! chosen, and made when first needed ([`lower::dispatch`]), by the class of the token's id, by the
//! result of the most influential position lookup, and by one small number
//! ([`weightware_analysis::Cases`]). Kernels share the forms that depend on the same assumptions;
//! where the dispatch is certain, one continues with the registers of another ([`lower::carry`]).
//!
//! Assumptions that bounds do not prove are checked while decoding: no queries tie, keys lie on
//! their parabola, sums stay in their range. A check that fails gives the head a hull of its own
//! and decodes all tokens again, or leaves the model to the hull engine.

mod decode;
mod engine;
mod exec;
mod float;
mod ir;
mod jit;
mod linked;
mod lower;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use engine::PlanEngine;
