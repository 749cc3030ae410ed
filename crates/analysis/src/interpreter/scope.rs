//! Scopes: assumptions about one token, and the forms that were derived from them.

use crate::interpreter::assumptions::HeadAt;
use crate::symbolic::polynomial::PolyId;
use crate::weights::sparse_weights::SparseWeights;

/// A set of a scope's assumptions, a bit for each: the class of the token's id, the index, and
/// every assumed output of a head. The last bit stands for all further outputs.
pub(crate) type AssumptionSet = u32;

/// The bit of the class.
pub(crate) const CLASS: AssumptionSet = 1;
/// The bit of the index.
pub(crate) const INDEX: AssumptionSet = 2;

/// The bit of an assumed output, by its index among the assumed outputs.
pub(crate) fn fetched(number: usize) -> AssumptionSet {
    4 << number.min(29)
}

/// A part of a head's output.
pub(crate) type OutputAt = (HeadAt, usize);

/// Assumptions about one token, and the forms derived from them so far.
///
/// [`Analysis::scope`](crate::Analysis::scope) and [`Cases::scope`](crate::Cases::scope) begin a
/// scope, and [`Analysis::end`](crate::Analysis::end) ends it and reuses its buffers. A scope is
/// valid only for the analysis that made it.
#[derive(Debug)]
pub struct Scope {
    /// The class of the token's id.
    pub class: u16,
    /// Assumed outputs of heads.
    pub(crate) fetched: Vec<(OutputAt, PolyId)>,
    /// The output that holds the counter, and its form if it is assumed.
    pub(crate) index: Option<(OutputAt, Option<PolyId>)>,
    pub(crate) forms: Forms,
    /// The assumptions that the derivation in progress has used so far.
    pub(crate) used: AssumptionSet,
    /// Whether forms are shared with other scopes.
    pub(crate) shares: bool,
    /// Numbers of assumption sequences, by numbers of assumption sets.
    pub(crate) sequences: Vec<u32>,
}

/// The forms of a token, by [node](SparseWeights::nodes); a node with a single form has it twice.
#[derive(Debug, Clone, Default)]
pub(crate) struct Forms {
    derived: Vec<Option<Derived>>,
    /// The nodes that were derived since the last [reset](Self::reset).
    recent: Vec<u32>,
}

/// The forms of a node, and the assumptions that they depend on.
type Derived = ([PolyId; 2], AssumptionSet);

impl Forms {
    /// Empty buffers.
    pub(crate) fn new(weights: &SparseWeights) -> Self {
        Self {
            derived: vec![None; weights.nodes],
            recent: Vec::new(),
        }
    }

    /// Keeps the nodes all of whose forms satisfy a predicate, and marks their forms as independent
    /// of assumptions.
    pub(crate) fn retain(&mut self, keep: impl Fn(PolyId) -> bool) {
        for forms in &mut self.derived {
            let kept = forms.filter(|(forms, _)| forms.iter().all(|&form| keep(form)));
            *forms = kept.map(|(forms, _)| (forms, 0));
        }
        self.recent.clear();
    }

    #[inline]
    pub(crate) fn note(&mut self, node: usize, derived: Derived) {
        self.derived[node] = Some(derived);
        self.recent.push(node as u32);
    }

    /// Drops all forms, also those that the scope began with.
    fn clear(&mut self) {
        for (node, forms) in (0..).zip(&mut self.derived) {
            if forms.take().is_some() {
                self.recent.push(node);
            }
        }
    }

    /// Restores the forms that the scope began with.
    pub(crate) fn reset(&mut self, first: &Self) {
        for node in self.recent.drain(..) {
            let node = node as usize;
            self.derived[node] = first.derived[node];
        }
    }
}

impl Scope {
    /// A scope for a token of a class, with initial forms.
    pub(crate) fn new(class: u16, forms: Forms) -> Self {
        Self {
            class,
            fetched: Vec::new(),
            index: None,
            forms,
            used: 0,
            shares: false,
            sequences: Vec::new(),
        }
    }

    /// Assumes that a part of a head's output is `form`. The assumption replaces an earlier one
    /// about that part.
    ///
    /// All forms are then derived again and not shared with other scopes: forms derived without the
    /// assumption hold, but their bounds are wider. Takes O(slots · layers).
    pub fn assume(&mut self, output: (HeadAt, usize), form: PolyId) {
        self.shares = false;
        self.forms.clear();
        self.fetched.retain(|(other, _)| *other != output);
        self.fetched.push((output, form));
    }

    /// The forms of a node, if they are derived already.
    #[inline]
    pub(crate) fn known(&mut self, node: usize) -> Option<[PolyId; 2]> {
        let (forms, used) = self.forms.derived[node]?;
        self.used |= used;
        Some(forms)
    }

    /// A part of a head's output, if it is assumed.
    pub(crate) fn assumed(&mut self, output: OutputAt) -> Option<PolyId> {
        if let Some(number) = self.fetched.iter().position(|(at, _)| *at == output) {
            self.used |= fetched(number);
            return Some(self.fetched[number].1);
        }
        let (_, index) = self.index.filter(|(at, _)| *at == output)?;
        self.used |= INDEX;
        index
    }
}
