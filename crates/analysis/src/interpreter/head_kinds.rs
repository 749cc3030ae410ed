//! Classification of heads by their keys: all equal, positions, near a parabola, the highest, or
//! any.

use weightware_hull::{MAX_MAGNITUDE, MIN_MAGNITUDE};

use crate::interpreter::assumptions::{Assumptions, HeadAt};
use crate::interpreter::key_layout::{Group, Head, IdTable, KeyLayout, Sum, Value};
use crate::symbolic::atoms::{AtomKind, TIME};
use crate::symbolic::interner::Interner;
use crate::symbolic::interval::{Range, grain, is_exact};
use crate::symbolic::polynomial::{PolyId, Polynomial, exact_product};
use crate::weights::sparse_weights::SparseWeights;

/// The bound of a running sum that is first assumed, where the proved one is greater.
const EXPECTED_SUM: f64 = (1 << 22) as f64;

/// The query, key and value of a head at any token except the first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadForms {
    pub(crate) query: [PolyId; 2],
    pub(crate) key: [PolyId; 2],
    pub(crate) value: [PolyId; 2],
}

impl HeadForms {
    /// Whether all numbers lie in the range in which scores are compared exactly.
    pub(crate) fn are_in_domain(&self, interner: &Interner) -> bool {
        let mut forms = [self.query, self.key, self.value].into_iter().flatten();
        forms.all(|form| {
            let range = interner.bounds(form);
            let is_coarse = range.grain >= grain(MIN_MAGNITUDE);
            range.size() <= MAX_MAGNITUDE && (range.size() == 0.0 || is_coarse)
        })
    }
}

/// Classifies heads by their keys, and adds their keys and values to a layout.
pub(crate) struct Classifier<'a> {
    pub(crate) weights: &'a SparseWeights,
    pub(crate) interner: &'a Interner,
    pub(crate) layout: &'a mut KeyLayout,
    pub(crate) assumptions: &'a Assumptions,
}

