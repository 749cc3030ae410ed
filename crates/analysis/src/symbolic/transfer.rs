//! Transfer functions of the network's sums, products and gates over polynomials, memoised.

use smallvec::SmallVec;

use crate::symbolic::atoms::AtomKind;
use crate::symbolic::interner::Interner;
use crate::symbolic::interval::{Range, is_exact, power};
use crate::symbolic::interval_sum::{Bounds, Closeness};
use crate::symbolic::operation_memo::SumMemo;
use crate::symbolic::polynomial::{PolyId, Polynomial};

/// The products of a sum, without those that are zero.
#[derive(Debug, Default)]
pub(crate) struct Terms(SmallVec<[(f64, PolyId); FEW]>);

/// The number of products that are stored without an allocation.
const FEW: usize = 16;

impl Terms {
    #[inline]
    pub(crate) fn push(&mut self, weight: f64, form: PolyId) {
        if !form.is_zero() {
            self.0.push((weight, form));
        }
    }
}

impl Interner {
    /// The form of a neuron's product, `max(gate, 0) * value`.
    pub fn gated(&mut self, gate: PolyId, value: PolyId) -> PolyId {
        if value.is_zero() {
            return PolyId::ZERO;
        }
        if let Some(&known) = self.memo.gated.get(&(gate, value)) {
            return known;
        }
        let form = self.gate_of(gate, value);
        self.memo.gated.insert((gate, value), form);
        form
    }

    fn gate_of(&mut self, gate_id: PolyId, value_id: PolyId) -> PolyId {
        let [gate, value] = &[gate_id, value_id].map(|form| self[form].clone());
        let [g, v] = [gate_id, value_id].map(|form| self.bounds(form));
        if let (Some(gate), Some(value)) = (gate.as_constant(), value.as_constant()) {
            return self.constant(gate.max(0.0) * value + 0.0);
        }
        // Powers of two scale numbers exactly.
        for (factor, (form, range)) in [(gate, (value, v)), (value, (gate, g))] {
            if let Some(factor) = factor.as_constant()
                && range.is_scaled_by(factor)
                && g.lo >= 0.0
                && let Some(product) = Polynomial::zero().plus(factor, form)
            {
                return self.id(product);
            }
        }
        let exact = is_exact(g.size() * v.size(), g.grain.saturating_add(v.grain));
        let (kind, range) = if g.lo >= 0.0 {
            if exact
                && let Some(product) = gate.times(value)
                && self.is_safe(&product)
            {
                return self.id(product);
            }
            let range = match self.total(gate_id, value_id) {
                Some(sum) => {
                    // (s / n) n differs from s by at most two rounding errors.
                    let sum = self.range_of(sum);
                    let off = |number: f64| number.abs() * power(-50);
                    let grain = g.times(v).grain;
                    Range::new(sum.lo - off(sum.lo), sum.hi + off(sum.hi), grain)
                }
                None => g.times(v),
            };
            let (gate, value) = (gate_id, value_id);
            (AtomKind::Product { gate, value }, range)
        } else {
            let open = self.open_by_recency(gate_id);
            let open = open.unwrap_or(Range { lo: 0.0, ..g });
            let range = if gate_id == value_id {
                open.squared()
            } else {
                open.times(v)
            };
            let (gate, value) = (gate_id, value_id);
            (AtomKind::Gated { gate, value }, range)
        };
        self.id_of(kind, || Range::new(range.lo, range.hi, range.grain))
    }

    /// Whether products are integers whose magnitudes sum up to less than a number.
    pub(crate) fn are_integers_below(&self, most: f64, terms: &Terms) -> bool {
        let products = terms.0.iter();
        let products = products.map(|&(weight, form)| self.bounds(form).scaled(weight));
        let (mut whole, mut mass) = (true, 0.0);
        for product in products {
            whole &= product.grain >= 0;
            mass += product.size();
        }
        whole && mass < most
    }

    /// An upper bound of products added up in order, from bounds alone. Rounding is monotonic, so
    /// the network's operations on upper bounds yield an upper bound.
    pub(crate) fn greatest(&self, terms: &Terms) -> f64 {
        let mut sum = 0.0;
        for &(weight, form) in &terms.0 {
            let Range { lo, hi, .. } = self.bounds(form);
            sum += weight * if weight < 0.0 { lo } else { hi };
        }
        sum
    }

    /// The form of `base + (products added up in order)`, every operation rounded.
    pub(crate) fn sum(&mut self, base: PolyId, terms: &Terms) -> PolyId {
        let terms = &terms.0[..];
        if terms.is_empty() {
            return base;
        }
        if let Some(constant) = self.constant_sum(base, terms) {
            return self.constant(constant);
        }
        let hash = SumMemo::hash(base, terms);
        if let Some(known) = self.memo.sums.find(hash, base, terms) {
            return known;
        }
        let form = self.sum_of_products(base, terms);
        self.memo.sums.insert(hash, base, terms, form);
        form
    }

    /// The sum of constants, by the operations of the network.
    fn constant_sum(&self, base: PolyId, terms: &[(f64, PolyId)]) -> Option<f64> {
        let constant = |form: PolyId| {
            let range = self.bounds(form);
            (range.lo == range.hi).then_some(range.lo)
        };
        let mut sum = 0.0;
        for &(weight, form) in terms {
            sum += weight * constant(form)?;
        }
        Some(constant(base)? + sum)
    }

