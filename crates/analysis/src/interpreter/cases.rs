//! The cases that a network tells tokens apart by, found from its gates and queries.
//!
//! Most of a compiled network depends on very little: on the class of the token's id, on what one
//! lookup by position finds, and on one counter. Which lookup and which counter those are, is found
//! by counting what gates and queries depend on.

use std::collections::BTreeSet;

use crate::interpreter::analysis::{Analysis, Head, HeadAt, Value};
use crate::interpreter::scope::Scope;
use crate::symbolic::atoms::{AtomKind, TIME};
use crate::symbolic::hash::QuickMap;
use crate::symbolic::interval::Range;
use crate::symbolic::polynomial::{Atom, Polynomial};

/// The lookup tells tokens apart in at most so many ways.
const MOST_KINDS: usize = 1024;

/// So many gates and queries must depend on what tokens are told apart by.
const FEWEST: usize = 3;

/// What tokens are told apart by: the class of their ids, the kind of the token that they find, and
/// a counter.
///
/// Nothing is lost where there is no such lookup or counter: there is one kind then, and
/// [`Counted::Any`] is all that is known.
#[derive(Debug)]
pub struct Cases {
    /// The answers of heads that find the same token: head, part of the answer, and the
    /// [table](crate::AtomKind::Read) that says what they answer.
    pub fetched: Vec<(HeadAt, usize, u32)>,
    /// The kind of a token that is found, by its id; at last that of the first token, whatever its
    /// id. Tokens of one kind are answered alike by all these heads.
    pub kind_of: Vec<u16>,
    /// How many kinds there are.
    pub kinds: usize,
    /// A token of each kind: its place in `kind_of`.
    pub(crate) example: Vec<usize>,
    /// The counter, if there is one.
    pub counter: Option<Counter>,
    /// How many classes of ids there are; class 0 is that of all.
    pub classes: usize,
}

/// A number that few values matter of: a head's answer, or the position less that.
#[derive(Debug, Clone, Copy)]
pub struct Counter {
    /// The head, and the part of its answer.
    pub head: (HeadAt, usize),
    /// Whether it is the position less the answer, as where a head finds when something was last
    /// set back.
    pub from_time: bool,
}

/// What is known of the counter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Counted {
    /// It is this number.
    Exactly(f64),
    /// It is an integer, not below the first number and not above the second.
    Between([f64; 2]),
    /// Nothing.
    Any,
}

impl Cases {
    /// Chooses by what most gates and queries depend on, and divides the token ids into
    /// [`classes`](Analysis::classes). Takes O(forms of the network), and O(vocabulary · columns)
    /// of few values.
    ///
    /// For an analysis that is new: an analysis has one set of cases.
    #[must_use]
    pub fn new(analysis: &mut Analysis) -> Self {
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
                    AtomKind::Token { slot, .. } => {
                        slots.insert(slot);
                    }
                    AtomKind::Read { place, .. } => *counts.entry(place).or_default() += 1,
                    AtomKind::Latest { .. } | AtomKind::Found { .. } | AtomKind::Kept { .. }
                        if is_gate =>
                    {
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
        let mut cases = Self {
            fetched: Vec::new(),
            kind_of: vec![0; analysis.rows.vocab + 1],
            kinds: 1,
            example: vec![0],
            counter: None,
            classes: 1,
        };
        if let Some(place) = most(&counts) {
            cases.fetch(analysis, place);
        }
        if let Some(atom) = most(&gate_counts) {
            cases.counter = find(analysis, atom).map(|head| Counter {
                head,
                from_time: from_time.get(&atom).copied().unwrap_or(0) * 2 > gate_counts[&atom],
            });
        }
        analysis.classes.divide(&analysis.rows, &slots);
        cases.classes = analysis.classes.count();
        let sums = analysis.sums.iter().map(|sum| sum.by_id.as_deref());
        analysis.classes.note_sums(sums);
        cases.find_common(analysis);
        cases
    }

    /// Keeps the forms that depend neither on the token's own id nor on what programs are chosen
    /// by. A form is the number exactly, for all tokens that it was derived for, so it holds
    /// whatever else is assumed of them.
    fn find_common(&self, analysis: &mut Analysis) {
        let chosen = self.fetched.iter().map(|&(at, part, _)| (at, part));
        let chosen = chosen.chain(self.counter.map(|counter| counter.head));
        let atoms: Vec<Atom> = chosen
            .filter_map(|head| answer(analysis, head)?.as_atom())
            .collect();
        let atoms_of =
            |atom, kind: &AtomKind| matches!(kind, AtomKind::Token { .. }) || atoms.contains(&atom);
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
                        *analysis.atoms.kind(atom) == AtomKind::Read { place, table }
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

    /// The scope of a token of a class that finds a token of a kind, with what is known of the
    /// counter.
    ///
    /// Forms are shared between such scopes, as far as the assumptions that they depend on are the
    /// same.
    ///
    /// # Panics
    /// If there is no such class or kind.
    pub fn scope(
        &self,
        analysis: &mut Analysis,
        class: u16,
        kind: usize,
        counted: Counted,
    ) -> Scope {
        let mut scope = analysis.scope(class);
        for &(at, part, table) in &self.fetched {
            let answer = analysis.tables[table as usize][self.example[kind]];
            let answer = analysis.atoms.constant(answer);
            scope.fetched.push(((at, part), answer));
        }
        scope.shares = true;
        let Some(counter) = self.counter else {
            return scope;
        };
        let number = match counted {
            Counted::Exactly(number) => Some(Polynomial::constant(number)),
            Counted::Between([lo, hi]) => {
                let bounds = [lo, hi].map(f64::to_bits);
                let kind = AtomKind::Index { bounds };
                Some(Polynomial::atom(
                    analysis.atoms.get(kind, || Range::new(lo, hi, 0)),
                ))
            }
            Counted::Any => None,
        };
        let answer = match (number, counter.from_time) {
            (Some(number), true) => Polynomial::atom(TIME).plus(-1.0, &number),
            (number, _) => number,
        };
        let answer = answer.map(|answer| analysis.atoms.id(answer));
        scope.index = Some((counter.head, answer));
        scope
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
fn answer(analysis: &Analysis, (head, part): (HeadAt, usize)) -> Option<&Polynomial> {
    let mut answers = analysis.survey.answers.iter();
    let (_, answers) = answers.find(|(at, _)| *at == head)?;
    Some(&analysis.atoms[answers[part]])
}
