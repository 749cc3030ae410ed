//! Forms of one program that hold for others: each depends on few of the things that programs are chosen by.

use smallvec::SmallVec;

use super::form::FormId;
use super::hash::QuickMap;
use super::interpret::Scope;

/// Which assumptions a form depends on, a bit each: the class of the token's id, the index, and every answer that is
/// fetched; the last bit stands for all further ones.
pub(crate) type Assumed = u32;

pub(super) const CLASS: Assumed = 1;
pub(super) const INDEX: Assumed = 2;

/// The bit of a fetched answer.
pub(super) fn fetched(number: usize) -> Assumed {
    4 << number.min(29)
}

/// A slot, neuron or head: what it is, layer or half-layer, number.
pub(super) type Node = (u8, u32, u32);

/// Forms by node and by what was assumed as far as they depend on it.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Every sequence of assumptions has a number.
    sequences: QuickMap<Box<[u32]>, u32>,
    forms: QuickMap<(Node, u32), [FormId; 2]>,
    /// On what the forms of a node depended.
    assumed: QuickMap<Node, SmallVec<[Assumed; 4]>>,
}

/// A node's forms are looked up by at most so many sets of assumptions.
const MOST_SETS: usize = 6;

impl Shared {
    /// Forms that hold in a scope, and on what they depend.
    pub(super) fn find(&mut self, scope: &mut Scope, node: Node) -> Option<([FormId; 2], Assumed)> {
        if !scope.shares {
            return None;
        }
        for &assumed in self.assumed.get(&node)? {
            let sequence = number(&mut self.sequences, scope, assumed);
            if let Some(&forms) = self.forms.get(&(node, sequence)) {
                return Some((forms, assumed));
            }
        }
        None
    }

    pub(super) fn insert(
        &mut self,
        scope: &mut Scope,
        node: Node,
        forms: [FormId; 2],
        assumed: Assumed,
    ) {
        if !scope.shares {
            return;
        }
        let sets = self.assumed.entry(node).or_default();
        if !sets.contains(&assumed) {
            if sets.len() == MOST_SETS {
                return;
            }
            sets.push(assumed);
        }
        let sequence = number(&mut self.sequences, scope, assumed);
        self.forms.insert((node, sequence), forms);
    }
}

/// The number of what a scope assumes, as far as it is in a set.
fn number(sequences: &mut QuickMap<Box<[u32]>, u32>, scope: &mut Scope, assumed: Assumed) -> u32 {
    if let Some(&(_, number)) = scope.sequences.iter().find(|(set, _)| *set == assumed) {
        return number;
    }
    let mut sequence: SmallVec<[u32; 32]> = SmallVec::new();
    sequence.push(assumed);
    if assumed & CLASS != 0 {
        sequence.push(scope.class.into());
    }
    if assumed & INDEX != 0 {
        sequence.push(
            scope
                .index
                .and_then(|(_, form)| form)
                .map_or(u32::MAX, |form| form.0),
        );
    }
    for (i, &(_, form)) in scope.fetched.iter().enumerate() {
        if assumed & fetched(i) != 0 {
            sequence.push(form.0);
        }
    }
    let next = sequences.len() as u32;
    let number = match sequences.get(&sequence[..]) {
        Some(&number) => number,
        None => {
            sequences.insert(sequence.into_boxed_slice(), next);
            next
        }
    };
    scope.sequences.push((assumed, number));
    number
}
