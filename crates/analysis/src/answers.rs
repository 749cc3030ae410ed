//! What heads answer, as forms.

use crate::analysis::{Analysis, Head, HeadAt, Refusal, Value};
use crate::atoms::Kind;
use crate::form::{Atom, Form, FormId};
use crate::interpret::Scope;
use crate::range::{Range, is_power, power};
use crate::shared::{INDEX, fetched};

type Result<T> = std::result::Result<T, Refusal>;

impl Scope {
    /// The answer of a head, if it is assumed.
    fn told(&mut self, head: (HeadAt, usize)) -> Option<FormId> {
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
    /// What a live head answers the token: both parts, 0 of one that does not reach the residual stream.
    ///
    /// # Errors
    /// If the network cannot be followed there.
    ///
    /// # Panics
    /// If there is no such head.
    pub fn answers(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[FormId; 2]> {
        let node = self.rows.layers[at.0].answers_node(at.1);
        self.node(scope, node, |this, scope| this.answered(scope, at))
    }

    fn answered(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[FormId; 2]> {
        let mut answers = [FormId::ZERO; 2];
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
    fn asked(&mut self, scope: &mut Scope, at: HeadAt) -> Result<Option<[FormId; 2]>> {
        match self.heads[at.0][at.1] {
            Head::Mean(_) => Ok(Some([FormId::ZERO; 2])),
            Head::Group { group, .. } if self.groups[group as usize].latest => {
                Ok(Some([FormId::ZERO; 2]))
            }
            Head::Place { .. } => self.query_above(scope, at),
            _ => self.query(scope, at).map(Some),
        }
    }

    fn answer(&mut self, at: HeadAt, part: usize, query: [FormId; 2]) -> Result<FormId> {
        if let Some(&known) = self.made.answers.get(&(at, part, query)) {
            return Ok(known);
        }
        let answer = self.answer_to(at, part, query)?;
        self.made.answers.insert((at, part, query), answer);
        Ok(answer)
    }

    fn answer_to(&mut self, at: HeadAt, part: usize, query: [FormId; 2]) -> Result<FormId> {
        match self.heads[at.0][at.1] {
            Head::Mean(sums) => {
                let Some(index) = sums[part] else {
                    return Ok(FormId::ZERO);
                };
                let sum = &self.sums[index as usize];
                let value = self.atoms.bounds(sum.form).union(Range::of(sum.first));
                let range = sum.range;
                self.atoms.get(Kind::Sum { sum: index }, || range);
                // An average of up to 2^27 numbers, rounded.
                let range = Range::new(value.lo, value.hi, value.grain.min(0) - 80);
                Ok(self.atoms.id_of(Kind::Mean { sum: index }, || range))
            }
            Head::Place { key, values, .. } => self.attended(at, part, query, key, values[part]),
            Head::Group { group, values } => {
                let Some(value) = values[part] else {
                    return Ok(FormId::ZERO);
                };
                let range = self.groups[group as usize].ranges[value as usize];
                let atom = if self.groups[group as usize].latest {
                    let atom = self.atoms.get(Kind::Latest { group, value }, || range);
                    if let Some(error) = self.groups[group as usize].nearness[value as usize] {
                        self.atoms.note_nearness(atom, error);
                    }
                    atom
                } else {
                    let (query, _) = self.normal(query, [2.0, 1.0], false);
                    let entry = self
                        .atoms
                        .get(Kind::Entry { group, query }, || Range::of(0.0));
                    self.atoms.get(Kind::Found { entry, value }, || range)
                };
                Ok(self.atoms.id(Form::atom(atom)))
            }
            Head::Hull(head) => {
                let range = self.hull_ranges[head as usize][part];
                let kind = Kind::Hull {
                    head,
                    query,
                    part: part == 1,
                };
                let range = Range::new(range.lo, range.hi, range.grain.min(0) - 80);
                Ok(self.atoms.id_of(kind, || range))
            }
        }
    }

    /// A head that asks for a place, which is an atom of kind [`Kind::Place`].
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
        query: [FormId; 2],
        key: [f64; 2],
        value: Option<Value>,
    ) -> Result<FormId> {
        let Some(value) = value else {
            return Ok(FormId::ZERO);
        };
        let [x, y] = query.map(|form| self.atoms.bounds(form));
        let first = Form::constant(self.first[at.0][at.1].value[part]);
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
        let place = Kind::Place {
            query,
            key: key.map(f64::to_bits),
        };
        let last = self.last_place(query, key);
        let place = self.atoms.get(place, || Range::new(0.0, last, 0));
        self.askers.insert(place, at);
        match value {
            Value::Kept { stream, range } => {
                let kind = Kind::Kept { place, stream };
                Ok(self.atoms.id_of(kind, || range))
            }
            Value::Told { table, time } => {
                let told = match self.table_constants[table as usize] {
                    Some(constant) => Form::constant(constant),
                    None => {
                        let range = self.table_ranges[table as usize];
                        Form::atom(self.atoms.get(Kind::Read { place, table }, || range))
                    }
                };
                let polynomial = Form::monomial((0, place), time[0])
                    .plus(1.0, &Form::monomial((place, place), time[1]))
                    .ok_or(Refusal::Head(at))?;
                match told
                    .plus(1.0, &polynomial)
                    .filter(|sum| self.atoms.is_safe(sum))
                {
                    Some(sum) => Ok(self.atoms.id(sum)),
                    None => Err(Refusal::Head(at)),
                }
            }
        }
    }

    /// The last position that can be nearest to a query: that of keys `(a t, -b t^2)` is nearest to `a x / (2 b y)`, which is no
    /// position but a bound of the one found.
    fn last_place(&self, query: [FormId; 2], [a, b]: [f64; 2]) -> f64 {
        let [x, y] = query.map(|form| self.atoms.bounds(form));
        let longest = self.longest as f64;
        if y.lo <= 0.0 {
            return longest;
        }
        let nearest = a * x.hi.max(0.0) / (2.0 * b * y.lo);
        // Three operations, each rounded; then to the nearest integer.
        (nearest * (1.0 + power(-48)) + 0.5).floor().min(longest)
    }

    /// The same question with the query `(q, 1)` and keys `(2 t, -t^2)`, if that is exactly the same. Where only the nearest
    /// integer counts, q is that if it is known to be close to one.
    fn normal(
        &mut self,
        query: [FormId; 2],
        key: [f64; 2],
        nearest: bool,
    ) -> ([FormId; 2], [f64; 2]) {
        let [a, b] = key;
        let slope = self.atoms[query[1]].as_constant();
        let Some(slope) = slope.filter(|slope| *slope > 0.0) else {
            return (query, key);
        };
        let factor = a / (2.0 * b * slope);
        if !(is_power(factor) && is_power(slope) && is_power(a) && is_power(b)) {
            return (query, key);
        }
        let Some(scaled) = Form::zero().plus(factor, &self.atoms[query[0]]) else {
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
