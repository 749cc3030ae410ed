//! Boxes: what a head's live keys must be within for its attention to be exact, and how far they went.

/// How far a key lies above the parabola, `y + (x / 2)^2`, if it is live: a cleared one lies far below. Of what is not a number
/// as well, which is then in no box.
#[inline]
pub(crate) fn live_lift([x, y]: [f64; 2]) -> Option<f64> {
    let half = x / 2.0;
    let lift = y + half * half;
    if lift < -0.5 { None } else { Some(lift) }
}

/// Whether a live key is within a box: greatest `|x|`, greatest lift.
#[inline]
pub(crate) fn holds([most, highest]: [f64; 2], x: f64, lift: f64) -> bool {
    x.abs() <= most && lift <= highest
}

/// How far live keys went: least and greatest `x`, greatest lift.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Went(pub(crate) [f64; 3]);

impl Went {
    /// No live key yet.
    pub(crate) const NOWHERE: Self = Self([f64::INFINITY, f64::NEG_INFINITY, 0.0]);

    /// Takes in a live key. That of a token whose embedding is zero says nothing.
    #[inline]
    pub(crate) fn to(&mut self, [x, y]: [f64; 2], lift: f64) {
        if (x, y) != (0.0, 0.0) {
            let [least, greatest, highest] = self.0;
            self.0 = [least.min(x), greatest.max(x), highest.max(lift)];
        }
    }
}
