//! Kinds of heads: all keys equal, by position, near a parabola, the highest of all, or any.

use std::sync::Arc;

use weightware_hull::{MAX_MAGNITUDE, MIN_MAGNITUDE};

use crate::interpreter::analysis::{
    Analysis, Assumptions, Bailout, Group, Head, HeadAt, Sum, Value,
};
use crate::interpreter::scope::Scope;
use crate::symbolic::atoms::{AtomKind, TIME};
use crate::symbolic::interval::{Range, grain, is_exact};
use crate::symbolic::polynomial::{PolyId, Polynomial, exact_product};

type Result<T> = std::result::Result<T, Bailout>;

/// Sums that may be negative or very great are first assumed not to be.
const EXPECTED_SUM: f64 = (1 << 22) as f64;

impl Analysis {
    /// How the keys of a head are kept, by the forms of its query, key and value.
    pub(crate) fn choose(
        &mut self,
        scope: &mut Scope,
        at: HeadAt,
        assumptions: &Assumptions,
    ) -> Result<Head> {
        let all = Arc::clone(&self.rows);
        let rows = &all.layers[at.0].heads[at.1];
        let query = self.query(scope, at)?;
        let key = self.key(scope, at)?;
        let values = [self.value(scope, at, 0)?, self.value(scope, at, 1)?];
        for form in [query, key, values].into_iter().flatten() {
            let range = self.atoms.bounds(form);
            let fine = grain(MIN_MAGNITUDE);
            if !(range.size() <= MAX_MAGNITUDE && (range.size() == 0.0 || range.grain >= fine)) {
                return Err(Bailout::Model);
            }
        }
        self.survey.queries.push((at, query));
        let first = self.first[at.0][at.1];
        let hull = |this: &mut Self| {
            this.survey.keys.extend(key);
            this.hulls.push(at);
            this.hull_ranges.push([0, 1].map(|part| {
                let value = this.atoms.bounds(values[part]);
                value.union(Range::of(first.value[part]))
            }));
            Ok(Head::Hull(this.hulls.len() as u32 - 1))
        };
        if assumptions.demoted.contains(&at) {
            return hull(self);
        }
        let [x, y] = key.map(|form| self.atoms[form].clone());
        // Only tables and hulls look at boxes.
        let boxed = rows.bound.is_some_and(|[greatest_x, greatest_lift]| {
            let lift = match parabola(&x, &y) {
                Some([2.0, 1.0]) => 0.0,
                _ => self.atoms.lift(&x, &y),
            };
            !(self.atoms.range(&x).size() <= greatest_x && lift <= greatest_lift)
        });
        let table = self.atoms.bounds(query[1]).lo > 0.0
            && self.atoms.range(&x).grain >= 1
            && x.as_constant().is_none()
            && parabola(&x, &y).is_none();
        if boxed && !table {
            return hull(self);
        }
        if x.as_constant() == Some(first.key[0]) && y.as_constant() == Some(first.key[1]) {
            let mut sums = [None; 2];
            for part in (0..2).filter(|&part| rows.live[part]) {
                match self.sum_of(at, part, values[part], assumptions.wide) {
                    Some(sum) => sums[part] = Some(sum),
                    None => return hull(self),
                }
            }
            return Ok(Head::Mean(sums));
        }
        if let Some(key) = parabola(&x, &y)
            && first.key[0] == 0.0
            && first.key[1] == 0.0
        {
            return self.by_position(at, query, key, values);
        }
        if self.atoms.bounds(query[1]).lo <= 0.0 {
            return hull(self);
        }
        if x.as_constant() == Some(first.key[0]) {
            return Ok(self.grouped(at, true, key, values));
        }
        if self.atoms.range(&x).grain >= 1 {
            return Ok(self.grouped(at, false, key, values));
        }
        hull(self)
    }

    fn sum_of(&mut self, at: HeadAt, part: usize, form: PolyId, wide: bool) -> Option<u32> {
        let first = [
            self.first[at.0][at.1].value[0],
            self.first[at.0][at.1].value[1],
        ][part];
        let known = |sum: &Sum| sum.form == form && sum.first == first;
        if let Some(known) = self.sums.iter().position(known) {
            return Some(known as u32);
        }
        let value = self.atoms.bounds(form).union(Range::of(first));
        let count = self.longest as f64 + 1.0;
        let (mut lo, mut hi) = (value.lo.min(0.0) * count, value.hi.max(0.0) * count);
        if !is_exact(lo.abs().max(hi), value.grain) {
            return None;
        }
        if !wide && (0.0..EXPECTED_SUM).contains(&first) {
            lo = 0.0;
            if hi > 2.0 * count {
                hi = EXPECTED_SUM;
            }
        }
        let by_id = self.by_id(&self.atoms[form]);
        self.sums.push(Sum {
            head: at,
            part,
            form,
            first,
            range: Range::new(lo, hi, value.grain),
            by_id,
        });
        Some(self.sums.len() as u32 - 1)
    }

