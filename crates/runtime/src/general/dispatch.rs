//! Dispatch to the vector instructions of the processor.

/// Runs a closure, compiled for the widest vectors of this processor.
///
/// Only code that is inlined into the closure profits. The results have the same bits on all
/// processors: Rust fuses and reorders no operations by itself.
#[inline(always)]
pub(super) fn vectorised<R>(run: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(run)
}
