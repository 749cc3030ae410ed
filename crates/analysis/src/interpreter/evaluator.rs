//! Demand-driven evaluation of slots, heads and neurons in a scope, memoised by node.

use std::sync::Arc;

use crate::interpreter::analysis::Analysis;
use crate::interpreter::assumptions::{Bailout, HeadAt, Result};
use crate::interpreter::key_layout::Head;
use crate::interpreter::scope::{CLASS, Scope};
use crate::symbolic::atoms::{AtomKind, TIME};
use crate::symbolic::interval::{Range, grain, is_exact, power};
use crate::symbolic::polynomial::{PolyId, Polynomial};
use crate::symbolic::transfer::Terms;
use crate::weights::rows::Row;
use crate::weights::tables::Table;

impl Analysis {
    /// The forms of a node, from the scope, from another scope with equal assumptions, or derived.
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
        if let Some((forms, used)) = self.contexts.find(scope, node) {
            scope.forms.note(node, (forms, used));
            scope.used |= used;
            return Ok(forms);
        }
        let others = std::mem::take(&mut scope.used);
        let forms = derive(self, scope)?;
        scope.forms.note(node, (forms, scope.used));
        self.contexts.insert(scope, node, forms, scope.used);
        scope.used |= others;
        Ok(forms)
    }

    /// The form of a slot of the residual stream before a half-layer: `2 l` is the attention of
    /// layer l, `2 l + 1` its FFN, and twice the number of layers the unembedding.
    ///
    /// # Errors
    /// A [`Bailout`] if no form holds there.
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

    /// The form of a slot after a half-layer that writes it.
    fn written(&mut self, scope: &mut Scope, half: usize, slot: usize) -> Result<PolyId> {
        let rows = Arc::clone(&self.rows);
        let base = self.slot(scope, half, slot)?;
        let layer = half / 2;
        let mut terms = Terms::default();
        if half.is_multiple_of(2) {
            for entry in &rows.layers[layer].heads_out[slot] {
                let [head, part] = [entry.input / 2, entry.input % 2].map(|at| at as usize);
                let answer = self.answers(scope, (layer, head))?[part];
                terms.push(entry.weight, answer);
            }
        } else {
            for entry in &rows.layers[layer].neurons_out[slot] {
                let product = self.neuron(scope, layer, entry.input as usize)?;
                terms.push(entry.weight, product);
            }
            let columns = &rows.layers[layer].columns_out[slot];
            if !columns.is_empty() {
                // The neurons then add up to an exact integer, in any order.
                if !(self.interner).are_integers_below(Table::room(columns.len()), &terms) {
                    return Err(Bailout::Model);
                }
                let others = self.interner.sum(base, &terms);
                let mut looked = Terms::default();
                for &(table, column) in columns {
                    let entry = self.entry_of(scope, (layer, table as usize), column)?;
                    looked.push(1.0, entry);
                }
                let sum = self.interner.sum(others, &looked);
                // So the last addition is exact, too.
                let bounds = [base, sum].map(|form| self.interner.bounds(form));
                let exact = |bounds: Range| bounds.grain >= 0 && bounds.size() < power(53);
                return match bounds.into_iter().all(exact) {
                    true => Ok(sum),
                    false => Err(Bailout::Model),
                };
            }
        }
        Ok(self.interner.sum(base, &terms))
    }

    fn embedded(&mut self, scope: &mut Scope, slot: usize) -> Result<PolyId> {
        let range = self.classes.range(scope.class, slot);
        // Class 0 has all ids.
        let of_all = self.classes.range(0, slot);
        if of_all.lo < of_all.hi {
            scope.used |= CLASS;
        }
        let embedded = if range.lo == range.hi {
            self.interner.constant(range.lo)
        } else {
            let kind = AtomKind::Token {
                slot: slot as u16,
                class: scope.class,
            };
            self.interner.id_of(kind, || range)
        };
        let Some(feature) = self.rows.position_features.iter().find(|f| f.slot == slot) else {
            return Ok(embedded);
        };
        let [c0, c1, c2] = feature.coefficients;
        let polynomial = [((0, 0), c0), ((0, TIME), c1), ((TIME, TIME), c2)]
            .into_iter()
            .try_fold(Polynomial::zero(), |sum, (monomial, c)| {
                sum.plus(1.0, &Polynomial::monomial(monomial, c))
            });
        let polynomial = polynomial.ok_or(Bailout::Model)?;
        // If the polynomial is exact in any order, Horner's rule does not round either.
        let t = self.interner.last_position() as f64;
        let mass = c0.abs() + t * (c1.abs() + t * c2.abs());
        let fine = grain(c0).min(grain(c1)).min(grain(c2));
        if !is_exact(mass, fine) {
            return Err(Bailout::Model);
        }
        let polynomial = self.interner.id(polynomial);
        let mut terms = Terms::default();
        terms.push(1.0, polynomial);
        Ok(self.interner.sum(embedded, &terms))
    }

    /// Appends the products of a row with the slots that it reads to `terms`.
    fn multiply(
        &mut self,
        terms: &mut Terms,
        scope: &mut Scope,
        nodes: &[u32],
        row: &Row,
    ) -> Result<()> {
        for entry in row {
            let slot = self.slot_of(scope, nodes[entry.input as usize])?;
            terms.push(entry.weight, slot);
        }
        Ok(())
    }

    /// The dot product of a row with the residual stream.
    fn row(&mut self, scope: &mut Scope, nodes: &[u32], row: &Row) -> Result<PolyId> {
        let mut terms = Terms::default();
        self.multiply(&mut terms, scope, nodes, row)?;
        Ok(self.interner.sum(PolyId::ZERO, &terms))
    }

    /// The forms of x and y of the token's key at a live head.
    ///
    /// # Errors
    /// A [`Bailout`] if no form holds there.
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

    /// The forms of x and y of the token's query at a live head.
    ///
    /// # Errors
    /// A [`Bailout`] if no form holds there.
    ///
    /// # Panics
    /// If there is no such head.
    pub fn query(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[PolyId; 2]> {
        let rows = Arc::clone(&self.rows);
        let [x, y] = &rows.layers[at.0].heads[at.1].query;
        let nodes = &rows.slot_nodes[2 * at.0];
        Ok([self.row(scope, nodes, x)?, self.row(scope, nodes, y)?])
    }

    /// The query `(x, y)` of a head with keys `(a t, -b t^2)`. `None` if bounds prove that x is
    /// negative and y is not: then the first token, with the key `(0, 0)`, wins.
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
        if self.interner.bounds(y).lo >= 0.0 && self.interner.greatest(&terms) < 0.0 {
            return Ok(None);
        }
        Ok(Some([self.interner.sum(PolyId::ZERO, &terms), y]))
    }

    /// The form of a part of the token's value at a live head; 0 if the part does not reach the
    /// residual stream.
    ///
    /// # Errors
    /// A [`Bailout`] if no form holds there.
    ///
    /// # Panics
    /// If there is no such head or part.
    pub fn value(&mut self, scope: &mut Scope, at: HeadAt, part: usize) -> Result<PolyId> {
        let rows = Arc::clone(&self.rows);
        let nodes = &rows.slot_nodes[2 * at.0];
        self.row(scope, nodes, &rows.layers[at.0].heads[at.1].value[part])
    }

    /// The forms of both parts of a live head's output at the token; 0 for a part that does not
    /// reach the residual stream.
    ///
    /// # Errors
    /// A [`Bailout`] if no form holds there.
    ///
    /// # Panics
    /// If there is no such head.
    pub fn answers(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[PolyId; 2]> {
        let node = self.rows.layers[at.0].answers_node(at.1);
        self.node(scope, node, |this, scope| this.new_answers(scope, at))
    }

    fn new_answers(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[PolyId; 2]> {
        let mut answers = [PolyId::ZERO; 2];
        let live = self.rows.layers[at.0].heads[at.1].live;
        let mut query = None;
        for part in (0..2).filter(|&part| live[part]) {
            answers[part] = if let Some(form) = scope.assumed((at, part)) {
                form
            } else if let Head::Place { own: true, .. } = self.layout.head(at) {
                self.value(scope, at, part)?
            } else {
                let query = match query {
                    Some(query) => query,
                    None => *query.insert(self.decisive_query(scope, at)?),
                };
                match query {
                    Some(query) => {
                        let (layout, interner) = (&self.layout, &mut self.interner);
                        self.attention.output(layout, interner, (at, part), query)?
                    }
                    None => self.interner.constant(self.layout.first(at).value[part]),
                }
            };
        }
        Ok(answers)
    }

    /// The query of a head, or zeros if its output does not depend on the query. `None` if bounds
    /// prove that the first token wins.
    fn decisive_query(&mut self, scope: &mut Scope, at: HeadAt) -> Result<Option<[PolyId; 2]>> {
        match self.layout.head(at) {
            Head::Mean(_) => Ok(Some([PolyId::ZERO; 2])),
            Head::Group { group, .. } if self.layout.groups[group as usize].latest => {
                Ok(Some([PolyId::ZERO; 2]))
            }
            Head::Place { .. } => self.query_above(scope, at),
            Head::Group { .. } | Head::Hull(_) => self.query(scope, at).map(Some),
        }
    }

    /// The argument of a table.
    ///
    /// # Errors
    /// A [`Bailout`] if no form holds there, if the argument is no integer or its terms are not
    /// proved to be small ones, or if the table's unit is not 1.
    ///
    /// # Panics
    /// If there is no such table.
    pub fn argument(
        &mut self,
        scope: &mut Scope,
        (layer, table): (usize, usize),
    ) -> Result<PolyId> {
        let rows = Arc::clone(&self.rows);
        let found = &rows.layers[layer].tables[table];
        let node = rows.layers[layer].argument_node(table);
        let [argument, _] = self.node(scope, node, |this, scope| {
            let nodes = &rows.slot_nodes[2 * layer + 1];
            let unit = this.slot_of(scope, nodes[found.unit])?;
            let mut terms = Terms::default();
            this.multiply(&mut terms, scope, nodes, &found.argument)?;
            let is_one = this.interner[unit].as_constant() == Some(1.0);
            // Then gates are exact, too: they add a bend's integer somewhere among the terms.
            if !is_one || !this.interner.are_integers_below(Table::room(1), &terms) {
                return Err(Bailout::Model);
            }
            let argument = this.interner.sum(PolyId::ZERO, &terms);
            Ok([argument; 2])
        })?;
        Ok(argument)
    }

    /// The value of a table's column.
    fn entry_of(&mut self, scope: &mut Scope, at: (usize, usize), column: u32) -> Result<PolyId> {
        let argument = self.argument(scope, at)?;
        let rows = Arc::clone(&self.rows);
        let table = &rows.layers[at.0].tables[at.1];
        let bounds = self.interner.bounds(argument);
        if bounds.hi <= table.first() {
            return Ok(PolyId::ZERO);
        }
        if !self.reads_tables && table.is_far() {
            return match bounds.lo > table.first() {
                true => Err(Bailout::Tables),
                false => Ok(PolyId::ZERO),
            };
        }
        if let Some(number) = self.interner[argument].as_constant() {
            let value = table.at(column as usize, number).ok_or(Bailout::Model)?;
            return Ok(self.interner.constant(value));
        }
        let kind = AtomKind::Looked {
            table: [at.0 as u32, at.1 as u32],
            column,
            argument,
        };
        let [lo, hi] = table.bounds(column as usize);
        Ok(self.interner.id_of(kind, || Range::new(lo, hi, 0)))
    }

    /// The arguments of the tables whose limit they are not proved to keep, and the limits: those
    /// of exact sums, or the first entries of far tables, if these are assumed to be 0.
    ///
    /// # Errors
    /// A [`Bailout`] if no form holds there.
    pub fn unlimited(&mut self, scope: &mut Scope) -> Result<Vec<(PolyId, f64)>> {
        let rows = Arc::clone(&self.rows);
        let mut found = vec![];
        for (layer, weights) in rows.layers.iter().enumerate() {
            for (number, table) in weights.tables.iter().enumerate() {
                let argument = self.argument(scope, (layer, number))?;
                let limit = match !self.reads_tables && table.is_far() {
                    true => table.first(),
                    false => table.limit,
                };
                if self.interner.bounds(argument).hi > limit {
                    found.push((argument, limit));
                }
            }
        }
        Ok(found)
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

    /// The product of a neuron: `max(gate, 0) * value`.
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
        // Most gates are closed, so deriving a neuron is faster than a lookup in the shared memo.
        let others = std::mem::take(&mut scope.used);
        let form = self.new_neuron(scope, layer, neuron)?;
        scope.forms.note(node, ([form; 2], scope.used));
        scope.used |= others;
        Ok(form)
    }

    fn new_neuron(&mut self, scope: &mut Scope, layer: usize, neuron: usize) -> Result<PolyId> {
        let rows = Arc::clone(&self.rows);
        let [gate, value] = &rows.layers[layer].neurons[neuron];
        let nodes = &rows.slot_nodes[2 * layer + 1];
        let mut terms = Terms::default();
        self.multiply(&mut terms, scope, nodes, gate)?;
        // Bounds of the terms prove most closed gates closed, without a form.
        if self.interner.greatest(&terms) <= 0.0 {
            return Ok(PolyId::ZERO);
        }
        let gate = self.interner.sum(PolyId::ZERO, &terms);
        if self.interner.bounds(gate).hi <= 0.0 {
            return Ok(PolyId::ZERO);
        }
        let value = self.row(scope, nodes, value)?;
        Ok(self.interner.gated(gate, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interpreter::assumptions::Assumptions;
    use crate::interpreter::cases::{Cases, Counted};
    use crate::symbolic::interval::Range;
    use crate::symbolic::polynomial::Atom;
    use crate::weights::sparse_weights::SparseWeights;

    fn default_analysis() -> (Analysis, Cases) {
        let rows = Arc::new(SparseWeights::new(&weightware_compiler::default_model()));
        let assumptions = Assumptions::beginning_with(0);
        let first = Arc::new(rows.offers(0));
        let mut analysis = Analysis::new(&rows, &first, &assumptions).expect("integers");
        let cases = Cases::new(&mut analysis);
        (analysis, cases)
    }

    /// Outputs that are an atom with many values: head, part, the atom.
    fn wide_answers(analysis: &mut Analysis, scope: &mut Scope) -> Vec<((HeadAt, usize), Atom)> {
        let mut wide = vec![];
        for layer in 0..analysis.rows.layers.len() {
            for head in 0..analysis.rows.layers[layer].heads.len() {
                let answers = analysis.answers(scope, (layer, head)).expect("answers");
                for (part, form) in answers.into_iter().enumerate() {
                    let atom = analysis.interner[form].as_atom();
                    let is_wide = |atom: &Atom| {
                        let Range { lo, hi, grain } = analysis.interner.range_of(*atom);
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

    /// Bounds of all outputs if one of them is a number.
    fn bounds_assuming(
        (analysis, cases): &mut (Analysis, Cases),
        answer @ ((layer, head), part): (HeadAt, usize),
        number: f64,
    ) -> Vec<[Range; 2]> {
        let form = analysis.interner.constant(number);
        let mut scope = cases.scope(analysis, 1, 0, Counted::Exactly(0.0));
        scope.assume(answer, form);
        let mut all = vec![];
        for at in 0..analysis.rows.layers.len() {
            for place in 0..analysis.rows.layers[at].heads.len() {
                let answers = analysis.answers(&mut scope, (at, place)).expect("answers");
                all.push(answers.map(|form| analysis.interner.bounds(form)));
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
            // The number is the same for all, so scopes differ only in the output that is assumed.
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
        let last = 2 * analysis.rows.layers.len();
        let columns = analysis.rows.columns.clone();
        let mut narrower = 0;
        for kind in 0..cases.kinds {
            let mut scope = cases.scope(&mut analysis, 1, kind, Counted::Exactly(0.0));
            let columns = columns.iter();
            let forms: Vec<PolyId> = columns
                .map(|&slot| analysis.slot(&mut scope, last, slot).expect("a slot"))
                .collect();
            let interner = &analysis.interner;
            let divided = forms
                .iter()
                .find_map(|&form| interner.threshold(&interner[form]));
            let wide = wide_answers(&mut analysis, &mut scope);
            analysis.end(scope);
            let Some((atom, at)) = divided else { continue };
            // A running sum is read by several neurons, of which the assumption reaches only some.
            if matches!(analysis.interner.kind(atom), AtomKind::Sum { .. }) {
                continue;
            }
            let Some(&(answer, _)) = wide.iter().find(|(_, other)| *other == atom) else {
                continue;
            };
            let Range { lo, hi, .. } = analysis.interner.range_of(atom);
            for bounds in [[lo, at], [at + 1.0, hi]] {
                let form = analysis.interner.within(atom, bounds);
                let mut scope = cases.scope(&mut analysis, 1, kind, Counted::Exactly(0.0));
                scope.assume(answer, form);
                let mut some = false;
                for (&slot, &before) in analysis.rows.columns.clone().iter().zip(&forms) {
                    let now = analysis.slot(&mut scope, last, slot).expect("a slot");
                    let [now, before] = [now, before].map(|form| analysis.interner.bounds(form));
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
