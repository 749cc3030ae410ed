//! Which program a token gets.

use std::collections::BTreeSet;

use super::analysis::{Analysis, Head, HeadAt, Refusal, Value};
use super::atoms::{Kind, TIME};
use super::compile::{Compiler, Constants, Known};
use super::form::{Atom, Form, FormId};
use super::hash::QuickMap;
use super::interpret::Scope;
use super::program::{Program, Register, ZERO};
use super::range::Range;

/// Small numbers have programs of their own; greater ones share one from each of these powers of two to the next, and there
/// is one for others.
const SINGLE: usize = 16;
const POWERS: [u32; 6] = [4, 10, 16, 22, 26, 32];
const OTHERS: usize = SINGLE + POWERS.len() - 1;

/// Where no token is predicted, small numbers seldom come twice: these share one program.
const TOGETHER: usize = OTHERS + 1;
const LAST_TOGETHER: u32 = (1 << POWERS[1]) - 1;
const BUCKETS: usize = TOGETHER + 1;

/// A lookup by which programs are chosen tells tokens apart in at most so many ways.
const MOST_KINDS: usize = 1024;

/// So many gates and queries must depend on a number by which programs are chosen.
const FEWEST: usize = 3;

/// How programs are chosen.
#[derive(Debug)]
pub(crate) struct Choice {
    /// Heads that find the same token, and the tables that say what they answer.
    fetched: Vec<(HeadAt, usize, u32)>,
    /// By id, and at last for the first token.
    kind_of: Vec<u16>,
    kinds: usize,
    /// A token of each kind.
    example: Vec<usize>,
    index: Option<Index>,
    classes: usize,
}

/// The number by which programs are chosen: an answer, or the position less that.
#[derive(Debug, Clone, Copy)]
struct Index {
    head: (HeadAt, usize),
    from_time: bool,
}

/// What is computed first.
#[derive(Debug)]
pub(crate) struct Prefix {
    pub(crate) program: Program,
    pub(crate) known: Known,
    pub(crate) index: Option<Register>,
    pub(crate) place: Option<Register>,
    /// What index and place are.
    asked: (Option<FormId>, Option<Atom>),
    /// If a token of this class leaves the choice as it was, but for the index: how much greater that is.
    advance: Option<f64>,
}

/// A program, and what a program for the next token can build on.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) program: Program,
    pub(crate) known: Known,
    class: u16,
    kind: usize,
    bucket: usize,
}

impl Choice {
    /// Chooses by what most gates and queries depend on.
    pub(crate) fn new(analysis: &mut Analysis) -> Self {
        let mut counts: QuickMap<Atom, usize> = QuickMap::default();
        let mut gate_counts: QuickMap<Atom, usize> = QuickMap::default();
        let mut from_time: QuickMap<Atom, usize> = QuickMap::default();
        let mut slots: BTreeSet<u16> = BTreeSet::new();
        let survey = &analysis.survey;
        let gates = survey.gates.iter().map(|&form| (true, form));
        let queries = survey.queries.iter().flat_map(|(_, query)| query);
        let others = queries.chain(&survey.keys).map(|&form| (false, form));
        for (is_gate, id) in gates.chain(others) {
            let form = &analysis.atoms[id];
            for atom in analysis.atoms.depends_on(id) {
                match *analysis.atoms.kind(atom) {
                    Kind::Token { slot, .. } => {
                        slots.insert(slot);
                    }
                    Kind::Read { place, .. } => *counts.entry(place).or_default() += 1,
                    Kind::Latest { .. } | Kind::Found { .. } | Kind::Kept { .. } if is_gate => {
                        *gate_counts.entry(atom).or_default() += 1;
                        let weight = form.coefficient((0, atom));
                        if weight != 0.0 && form.coefficient((0, TIME)) == -weight {
                            *from_time.entry(atom).or_default() += 1;
                        }
                    }
                    _ => {}
                }
            }
        }
        let most = |counts: &QuickMap<Atom, usize>| {
            let enough = counts.iter().filter(|(_, count)| **count >= FEWEST);
            enough
                .max_by_key(|(atom, count)| (**count, u32::MAX - **atom))
                .map(|(atom, _)| *atom)
        };
        let mut choice = Self {
            fetched: Vec::new(),
            kind_of: vec![0; analysis.rows.vocab + 1],
            kinds: 1,
            example: vec![0],
            index: None,
            classes: 1,
        };
        if let Some(place) = most(&counts) {
            choice.fetch(analysis, place);
        }
        if let Some(atom) = most(&gate_counts) {
            choice.index = find(analysis, atom).map(|head| Index {
                head,
                from_time: from_time.get(&atom).copied().unwrap_or(0) * 2 > gate_counts[&atom],
            });
        }
        analysis.classes.divide(&analysis.rows, &slots);
        choice.classes = analysis.classes.count();
        let sums = analysis.sums.iter().map(|sum| sum.by_id.as_deref());
        analysis.classes.note_sums(sums);
        choice.find_common(analysis);
        choice
    }

