//! Context-sensitive memoisation: forms by node and by the assumptions that they depend on.
//!
//! Most forms depend on few assumptions, so scopes share most of them.

use smallvec::SmallVec;

use crate::interpreter::scope::{AssumptionSet, CLASS, INDEX, Scope, fetched};
use crate::symbolic::hash::{Numbered, QuickMap, hash_of};
use crate::symbolic::polynomial::PolyId;

/// The memo table: forms by node and by assumption sequence. A sequence is a set of assumptions
/// with their values in a scope.
#[derive(Debug, Default)]
pub(crate) struct ContextMemo {
    /// The number of every assumption set.
    sets: QuickMap<AssumptionSet, u32>,
    /// The number of every assumption sequence.
    sequences: QuickMap<Box<[u32]>, u32>,
    forms: Vec<(Key, [PolyId; 2])>,
    known: Numbered,
    /// For each node, the assumption sets that its forms depend on, with their numbers.
    sets_of: Vec<SmallVec<[(AssumptionSet, u32); 2]>>,
}

/// The number of a node and of an assumption sequence.
type Key = (u32, u32);

/// Forms of a node that depend on further assumption sets are not shared.
const MOST_SETS: usize = 6;

/// Marks a sequence whose number was not looked up yet.
const UNKNOWN: u32 = u32::MAX;

impl ContextMemo {
    /// A node's forms that hold in a scope, and the assumptions that they depend on.
    #[inline]
    pub(crate) fn find(
        &mut self,
        scope: &mut Scope,
        node: usize,
    ) -> Option<([PolyId; 2], AssumptionSet)> {
        if !scope.shares {
            return None;
        }
        for &(used, set) in self.sets_of.get(node)? {
            let sequence = number(&mut self.sequences, scope, used, set);
            let key = (node as u32, sequence);
            let is = |number: u32| self.forms[number as usize].0 == key;
            if let Some(number) = self.known.find(hash_of(&key), is) {
                return Some((self.forms[number as usize].1, used));
            }
        }
        None
    }

    /// Adds forms of a node that were derived in a scope from some of its assumptions.
    pub(crate) fn insert(
        &mut self,
        scope: &mut Scope,
        node: usize,
        forms: [PolyId; 2],
        used: AssumptionSet,
    ) {
        if !scope.shares {
            return;
        }
        if self.sets_of.len() <= node {
            self.sets_of.resize(node + 1, SmallVec::new());
        }
        let sets = &mut self.sets_of[node];
        let known = sets.iter().find(|(known, _)| *known == used);
        let set = match known {
            Some(&(_, set)) => set,
            None if sets.len() == MOST_SETS => return,
            None => {
                let next = self.sets.len() as u32;
                let set = *self.sets.entry(used).or_insert(next);
                sets.push((used, set));
                set
            }
        };
        let sequence = number(&mut self.sequences, scope, used, set);
        let key = (node as u32, sequence);
        self.known.insert(hash_of(&key), self.forms.len() as u32);
        self.forms.push((key, forms));
    }
}

/// The number of the sequence of a scope's assumptions in a set.
#[inline]
fn number(
    sequences: &mut QuickMap<Box<[u32]>, u32>,
    scope: &mut Scope,
    used: AssumptionSet,
    set: u32,
) -> u32 {
    match scope.sequences.get(set as usize) {
        Some(&number) if number != UNKNOWN => number,
        _ => new_number(sequences, scope, used, set as usize),
    }
}

#[cold]
fn new_number(
    sequences: &mut QuickMap<Box<[u32]>, u32>,
    scope: &mut Scope,
    used: AssumptionSet,
    set: usize,
) -> u32 {
    let mut sequence: SmallVec<[u32; 32]> = SmallVec::new();
    sequence.push(used);
    if used & CLASS != 0 {
        sequence.push(scope.class.into());
    }
    if used & INDEX != 0 {
        let index = scope.index.and_then(|(_, form)| form);
        sequence.push(index.map_or(u32::MAX, |form| form.0));
    }
    for (i, &(_, form)) in scope.fetched.iter().enumerate() {
        if used & fetched(i) != 0 {
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
    if scope.sequences.len() <= set {
        scope.sequences.resize(set + 1, UNKNOWN);
    }
    scope.sequences[set] = number;
    number
}
