//! Demand-driven evaluation of slots and neurons in a scope of assumptions.

use std::sync::Arc;

use crate::interpreter::analysis::{Analysis, Bailout, HeadAt};
use crate::interpreter::memo::{Assumed, CLASS};
use crate::interpreter::transfer::Terms;
use crate::symbolic::atoms::{AtomKind, TIME};
use crate::symbolic::interval::{grain, is_exact};
use crate::symbolic::polynomial::{PolyId, Polynomial};
use crate::weights::rows::Row;
use crate::weights::sparse_weights::SparseWeights;

type Result<T> = std::result::Result<T, Bailout>;

/// What is assumed of a token, and the forms that follow, as far as they were asked for.
///
/// Memo by [`Analysis::scope`] or [`Cases::scope`](crate::Cases::scope), and given back to
/// [`Analysis::end`], which uses its space again. It belongs to the analysis that made it.
#[derive(Debug)]
pub struct Scope {
    /// The class of its id.
    pub class: u16,
    /// Answers of heads that are known.
    pub(crate) fetched: Vec<((HeadAt, usize), PolyId)>,
    /// The answer that programs are chosen by, if it is known.
    pub(crate) index: Option<((HeadAt, usize), Option<PolyId>)>,
    /// The forms.
    pub(crate) forms: Forms,
    /// On which assumptions depends what was asked for last.
    pub(crate) assumed: Assumed,
    /// Whether forms are shared with other scopes.
    pub(crate) shares: bool,
    /// Numbers of the assumptions, by numbers of sets of them.
    pub(crate) sequences: Vec<u32>,
}

/// The forms of a token, by [node](SparseWeights::nodes); one that has a single form has it twice.
#[derive(Debug, Clone, Default)]
pub(crate) struct Forms {
    derived: Vec<Option<Derived>>,
    /// The nodes that were derived since the last [reset](Self::reset).
    recent: Vec<u32>,
}

/// What was derived, and from which assumptions.
type Derived = ([PolyId; 2], Assumed);

impl Forms {
    /// None yet.
    pub(crate) fn new(rows: &SparseWeights) -> Self {
        Self {
            derived: vec![None; rows.nodes],
            recent: Vec::new(),
        }
    }

    /// Those that a predicate holds for, of pairs for both. They depend on no assumption any more.
    pub(crate) fn retain(&mut self, keep: impl Fn(PolyId) -> bool) {
        for forms in &mut self.derived {
            let kept = forms.filter(|(forms, _)| forms.iter().all(|&form| keep(form)));
            *forms = kept.map(|(forms, _)| (forms, 0));
        }
        self.recent.clear();
    }

    #[inline]
    fn note(&mut self, node: usize, derived: Derived) {
        self.derived[node] = Some(derived);
        self.recent.push(node as u32);
    }

    /// Forgets all forms, those that there were at first as well.
    fn clear(&mut self) {
        for (node, forms) in (0..).zip(&mut self.derived) {
            if forms.take().is_some() {
                self.recent.push(node);
            }
        }
    }

    /// Forgets what was derived; `first` is what there was before.
    fn reset(&mut self, first: &Self) {
        for node in self.recent.drain(..) {
            let node = node as usize;
            self.derived[node] = first.derived[node];
        }
    }
}

impl Scope {
    /// A token of a class, of which some forms are known.
    pub(crate) fn new(class: u16, forms: Forms) -> Self {
        Self {
            class,
            fetched: Vec::new(),
            index: None,
            forms,
            assumed: 0,
            shares: false,
            sequences: Vec::new(),
        }
    }

    /// Assumes what a head answers: `form` is a part of its answer, in place of what was assumed of
    /// that part before.
    ///
    /// Forms are derived anew then, and not shared with other scopes: those made without the
    /// assumption hold, but say less. Takes O(slots · layers).
    pub fn assume(&mut self, answer: (HeadAt, usize), form: PolyId) {
        self.shares = false;
        self.forms.clear();
        self.fetched.retain(|(other, _)| *other != answer);
        self.fetched.push((answer, form));
    }