    /// Keeps the forms that depend neither on the token's own id nor on what programs are chosen by. A form is the number
    /// exactly, for all tokens that it was derived for, so it holds whatever else is assumed of them.
    fn find_common(&self, analysis: &mut Analysis) {
        let chosen = self.fetched.iter().map(|&(at, part, _)| (at, part));
        let chosen = chosen.chain(self.index.map(|index| index.head));
        let atoms: Vec<Atom> = chosen
            .filter_map(|head| answer(analysis, head)?.as_atom())
            .collect();
        let atoms_of =
            |atom, kind: &Kind| matches!(kind, Kind::Token { .. }) || atoms.contains(&atom);
        let excepted = analysis.atoms.made_of(atoms_of);
        let Analysis { common, atoms, .. } = analysis;
        common.retain(|form| atoms[form].atoms().all(|atom| !excepted[atom as usize]));
    }

    fn fetch(&mut self, analysis: &Analysis, place: Atom) {
        let mut fetched = Vec::new();
        for (at, answers) in &analysis.survey.answers {
            let Head::Place { values, .. } = &analysis.heads[at.0][at.1] else {
                continue;
            };
            for (part, value) in values.iter().enumerate() {
                if let Some(Value::Told {
                    table,
                    time: [0.0, 0.0],
                }) = *value
                    && analysis.atoms[answers[part]].as_atom().is_some_and(|atom| {
                        *analysis.atoms.kind(atom) == Kind::Read { place, table }
                    })
                {
                    fetched.push((*at, part, table));
                }
            }
        }
        let mut known: QuickMap<Vec<u64>, u16> = QuickMap::default();
        let mut example = Vec::new();
        let mut kind_of = Vec::new();
        for id in 0..=analysis.rows.vocab {
            let entry =
                |&(_, _, table): &(_, _, u32)| analysis.tables[table as usize][id].to_bits();
            let key = fetched.iter().map(entry).collect();
            if known.len() > MOST_KINDS {
                return;
            }
            let next = known.len() as u16;
            let kind = *known.entry(key).or_insert(next);
            if kind == next && usize::from(kind) == example.len() {
                example.push(id);
            }
            kind_of.push(kind);
        }
        self.kinds = example.len();
        self.fetched = fetched;
        self.kind_of = kind_of;
        self.example = example;
    }

    /// How many programs there may be.
    pub(crate) fn programs(&self) -> usize {
        self.classes * self.kinds * BUCKETS * 2
    }

    /// The number of the program for a token of a class, which finds a token, and whose index is a number.
    #[inline]
    pub(crate) fn number(&self, class: u16, found: usize, index: f64, predict: bool) -> usize {
        let kind = usize::from(self.kind_of[found]);
        let bucket = bucket(index, predict);
        ((usize::from(class) * self.kinds + kind) * BUCKETS + bucket) * 2 + usize::from(predict)
    }

