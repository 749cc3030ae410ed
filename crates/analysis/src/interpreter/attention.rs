//! Transfer functions of attention: the outputs of a head as polynomials, by the kind of its keys.

use crate::interpreter::analysis::{Analysis, Bailout, Head, HeadAt, Value};
use crate::interpreter::memo::{INDEX, fetched};
use crate::interpreter::scope::Scope;
use crate::symbolic::atoms::AtomKind;
use crate::symbolic::interval::{Range, is_power, power};
use crate::symbolic::polynomial::{Atom, PolyId, Polynomial};

type Result<T> = std::result::Result<T, Bailout>;

impl Scope {
    /// The answer of a head, if it is assumed.
    fn told(&mut self, head: (HeadAt, usize)) -> Option<PolyId> {
        if let Some(number) = self.fetched.iter().position(|(at, _)| *at == head) {
            self.assumed |= fetched(number);
            return Some(self.fetched[number].1);
        }
        let (_, index) = self.index.filter(|(at, _)| *at == head)?;
        self.assumed |= INDEX;
        index
    }
}

impl Analysis {
    /// What a live head answers the token: both parts, 0 of one that does not reach the residual
    /// stream.
    ///
    /// # Errors
    /// If the network cannot be followed there.
    ///
    /// # Panics
    /// If there is no such head.
    pub fn answers(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[PolyId; 2]> {
        let node = self.rows.layers[at.0].answers_node(at.1);
        self.node(scope, node, |this, scope| this.answered(scope, at))
    }

    fn answered(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[PolyId; 2]> {
        let mut answers = [PolyId::ZERO; 2];
        let live = self.rows.layers[at.0].heads[at.1].live;
        let mut query = None;
        for part in (0..2).filter(|&part| live[part]) {
            answers[part] = if let Some(form) = scope.told((at, part)) {
                form
            } else if let Head::Place { own: true, .. } = self.heads[at.0][at.1] {
                self.value(scope, at, part)?
            } else {
                let query = match query {
                    Some(query) => query,
                    None => *query.insert(self.asked(scope, at)?),
                };
                match query {
                    Some(query) => self.answer(at, part, query)?,
                    None => self.atoms.constant(self.first[at.0][at.1].value[part]),
                }
            };
        }
        Ok(answers)
    }

    /// The query of a head, as far as it matters; none if the first token is seen to win.
    fn asked(&mut self, scope: &mut Scope, at: HeadAt) -> Result<Option<[PolyId; 2]>> {
        match self.heads[at.0][at.1] {
            Head::Mean(_) => Ok(Some([PolyId::ZERO; 2])),
            Head::Group { group, .. } if self.groups[group as usize].latest => {
                Ok(Some([PolyId::ZERO; 2]))
            }
            Head::Place { .. } => self.query_above(scope, at),
            _ => self.query(scope, at).map(Some),
        }
    }

    fn answer(&mut self, at: HeadAt, part: usize, query: [PolyId; 2]) -> Result<PolyId> {
        if let Some(&known) = self.made.answers.get(&(at, part, query)) {
            return Ok(known);
        }
        let answer = self.answer_to(at, part, query)?;
        self.made.answers.insert((at, part, query), answer);
        Ok(answer)
    }

    fn answer_to(&mut self, at: HeadAt, part: usize, query: [PolyId; 2]) -> Result<PolyId> {
        match self.heads[at.0][at.1] {
            Head::Mean(sums) => {
                let Some(index) = sums[part] else {
                    return Ok(PolyId::ZERO);
                };
                let sum = &self.sums[index as usize];
                let value = self.atoms.bounds(sum.form).union(Range::of(sum.first));
                let range = sum.range;
                self.atoms.get(AtomKind::Sum { sum: index }, || range);
                // An average of up to 2^27 numbers, rounded.
                let range = Range::new(value.lo, value.hi, value.grain.min(0) - 80);
                Ok(self.atoms.id_of(AtomKind::Mean { sum: index }, || range))
            }
            Head::Place { key, values, .. } => self.attended(at, part, query, key, values[part]),
            Head::Group { group, values } => {
                let Some(value) = values[part] else {
                    return Ok(PolyId::ZERO);
                };
                let range = self.groups[group as usize].ranges[value as usize];
                let atom = if self.groups[group as usize].latest {
                    let atom = self.atoms.get(AtomKind::Latest { group, value }, || range);
                    if let Some(error) = self.groups[group as usize].nearness[value as usize] {
                        self.atoms.note_nearness(atom, error);
                    }
                    atom
                } else {
                    let (query, _) = self.normal(query, [2.0, 1.0], false);
                    let entry = self
                        .atoms
                        .get(AtomKind::Entry { group, query }, || Range::of(0.0));
                    self.atoms.get(AtomKind::Found { entry, value }, || range)
                };
                Ok(self.atoms.id(Polynomial::atom(atom)))
            }
            Head::Hull(head) => {
                let range = self.hull_ranges[head as usize][part];
                let kind = AtomKind::Hull {
                    head,
                    query,
                    part: part == 1,
                };
                let range = Range::new(range.lo, range.hi, range.grain.min(0) - 80);
                Ok(self.atoms.id_of(kind, || range))
            }
        }
    }

    /// A head that asks for a place, which is an atom of kind [`AtomKind::Place`].
    ///
    /// # Panics
    /// If the atom is of another kind.
    #[must_use]
    pub fn asker(&self, place: Atom) -> HeadAt {
        self.askers[&place]
    }

    fn attended(
        &mut self,
        at: HeadAt,
        part: usize,
        query: [PolyId; 2],
        key: [f64; 2],
        value: Option<Value>,
    ) -> Result<PolyId> {
        let Some(value) = value else {
            return Ok(PolyId::ZERO);
        };
        let [x, y] = query.map(|form| self.atoms.bounds(form));
        let first = Polynomial::constant(self.first[at.0][at.1].value[part]);
        // Position 1 scores less than position 0, and later ones even less.
        if y.lo >= 0.0 && key[0] * x.hi < key[1] * y.lo - (key[1] * y.lo).abs() * power(-50) {
            return Ok(self.atoms.id(first));
        }
        if y.lo >= 0.0 && x.hi < 0.0 {
            return Ok(self.atoms.id(first));
        }
        let (query, key) = self.normal(query, key, true);
        if self.atoms[query[1]].as_constant() == Some(1.0)
            && key == [2.0, 1.0]
            && self.atoms.bounds(query[0]).hi < 0.5
        {
            return Ok(self.atoms.id(first));
        }
        let place = AtomKind::Place {
            query,
            key: key.map(f64::to_bits),
        };
        let asked = query.map(|form| self.atoms.bounds(form));
        let last = last_place(asked, key).min(self.longest as f64);
        let place = self.atoms.get(place, || Range::new(0.0, last, 0));
        self.askers.insert(place, at);
        match value {
            Value::Kept { stream, range } => {
                let kind = AtomKind::Kept { place, stream };
                Ok(self.atoms.id_of(kind, || range))
            }
            Value::Told { table, time } => {
                let told = match self.table_constants[table as usize] {
                    Some(constant) => Polynomial::constant(constant),
                    None => {
                        let range = self.table_ranges[table as usize];
                        Polynomial::atom(self.atoms.get(AtomKind::Read { place, table }, || range))
                    }
                };
                let polynomial = Polynomial::monomial((0, place), time[0])
                    .plus(1.0, &Polynomial::monomial((place, place), time[1]))
                    .ok_or(Bailout::Head(at))?;
                match told
                    .plus(1.0, &polynomial)
                    .filter(|sum| self.atoms.is_safe(sum))
                {
                    Some(sum) => Ok(self.atoms.id(sum)),
                    None => Err(Bailout::Head(at)),
                }
            }
        }
    }

    /// The same question with the query `(q, 1)` and keys `(2 t, -t^2)`, if that is exactly the
    /// same. Where only the nearest integer counts, q is that if it is known to be close to one.
    fn normal(
        &mut self,
        query: [PolyId; 2],
        key: [f64; 2],
        nearest: bool,
    ) -> ([PolyId; 2], [f64; 2]) {
        let [a, b] = key;
        let slope = self.atoms[query[1]].as_constant();
        let Some(slope) = slope.filter(|slope| *slope > 0.0) else {
            return (query, key);
        };
        let factor = a / (2.0 * b * slope);
        if !(is_power(factor) && is_power(slope) && is_power(a) && is_power(b)) {
            return (query, key);
        }
        let Some(scaled) = Polynomial::zero().plus(factor, &self.atoms[query[0]]) else {
            return (query, key);
        };
        let one = self.atoms.constant(1.0);
        if nearest
            && let Some((close, error)) = self.atoms.close_to(&scaled)
            && error < 0.49
            && self.atoms.is_safe(&close)
            && self.atoms.range(&close).grain >= 0
        {
            return ([self.atoms.id(close), one], [2.0, 1.0]);
        }
        ([self.atoms.id(scaled), one], [2.0, 1.0])
    }
}

/// A position that no position found by a query `(x, y)` is beyond: that of keys `(a t, -b t^2)` is
/// the nearest to `a x / (2 b y)`. Infinite, if none is known.
fn last_place([x, y]: [Range; 2], [a, b]: [f64; 2]) -> f64 {
    if y.lo <= 0.0 {
        return f64::INFINITY;
    }
    let nearest = a * x.hi.max(0.0) / (2.0 * b * y.lo);
    // Three operations, each rounded; then to the nearest integer, of two the greater.
    let last = (nearest * (1.0 + power(-48)) + 0.5).floor();
    if last.is_nan() { f64::INFINITY } else { last }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    /// The last of the positions that score most, of so many: with integers, exactly.
    fn scan([x, y]: [i64; 2], [a, b]: [i64; 2], positions: i64) -> i64 {
        let [x, y, a, b] = [x, y, a, b].map(i128::from);
        let score = |t: &i64| {
            let t = i128::from(*t);
            a * t * x - b * t * t * y
        };
        (0..positions).max_by_key(score).expect("a position")
    }

    #[test]
    fn no_position_found_lies_beyond_the_last() {
        const POSITIONS: i64 = 150;
        let mut random = Random::new(1);
        let (mut ties, mut exact) = (0, 0);
        for round in 0..4_000 {
            let b = random.integer(1, 1 << 22);
            let y = random.integer(1, 1 << 50);
            // An x that finds about a position, in one of three rounds exactly between two.
            let (a, x) = if round % 3 == 0 {
                let position = random.integer(0, POSITIONS);
                let y = y.min(1 << 44);
                ties += 1;
                check(&mut exact, [(2 * position + 1) * y, y], [b; 2]);
                continue;
            } else {
                let a = random.integer(1 << 49, 1 << 50);
                let position = random.integer(-20, 2 * POSITIONS + 40);
                let x = i128::from(b) * i128::from(y) * i128::from(position) / i128::from(a);
                (a, x as i64 + random.integer(-3, 3))
            };
            check(&mut exact, [x, y], [a, b]);
        }

        /// Of bounds that are the numbers, the last position is found, or the next; of wider ones,
        /// it is not beyond.
        fn check(exact: &mut usize, query @ [x, y]: [i64; 2], key: [i64; 2]) {
            let found = scan(query, key, POSITIONS);
            let key = key.map(|number| number as f64);
            let known = query.map(|number| Range::of(number as f64));
            let last = last_place(known, key);
            let sure = last.min((POSITIONS - 1) as f64);
            assert!(
                found as f64 <= sure,
                "{query:?} {key:?}: {found} beyond {sure}"
            );
            assert!(
                sure <= found as f64 + 1.0,
                "{query:?} {key:?}: {found}, {sure} is far"
            );
            *exact += usize::from(found as f64 == sure);
            let wider = [
                Range::new(x as f64 - 9e9, x as f64 + 7.0, 0),
                Range::new((y / 2 + 1) as f64, y as f64 + 1e9, 0),
            ];
            assert!(last <= last_place(wider, key), "{query:?} {key:?}");
        }
        assert!(ties > 1_000 && exact > 3_900, "{ties} ties, {exact} exact");
    }

    #[test]
    fn unsteady_queries_have_no_last_position() {
        let x = Range::new(0.0, 5.0, 0);
        for (y, last) in [
            (Range::new(0.0, 1.0, -10), f64::INFINITY),
            (Range::new(-1.0, 1.0, 0), f64::INFINITY),
            (Range::new(power(-10), 1.0, -10), 5120.0),
            (Range::of(1.0), 5.0),
        ] {
            assert_eq!(last_place([x, y], [2.0, 1.0]), last, "{y:?}");
        }
        let below = Range::new(-9.0, -1.0, 0);
        assert_eq!(last_place([below, Range::of(1.0)], [2.0, 1.0]), 0.0);
        // Neither product is a float.
        let huge = Range::of(power(600));
        assert_eq!(last_place([huge; 2], [power(600); 2]), f64::INFINITY);
    }
}
