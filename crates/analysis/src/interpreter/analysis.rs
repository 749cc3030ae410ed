//! Abstract interpretation of the network: the forms of every slot, key, query and value of a
//! token, derived on demand.

use std::sync::Arc;

use crate::interpreter::assumptions::{Assumptions, Bailout, HeadAt, Result};
use crate::interpreter::attention::Attention;
use crate::interpreter::context_memo::ContextMemo;
use crate::interpreter::head_kinds::{Classifier, HeadForms};
use crate::interpreter::key_layout::{Head, KeyLayout};
use crate::interpreter::scope::{Forms, Scope};
use crate::interpreter::survey::Survey;
use crate::symbolic::interner::{Interner, Mark};
use crate::symbolic::interval::power;
use crate::symbolic::polynomial::Atom;
use crate::weights::classes::Classes;
use crate::weights::rows::Row;
use crate::weights::sparse_weights::{Offer, SparseWeights};

/// The abstract interpreter of a model, for sequences that begin with a given token.
///
/// Its forms are those of any token but the first. They are derived when a method needs them, and
/// kept until [`forget`](Self::forget) drops them.
#[derive(Debug)]
pub struct Analysis {
    /// The weights, as sparse rows.
    pub rows: Arc<SparseWeights>,
    /// All atoms and forms of the analysis.
    pub interner: Interner,
    /// The places of keys and values in a decoder, by the kinds of the heads' keys.
    pub layout: KeyLayout,
    /// The classes of token ids.
    pub classes: Classes,
    pub(crate) survey: Survey,
    pub(crate) attention: Attention,
    pub(crate) contexts: ContextMemo,
    /// Whether tables may be read: see [`Assumptions::reads_tables`].
    pub(crate) reads_tables: bool,
    /// Forms that hold for any token but the first.
    pub(crate) common: Forms,
    /// Buffers that the next scope reuses.
    pub(crate) spare: Option<Forms>,
}

/// The last position that the analysis considers, so that squares of positions are exact.
const LAST_POSITION: u64 = 1 << 26;

/// The most neurons of a layer that belong to no table: forms have a term for each, and some
/// derivations take time in the square of terms.
const MOST_NEURONS: usize = 1 << 10;

impl Analysis {
    /// Interprets all heads and neurons of a model for any token, and classifies the heads by their
    /// keys.
    ///
    /// `first` has the first token's [keys and values](SparseWeights::offers). Takes O(weights ·
    /// terms of a form).
    ///
    /// # Errors
    /// [`Bailout::Model`] if a layer has more than 1,024 neurons beside tables; if numbers may
    /// overflow or leave the range in which scores are compared
    /// exactly, or if position features are rounded; [`Bailout::Head`] if the output of a head that
    /// attends by position may be rounded.
    ///
    /// # Panics
    /// If `first` belongs to another model, or the sentinel is not an id of the vocabulary.
    pub fn new(
        rows: &Arc<SparseWeights>,
        first: &Arc<Vec<Vec<Offer>>>,
        assumptions: &Assumptions,
    ) -> Result<Self> {
        if rows
            .layers
            .iter()
            .any(|layer| layer.neurons.len() > MOST_NEURONS)
        {
            return Err(Bailout::Model);
        }
        let mut all = Self {
            rows: Arc::clone(rows),
            interner: Interner::new(rows.last_position.min(LAST_POSITION)),
            layout: KeyLayout::new(first),
            classes: Classes::new(rows, assumptions.sentinel),
            survey: Survey::default(),
            attention: Attention::default(),
            contexts: ContextMemo::default(),
            reads_tables: assumptions.reads_tables,
            common: Forms::default(),
            spare: None,
        };
        // The first token, to which forms do not apply, adds nothing by tables.
        let mut tables = rows.layers.iter().flat_map(|layer| &layer.tables);
        let first_has = |slot: usize| match assumptions.sentinel {
            Some(first) => rows.embedded(first, slot) != 0.0,
            None => true,
        };
        if tables.any(|table| first_has(table.unit)) {
            return Err(Bailout::Model);
        }
        let mut scope = Scope::new(0, Forms::new(rows));
        for layer in 0..rows.layers.len() {
            all.survey_attention(&mut scope, layer, assumptions)?;
            all.survey_feed_forward(&mut scope, layer)?;
        }
        all.check_logits(&mut scope)?;
        all.common = scope.forms;
        Ok(all)
    }

    /// Classifies the heads of a layer, then derives their outputs.
    fn survey_attention(
        &mut self,
        scope: &mut Scope,
        layer: usize,
        assumptions: &Assumptions,
    ) -> Result<()> {
        let rows = Arc::clone(&self.rows);
        let heads = &rows.layers[layer].heads;
        self.layout.heads.push(Vec::new());
        for (head, weights) in heads.iter().enumerate() {
            for row in [&weights.query, &weights.key, &weights.value]
                .into_iter()
                .flatten()
            {
                self.check_finite(scope, 2 * layer, row)?;
            }
            let kind = self.classify(scope, (layer, head), assumptions)?;
            self.layout.heads[layer].push(kind);
        }
        for head in 0..heads.len() {
            let output = self.answers(scope, (layer, head))?;
            self.survey.outputs.push(((layer, head), output));
        }
        Ok(())
    }

