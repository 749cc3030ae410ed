//! Dispatch to the vector instructions of the processor.

/// Runs a closure, compiled for the widest vectors of this processor if the feature `simd` is on.
///
/// Only code that is inlined into the closure profits. The results have the same bits either way
/// where the closure has no fused operations, which Rust never introduces by itself.
#[inline(always)]
pub(super) fn vectorised<R>(run: impl FnOnce() -> R) -> R {
    #[cfg(feature = "simd")]
    {
        pulp::Arch::new().dispatch(run)
    }
    #[cfg(not(feature = "simd"))]
    {
        run()
    }
}