    /// The forms of a node, if they were derived.
    #[inline]
    fn known(&mut self, node: usize) -> Option<[PolyId; 2]> {
        let (forms, assumed) = self.forms.derived[node]?;
        self.assumed |= assumed;
        Some(forms)
    }
}

impl Analysis {
    /// The scope of a token of a class, with what is known of all tokens.
    ///
    /// # Panics
    /// When forms are asked for in it, if there is no such class.
    pub fn scope(&mut self, class: u16) -> Scope {
        let spare = self.spare.take();
        Scope::new(class, spare.unwrap_or_else(|| self.common.clone()))
    }

    /// Ends a scope. Its space is used again; its forms remain. Takes O(what was derived in it).
    pub fn end(&mut self, mut scope: Scope) {
        scope.forms.reset(&self.common);
        self.spare = Some(scope.forms);
    }

    /// The forms of a node, derived if they are new.
    #[inline]
    pub(crate) fn node(
        &mut self,
        scope: &mut Scope,
        node: usize,
        derive: impl FnOnce(&mut Self, &mut Scope) -> Result<[PolyId; 2]>,
    ) -> Result<[PolyId; 2]> {
        if let Some(forms) = scope.known(node) {
            return Ok(forms);
        }
        if let Some((forms, assumed)) = self.shared.find(scope, node) {
            scope.forms.note(node, (forms, assumed));
            scope.assumed |= assumed;
            return Ok(forms);
        }
        let others = std::mem::take(&mut scope.assumed);
        let forms = derive(self, scope)?;
        scope.forms.note(node, (forms, scope.assumed));
        self.shared.insert(scope, node, forms, scope.assumed);
        scope.assumed |= others;
        Ok(forms)
    }

    /// A slot of the residual stream before a half-layer: `2 l` before the attention of layer l, `2
    /// l + 1` before its neurons, and behind the last layer as before one more.
    ///
    /// # Errors
    /// If the network cannot be followed there.
    ///
    /// # Panics
    /// If there is no such half-layer or slot.
    pub fn slot(&mut self, scope: &mut Scope, half: usize, slot: usize) -> Result<PolyId> {
        let node = self.rows.slot_nodes[half][slot];
        self.slot_of(scope, node)
    }

    #[inline]
    fn slot_of(&mut self, scope: &mut Scope, node: u32) -> Result<PolyId> {
        match scope.known(node as usize) {
            Some([form, _]) => Ok(form),
            None => self.new_slot(scope, node as usize),
        }
    }

    fn new_slot(&mut self, scope: &mut Scope, node: usize) -> Result<PolyId> {
        let d_model = self.rows.d_model;
        let [form, _] = self.node(scope, node, |this, scope| {
            let form = match (node / d_model, node % d_model) {
                (0, slot) => this.embedded(scope, slot)?,
                (half, slot) => this.written(scope, half - 1, slot)?,
            };
            Ok([form; 2])
        })?;
        Ok(form)
    }

    /// A slot that a half-layer adds to.
    fn written(&mut self, scope: &mut Scope, half: usize, slot: usize) -> Result<PolyId> {
        let rows = Arc::clone(&self.rows);
        let base = self.slot(scope, half, slot)?;
        let layer = half / 2;
        let mut terms = Terms::default();
        if half.is_multiple_of(2) {
            for entry in &rows.layers[layer].heads_out[slot] {
                let [head, part] = [entry.input / 2, entry.input % 2].map(usize::from);
                let answer = self.answers(scope, (layer, head))?[part];
                terms.push(entry.weight, answer);
            }
        } else {
            for entry in &rows.layers[layer].neurons_out[slot] {
                let product = self.neuron(scope, layer, entry.input.into())?;
                terms.push(entry.weight, product);
            }
        }
        Ok(self.sum(base, &terms))
    }

