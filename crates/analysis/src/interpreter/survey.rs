//! The survey: the forms of all heads and neurons at any token except the first.

use crate::interpreter::assumptions::HeadAt;
use crate::interpreter::scope::OutputAt;
use crate::symbolic::interner::Interner;
use crate::symbolic::polynomial::{Atom, PolyId};

/// The forms that decide between cases. They are recorded once, while the network is interpreted
/// for any token.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) queries: Vec<[PolyId; 2]>,
    pub(crate) gates: Vec<PolyId>,
    /// Keys of heads that keep them.
    pub(crate) keys: Vec<PolyId>,
    pub(crate) outputs: Vec<(HeadAt, [PolyId; 2])>,
}

impl Survey {
    /// The output of a head that equals an atom.
    pub(crate) fn output_of(&self, interner: &Interner, atom: Atom) -> Option<OutputAt> {
        self.outputs.iter().find_map(|(at, parts)| {
            let is_atom = |&form: &PolyId| interner[form].as_atom() == Some(atom);
            Some((*at, parts.iter().position(is_atom)?))
        })
    }

    /// The form of a part of a head's output.
    pub(crate) fn output(&self, (head, part): OutputAt) -> Option<PolyId> {
        let (_, parts) = self.outputs.iter().find(|(at, _)| *at == head)?;
        Some(parts[part])
    }
}