    fn sum_of_products(&mut self, base: PolyId, terms: &[(f64, PolyId)]) -> PolyId {
        if let [(weight, form)] = *terms {
            // These hold without bounds: powers of two scale numbers exactly, and x - x is 0.
            let [onto, number] = [base, form].map(|form| &self[form]);
            let may = match base.is_zero() {
                true => self.bounds(form).is_scaled_by(weight),
                false => onto.terms().len() == number.terms().len(),
            };
            if may
                && let Some(sum) = onto.plus(weight, number)
                && (base.is_zero() || sum.is_zero())
            {
                return self.id(sum);
            }
        }
        let base_range = Some(base)
            .filter(|base| !base.is_zero())
            .map(|base| self.bounds(base));
        let mut partial = Bounds::zero();
        for &(weight, form) in terms {
            partial.add_product(weight, self.bounds(form));
        }
        if let Some(range) = base_range {
            partial.add(range);
        }
        if partial.exact {
            let mut sum = self[base].clone();
            let all = terms
                .iter()
                .all(|&(weight, form)| sum.add(weight, &self[form]));
            if all && self.is_safe(&sum) {
                return self.id(sum);
            }
        }
        if partial.range.lo == partial.range.hi {
            return self.constant(partial.range.lo + 0.0);
        }
        let mut range = partial.range;
        if let Some(greatest) = self.greatest_by_recency(base, terms) {
            range.hi = range.hi.min(greatest);
        }
        let mut close = Closeness::zero();
        for &(weight, form) in terms {
            let number = self.close_to(&self[form]);
            close.add_product(weight, self.bounds(form), number);
        }
        if let Some(range) = base_range {
            close.add(range, self.close_to(&self[base]));
        }
        let close = close.known;
        if let Some((close, error)) = &close
            && let Some(settled) = self.settle(close, *error, range.grain)
        {
            return self.id(settled);
        }
        let terms = terms.iter().map(|&(w, form)| (w.to_bits(), form));
        let kind = AtomKind::Rounded {
            base,
            terms: terms.collect(),
        };
        let atom = self.atom(kind, || Range::new(range.lo, range.hi, range.grain));
        self.note_closeness(atom, close);
        self.id(Polynomial::atom(atom))
    }

    /// The exact form of a number that is a multiple of `2^least` and differs from `close` by at
    /// most `error`: the part of `close` that is a multiple of `2^least`, if it differs from the
    /// number by less than `2^least`.
    fn settle(&self, close: &Polynomial, error: f64, least: i32) -> Option<Polynomial> {
        if error >= power(least) {
            return None;
        }
        let is_whole = |term: &Polynomial| self.range(term).grain >= least;
        let (whole, rest) = close.split_by(is_whole);
        let error = error + self.range(&rest).size();
        (error < power(least) && self.is_safe(&whole)).then_some(whole)
    }

    /// Whether the lift `y + (x / 2)^2` of a key `(x, y)` is proved to be at most a number. The
    /// lift is the key's height above the parabola through the keys `(2 j, -j^2)`.
    pub fn lifts_at_most(&mut self, most: f64, x: PolyId, y: PolyId) -> bool {
        let [width, height] = [x, y].map(|form| self.bounds(form));
        if height.lo > most {
            return false;
        }
        let half = width.size() / 2.0;
        let rough = height.hi + half * half;
        // The slack covers two rounded operations.
        if rough + (height.size() + half * half) * power(-50) <= most {
            return true;
        }
        let lift = match self.memo.lifts.get(&(x, y)) {
            Some(&known) => known,
            None => {
                let lift = self.lift(&self[x], &self[y]);
                self.memo.lifts.insert((x, y), lift);
                lift
            }
        };
        lift <= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neurons_of_constants_are_constants() {
        let mut interner = Interner::new(1);
        for (gate, value, made) in [
            (2.0, 3.0, 6.0),
            (2.0, -3.0, -6.0),
            (-2.0, 3.0, 0.0),
            (-1.0, -3.0, 0.0),
            (0.0, 5.0, 0.0),
            (0.1, 0.1, 0.1 * 0.1),
        ] {
            let [gate, value] = [gate, value].map(|number| interner.constant(number));
            let neuron = interner.gated(gate, value);
            assert_eq!(interner[neuron].as_constant(), Some(made));
        }
    }

    #[test]
    fn powers_of_two_are_no_forms_where_numbers_get_too_small() {
        let mut interner = Interner::new(1);
        let fine = interner.unknown(0, Range::new(-1.0, 1.0, -1000));
        let fine = interner.id(Polynomial::atom(fine));
        for (exponent, is_form) in [(-74, true), (-75, false), (20, true)] {
            let mut terms = Terms::default();
            terms.push(power(exponent), fine);
            let scaled = interner.sum(PolyId::ZERO, &terms);
            let is_rounded = interner[scaled].as_atom().is_some();
            assert_eq!(is_rounded, !is_form, "2^{exponent}");
        }
    }
}
