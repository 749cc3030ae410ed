//! Key boxes, within which attention is exact, and the extent of a head's live keys.

/// The lift of a live key, its height above the parabola, `y + (x / 2)^2`; `None` if the key is
/// cleared. For NaN the result is `Some(NaN)`, which no box contains.
#[inline]
pub(crate) fn live_lift([x, y]: [f64; 2]) -> Option<f64> {
    let half = x / 2.0;
    let lift = y + half * half;
    if lift < -0.5 { None } else { Some(lift) }
}

/// Whether a live key is within a box, given by the greatest `|x|` and the greatest lift.
#[inline]
pub(crate) fn holds([most, highest]: [f64; 2], x: f64, lift: f64) -> bool {
    x.abs() <= most && lift <= highest
}

/// The extent of live keys: least and greatest `x`, greatest lift.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyExtent(pub(crate) [f64; 3]);

impl KeyExtent {
    /// No live key yet.
    pub(crate) const EMPTY: Self = Self([f64::INFINITY, f64::NEG_INFINITY, 0.0]);

    /// Includes a live key, unless it is `(0, 0)`, the key of a token whose embedding is zero.
    #[inline]
    pub(crate) fn include(&mut self, [x, y]: [f64; 2], lift: f64) {
        if (x, y) != (0.0, 0.0) {
            let [least, greatest, highest] = self.0;
            self.0 = [least.min(x), greatest.max(x), highest.max(lift)];
        }
    }
}

/// The distance below the parabola at which keys are usually cleared: none of them wins for a query
/// within 2^24 of the winner, more than any address is from another.
pub(crate) const FAR: f64 = (1_u64 << 50) as f64;

/// The distance below the parabola at which keys are cleared and left out of tables: more than the
/// squared distance between any two keys inside a box.
pub(crate) fn cleared(bound: Option<[f64; 2]>) -> f64 {
    const LEAST: f64 = (1_u64 << 38) as f64;
    bound.map_or(LEAST, |[greatest_x, _]| LEAST.max(greatest_x * greatest_x))
}