    /// A form over columns of the embedding alone, for every id.
    fn by_id(&self, form: &Polynomial) -> Option<Vec<f64>> {
        let mut by_id = vec![0.0; self.rows.vocab];
        for &((a, b), coefficient) in form.terms() {
            match (a, self.atoms.kind(b)) {
                (0, AtomKind::One) => by_id.iter_mut().for_each(|sum| *sum += coefficient),
                (0, &AtomKind::Token { slot, .. }) => {
                    let embedded = self.rows.embedding.iter().skip(slot.into());
                    let embedded = embedded.step_by(self.rows.d_model);
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
        values: [PolyId; 2],
    ) -> Result<Head> {
        let own = self.attends_to_itself(query, key);
        let first = self.first[at.0][at.1].value;
        let live = self.rows.layers[at.0].heads[at.1].live;
        let mut found = [None, None];
        for part in (0..2).filter(|&part| live[part]) {
            if own {
                continue;
            }
            let mut told = Polynomial::zero();
            let mut time = [0.0; 2];
            for &(monomial, coefficient) in self.atoms[values[part]].terms() {
                match monomial {
                    (0, TIME) => time[0] = coefficient,
                    (TIME, TIME) => time[1] = coefficient,
                    _ => told = told.about_plus(1.0, &Polynomial::monomial(monomial, coefficient)),
                }
            }
            found[part] = Some(match self.table(told, first[part]) {
                Some(table) => Value::Told { table, time },
                None => {
                    self.streams.push((at, part));
                    Value::Kept {
                        stream: self.streams.len() as u32 - 1,
                        range: self
                            .atoms
                            .bounds(values[part])
                            .union(Range::of(first[part])),
                    }
                }
            });
        }
        Ok(Head::Place {
            key,
            own,
            values: found,
        })
    }

    /// The table of a form that is a function of ids, and of a number for the first token.
    fn table(&mut self, form: Polynomial, first: f64) -> Option<u32> {
        let known = (form, first.to_bits());
        if let Some(&table) = self.table_of.get(&known) {
            return Some(table);
        }
        let mut by_id = self.by_id(&known.0)?;
        let range = self.atoms.range(&known.0).union(Range::of(first));
        by_id.push(first);
        let constant = Some(first).filter(|first| by_id.iter().all(|entry| entry == first));
        self.table_constants.push(constant);
        self.tables.push(by_id);
        self.table_ranges.push(range);
        let table = self.tables.len() as u32 - 1;
        self.table_of.insert(known, table);
        Some(table)
    }

    fn grouped(&mut self, at: HeadAt, latest: bool, key: [PolyId; 2], values: [PolyId; 2]) -> Head {
        let same = |g: &Group| g.layer == at.0 && g.latest == latest && g.key == key;
        let group = self.groups.iter().position(same).unwrap_or_else(|| {
            self.survey.keys.extend(key);
            self.groups.push(Group {
                layer: at.0,
                latest,
                heads: vec![],
                key,
                values: vec![],
                forms: vec![],
                ranges: vec![],
                nearness: vec![],
            });
            self.groups.len() - 1
        });
        let all = Arc::clone(&self.rows);
        let rows = &all.layers[at.0].heads[at.1];
        let mut places = [None; 2];
        for part in (0..2).filter(|&part| rows.live[part]) {
            let first = self.first[at.0][at.1].value[part];
            let range = self.atoms.bounds(values[part]).union(Range::of(first));
            let close = self.atoms.close_to(&self.atoms[values[part]]);
            let nearness = close
                .filter(|(close, _)| {
                    self.atoms.is_safe(close) && self.atoms.range(close).grain >= 0
                })
                .map(|(_, error)| error.max((first - first.round()).abs()));
            let group = &mut self.groups[group];
            // Values that are equal at all tokens but the first are told apart by it.
            let same = |(i, form): (usize, &PolyId)| {
                let (head, other) = group.values[i];
                *form == values[part] && self.first[at.0][head].value[other] == first
            };
            let known = group.forms.iter().enumerate().position(same);
            places[part] = Some(known.unwrap_or_else(|| {
                group.values.push((at.1, part));
                group.forms.push(values[part]);
                group.ranges.push(range);
                group.nearness.push(nearness);
                group.forms.len() - 1
            }) as u32);
        }
        self.groups[group].heads.push(at.1);
        Head::Group {
            group: group as u32,
            values: places,
        }
    }

    /// Whether the greatest score is that of the token's own position: `a qx = 2 b qy t`.
    fn attends_to_itself(&self, query: [PolyId; 2], [a, b]: [f64; 2]) -> bool {
        let Some(slope) = self.atoms[query[1]].as_constant() else {
            return false;
        };
        let own = exact_product(2.0 * b, slope)
            .map(|c| Polynomial::monomial((0, TIME), c))
            .filter(|_| slope > 0.0);
        own.is_some_and(|own| Polynomial::zero().plus(a, &self.atoms[query[0]]) == Some(own))
    }
}

/// `a` and `b`, if the key is `(a t, -b t^2)`.
fn parabola(x: &Polynomial, y: &Polynomial) -> Option<[f64; 2]> {
    let (a, b) = (x.coefficient((0, TIME)), -y.coefficient((TIME, TIME)));
    (x.terms().len() == 1 && y.terms().len() == 1 && a > 0.0 && b > 0.0).then_some([a, b])
}