    fn classify(
        &mut self,
        scope: &mut Scope,
        at: HeadAt,
        assumptions: &Assumptions,
    ) -> Result<Head> {
        let forms = HeadForms {
            query: self.query(scope, at)?,
            key: self.key(scope, at)?,
            value: [self.value(scope, at, 0)?, self.value(scope, at, 1)?],
        };
        if !forms.are_in_domain(&self.interner) {
            return Err(Bailout::Model);
        }
        let mut classifier = Classifier {
            weights: &self.rows,
            interner: &self.interner,
            layout: &mut self.layout,
            assumptions,
        };
        let kind = classifier.classify(at, &forms);
        self.survey.queries.push(forms.query);
        // The first head of a group represents the keys of all its heads.
        let keeps_keys = match kind {
            Head::Hull(_) => true,
            Head::Group { group, .. } => self.layout.groups[group as usize].heads == [at.1],
            Head::Mean(_) | Head::Place { .. } => false,
        };
        if keeps_keys {
            self.survey.keys.extend(forms.key);
        }
        Ok(kind)
    }

    /// Derives the neurons of a layer, and the slots before and after them.
    fn survey_feed_forward(&mut self, scope: &mut Scope, layer: usize) -> Result<()> {
        let rows = Arc::clone(&self.rows);
        for slot in 0..rows.d_model {
            self.slot(scope, 2 * layer + 1, slot)?;
        }
        for (neuron, rows) in rows.layers[layer].neurons.iter().enumerate() {
            // A closed gate or a zero value would hide an overflow of the other row.
            for row in rows {
                self.check_finite(scope, 2 * layer + 1, row)?;
            }
            self.neuron(scope, layer, neuron)?;
            let gate = self.gate(scope, layer, neuron)?;
            self.survey.gates.push(gate);
        }
        for (table, found) in rows.layers[layer].tables.iter().enumerate() {
            self.check_finite(scope, 2 * layer + 1, &found.argument)?;
            let argument = self.argument(scope, (layer, table))?;
            self.survey.gates.push(argument);
        }
        for slot in 0..rows.d_model {
            let form = self.slot(scope, 2 * layer + 2, slot)?;
            if self.interner.bounds(form).size() >= power(900) {
                return Err(Bailout::Model);
            }
        }
        Ok(())
    }

    /// Bails out unless no product and no partial sum of a row, nor a product of two rows, can
    /// overflow, even where terms cancel.
    fn check_finite(&mut self, scope: &mut Scope, half: usize, row: &Row) -> Result<()> {
        let mut size = 0.0;
        for entry in row {
            let form = self.slot(scope, half, entry.input as usize)?;
            size += entry.weight.abs() * self.interner.bounds(form).size();
        }
        match size < power(450) {
            true => Ok(()),
            false => Err(Bailout::Model),
        }
    }

    /// Bails out unless no logit can overflow.
    fn check_logits(&mut self, scope: &mut Scope) -> Result<()> {
        let rows = Arc::clone(&self.rows);
        let mut size = 0.0;
        for (&slot, weights) in rows.columns.iter().zip(&rows.head) {
            let form = self.slot(scope, 2 * rows.layers.len(), slot)?;
            let largest = weights.iter().fold(0.0, |a: f64, w| a.max(w.abs()));
            size += largest * self.interner.bounds(form).size();
        }
        match size < 1e280 {
            true => Ok(()),
            false => Err(Bailout::Model),
        }
    }

    /// Forgets all atoms and forms that were made after a mark. Later ones reuse their numbers, so
    /// scopes and numbers made after the mark must no longer be used.
    pub fn forget(&mut self, mark: Mark) {
        self.interner.truncate(mark);
        self.attention.forget();
        self.contexts = ContextMemo::default();
    }

    /// A head that attends to a place, an atom of kind
    /// [`AtomKind::Place`](crate::AtomKind::Place).
    ///
    /// # Panics
    /// If the atom is of another kind.
    #[must_use]
    pub fn head_of_place(&self, place: Atom) -> HeadAt {
        self.attention.head_of_place(place)
    }

    /// Begins a scope for a token of a class, with the forms that hold for all tokens.
    ///
    /// If there is no such class, deriving a form in the scope panics.
    pub fn scope(&mut self, class: u16) -> Scope {
        let spare = self.spare.take();
        Scope::new(class, spare.unwrap_or_else(|| self.common.clone()))
    }

    /// Ends a scope and reuses its buffers. Its forms remain in the interner. Takes O(derivations
    /// in the scope).
    pub fn end(&mut self, mut scope: Scope) {
        scope.forms.reset(&self.common);
        self.spare = Some(scope.forms);
    }
}
