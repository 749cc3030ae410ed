//! Key boxes: a check that live keys stay within the bounds for which a head is proved exact.

use weightware_analysis::{HeadAt, SparseWeights};

use crate::key_box::{KeyExtent, holds, live_lift};

/// The box of a head: layer, number in the weights, greatest `|x|` and greatest lift.
type HeadBox = (usize, usize, [f64; 2]);

/// A live key outside the box of its head: layer, number in the weights, x, lift.
pub(crate) type Outside = (usize, usize, f64, f64);

/// The boxes of heads that share their keys, and the extent of their live keys.
#[derive(Debug)]
pub(crate) struct Boxes {
    heads: Vec<HeadBox>,
    /// The intersection of all boxes: the least `|x|` and the least lift of their bounds.
    least: [f64; 2],
    extent: KeyExtent,
}

impl Boxes {
    /// The boxes of some heads; heads without a box are left out.
    pub(super) fn of(rows: &SparseWeights, heads: impl Iterator<Item = HeadAt>) -> Self {
        let head_box = |(layer, head): HeadAt| {
            let head = &rows.layers[layer].heads[head];
            Some((layer, head.number, head.bound?))
        };
        let heads: Vec<HeadBox> = heads.filter_map(head_box).collect();
        let least = |[x, lift]: [f64; 2], head: &HeadBox| [x.min(head.2[0]), lift.min(head.2[1])];
        Self {
            least: heads.iter().fold([f64::INFINITY; 2], least),
            heads,
            extent: KeyExtent::EMPTY,
        }
    }

    /// The first head whose box does not contain the key, if the key is live.
    #[inline]
    pub(super) fn outside(&mut self, x: f64, y: f64) -> Option<Outside> {
        let lift = live_lift([x, y])?;
        if holds(self.least, x, lift) {
            self.extent.include([x, y], lift);
            return None;
        }
        let mut outside = self.heads.iter().filter(|head| !holds(head.2, x, lift));
        let &(layer, head, _) = outside.next()?;
        Some((layer, head, x, lift))
    }

    /// The extent of live keys of each head with a box: layer, number in the weights, least and
    /// greatest `x`, greatest lift.
    pub(super) fn reach(&self) -> impl Iterator<Item = (usize, usize, [f64; 3])> + '_ {
        let heads = self.heads.iter();
        heads.map(|&(layer, head, _)| (layer, head, self.extent.0))
    }
}

/// Records a key outside a box; the one of the first head is kept.
pub(super) fn note(first: &mut Option<Outside>, outside: Outside) {
    if first.is_none_or(|first| (outside.0, outside.1) < (first.0, first.1)) {
        *first = Some(outside);
    }
}