    fn embedded(&mut self, scope: &mut Scope, slot: usize) -> Result<PolyId> {
        let range = self.classes.range(scope.class, slot);
        // Class 0 is that of all ids.
        let of_all = self.classes.range(0, slot);
        if of_all.lo < of_all.hi {
            scope.assumed |= CLASS;
        }
        let told = if range.lo == range.hi {
            self.atoms.constant(range.lo)
        } else {
            let kind = AtomKind::Token {
                slot: slot as u16,
                class: scope.class,
            };
            self.atoms.id_of(kind, || range)
        };
        let Some(feature) = self.rows.position_features.iter().find(|f| f.slot == slot) else {
            return Ok(told);
        };
        let [c0, c1, c2] = feature.coefficients;
        let polynomial = [((0, 0), c0), ((0, TIME), c1), ((TIME, TIME), c2)]
            .into_iter()
            .try_fold(Polynomial::zero(), |sum, (monomial, c)| {
                sum.plus(1.0, &Polynomial::monomial(monomial, c))
            });
        let polynomial = polynomial.ok_or(Bailout::Model)?;
        // Then Horner's rule does not round either.
        let t = self.longest as f64;
        let mass = c0.abs() + t * (c1.abs() + t * c2.abs());
        let fine = grain(c0).min(grain(c1)).min(grain(c2));
        if !is_exact(mass, fine) {
            return Err(Bailout::Model);
        }
        let polynomial = self.atoms.id(polynomial);
        let mut terms = Terms::default();
        terms.push(1.0, polynomial);
        Ok(self.sum(told, &terms))
    }

    /// Puts the products of a row's weights with slots into `terms`.
    fn multiply(
        &mut self,
        terms: &mut Terms,
        scope: &mut Scope,
        nodes: &[u32],
        row: &Row,
    ) -> Result<()> {
        for entry in row {
            let slot = self.slot_of(scope, nodes[usize::from(entry.input)])?;
            terms.push(entry.weight, slot);
        }
        Ok(())
    }

    /// The product of a row with the residual stream: the sum of those.
    fn row(&mut self, scope: &mut Scope, nodes: &[u32], row: &Row) -> Result<PolyId> {
        let mut terms = Terms::default();
        self.multiply(&mut terms, scope, nodes, row)?;
        Ok(self.sum(PolyId::ZERO, &terms))
    }

