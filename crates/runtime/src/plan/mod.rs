//! The plan engine: a partial evaluator. It specialises the forward pass to the weights before
//! decoding (the first Futamura projection), dispatches each token to a specialised kernel, links
//! kernels that follow one another with guards between them, and deoptimises when an assumption
//! fails.
//!
//! | module | contents |
//! |---|---|
//! | [`ir`] | kernels, the intermediate representation |
//! | [`lower`] | lowering of polynomials to kernels; dispatch; values carried along links |
//! | [`exec`] | state, interpreter, tables of keys, cache of predictions |
//! | [`jit`] | machine code of kernels |
//! | [`decode`], [`linked`] | execution of one token; of tokens along links |
//! | [`engine`] | assumptions, deoptimisation, fallback to the hull engine |
//!
//! [`weightware_analysis`] interprets the network over *polynomials* instead of numbers. A slot of
//! the residual stream is a polynomial of heads' outputs and of the token's embedding, if bounds
//! prove that no operation rounds. A number that may be rounded is an atom, computed by the
//! network's operations in their order. So every number that a kernel computes has the bits that
//! the other engines compute. Numbers that cancel, that a closed gate multiplies, or that are never
//! read are not computed.
//!
//! Each head has a data structure for the kind of its keys ([`weightware_analysis::Head`]): running
//! sums for equal keys, the nearest position for keys `(a t, -b t^2)`, the highest key for keys of
//! equal x, an [`exec::table`] for keys near a parabola, a hull for any other keys. Dispatch
//! ([`lower::dispatch`]) selects a kernel by the class of the token's id, the result of the lookup
//! by position that most gates and queries depend on, and one counter
//! ([`weightware_analysis::Cases`]); a kernel is compiled at its first use. Kernels share the forms
//! that depend on equal assumptions. If dispatch is certain, a kernel continues with the registers
//! of the one before ([`lower::carry`]).
//!
//! Assumptions that bounds do not prove are checked while decoding: no keys tie, keys lie on their
//! parabola, sums stay in their range. If a check fails, the head gets a hull and all tokens are
//! decoded again, or the hull engine decodes the model.

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
