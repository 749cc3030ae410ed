//! Facts that the analysis proves about a token, by the machine's names.

use std::sync::Arc;

use weightware_analysis::{
    Analysis, Assumptions, AtomKind, Cases, Counted, PolyId, Polynomial, Scope, SparseWeights,
};
use weightware_isa::{Op, Token, Vocabulary};
use weightware_model::Model;

use super::error::ProofError;
use crate::form::Dim;
use crate::graph::{Writer, WriterIdx};
use crate::machine::Machine;
use crate::schedule::Schedule;

/// The analysis of a model, and the places of the machine's writers and dimensions in its weights.
pub(super) struct Facts<'m> {
    pub(super) machine: &'m Machine,
    schedule: &'m Schedule,
    pub(super) analysis: Analysis,
    cases: Cases,
    scope: Option<Scope>,
    vocabulary: Vocabulary,
}

impl<'m> Facts<'m> {
    pub(super) fn new(
        machine: &'m Machine,
        schedule: &'m Schedule,
        model: &Model,
    ) -> Result<Self, ProofError> {
        let vocabulary = Vocabulary::new();
        let first = vocabulary.id(Token::Begin) as usize;
        let rows = Arc::new(SparseWeights::new(model));
        let offers = Arc::new(rows.offers(first));
        let assumptions = Assumptions::beginning_with(first);
        let mut analysis = Analysis::new(&rows, &offers, &assumptions)?;
        let cases = Cases::new(&mut analysis);
        Ok(Self {
            machine,
            schedule,
            analysis,
            cases,
            scope: None,
            vocabulary,
        })
    }