    /// x and y of the key that the token has at a live head.
    ///
    /// # Errors
    /// If the network cannot be followed there.
    ///
    /// # Panics
    /// If there is no such head.
    pub fn key(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[PolyId; 2]> {
        let rows = Arc::clone(&self.rows);
        let layer = &rows.layers[at.0];
        self.node(scope, layer.key_node(at.1), |this, scope| {
            let ([x, y], nodes) = (&layer.heads[at.1].key, &rows.slot_nodes[2 * at.0]);
            Ok([this.row(scope, nodes, x)?, this.row(scope, nodes, y)?])
        })
    }

    /// x and y of the query that the token has at a live head.
    ///
    /// # Errors
    /// If the network cannot be followed there.
    ///
    /// # Panics
    /// If there is no such head.
    pub fn query(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[PolyId; 2]> {
        let rows = Arc::clone(&self.rows);
        let [x, y] = &rows.layers[at.0].heads[at.1].query;
        let nodes = &rows.slot_nodes[2 * at.0];
        Ok([self.row(scope, nodes, x)?, self.row(scope, nodes, y)?])
    }

    /// The query of a head with keys `(a t, -b t^2)`; none if bounds alone say that it is `(x, y)`
    /// with a negative x and a y that is not: then the first token, with the key `(0, 0)`, wins.
    pub(crate) fn query_above(
        &mut self,
        scope: &mut Scope,
        at: HeadAt,
    ) -> Result<Option<[PolyId; 2]>> {
        let rows = Arc::clone(&self.rows);
        let [x, y] = &rows.layers[at.0].heads[at.1].query;
        let nodes = &rows.slot_nodes[2 * at.0];
        let y = self.row(scope, nodes, y)?;
        let mut terms = Terms::default();
        self.multiply(&mut terms, scope, nodes, x)?;
        if self.atoms.bounds(y).lo >= 0.0 && self.greatest(&terms) < 0.0 {
            return Ok(None);
        }
        Ok(Some([self.sum(PolyId::ZERO, &terms), y]))
    }

    /// A part of the value that the token has at a live head; 0 of one that does not reach the
    /// residual stream.
    ///
    /// # Errors
    /// If the network cannot be followed there.
    ///
    /// # Panics
    /// If there is no such head or part.
    pub fn value(&mut self, scope: &mut Scope, at: HeadAt, part: usize) -> Result<PolyId> {
        let rows = Arc::clone(&self.rows);
        let nodes = &rows.slot_nodes[2 * at.0];
        self.row(scope, nodes, &rows.layers[at.0].heads[at.1].value[part])
    }

    /// The gate of a neuron.
    pub(crate) fn gate(
        &mut self,
        scope: &mut Scope,
        layer: usize,
        neuron: usize,
    ) -> Result<PolyId> {
        let rows = Arc::clone(&self.rows);
        let nodes = &rows.slot_nodes[2 * layer + 1];
        self.row(scope, nodes, &rows.layers[layer].neurons[neuron][0])
    }

    /// What a neuron makes: `max(gate, 0) * value`.
    pub(crate) fn neuron(
        &mut self,
        scope: &mut Scope,
        layer: usize,
        neuron: usize,
    ) -> Result<PolyId> {
        let node = self.rows.layers[layer].neuron_node(neuron);
        if let Some([form, _]) = scope.known(node) {
            return Ok(form);
        }
        // It is sooner derived than looked up elsewhere: most gates are closed.
        let others = std::mem::take(&mut scope.assumed);
        let form = self.new_neuron(scope, layer, neuron)?;
        scope.forms.note(node, ([form; 2], scope.assumed));
        scope.assumed |= others;
        Ok(form)
    }

    fn new_neuron(&mut self, scope: &mut Scope, layer: usize, neuron: usize) -> Result<PolyId> {
        let rows = Arc::clone(&self.rows);
        let [gate, value] = &rows.layers[layer].neurons[neuron];
        let nodes = &rows.slot_nodes[2 * layer + 1];
        let mut terms = Terms::default();
        self.multiply(&mut terms, scope, nodes, gate)?;
        // Most gates are closed, and most of those are seen to be without a form.
        if self.greatest(&terms) <= 0.0 {
            return Ok(PolyId::ZERO);
        }
        let gate = self.sum(PolyId::ZERO, &terms);
        if self.atoms.bounds(gate).hi <= 0.0 {
            return Ok(PolyId::ZERO);
        }
        let value = self.row(scope, nodes, value)?;
        Ok(self.gated(gate, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interpreter::analysis::Assumptions;
    use crate::interpreter::cases::{Cases, Counted};
    use crate::symbolic::interval::Range;
    use crate::symbolic::polynomial::Atom;

    fn default_analysis() -> (Analysis, Cases) {
        let rows = Arc::new(SparseWeights::new(&weightware_compiler::default_model()));
        let assumptions = Assumptions::beginning_with(0);
        let first = Arc::new(rows.offers(0));
        let mut analysis = Analysis::new(&rows, &first, &assumptions).expect("integers");
        let cases = Cases::new(&mut analysis);
        (analysis, cases)
    }

    /// Answers that are an atom with many values: head, part, the atom.
    fn wide_answers(analysis: &mut Analysis, scope: &mut Scope) -> Vec<((HeadAt, usize), Atom)> {
        let mut wide = vec![];
        for layer in 0..analysis.rows.layers.len() {
            for head in 0..analysis.rows.layers[layer].heads.len() {
                let answers = analysis.answers(scope, (layer, head)).expect("answers");
                for (part, form) in answers.into_iter().enumerate() {
                    let atom = analysis.atoms[form].as_atom();
                    let is_wide = |atom: &Atom| {
                        let Range { lo, hi, grain } = analysis.atoms.range_of(*atom);
                        grain >= 0 && hi - lo > 9.0
                    };
                    wide.extend(
                        atom.filter(is_wide)
                            .map(|atom| (((layer, head), part), atom)),
                    );
                }
            }
        }
        wide
    }

    /// Bounds of all answers if one of them is a number.
    fn bounds_assuming(
        (analysis, cases): &mut (Analysis, Cases),
        answer @ ((layer, head), part): (HeadAt, usize),
        number: f64,
    ) -> Vec<[Range; 2]> {
        let form = analysis.atoms.constant(number);
        let mut scope = cases.scope(analysis, 1, 0, Counted::Exactly(0.0));
        scope.assume(answer, form);
        let mut all = vec![];
        for at in 0..analysis.rows.layers.len() {
            for place in 0..analysis.rows.layers[at].heads.len() {
                let answers = analysis.answers(&mut scope, (at, place)).expect("answers");
                all.push(answers.map(|form| analysis.atoms.bounds(form)));
                if (at, place) == (layer, head) {
                    assert_eq!(answers[part], form);
                }
            }
        }
        analysis.end(scope);
        all
    }

    #[test]
    fn assumptions_hold_in_their_scope_alone() {
        let mut all = default_analysis();
        let (analysis, cases) = &mut all;
        let mut scope = cases.scope(analysis, 1, 0, Counted::Exactly(0.0));
        let wide = wide_answers(analysis, &mut scope);
        analysis.end(scope);
        assert!(wide.len() > 5, "{wide:?}");
        for &(answer, _) in &wide {
            // The same number for all, so that scopes differ in nothing but the answer that it is
            // assumed of.
            let bounds = bounds_assuming(&mut all, answer, 3.0);
            let alone = bounds_assuming(&mut default_analysis(), answer, 3.0);
            assert!(bounds == alone, "{answer:?}");
        }
        let (analysis, cases) = &mut all;
        let mut scope = cases.scope(analysis, 1, 0, Counted::Exactly(0.0));
        assert_eq!(wide_answers(analysis, &mut scope), wide);
    }

    #[test]
    fn assumptions_narrow_what_follows() {
        let (mut analysis, cases) = default_analysis();
        let behind = 2 * analysis.rows.layers.len();
        let columns = analysis.rows.columns.clone();
        let mut narrower = 0;
        for kind in 0..cases.kinds {
            let mut scope = cases.scope(&mut analysis, 1, kind, Counted::Exactly(0.0));
            let columns = columns.iter();
            let forms: Vec<PolyId> = columns
                .map(|&slot| analysis.slot(&mut scope, behind, slot).expect("a slot"))
                .collect();
            let atoms = &analysis.atoms;
            let divided = forms.iter().find_map(|&form| atoms.threshold(&atoms[form]));
            let wide = wide_answers(&mut analysis, &mut scope);
            analysis.end(scope);
            let Some((atom, at)) = divided else { continue };
            let Some(&(answer, _)) = wide.iter().find(|(_, other)| *other == atom) else {
                continue;
            };
            let Range { lo, hi, .. } = analysis.atoms.range_of(atom);
            for bounds in [[lo, at], [at + 1.0, hi]] {
                let form = analysis.atoms.within(atom, bounds);
                let mut scope = cases.scope(&mut analysis, 1, kind, Counted::Exactly(0.0));
                scope.assume(answer, form);
                let mut some = false;
                for (&slot, &before) in analysis.rows.columns.clone().iter().zip(&forms) {
                    let now = analysis.slot(&mut scope, behind, slot).expect("a slot");
                    let [now, before] = [now, before].map(|form| analysis.atoms.bounds(form));
                    assert!(before.lo <= now.lo && now.hi <= before.hi);
                    some |= now != before;
                }
                analysis.end(scope);
                narrower += usize::from(some);
            }
        }
        assert!(narrower > 0);
    }
}