impl Classifier<'_> {
    /// Classifies a head and allocates a place in the layout for its values.
    pub(crate) fn classify(&mut self, at: HeadAt, forms: &HeadForms) -> Head {
        let &HeadForms { query, key, value } = forms;
        if self.assumptions.demoted.contains(&at) {
            return self.hull(at, value);
        }
        let interner = self.interner;
        let first = self.layout.first(at);
        let [x, y] = key.map(|form| &interner[form]);
        let has_positive_y = interner.bounds(query[1]).lo > 0.0;
        let has_even_x = interner.range(x).grain >= 1;
        // Only tables and hulls check key boxes while decoding.
        let may_be_table =
            has_positive_y && has_even_x && x.as_constant().is_none() && parabola(x, y).is_none();
        if !may_be_table && self.may_leave_box(at, x, y) {
            return self.hull(at, value);
        }
        if x.as_constant() == Some(first.key[0]) && y.as_constant() == Some(first.key[1]) {
            return match self.sums(at, value) {
                Some(sums) => Head::Mean(sums),
                None => self.hull(at, value),
            };
        }
        if let Some(key) = parabola(x, y)
            && first.key == [0.0; 2]
        {
            return self.by_position(at, query, key, value);
        }
        if !has_positive_y {
            return self.hull(at, value);
        }
        if x.as_constant() == Some(first.key[0]) {
            return self.grouped(at, true, key, value);
        }
        match has_even_x {
            true => self.grouped(at, false, key, value),
            false => self.hull(at, value),
        }
    }

    /// Whether a key may lie outside the head's key box.
    fn may_leave_box(&self, (layer, head): HeadAt, x: &Polynomial, y: &Polynomial) -> bool {
        let bound = self.weights.layers[layer].heads[head].bound;
        bound.is_some_and(|[greatest_x, greatest_lift]| {
            let lift = match parabola(x, y) {
                Some([2.0, 1.0]) => 0.0,
                _ => self.interner.lift(x, y),
            };
            !(self.interner.range(x).size() <= greatest_x && lift <= greatest_lift)
        })
    }

    fn hull(&mut self, at: HeadAt, value: [PolyId; 2]) -> Head {
        let first = self.layout.first(at).value;
        let ranges = [0, 1].map(|part| self.value_range(value[part], first[part]));
        self.layout.hulls.push(at);
        self.layout.hull_ranges.push(ranges);
        self.layout.hull_forms.push(value);
        Head::Hull(self.layout.hulls.len() as u32 - 1)
    }

    /// The bounds of a value, the first token's included.
    fn value_range(&self, value: PolyId, first: f64) -> Range {
        self.interner.bounds(value).union(Range::of(first))
    }

    /// The parts of a value that reach the residual stream.
    fn live_parts(&self, (layer, head): HeadAt) -> impl Iterator<Item = usize> + use<> {
        let live = self.weights.layers[layer].heads[head].live;
        (0..2).filter(move |&part| live[part])
    }

    /// The running sums of a head's values. `None` if a sum may be rounded.
    fn sums(&mut self, at: HeadAt, value: [PolyId; 2]) -> Option<[Option<u32>; 2]> {
        let mut sums = [None; 2];
        for part in self.live_parts(at) {
            sums[part] = Some(self.sum(at, part, value[part])?);
        }
        Some(sums)
    }

    fn sum(&mut self, head: HeadAt, part: usize, form: PolyId) -> Option<u32> {
        let first = self.layout.first(head).value[part];
        let is_known = |sum: &Sum| sum.form == form && sum.first == first;
        if let Some(known) = self.layout.sums.iter().position(is_known) {
            return Some(known as u32);
        }
        let value = self.value_range(form, first);
        let count = self.interner.last_position() as f64 + 1.0;
        let (mut lo, mut hi) = (value.lo.min(0.0) * count, value.hi.max(0.0) * count);
        if !is_exact(lo.abs().max(hi), value.grain) {
            return None;
        }
        if !self.assumptions.wide && (0.0..EXPECTED_SUM).contains(&first) {
            lo = 0.0;
            if hi > 2.0 * count {
                hi = EXPECTED_SUM;
            }
        }
        let by_id = self.by_id(&self.interner[form]);
        self.layout.sums.push(Sum {
            head,
            part,
            form,
            first,
            range: Range::new(lo, hi, value.grain),
            by_id,
        });
        Some(self.layout.sums.len() as u32 - 1)
    }

    /// Tabulates a form for every id, if its atoms are columns of the embedding.
    fn by_id(&self, form: &Polynomial) -> Option<Vec<f64>> {
        let mut by_id = vec![0.0; self.weights.vocab];
        for &((a, b), coefficient) in form.terms() {
            match (a, self.interner.kind(b)) {
                (0, AtomKind::One) => by_id.iter_mut().for_each(|sum| *sum += coefficient),
                (0, &AtomKind::Token { slot, .. }) => {
                    let embedded = self.weights.embedding.iter().skip(slot.into());
                    let embedded = embedded.step_by(self.weights.d_model);
                    for (sum, number) in by_id.iter_mut().zip(embedded) {
                        *sum += coefficient * number;
                    }
                }
                _ => return None,
            }
        }
        Some(by_id)
    }

    fn by_position(
        &mut self,
        at: HeadAt,
        query: [PolyId; 2],
        key: [f64; 2],
        value: [PolyId; 2],
    ) -> Head {
        let own = self.attends_to_itself(query, key);
        let mut values = [None; 2];
        if !own {
            for part in self.live_parts(at) {
                values[part] = Some(self.value_at_place(at, part, value[part]));
            }
        }
        Head::Place { key, own, values }
    }

    /// A value as a table and a polynomial of the position, or as a stream.
    fn value_at_place(&mut self, at: HeadAt, part: usize, value: PolyId) -> Value {
        let first = self.layout.first(at).value[part];
        let mut of_id = Polynomial::zero();
        let mut time = [0.0; 2];
        for &(monomial, coefficient) in self.interner[value].terms() {
            match monomial {
                (0, TIME) => time[0] = coefficient,
                (TIME, TIME) => time[1] = coefficient,
                _ => of_id = of_id.about_plus(1.0, &Polynomial::monomial(monomial, coefficient)),
            }
        }
        match self.table(of_id, first) {
            Some(table) => Value::Table { table, time },
            None => {
                self.layout.streams.push((at, part));
                Value::Stream {
                    stream: self.layout.streams.len() as u32 - 1,
                    range: self.value_range(value, first),
                }
            }
        }
    }

    /// The table of a form that is a function of ids, with a number for the first token.
    fn table(&mut self, form: Polynomial, first: f64) -> Option<u32> {
        let key = (form, first.to_bits());
        if let Some(&table) = self.layout.table_of.get(&key) {
            return Some(table);
        }
        let mut entries = self.by_id(&key.0)?;
        entries.push(first);
        let constant = Some(first).filter(|first| entries.iter().all(|entry| entry == first));
        let table = self.layout.tables.len() as u32;
        self.layout.tables.push(IdTable {
            entries,
            range: self.interner.range(&key.0).union(Range::of(first)),
            constant,
        });
        self.layout.table_of.insert(key, table);
        Some(table)
    }

    fn grouped(&mut self, at: HeadAt, latest: bool, key: [PolyId; 2], value: [PolyId; 2]) -> Head {
        let averages = !latest && self.assumptions.averaged.contains(&at);
        let is_same =
            |g: &Group| (g.layer, g.latest, g.averages, g.key) == (at.0, latest, averages, key);
        let known = self.layout.groups.iter().position(is_same);
        let group = known.unwrap_or_else(|| {
            self.layout.groups.push(Group {
                layer: at.0,
                latest,
                averages,
                heads: vec![],
                key,
                values: vec![],
                forms: vec![],
                ranges: vec![],
                nearness: vec![],
            });
            self.layout.groups.len() - 1
        });
        let mut values = [None; 2];
        for part in self.live_parts(at) {
            values[part] = Some(self.value_of_group(group, at, part, value[part]));
        }
        self.layout.groups[group].heads.push(at.1);
        Head::Group {
            group: group as u32,
            values,
        }
    }

    /// The number of a value in a group.
    fn value_of_group(&mut self, group: usize, at: HeadAt, part: usize, value: PolyId) -> u32 {
        let first = self.layout.first(at).value[part];
        let KeyLayout {
            groups,
            first: firsts,
            ..
        } = &mut *self.layout;
        let group = &mut groups[group];
        // Two values with one form may still differ at the first token.
        let is_same = |(&form, &(head, part)): (&PolyId, &(usize, usize))| {
            form == value && firsts[at.0][head].value[part] == first
        };
        let known = group.forms.iter().zip(&group.values).position(is_same);
        let number = known.unwrap_or_else(|| {
            let interner = self.interner;
            let close = interner
                .close_to(&interner[value])
                .filter(|(close, _)| interner.is_safe(close) && interner.range(close).grain >= 0);
            let nearness = close.map(|(_, error)| error.max((first - first.round()).abs()));
            let range = interner.bounds(value).union(Range::of(first));
            group.values.push((at.1, part));
            group.forms.push(value);
            group.ranges.push(match group.averages {
                true => range.of_means(),
                false => range,
            });
            group.nearness.push(nearness.filter(|_| !group.averages));
            group.forms.len() - 1
        });
        number as u32
    }

    /// Whether the greatest score is that of the token's own position: `a qx = 2 b qy t`.
    fn attends_to_itself(&self, query: [PolyId; 2], [a, b]: [f64; 2]) -> bool {
        let Some(slope) = self.interner[query[1]].as_constant() else {
            return false;
        };
        let own = exact_product(2.0 * b, slope)
            .map(|c| Polynomial::monomial((0, TIME), c))
            .filter(|_| slope > 0.0);
        own.is_some_and(|own| Polynomial::zero().plus(a, &self.interner[query[0]]) == Some(own))
    }
}

/// `a` and `b`, if the key is `(a t, -b t^2)`.
fn parabola(x: &Polynomial, y: &Polynomial) -> Option<[f64; 2]> {
    let (a, b) = (x.coefficient((0, TIME)), -y.coefficient((TIME, TIME)));
    (x.terms().len() == 1 && y.terms().len() == 1 && a > 0.0 && b > 0.0).then_some([a, b])
}
