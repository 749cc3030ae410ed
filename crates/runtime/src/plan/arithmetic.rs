//! Operations of the network on forms. An operation on forms that it was done on before is looked up.

use smallvec::SmallVec;

use super::analysis::{Analysis, HeadAt};
use super::atoms::Kind;
use super::form::{Form, FormId};
use super::hash::QuickMap;
use super::partial::{Bounds, Closeness};
use super::range::{Range, is_exact, is_power, power};

/// What operations made.
#[derive(Debug, Default)]
pub(crate) struct Made {
    /// By gate and value.
    gated: QuickMap<(FormId, FormId), FormId>,
    /// By base, weights and forms.
    sums: QuickMap<Box<[u64]>, FormId>,
    /// By x and y.
    lifts: QuickMap<(FormId, FormId), f64>,
    /// By head, part and query.
    pub(super) answers: QuickMap<(HeadAt, usize, [FormId; 2]), FormId>,
    /// By bounds of the columns that the unembedding reads: the token that wins for all numbers within them.
    pub(super) certain: QuickMap<Box<[[u64; 2]]>, Option<u32>>,
}

/// Products to be added up, but for those that are zero.
#[derive(Debug, Default)]
pub(super) struct Terms(SmallVec<[(f64, FormId); FEW]>);

const FEW: usize = 16;

impl Terms {
    #[inline]
    pub(super) fn push(&mut self, weight: f64, form: FormId) {
        if !form.is_zero() {
            self.0.push((weight, form));
        }
    }
}

impl Analysis {
    /// `max(gate, 0) * value`.
    pub(super) fn gated(&mut self, gate: FormId, value: FormId) -> FormId {
        if value.is_zero() {
            return FormId::ZERO;
        }
        if let Some(&known) = self.made.gated.get(&(gate, value)) {
            return known;
        }
        let form = self.gate_of(gate, value);
        self.made.gated.insert((gate, value), form);
        form
    }

    fn gate_of(&mut self, gate_id: FormId, value_id: FormId) -> FormId {
        let [gate, value] = &[gate_id, value_id].map(|form| self.atoms[form].clone());
        let [g, v] = [gate_id, value_id].map(|form| self.atoms.bounds(form));
        if let (Some(gate), Some(value)) = (gate.as_constant(), value.as_constant()) {
            let product = Form::constant(gate * value + 0.0);
            return self.atoms.id(product);
        }
        // Powers of two scale any number exactly.
        for (factor, form) in [(gate, value), (value, gate)] {
            if let Some(factor) = factor.as_constant()
                && is_power(factor)
                && g.lo >= 0.0
                && let Some(product) = Form::zero().plus(factor, form)
            {
                return self.atoms.id(product);
            }
        }
        let exact = is_exact(g.size() * v.size(), g.grain.saturating_add(v.grain));
        let (kind, range) = if g.lo >= 0.0 {
            if exact
                && let Some(product) = gate.times(value)
                && self.atoms.is_safe(&product)
            {
                return self.atoms.id(product);
            }
            let range = match self.atoms.total(gate_id, value_id) {
                Some(sum) => {
                    // (s / n) n is off by at most two roundings.
                    let sum = self.atoms.range_of(sum);
                    let off = |number: f64| number.abs() * power(-50);
                    let grain = g.times(v).grain;
                    Range::new(sum.lo - off(sum.lo), sum.hi + off(sum.hi), grain)
                }
                None => g.times(v),
            };
            let (gate, value) = (gate_id, value_id);
            (Kind::Product { gate, value }, range)
        } else {
            let open = Range { lo: 0.0, ..g };
            let range = if gate_id == value_id {
                open.squared()
            } else {
                open.times(v)
            };
            let (gate, value) = (gate_id, value_id);
            (Kind::Gated { gate, value }, range)
        };
        self.atoms
            .id_of(kind, || Range::new(range.lo, range.hi, range.grain))
    }

