//! Abstract interpreter of the network: every slot of the residual stream as a polynomial, on
//! demand.

pub(crate) mod analysis;
pub(crate) mod attention;
pub(crate) mod cases;
pub(crate) mod head_kinds;
pub(crate) mod memo;
pub(crate) mod scope;
pub(crate) mod transfer;
