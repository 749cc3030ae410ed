//! The network over forms: slots, neurons and answers of heads, on demand.

use std::sync::Arc;

use smallvec::SmallVec;

use super::analysis::{Analysis, Head, HeadAt, Refusal, Value};
use super::atoms::{Kind, TIME};
use super::form::{Atom, Form, QuickMap, QuickSet, Range, grain, is_exact, is_power, power};
use super::partial::Partial;
use crate::sparse::Row;

type Result<T> = std::result::Result<T, Refusal>;

/// What is assumed of a token, and the forms that follow, as far as they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// The class of its id.
    pub(crate) class: u16,
    /// Answers of heads that are known.
    pub(crate) fetched: QuickMap<(HeadAt, usize), f64>,
    pub(crate) index: Option<((HeadAt, usize), Form)>,
    forms: Forms,
    /// Forms that hold for any token.
    common: Arc<Forms>,
}

/// Forms that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Forms {
    slots: QuickMap<(usize, usize), Form>,
    answers: QuickMap<HeadAt, [Form; 2]>,
    neurons: QuickMap<(usize, usize), Form>,
}

impl Scope {
    pub(crate) fn new(class: u16, common: &Arc<Forms>) -> Self {
        Self {
            class,
            common: Arc::clone(common),
            ..Self::default()
        }
    }

    /// Those forms in which no atom is excepted, by number of the atom. A form is the number exactly, for all tokens that
    /// the scope is about, so it holds whatever else is assumed of them.
    pub(crate) fn without(self, excepted: &[bool]) -> Forms {
        let free = |form: &Form| form.atoms().all(|atom| !excepted[atom as usize]);
        let Forms {
            mut slots,
            mut answers,
            mut neurons,
        } = self.forms;
        slots.retain(|_, form| free(form));
        answers.retain(|_, forms| forms.iter().all(free));
        neurons.retain(|_, form| free(form));
        Forms {
            slots,
            answers,
            neurons,
        }
    }
}

impl Analysis {
    /// A slot of the residual stream before a half-layer: attention has even numbers.
    pub(crate) fn slot(&mut self, scope: &mut Scope, half: usize, slot: usize) -> Result<Form> {
        let half = self.rows.since[half][slot];
        let known = scope.common.slots.get(&(half, slot));
        if let Some(form) = known.or_else(|| scope.forms.slots.get(&(half, slot))) {
            return Ok(form.clone());
        }
        let rows = Arc::clone(&self.rows);
        let form = if half == 0 {
            self.embedded(scope, slot)?
        } else {
            let base = self.slot(scope, half - 1, slot)?;
            let layer = (half - 1) / 2;
            let mut terms = Vec::new();
            if half % 2 == 1 {
                for entry in &rows.layers[layer].heads_out[slot] {
                    let [head, part] = [entry.input / 2, entry.input % 2].map(usize::from);
                    let answer = &self.answers(scope, (layer, head))?[part];
                    terms.push((entry.weight, answer.clone()));
                }
            } else {
                for entry in &rows.layers[layer].neurons_out[slot] {
                    let product = self.neuron(scope, layer, entry.input.into())?;
                    terms.push((entry.weight, product));
                }
            }
            self.sum(Some(base), terms)
        };
        scope.forms.slots.insert((half, slot), form.clone());
        Ok(form)
    }

