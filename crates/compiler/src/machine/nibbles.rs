//! High nibbles of the operands' bytes. A floor is a lookup by position: the integer nearest to `(2
//! y - 15) / 32` is `floor(y / 16)`.

use super::{Machine, Parts};
use crate::form::Dim;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Nibbles {
    pub(crate) a: Dim,
    pub(crate) b: Dim,
}

impl Machine {
    /// The nibbles, built once and shared by all modules that need them.
    pub(crate) fn nibbles(&mut self, parts: &Parts) -> Nibbles {
        if let Some(nibbles) = self.nibbles {
            return nibbles;
        }
        let graph = &mut self.graph;
        let (one, time) = (graph.one(), graph.time());
        let positions = graph.positions();
        let mut high = |name: &str, byte: Dim| {
            let (numerator, denominator) = (byte * 2 - one * 15, one * 32);
            let [nibble] =
                graph.lookup_fraction(name, numerator, denominator, &positions, [time.into()]);
            graph.hold(name, nibble)
        };
        let nibbles = Nibbles {
            a: high("a.high", parts.operands.a),
            b: high("b.high", parts.operands.b),
        };
        self.nibbles = Some(nibbles);
        nibbles
    }
}
