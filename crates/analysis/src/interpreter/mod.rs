//! Abstract interpreter of the network: every slot of the residual stream as a form, on demand.
//!
//! [`analysis::Analysis`] owns the state. [`evaluator`] derives slots, heads and neurons in a
//! [`scope`]. [`head_kinds`] classifies heads into a [`key_layout`], by which [`attention`] has
//! their transfer functions. [`context_memo`] shares forms between scopes. [`cases`] finds in the
//! [`survey`] of all forms the assumptions that distinguish tokens.

pub(crate) mod analysis;
pub(crate) mod assumptions;
pub(crate) mod attention;
pub(crate) mod cases;
pub(crate) mod context_memo;
pub(crate) mod evaluator;
pub(crate) mod head_kinds;
pub(crate) mod key_layout;
pub(crate) mod scope;
pub(crate) mod survey;
