//! The network over forms: slots and neurons, on demand.

use std::sync::Arc;

use super::analysis::{Analysis, HeadAt, Refusal};
use super::arithmetic::Terms;
use super::atoms::{Kind, TIME};
use super::form::{Form, FormId};
use super::range::{grain, is_exact};
use super::rows::Rows;
use super::shared::{Assumed, CLASS};
use crate::sparse::Row;

type Result<T> = std::result::Result<T, Refusal>;

/// What is assumed of a token, and the forms that follow, as far as they were asked for.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The class of its id.
    pub(crate) class: u16,
    /// Answers of heads that are known.
    pub(crate) fetched: Vec<((HeadAt, usize), FormId)>,
    /// The answer that programs are chosen by, if it is known.
    pub(crate) index: Option<((HeadAt, usize), Option<FormId>)>,
    pub(super) forms: Forms,
    /// On which assumptions depends what was asked for last.
    pub(super) assumed: Assumed,
    /// Whether forms are shared with other scopes.
    pub(super) shares: bool,
    /// Numbers of the assumptions, by sets of them.
    pub(super) sequences: Vec<(Assumed, u32)>,
}

/// The forms of a token.
#[derive(Debug, Clone, Default)]
pub(crate) struct Forms {
    /// By half-layer and slot.
    slots: Vec<Derived<FormId>>,
    /// By layer.
    pub(super) answers: Vec<Vec<Derived<[FormId; 2]>>>,
    neurons: Vec<Vec<Derived<FormId>>>,
}

/// What was derived, and from which assumptions.
type Derived<F> = Option<(F, Assumed)>;

impl Forms {
    /// None yet.
    pub(crate) fn new(rows: &Rows) -> Self {
        let layers = rows.layers.iter();
        Self {
            slots: vec![None; (2 * rows.layers.len() + 1) * rows.d_model],
            answers: layers.clone().map(|l| vec![None; l.heads.len()]).collect(),
            neurons: layers.map(|l| vec![None; l.neurons.len()]).collect(),
        }
    }