    /// The classes of the tokens that can precede a byte index of an instruction: result bytes, or
    /// end tokens.
    pub(super) fn classes(&self, index: usize) -> Vec<u16> {
        let tokens = self
            .vocabulary
            .tokens()
            .iter()
            .copied()
            .filter(|token| match token {
                Token::Byte(..) => index > 0,
                token => index == 0 && token.ends_instruction() && !token.ends_run(),
            });
        let mut classes: Vec<u16> = tokens
            .map(|token| self.analysis.classes.of(self.vocabulary.id(token) as usize))
            .collect();
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    /// Begins a scope: a token of a class at which an instruction is executed, at a byte index.
    pub(super) fn enter(&mut self, class: u16, op: Op, index: usize) -> Result<(), ProofError> {
        self.leave();
        let id = self.vocabulary.id(Token::Op(op)) as usize;
        let kind = usize::from(self.cases.kind_of[id]);
        let counted = Counted::Exactly(index as f64);
        self.scope = Some(self.cases.scope(&mut self.analysis, class, kind, counted));
        // The sign is that of a byte.
        self.assume("top.negative", 0, [0.0, 1.0])
    }

    /// Ends the scope.
    pub(super) fn leave(&mut self) {
        if let Some(scope) = self.scope.take() {
            self.analysis.end(scope);
        }
    }

    /// Assumes that a value of a lookup lies within bounds.
    pub(super) fn assume(
        &mut self,
        lookup: &str,
        part: usize,
        bounds: [f64; 2],
    ) -> Result<(), ProofError> {
        let at = self.head(lookup);
        let answer = self.answer(lookup, part)?;
        let Some(atom) = self.analysis.interner[answer].as_atom() else {
            return Ok(());
        };
        let form = self.analysis.interner.within(atom, bounds);
        let scope = self.scope.as_mut().expect("a scope was entered");
        scope.assume((at, part), form);
        Ok(())
    }

    /// The machine's writer with that name.
    pub(super) fn lookup(&self, lookup: &str) -> (WriterIdx, &'m Writer) {
        let graph = &self.machine.graph;
        let mut writers = graph.writers();
        let found = writers.find(|&(writer, _)| graph.writer_name(writer) == lookup);
        found.unwrap_or_else(|| panic!("the machine has no lookup {lookup}"))
    }

    fn head(&self, lookup: &str) -> (usize, usize) {
        let (writer, _) = self.lookup(lookup);
        let half_layer = self.schedule.half_layers[writer.index()];
        let number = self
            .schedule
            .writers_at(half_layer)
            .position(|at| at == writer);
        let layer = half_layer as usize / 2;
        let heads = &self.analysis.rows.layers[layer].heads;
        let live = heads.iter().position(|head| Some(head.number) == number);
        (
            layer,
            live.unwrap_or_else(|| panic!("{lookup} is a dead head")),
        )
    }

    /// Evaluates `of` for tokens that fetch a given token, at any byte index: one result for each
    /// class of such tokens.
    pub(super) fn over_classes(
        &mut self,
        found: Token,
        mut of: impl FnMut(&mut Self) -> Result<f64, ProofError>,
    ) -> Result<Vec<f64>, ProofError> {
        let kind = usize::from(self.cases.kind_of[self.vocabulary.id(found) as usize]);
        let mut answers = vec![];
        for class in 1..self.cases.classes as u16 {
            self.leave();
            let scope = self
                .cases
                .scope(&mut self.analysis, class, kind, Counted::Any);
            self.scope = Some(scope);
            answers.push(of(self)?);
        }
        self.leave();
        Ok(answers)
    }

    /// The greatest `|q|` of a lookup's queries.
    pub(super) fn farthest(&mut self, lookup: &str) -> Result<f64, ProofError> {
        let at = self.head(lookup);
        let scope = self.scope.as_mut().expect("a scope was entered");
        let [x, scale] = self.analysis.query(scope, at)?;
        let atoms = &self.analysis.interner;
        let scale = atoms[scale]
            .as_constant()
            .expect("the scale of this query is constant");
        Ok(atoms.tight(&atoms[x]).size() / scale)
    }

    /// A value of a lookup, as a polynomial.
    pub(super) fn answer(&mut self, lookup: &str, part: usize) -> Result<PolyId, ProofError> {
        let at = self.head(lookup);
        let scope = self.scope.as_mut().expect("a scope was entered");
        Ok(self.analysis.answers(scope, at)?[part])
    }

    /// A dimension, once its last writer has written.
    pub(super) fn dim(&mut self, dim: Dim) -> Result<PolyId, ProofError> {
        let parts = self.machine.graph.dims[dim.index()].parts.iter();
        let ready = parts
            .map(|part| self.schedule.half_layers[part.output.writer.index()] + 1)
            .max();
        let slot = self.schedule.slots[dim.index()];
        let scope = self.scope.as_mut().expect("a scope was entered");
        let half = ready.unwrap_or(0) as usize;
        Ok(self.analysis.slot(scope, half, slot)?)
    }

    /// The dimension with that name.
    pub(super) fn named(&mut self, name: &str) -> Result<PolyId, ProofError> {
        let graph = &self.machine.graph;
        let dim = graph.dims().find(|&dim| graph.name(dim) == name);
        self.dim(dim.unwrap_or_else(|| panic!("the machine has no dimension {name}")))
    }

    /// The code of the end token, as the unembedding reads it.
    pub(super) fn end(&mut self) -> Result<PolyId, ProofError> {
        self.read(self.machine.end_dim())
    }

    /// The result, as the unembedding reads it.
    pub(super) fn result(&mut self) -> Result<PolyId, ProofError> {
        self.read(self.machine.result_dim())
    }

    /// The class of a token.
    #[cfg(test)]
    pub(super) fn class_of(&self, token: Token) -> u16 {
        self.analysis.classes.of(self.vocabulary.id(token) as usize)
    }

    /// Begins a scope: a token of a class that fetches the given token, at a byte index, without
    /// assumptions.
    #[cfg(test)]
    pub(super) fn enter_plainly(&mut self, class: u16, found: Token, index: usize) {
        self.leave();
        let kind = usize::from(self.cases.kind_of[self.vocabulary.id(found) as usize]);
        let counted = Counted::Exactly(index as f64);
        self.scope = Some(self.cases.scope(&mut self.analysis, class, kind, counted));
    }

    fn read(&mut self, dim: Dim) -> Result<PolyId, ProofError> {
        let slot = self.schedule.slots[dim.index()];
        let last = self.schedule.budget.half_layers() as usize;
        let scope = self.scope.as_mut().expect("a scope was entered");
        Ok(self.analysis.slot(scope, last, slot)?)
    }

    /// The carry or borrow of the token's own embedding.
    pub(super) fn carry(&mut self) -> Result<PolyId, ProofError> {
        let slot = self.schedule.slots[self.machine.result_dim().index()];
        let scope = self.scope.as_mut().expect("a scope was entered");
        Ok(self.analysis.slot(scope, 0, slot)?)
    }

    /// `relu(gate)`, as the network computes it.
    pub(super) fn relu(&mut self, gate: Polynomial) -> Polynomial {
        let gate = self.analysis.interner.id(gate);
        let one = self.analysis.interner.constant(1.0);
        let form = match self.analysis.interner.bounds(gate).hi <= 0.0 {
            true => self.analysis.interner.constant(0.0),
            false => self.analysis.interner.gated(gate, one),
        };
        self.analysis.interner[form].clone()
    }

    /// The polynomial of a number before rounding: if the number is a rounded sum, the exact sum of
    /// its terms.
    pub(super) fn unrounded(&self, form: &Polynomial) -> Polynomial {
        let atoms = &self.analysis.interner;
        match form.as_atom().map(|atom| atoms.kind(atom)) {
            Some(AtomKind::Rounded { base, terms }) => {
                let mut sum = atoms[*base].clone();
                for &(weight, form) in terms {
                    sum = sum.about_plus(f64::from_bits(weight), &atoms[form]);
                }
                sum
            }
            _ => form.clone(),
        }
    }

    /// The gate and the constant value of the neuron that a form consists of, if it is one.
    pub(super) fn gate_of(&self, form: &Polynomial) -> Option<(Polynomial, f64)> {
        let atoms = &self.analysis.interner;
        match *atoms.kind(form.as_atom()?) {
            AtomKind::Gated { gate, value } => {
                Some((self.unrounded(&atoms[gate]), atoms[value].as_constant()?))
            }
            _ => None,
        }
    }

    /// The exact form of an id.
    pub(super) fn exact(&self, form: PolyId) -> &Polynomial {
        &self.analysis.interner[form]
    }
}