    /// The program of all tokens of a class that leads to the choice.
    pub(crate) fn prefix(
        &self,
        analysis: &mut Analysis,
        class: u16,
        heights: &[f64],
        constants: &mut Constants,
    ) -> Result<Prefix, Refusal> {
        let mut scope = analysis.scope(class);
        let known = Known::new(analysis.fixed.end().ok_or(Refusal::Model)?);
        let mut compiler = Compiler::new(analysis, &mut scope, known, heights, constants);
        let mut asked = (None, None);
        let mut index = None;
        if let Some(Index {
            head: (at, part),
            from_time,
        }) = self.index
        {
            let mut form = compiler.analysis.answers(compiler.scope, at)?[part];
            if from_time {
                let time = Form::atom(TIME).plus(-1.0, &compiler.analysis.atoms[form]);
                form = compiler.analysis.atoms.id(time.ok_or(Refusal::Model)?);
            }
            asked.0 = Some(form);
            index = Some(compiler.form(form)?);
        }
        let mut place = None;
        if let Some(&(at, part, _)) = self.fetched.first() {
            let answer = compiler.analysis.answers(compiler.scope, at)?[part];
            let atoms = &compiler.analysis.atoms;
            let read = atoms[answer].as_atom().map(|atom| atoms.kind(atom));
            // A constant: it attends to the first token.
            place = Some(ZERO);
            if let Some(&Kind::Read { place: atom, .. }) = read {
                asked.1 = Some(atom);
                place = Some(compiler.atom(atom)?);
            }
        }
        let advance = compiler.advance(asked)?;
        let (program, known) = compiler.finish();
        analysis.end(scope);
        Ok(Prefix {
            program,
            known,
            index,
            place,
            asked,
            advance,
        })
    }

    /// The rest for one choice.
    pub(crate) fn program(
        &self,
        analysis: &mut Analysis,
        prefix: &Prefix,
        class: u16,
        (found, index, predict): (usize, f64, bool),
        heights: &[f64],
        constants: &mut Constants,
    ) -> Result<Written, Refusal> {
        let (kind, bucket) = (usize::from(self.kind_of[found]), bucket(index, predict));
        let mut scope = self.scope(analysis, class, kind, bucket);
        let known = prefix.known.clone();
        let mut compiler = Compiler::new(analysis, &mut scope, known, heights, constants);
        compiler.keys()?;
        if predict {
            compiler.output()?;
        }
        let (program, known) = compiler.finish();
        analysis.end(scope);
        Ok(Written {
            program,
            known,
            class,
            kind,
            bucket,
        })
    }

    /// The program for a token of a class behind one that had a certain program, if that suffices to choose it. By class,
    /// there are prefixes.
    pub(crate) fn successor(
        &self,
        analysis: &mut Analysis,
        prefixes: &[Option<Prefix>],
        last: &Written,
        class: u16,
        heights: &[f64],
        constants: &mut Constants,
    ) -> Result<Option<Written>, Refusal> {
        let [before, after] =
            [last.class, class].map(|class| prefixes[usize::from(class)].as_ref());
        let (Some(before), Some(after)) = (before, after) else {
            return Ok(None);
        };
        let Some(advance) = after.advance.filter(|_| before.asked == after.asked) else {
            return Ok(None);
        };
        let next = bucket(last.bucket as f64 + advance, true);
        // Their number is limited because the index grows.
        if last.bucket >= SINGLE || next >= SINGLE || next <= last.bucket {
            return Ok(None);
        }
        let mut scope = self.scope(analysis, class, last.kind, next);
        let known = last.known.next();
        let mut compiler = Compiler::new(analysis, &mut scope, known, heights, constants);
        compiler.carried = Some(&last.known);
        if let Some(place) = after.asked.1 {
            let Some(&register) = last.known.atoms.get(&place) else {
                return Ok(None);
            };
            compiler.known.atoms.insert(place, register);
            compiler.guard((register, 0.0));
        }
        compiler.keys()?;
        compiler.output()?;
        compiler.carry()?;
        let (program, known) = compiler.finish();
        analysis.end(scope);
        Ok(Some(Written {
            program,
            known,
            class,
            kind: last.kind,
            bucket: next,
        }))
    }