    /// Those that a predicate holds for, of answers for both. They depend on no assumption any more.
    pub(crate) fn retain(&mut self, keep: impl Fn(FormId) -> bool) {
        let slots = self.slots.iter_mut();
        for form in slots.chain(self.neurons.iter_mut().flatten()) {
            *form = form
                .filter(|&(form, _)| keep(form))
                .map(|(form, _)| (form, 0));
        }
        for answers in self.answers.iter_mut().flatten() {
            let kept = answers.filter(|(answers, _)| answers.iter().all(|&form| keep(form)));
            *answers = kept.map(|(answers, _)| (answers, 0));
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
}

impl Analysis {
    /// A slot of the residual stream before a half-layer: attention has even numbers.
    pub(crate) fn slot(&mut self, scope: &mut Scope, half: usize, slot: usize) -> Result<FormId> {
        let half = self.rows.since[half][slot];
        let place = half * self.rows.d_model + slot;
        if let Some((form, assumed)) = scope.forms.slots[place] {
            scope.assumed |= assumed;
            return Ok(form);
        }
        let node = (0, half as u32, slot as u32);
        if let Some(([form, _], assumed)) = self.shared.find(scope, node) {
            scope.forms.slots[place] = Some((form, assumed));
            scope.assumed |= assumed;
            return Ok(form);
        }
        let others = std::mem::take(&mut scope.assumed);
        let form = if half == 0 {
            self.embedded(scope, slot)?
        } else {
            let rows = Arc::clone(&self.rows);
            let base = self.slot(scope, half - 1, slot)?;
            let layer = (half - 1) / 2;
            let mut terms = Terms::default();
            if half % 2 == 1 {
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
            self.sum(base, &terms)
        };
        scope.forms.slots[place] = Some((form, scope.assumed));
        self.shared.insert(scope, node, [form; 2], scope.assumed);
        scope.assumed |= others;
        Ok(form)
    }

    fn embedded(&mut self, scope: &mut Scope, slot: usize) -> Result<FormId> {
        let range = self.classes.range(scope.class, slot);
        // Class 0 is that of all ids.
        let of_all = self.classes.range(0, slot);
        if of_all.lo < of_all.hi {
            scope.assumed |= CLASS;
        }
        let told = if range.lo == range.hi {
            self.atoms.id(Form::constant(range.lo))
        } else {
            let kind = Kind::Token {
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
            .try_fold(Form::zero(), |sum, (monomial, c)| {
                sum.plus(1.0, &Form::monomial(monomial, c))
            });
        let polynomial = polynomial.ok_or(Refusal::Model)?;
        // Then Horner's rule does not round either.
        let t = self.longest as f64;
        let mass = c0.abs() + t * (c1.abs() + t * c2.abs());
        let fine = grain(c0).min(grain(c1)).min(grain(c2));
        if !is_exact(mass, fine) {
            return Err(Refusal::Model);
        }
        let polynomial = self.atoms.id(polynomial);
        let mut terms = Terms::default();
        terms.push(1.0, polynomial);
        Ok(self.sum(told, &terms))
    }

    /// The product of a row with the residual stream.
    pub(crate) fn row(&mut self, scope: &mut Scope, half: usize, row: &Row) -> Result<FormId> {
        let mut terms = Terms::default();
        for entry in row {
            terms.push(entry.weight, self.slot(scope, half, entry.input.into())?);
        }
        Ok(self.sum(FormId::ZERO, &terms))
    }

    /// Query, key or value of a head.
    fn rows_of(&mut self, scope: &mut Scope, at: HeadAt, rows: &[Row; 2]) -> Result<[FormId; 2]> {
        Ok([
            self.row(scope, 2 * at.0, &rows[0])?,
            self.row(scope, 2 * at.0, &rows[1])?,
        ])
    }

    pub(crate) fn key(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[FormId; 2]> {
        let rows = Arc::clone(&self.rows);
        self.rows_of(scope, at, &rows.layers[at.0].heads[at.1].key)
    }

    pub(crate) fn query(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[FormId; 2]> {
        let rows = Arc::clone(&self.rows);
        self.rows_of(scope, at, &rows.layers[at.0].heads[at.1].query)
    }

    pub(crate) fn value(&mut self, scope: &mut Scope, at: HeadAt, part: usize) -> Result<FormId> {
        let rows = Arc::clone(&self.rows);
        self.row(scope, 2 * at.0, &rows.layers[at.0].heads[at.1].value[part])
    }

    pub(super) fn gate(
        &mut self,
        scope: &mut Scope,
        layer: usize,
        neuron: usize,
    ) -> Result<FormId> {
        let rows = Arc::clone(&self.rows);
        self.row(scope, 2 * layer + 1, &rows.layers[layer].neurons[neuron][0])
    }

    pub(super) fn neuron(
        &mut self,
        scope: &mut Scope,
        layer: usize,
        neuron: usize,
    ) -> Result<FormId> {
        if let Some((form, assumed)) = scope.forms.neurons[layer][neuron] {
            scope.assumed |= assumed;
            return Ok(form);
        }
        let node = (1, layer as u32, neuron as u32);
        if let Some(([form, _], assumed)) = self.shared.find(scope, node) {
            scope.forms.neurons[layer][neuron] = Some((form, assumed));
            scope.assumed |= assumed;
            return Ok(form);
        }
        let others = std::mem::take(&mut scope.assumed);
        let rows = Arc::clone(&self.rows);
        let [gate, value] = &rows.layers[layer].neurons[neuron];
        let gate = self.row(scope, 2 * layer + 1, gate)?;
        let form = if self.atoms.bounds(gate).hi <= 0.0 {
            FormId::ZERO
        } else {
            let value = self.row(scope, 2 * layer + 1, value)?;
            self.gated(gate, value)
        };
        scope.forms.neurons[layer][neuron] = Some((form, scope.assumed));
        self.shared.insert(scope, node, [form; 2], scope.assumed);
        scope.assumed |= others;
        Ok(form)
    }
}
