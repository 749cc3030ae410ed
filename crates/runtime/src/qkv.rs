//! Query, key and value of one head at one token.

use weightware_hull::Point;

/// The query of a head, and the key and value that it appends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Qkv {
    pub(crate) query: Point,
    pub(crate) key: Point,
    pub(crate) value: [f64; 2],
}