    /// `base + (products added up in order)`, every operation rounded.
    pub(super) fn sum(&mut self, base: FormId, terms: &Terms) -> FormId {
        let terms = &terms.0[..];
        if terms.is_empty() {
            return base;
        }
        if let Some(constant) = self.constant_sum(base, terms) {
            return self.atoms.id(Form::constant(constant));
        }
        let mut short = [0; 2 * FEW + 1];
        let mut long = Vec::new();
        let key = if terms.len() <= FEW {
            &mut short[..=2 * terms.len()]
        } else {
            long.resize(2 * terms.len() + 1, 0);
            &mut long[..]
        };
        key[0] = base.0.into();
        for (pair, &(weight, form)) in key[1..].chunks_exact_mut(2).zip(terms) {
            pair[0] = weight.to_bits();
            pair[1] = form.0.into();
        }
        if let Some(&known) = self.made.sums.get(&*key) {
            return known;
        }
        let form = self.sum_of_products(base, terms);
        self.made.sums.insert((&*key).into(), form);
        form
    }

    /// The sum of constants, by the operations of the network.
    fn constant_sum(&self, base: FormId, terms: &[(f64, FormId)]) -> Option<f64> {
        let constant = |form: FormId| {
            let range = self.atoms.bounds(form);
            (range.lo == range.hi).then_some(range.lo)
        };
        let mut sum = 0.0;
        for &(weight, form) in terms {
            sum += weight * constant(form)?;
        }
        Some(constant(base)? + sum)
    }

    fn sum_of_products(&mut self, base: FormId, terms: &[(f64, FormId)]) -> FormId {
        if let [(weight, form)] = *terms {
            // Whatever the numbers: powers of two scale them exactly, and x - x is 0.
            if let Some(sum) = self.atoms[base].plus(weight, &self.atoms[form])
                && (sum.is_zero() || base.is_zero() && is_power(weight))
            {
                return self.atoms.id(sum);
            }
        }
        let base_range = Some(base)
            .filter(|base| !base.is_zero())
            .map(|base| self.atoms.bounds(base));
        let mut partial = Bounds::zero();
        for &(weight, form) in terms {
            partial.add_product(weight, self.atoms.bounds(form));
        }
        if let Some(range) = base_range {
            partial.add(range);
        }
        if partial.exact {
            let mut sum = self.atoms[base].clone();
            let all = terms
                .iter()
                .all(|&(weight, form)| sum.add(weight, &self.atoms[form]));
            if all && self.atoms.is_safe(&sum) {
                return self.atoms.id(sum);
            }
        }
        if partial.range.lo == partial.range.hi {
            return self.atoms.id(Form::constant(partial.range.lo + 0.0));
        }
        let range = partial.range;
        let mut close = Closeness::zero();
        for &(weight, form) in terms {
            let number = self.atoms.close_to(&self.atoms[form]);
            close.add_product(weight, self.atoms.bounds(form), number);
        }
        if let Some(range) = base_range {
            close.add(range, self.atoms.close_to(&self.atoms[base]));
        }
        let close = close.known;
        if let Some((close, error)) = &close
            && let Some(settled) = self.settle(close, *error, range.grain)
        {
            return self.atoms.id(settled);
        }
        let terms = terms.iter().map(|&(w, form)| (w.to_bits(), form));
        let kind = Kind::Rounded {
            base,
            terms: terms.collect(),
        };
        let atom = self
            .atoms
            .get(kind, || Range::new(range.lo, range.hi, range.grain));
        self.atoms.note_closeness(atom, close);
        self.atoms.id(Form::atom(atom))
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

    /// An upper bound of `y + (x / 2)^2`.
    pub(super) fn lift(&mut self, x: FormId, y: FormId) -> f64 {
        if let Some(&known) = self.made.lifts.get(&(x, y)) {
            return known;
        }
        let lift = self.atoms.lift(&self.atoms[x], &self.atoms[y]);
        self.made.lifts.insert((x, y), lift);
        lift
    }
}
