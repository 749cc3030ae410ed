//! Dispatch to the widest vector instructions of the processor.

pub(crate) use pulp::Arch;

/// Runs a kernel that is compiled for each set of vector instructions. The closure, and all that it
/// calls, must be `#[inline(always)]`.
///
/// The bound makes the closure a `FnOnce` itself. Otherwise a function would stand between the
/// dispatcher and the closure, which is compiled without those instructions.
#[inline(always)]
pub(crate) fn vectorized<R>(arch: Arch, kernel: impl FnOnce() -> R) -> R {
    arch.dispatch(kernel)
}