    fn embedded(&mut self, scope: &Scope, slot: usize) -> Result<Form> {
        let range = self.classes.range(scope.class, slot);
        let told = if range.lo == range.hi {
            Form::constant(range.lo)
        } else {
            let kind = Kind::Token {
                slot: slot as u16,
                class: scope.class,
            };
            Form::atom(self.atoms.get(kind, || range))
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
        Ok(self.sum(Some(told), vec![(1.0, polynomial)]))
    }

    /// The product of a row with the residual stream.
    pub(crate) fn row(&mut self, scope: &mut Scope, half: usize, row: &Row) -> Result<Form> {
        let mut terms = Vec::with_capacity(row.len());
        for entry in row {
            terms.push((entry.weight, self.slot(scope, half, entry.input.into())?));
        }
        Ok(self.sum(None, terms))
    }

    /// Query, key or value of a head.
    pub(crate) fn rows_of(
        &mut self,
        scope: &mut Scope,
        at: HeadAt,
        rows: &[Row; 2],
    ) -> Result<[Form; 2]> {
        Ok([
            self.row(scope, 2 * at.0, &rows[0])?,
            self.row(scope, 2 * at.0, &rows[1])?,
        ])
    }

    pub(crate) fn key(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[Form; 2]> {
        let rows = Arc::clone(&self.rows);
        self.rows_of(scope, at, &rows.layers[at.0].heads[at.1].key)
    }

    pub(crate) fn query(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[Form; 2]> {
        let rows = Arc::clone(&self.rows);
        self.rows_of(scope, at, &rows.layers[at.0].heads[at.1].query)
    }

    pub(crate) fn value(&mut self, scope: &mut Scope, at: HeadAt, part: usize) -> Result<Form> {
        let rows = Arc::clone(&self.rows);
        self.row(scope, 2 * at.0, &rows.layers[at.0].heads[at.1].value[part])
    }

    pub(super) fn neuron(
        &mut self,
        scope: &mut Scope,
        layer: usize,
        neuron: usize,
    ) -> Result<Form> {
        let known = scope.common.neurons.get(&(layer, neuron));
        if let Some(form) = known.or_else(|| scope.forms.neurons.get(&(layer, neuron))) {
            return Ok(form.clone());
        }
        let rows = Arc::clone(&self.rows);
        let [gate, value] = &rows.layers[layer].neurons[neuron];
        let gate = self.row(scope, 2 * layer + 1, gate)?;
        let form = if self.atoms.range(&gate).hi <= 0.0 {
            Form::zero()
        } else {
            let value = self.row(scope, 2 * layer + 1, value)?;
            self.gated(&gate, &value)
        };
        if scope.class == 0 && scope.index.is_none() && self.heads.len() == layer + 1 {
            self.survey.gates.push(gate);
        }
        scope.forms.neurons.insert((layer, neuron), form.clone());
        Ok(form)
    }

    /// `max(gate, 0) * value`.
    fn gated(&mut self, gate: &Form, value: &Form) -> Form {
        if value.is_zero() {
            return Form::zero();
        }
        let [g, v] = [gate, value].map(|form| self.atoms.range(form));
        if let (Some(gate), Some(value)) = (gate.as_constant(), value.as_constant()) {
            return Form::constant(gate * value + 0.0);
        }
        // Powers of two scale any number exactly.
        for (factor, form) in [(gate, value), (value, gate)] {
            if let Some(factor) = factor.as_constant()
                && is_power(factor)
                && g.lo >= 0.0
                && let Some(product) = Form::zero().plus(factor, form)
            {
                return product;
            }
        }
        let exact = is_exact(g.size() * v.size(), g.grain.saturating_add(v.grain));
        let (kind, range) = if g.lo >= 0.0 {
            if exact
                && let Some(product) = gate.times(value)
                && self.atoms.is_safe(&product)
            {
                return product;
            }
            let range = match self.atoms.total(gate, value) {
                Some(sum) => {
                    // (s / n) n is off by at most two roundings.
                    let sum = self.atoms.range_of(sum);
                    let off = |number: f64| number.abs() * power(-50);
                    let grain = g.times(v).grain;
                    Range::new(sum.lo - off(sum.lo), sum.hi + off(sum.hi), grain)
                }
                None => g.times(v),
            };
            let (gate, value) = (gate.clone(), value.clone());
            (Kind::Product { gate, value }, range)
        } else {
            let open = Range { lo: 0.0, ..g };
            let range = if gate == value {
                open.squared()
            } else {
                open.times(v)
            };
            let (gate, value) = (gate.clone(), value.clone());
            (Kind::Gated { gate, value }, range)
        };
        Form::atom(
            self.atoms
                .get(kind, || Range::new(range.lo, range.hi, range.grain)),
        )
    }

    /// `base + (products added up in order)`, every operation rounded.
    fn sum(&mut self, base: Option<Form>, mut terms: Vec<(f64, Form)>) -> Form {
        terms.retain(|(_, form)| !form.is_zero());
        if terms.is_empty() {
            return base.unwrap_or_default();
        }
        if let [(weight, form)] = &terms[..] {
            // Whatever the numbers: powers of two scale them exactly, and x - x is 0.
            let start = base.clone().unwrap_or_default();
            if let Some(sum) = start.plus(*weight, form)
                && (sum.is_zero() || start.is_zero() && is_power(*weight))
            {
                return sum;
            }
        }
        let base = base.filter(|base| !base.is_zero());
        let ranges: SmallVec<[Range; 8]> = terms
            .iter()
            .map(|(_, form)| self.atoms.range(form))
            .collect();
        let base_range = base.as_ref().map(|base| self.atoms.range(base));
        let mut partial = Partial::zero();
        for ((weight, _), range) in terms.iter().zip(&ranges) {
            partial.add_product(*weight, *range, None);
        }
        if let Some(range) = base_range {
            partial.add_to(range, None);
        }
        if partial.exact {
            let mut sum = base.clone().unwrap_or_default();
            let all = terms.iter().all(|(weight, form)| sum.add(*weight, form));
            if all && self.atoms.is_safe(&sum) {
                return sum;
            }
        }
        if partial.range.lo == partial.range.hi {
            return Form::constant(partial.range.lo + 0.0);
        }
        let mut partial = Partial::zero();
        for ((weight, form), range) in terms.iter().zip(&ranges) {
            partial.add_product(*weight, *range, self.atoms.close_to(form));
        }
        if let (Some(base), Some(range)) = (&base, base_range) {
            partial.add_to(range, self.atoms.close_to(base));
        }
        let Partial { range, close, .. } = partial;
        if let Some((close, error)) = &close
            && let Some(settled) = self.settle(close, *error, range.grain)
        {
            return settled;
        }
        let terms = terms
            .into_iter()
            .map(|(w, form)| (w.to_bits(), form))
            .collect();
        let kind = Kind::Rounded { base, terms };
        let atom = self
            .atoms
            .get(kind, || Range::new(range.lo, range.hi, range.grain));
        self.atoms.note_closeness(atom, close);
        Form::atom(atom)
    }

    /// The form that a multiple of `2^grain` is, which is off another form by at most `error`: a multiple of that that is
    /// less than `2^grain` away.
    fn settle(&self, close: &Form, error: f64, least: i32) -> Option<Form> {
        let (mut whole, mut rest) = (Form::zero(), Form::zero());
        for &(monomial, coefficient) in close.terms() {
            let term = Form::monomial(monomial, coefficient);
            let part = if self.atoms.range(&term).grain >= least {
                &mut whole
            } else {
                &mut rest
            };
            *part = part.plus(1.0, &term)?;
        }
        let error = error + self.atoms.range(&rest).size();
        (error < power(least) && self.atoms.is_safe(&whole)).then_some(whole)
    }

    /// The two answers of a head.
    pub(crate) fn answers(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[Form; 2]> {
        let known = scope.common.answers.get(&at);
        if let Some(answers) = known.or_else(|| scope.forms.answers.get(&at)) {
            return Ok(answers.clone());
        }
        let answers = [self.answer(scope, at, 0)?, self.answer(scope, at, 1)?];
        scope.forms.answers.insert(at, answers.clone());
        Ok(answers)
    }

    fn answer(&mut self, scope: &mut Scope, at: HeadAt, part: usize) -> Result<Form> {
        let rows = &self.rows.layers[at.0].heads[at.1];
        if !rows.live[part] {
            return Ok(Form::zero());
        }
        if let Some(&known) = scope.fetched.get(&(at, part)) {
            return Ok(Form::constant(known));
        }
        if let Some((_, form)) = scope.index.as_ref().filter(|(head, _)| *head == (at, part)) {
            return Ok(form.clone());
        }
        match self.heads[at.0][at.1].clone() {
            Head::Mean(sums) => {
                let Some(index) = sums[part] else {
                    return Ok(Form::zero());
                };
                let sum = &self.sums[index as usize];
                let value = self.atoms.range(&sum.form).union(Range::of(sum.first));
                let range = sum.range;
                self.atoms.get(Kind::Sum { sum: index }, || range);
                // An average of up to 2^27 numbers, rounded.
                let range = Range::new(value.lo, value.hi, value.grain.min(0) - 80);
                Ok(Form::atom(
                    self.atoms.get(Kind::Mean { sum: index }, || range),
                ))
            }
            Head::Place { own: true, .. } => self.value(scope, at, part),
            Head::Place { key, values, .. } => {
                let query = self.query(scope, at)?;
                self.attended(at, part, query, key, values[part].as_ref())
            }
            Head::Group { group, values } => {
                let Some(value) = values[part] else {
                    return Ok(Form::zero());
                };
                let range = self.groups[group as usize].ranges[value as usize];
                let atom = if self.groups[group as usize].latest {
                    let atom = self.atoms.get(Kind::Latest { group, value }, || range);
                    if let Some(error) = self.groups[group as usize].nearness[value as usize] {
                        self.atoms.note_nearness(atom, error);
                    }
                    atom
                } else {
                    let query = self.query(scope, at)?;
                    let (query, _) = self.normal(query, [2.0, 1.0], false);
                    let entry = self
                        .atoms
                        .get(Kind::Entry { group, query }, || Range::of(0.0));
                    self.atoms.get(Kind::Found { entry, value }, || range)
                };
                Ok(Form::atom(atom))
            }
            Head::Hull(head) => {
                let query = self.query(scope, at)?;
                let range = self.hull_ranges[head as usize][part];
                let kind = Kind::Hull {
                    head,
                    query,
                    part: part == 1,
                };
                let range = Range::new(range.lo, range.hi, range.grain.min(0) - 80);
                Ok(Form::atom(self.atoms.get(kind, || range)))
            }
        }
    }

    /// A head that asks for a place.
    pub(crate) fn asker(&self, place: Atom) -> HeadAt {
        self.askers[&place]
    }

    fn attended(
        &mut self,
        at: HeadAt,
        part: usize,
        query: [Form; 2],
        key: [f64; 2],
        value: Option<&Value>,
    ) -> Result<Form> {
        let Some(value) = value else {
            return Ok(Form::zero());
        };
        let [x, y] = [&query[0], &query[1]].map(|form| self.atoms.range(form));
        // Position 1 scores less than position 0, and later ones even less.
        if y.lo >= 0.0 && key[0] * x.hi < key[1] * y.lo - (key[1] * y.lo).abs() * power(-50) {
            return Ok(Form::constant(self.first[at.0][at.1].value[part]));
        }
        if y.lo >= 0.0 && x.hi < 0.0 {
            return Ok(Form::constant(self.first[at.0][at.1].value[part]));
        }
        let (query, key) = self.normal(query, key, true);
        if query[1].as_constant() == Some(1.0)
            && key == [2.0, 1.0]
            && self.atoms.range(&query[0]).hi < 0.5
        {
            return Ok(Form::constant(self.first[at.0][at.1].value[part]));
        }
        let longest = self.longest;
        let place = Kind::Place {
            query,
            key: key.map(f64::to_bits),
        };
        let place = self.atoms.get(place, || Range::new(0.0, longest as f64, 0));
        self.askers.insert(place, at);
        match *value {
            Value::Kept { stream, range } => {
                let kind = Kind::Kept { place, stream };
                Ok(Form::atom(self.atoms.get(kind, || range)))
            }
            Value::Told { table, time } => {
                let entries = &self.tables[table as usize];
                let told = if entries.iter().all(|&e| e == entries[0]) {
                    Form::constant(entries[0])
                } else {
                    let range = self.table_ranges[table as usize];
                    Form::atom(self.atoms.get(Kind::Read { place, table }, || range))
                };
                let polynomial = Form::monomial((0, place), time[0])
                    .plus(1.0, &Form::monomial((place, place), time[1]))
                    .ok_or(Refusal::Head(at))?;
                match told
                    .plus(1.0, &polynomial)
                    .filter(|sum| self.atoms.is_safe(sum))
                {
                    Some(sum) => Ok(sum),
                    None => Err(Refusal::Head(at)),
                }
            }
        }
    }

    /// Stores of keys and of values.
    pub(crate) fn streams_kept(&self) -> (usize, usize) {
        let values: usize = self.groups.iter().map(|group| group.values.len()).sum();
        let keys = self.groups.len() + self.hulls.len();
        (
            keys,
            values + self.sums.len() + self.streams.len() + 2 * self.hulls.len(),
        )
    }

    /// The same question with the query `(q, 1)` and keys `(2 t, -t^2)`, if that is exactly the same. Where only the nearest
    /// integer counts, q is that if it is known to be close to one.
    fn normal(&self, query: [Form; 2], key: [f64; 2], nearest: bool) -> ([Form; 2], [f64; 2]) {
        let [a, b] = key;
        let Some(slope) = query[1].as_constant().filter(|slope| *slope > 0.0) else {
            return (query, key);
        };
        let factor = a / (2.0 * b * slope);
        if !(is_power(factor) && is_power(slope) && is_power(a) && is_power(b)) {
            return (query, key);
        }
        let Some(scaled) = Form::zero().plus(factor, &query[0]) else {
            return (query, key);
        };
        let one = Form::constant(1.0);
        if nearest
            && let Some((close, error)) = self.atoms.close_to(&scaled)
            && error < 0.49
            && self.atoms.is_safe(&close)
            && self.atoms.range(&close).grain >= 0
        {
            return ([close, one], [2.0, 1.0]);
        }
        ([scaled, one], [2.0, 1.0])
    }

    /// Which atoms are certain ones, or made of them.
    pub(crate) fn made_of(&self, certain: impl Fn(Atom, &Kind) -> bool) -> Vec<bool> {
        let mut made = Vec::with_capacity(self.atoms.len());
        for atom in 0..self.atoms.len() as Atom {
            let kind = self.atoms.kind(atom);
            let any = |forms: &[&Form]| {
                let mut atoms = forms.iter().flat_map(|form| form.atoms());
                atoms.any(|atom| made[atom as usize])
            };
            // Atoms are made of earlier ones.
            let from = match kind {
                Kind::Place { query, .. }
                | Kind::Entry { query, .. }
                | Kind::Hull { query, .. } => any(&[&query[0], &query[1]]),
                Kind::Read { place, .. } | Kind::Kept { place, .. } => made[*place as usize],
                Kind::Found { entry, .. } => made[*entry as usize],
                Kind::Near { of } => made[*of as usize],
                Kind::Rounded { base, terms } => {
                    base.as_ref().is_some_and(|base| any(&[base]))
                        || terms.iter().any(|(_, form)| any(&[form]))
                }
                Kind::Gated { gate, value } | Kind::Product { gate, value } => any(&[gate, value]),
                Kind::One
                | Kind::Time
                | Kind::Token { .. }
                | Kind::Index { .. }
                | Kind::Mean { .. }
                | Kind::Sum { .. }
                | Kind::Latest { .. } => false,
            };
            let is = from || certain(atom, kind);
            made.push(is);
        }
        made
    }

    /// The atoms of a form and of what its rounded ones are made of.
    pub(crate) fn depends_on(&self, form: &Form) -> QuickSet<Atom> {
        let mut seen = QuickSet::default();
        let mut open: Vec<Atom> = form.atoms().collect();
        while let Some(atom) = open.pop() {
            if !seen.insert(atom) {
                continue;
            }
            match self.atoms.kind(atom) {
                Kind::Rounded { base, terms } => {
                    open.extend(base.iter().flat_map(Form::atoms));
                    open.extend(terms.iter().flat_map(|(_, form)| form.atoms()));
                }
                Kind::Gated { gate, value } | Kind::Product { gate, value } => {
                    open.extend(gate.atoms().chain(value.atoms()));
                }
                _ => {}
            }
        }
        seen
    }
}