    fn scope(&self, analysis: &mut Analysis, class: u16, kind: usize, bucket: usize) -> Scope {
        let mut scope = analysis.scope(class);
        for &(at, part, table) in &self.fetched {
            let answer = analysis.tables[table as usize][self.example[kind]];
            let answer = analysis.atoms.constant(answer);
            scope.fetched.push(((at, part), answer));
        }
        scope.shares = true;
        let Some(chosen) = self.index else {
            return scope;
        };
        let number = match bounds(bucket) {
            Some((lo, hi)) if lo == hi => Some(Form::constant(lo)),
            Some((lo, hi)) => {
                let kind = Kind::Index {
                    bucket: bucket as u16,
                };
                Some(Form::atom(
                    analysis.atoms.get(kind, || Range::new(lo, hi, 0)),
                ))
            }
            None => None,
        };
        let answer = match (number, chosen.from_time) {
            (Some(number), true) => Form::atom(TIME).plus(-1.0, &number),
            (number, _) => number,
        };
        let answer = answer.map(|answer| analysis.atoms.id(answer));
        scope.index = Some((chosen.head, answer));
        scope
    }
}

impl Compiler<'_> {
    /// By how much an index grows from one token to the next, if the rest of it and the query of a place stay.
    fn advance(
        &mut self,
        (index, place): (Option<FormId>, Option<Atom>),
    ) -> Result<Option<f64>, Refusal> {
        let mut advance = 0.0;
        if let Some(index) = index {
            advance = self.analysis.atoms[index].coefficient((0, TIME));
            let rest = self.analysis.atoms[index].plus(-advance, &Form::atom(TIME));
            let Some(rest) = rest else { return Ok(None) };
            let rest = self.analysis.atoms.id(rest);
            if !self.form_stays(rest)? {
                return Ok(None);
            }
        }
        if let Some(place) = place {
            let &Kind::Place { query, .. } = self.analysis.atoms.kind(place) else {
                return Ok(None);
            };
            // As for places that are carried.
            let level = self.analysis.atoms[query[1]].as_constant() == Some(1.0);
            if !(level && self.form_stays(query[0])?) {
                return Ok(None);
            }
        }
        Ok(Some(advance))
    }
}

/// The head whose answer is an atom.
fn find(analysis: &Analysis, atom: Atom) -> Option<(HeadAt, usize)> {
    analysis.survey.answers.iter().find_map(|(at, answers)| {
        let part = answers
            .iter()
            .position(|&answer| analysis.atoms[answer].as_atom() == Some(atom))?;
        Some((*at, part))
    })
}

/// What the survey found a head to answer.
fn answer(analysis: &Analysis, (head, part): (HeadAt, usize)) -> Option<&Form> {
    let mut answers = analysis.survey.answers.iter();
    let (_, answers) = answers.find(|(at, _)| *at == head)?;
    Some(&analysis.atoms[answers[part]])
}

#[inline]
fn bucket(index: f64, predict: bool) -> usize {
    // A cast saturates; it is the number itself if that is whole and not negative.
    let whole = index as u32;
    if f64::from(whole) != index {
        return OTHERS;
    }
    if !predict && (1..=LAST_TOGETHER).contains(&whole) {
        return TOGETHER;
    }
    if (whole as usize) < SINGLE {
        return whole as usize;
    }
    let next = POWERS.iter().position(|&power| whole.ilog2() < power);
    // The first power is that of the least number that is not small.
    SINGLE - 1 + next.unwrap_or(POWERS.len())
}

/// The least and the greatest number of a bucket; they are whole.
fn bounds(bucket: usize) -> Option<(f64, f64)> {
    if bucket < SINGLE {
        Some((bucket as f64, bucket as f64))
    } else if bucket == TOGETHER {
        Some((1.0, LAST_TOGETHER.into()))
    } else if bucket < OTHERS {
        let power = |at: usize| (1_u64 << POWERS[at]) as f64;
        let at = bucket - SINGLE;
        Some((power(at), power(at + 1) - 1.0))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_their_numbers() {
        for index in (0..100)
            .chain([1000, 1 << 20, (1 << 24) - 1])
            .map(f64::from)
        {
            for predict in [false, true] {
                let (lo, hi) = bounds(bucket(index, predict)).unwrap();
                assert!((lo..=hi).contains(&index), "{index}");
            }
        }
        for index in [-1.0, 0.5, 1e12, f64::NAN] {
            assert_eq!(bucket(index, true), OTHERS);
        }
    }
}
