//! Memoised results, keyed by the assumptions that they depend on: most depend on few, so that
//! scopes share them.

use smallvec::SmallVec;

use crate::interpreter::scope::Scope;
use crate::symbolic::hash::{Numbered, QuickMap, hash_of};
use crate::symbolic::polynomial::PolyId;

/// Which assumptions a form depends on, a bit each: the class of the token's id, the index, and
/// every answer that is fetched; the last bit stands for all further ones.
pub(crate) type Assumed = u32;

/// The bit of the class.
pub(crate) const CLASS: Assumed = 1;
/// The bit of the index.
pub(crate) const INDEX: Assumed = 2;

/// The bit of a fetched answer.
pub(crate) fn fetched(number: usize) -> Assumed {
    4 << number.min(29)
}

/// Forms by node and by what was assumed as far as they depend on it.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Every set of assumptions has a number, and every sequence of them.
    sets: QuickMap<Assumed, u32>,
    sequences: QuickMap<Box<[u32]>, u32>,
    /// Node, sequence, and forms.
    forms: Vec<(Key, [PolyId; 2])>,
    known: Numbered,
    /// By node: on what its forms depended, and the number of that set.
    assumed: Vec<SmallVec<[(Assumed, u32); 2]>>,
}

/// A node and a sequence.
type Key = (u32, u32);

/// A node's forms are looked up by at most so many sets of assumptions.
const MOST_SETS: usize = 6;

/// The number of a sequence that was not looked up yet.
const UNKNOWN: u32 = u32::MAX;

impl Shared {
    /// Forms that hold in a scope, and on what they depend.
    #[inline]
    pub(crate) fn find(
        &mut self,
        scope: &mut Scope,
        node: usize,
    ) -> Option<([PolyId; 2], Assumed)> {
        if !scope.shares {
            return None;
        }
        for &(assumed, set) in self.assumed.get(node)? {
            let sequence = number(&mut self.sequences, scope, assumed, set);
            let key = (node as u32, sequence);
            let is = |number: u32| self.forms[number as usize].0 == key;
            if let Some(number) = self.known.find(hash_of(&key), is) {
                return Some((self.forms[number as usize].1, assumed));
            }
        }
        None
    }

    /// Notes forms of a node that were derived in a scope.
    pub(crate) fn insert(
        &mut self,
        scope: &mut Scope,
        node: usize,
        forms: [PolyId; 2],
        assumed: Assumed,
    ) {
        if !scope.shares {
            return;
        }
        if self.assumed.len() <= node {
            self.assumed.resize(node + 1, SmallVec::new());
        }
        let sets = &mut self.assumed[node];
        let known = sets.iter().find(|(known, _)| *known == assumed);
        let set = match known {
            Some(&(_, set)) => set,
            None if sets.len() == MOST_SETS => return,
            None => {
                let next = self.sets.len() as u32;
                let set = *self.sets.entry(assumed).or_insert(next);
                sets.push((assumed, set));
                set
            }
        };
        let sequence = number(&mut self.sequences, scope, assumed, set);
        let key = (node as u32, sequence);
        self.known.insert(hash_of(&key), self.forms.len() as u32);
        self.forms.push((key, forms));
    }
}

/// The number of what a scope assumes, as far as it is in a set.
#[inline]
fn number(
    sequences: &mut QuickMap<Box<[u32]>, u32>,
    scope: &mut Scope,
    assumed: Assumed,
    set: u32,
) -> u32 {
    match scope.sequences.get(set as usize) {
        Some(&number) if number != UNKNOWN => number,
        _ => new_number(sequences, scope, assumed, set as usize),
    }
}

#[cold]
fn new_number(
    sequences: &mut QuickMap<Box<[u32]>, u32>,
    scope: &mut Scope,
    assumed: Assumed,
    set: usize,
) -> u32 {
    let mut sequence: SmallVec<[u32; 32]> = SmallVec::new();
    sequence.push(assumed);
    if assumed & CLASS != 0 {
        sequence.push(scope.class.into());
    }
    if assumed & INDEX != 0 {
        let index = scope.index.and_then(|(_, form)| form);
        sequence.push(index.map_or(u32::MAX, |form| form.0));
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
    if scope.sequences.len() <= set {
        scope.sequences.resize(set + 1, UNKNOWN);
    }
    scope.sequences[set] = number;
    number
}
