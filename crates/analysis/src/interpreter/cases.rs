//! Case distinction by the class of a token's id, the result of one lookup, and one counter.
//!
//! Most of a compiled network depends only on these. The lookup and the counter are those that most
//! gates and queries depend on.

use std::collections::BTreeSet;

use crate::interpreter::analysis::Analysis;
use crate::interpreter::assumptions::HeadAt;
use crate::interpreter::key_layout::{Head, Value};
use crate::interpreter::scope::Scope;
use crate::interpreter::survey::Survey;
use crate::symbolic::atoms::{AtomKind, TIME};
use crate::symbolic::hash::QuickMap;
use crate::symbolic::interner::Interner;
use crate::symbolic::interval::Range;
use crate::symbolic::polynomial::{Atom, PolyId, Polynomial};

/// A lookup that distinguishes more kinds of tokens than this is not used for cases.
const MOST_KINDS: usize = 1024;

/// The fewest gates or queries that depend on the lookup, and gates that depend on the counter.
const FEWEST: usize = 3;

/// The cases that a network distinguishes: by the class of a token's id, by the kind of the token
/// that one lookup finds, and by a counter.
///
/// A network may have no such lookup or counter. Then there is one kind, and the counter is
/// [any number](Counted::Any).
#[derive(Debug)]
pub struct Cases {
    /// The outputs of the lookup, which may be several heads that find one token: head, part of the
    /// output, and the [table](crate::AtomKind::Read) that the output is an entry of.
    pub fetched: Vec<(HeadAt, usize, u32)>,
    /// The kind of the token that the lookup finds, by its id; the last entry is for the first
    /// token, whichever id it has. All outputs of the lookup are equal for tokens of one kind.
    pub kind_of: Vec<u16>,
    /// The number of kinds; those in `kind_of` are below it.
    pub kinds: usize,
    /// A token of each kind: its index in `kind_of`.
    pub(crate) example: Vec<usize>,
    /// The counter, if the network has one.
    pub counter: Option<Counter>,
    /// The number of classes of ids; class 0 contains all ids.
    pub classes: usize,
}

/// A counter of the network, a number that counts up from 0: a part of a head's output, or the
/// position less the output.
#[derive(Debug, Clone, Copy)]
pub struct Counter {
    /// The head, and the part of its output.
    pub head: (HeadAt, usize),
    /// Whether the counter is the position less the output: then the head finds the position at
    /// which the counter was reset.
    pub from_time: bool,
}

/// An assumption about the value of the counter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Counted {
    /// The counter is this number.
    Exactly(f64),
    /// The counter is an integer between two numbers, both included.
    Between([f64; 2]),
    /// The counter may be any number.
    Any,
}

impl Cases {
    /// Finds the lookup and the counter that most gates and queries depend on, and divides the
    /// token ids into [`classes`](Analysis::classes). Takes O(forms of the network + vocabulary ·
    /// columns of few values).
    ///
    /// An analysis has one set of cases. It must be made before any scope.
    #[must_use]
    pub fn new(analysis: &mut Analysis) -> Self {
        let dependencies = Dependencies::of(&analysis.survey, &analysis.interner);
        let mut cases = Self {
            fetched: Vec::new(),
            kind_of: vec![0; analysis.rows.vocab + 1],
            kinds: 1,
            example: vec![0],
            counter: None,
            classes: 1,
        };
        if let Some(place) = most_frequent(&dependencies.places) {
            cases.divide_kinds(analysis, place);
        }
        // A number that is subtracted from the position is the surer sign of a counter.
        let counter = most_frequent(&dependencies.from_time);
        if let Some(atom) = counter.or_else(|| most_frequent(&dependencies.counters)) {
            let head = analysis.survey.output_of(&analysis.interner, atom);
            cases.counter = head.map(|head| Counter {
                head,
                from_time: counter.is_some(),
            });
        }
        analysis
            .classes
            .divide(&analysis.rows, &dependencies.columns);
        cases.classes = analysis.classes.count();
        let sums = analysis.layout.sums.iter().map(|sum| sum.by_id.as_deref());
        analysis.classes.note_sums(sums);
        cases.find_common(analysis);
        cases
    }

    /// Keeps the forms that depend neither on the token's own id nor on the lookup and the counter.
    /// A form equals the number for every token, so it also holds under further assumptions.
    fn find_common(&self, analysis: &mut Analysis) {
        let Analysis {
            survey,
            interner,
            common,
            ..
        } = analysis;
        let decisive = self.fetched.iter().map(|&(at, part, _)| (at, part));
        let decisive = decisive.chain(self.counter.map(|counter| counter.head));
        let decisive: Vec<Atom> = decisive
            .filter_map(|output| interner[survey.output(output)?].as_atom())
            .collect();
        let excepted = interner.tainted_by(|atom, kind| {
            matches!(kind, AtomKind::Token { .. }) || decisive.contains(&atom)
        });
        common.retain(|form| {
            let mut atoms = interner[form].atoms();
            atoms.all(|atom| !excepted[atom as usize])
        });
    }

    /// Divides ids into kinds by the tables that heads read at a place, unless there are too many
    /// kinds.
    fn divide_kinds(&mut self, analysis: &Analysis, place: Atom) {
        let tables = &analysis.layout.tables;
        let fetched = outputs_read_at(analysis, place);
        let mut known: QuickMap<Vec<u64>, u16> = QuickMap::default();
        let mut example = Vec::new();
        let mut kind_of = Vec::new();
        for id in 0..=analysis.rows.vocab {
            let entries = fetched
                .iter()
                .map(|&(_, _, table)| tables[table as usize].entries[id].to_bits());
            if known.len() > MOST_KINDS {
                return;
            }
            let next = known.len() as u16;
            let kind = *known.entry(entries.collect()).or_insert(next);
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

    /// Begins a scope for a token of a class, whose lookup finds a token of a kind, with an
    /// assumption about the counter.
    ///
    /// Such scopes share the forms that depend on equal assumptions.
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
            let answer = analysis.layout.tables[table as usize].entries[self.example[kind]];
            let answer = analysis.interner.constant(answer);
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
                    analysis.interner.atom(kind, || Range::new(lo, hi, 0)),
                ))
            }
            Counted::Any => None,
        };
        let answer = match (number, counter.from_time) {
            (Some(number), true) => Polynomial::atom(TIME).plus(-1.0, &number),
            (number, _) => number,
        };
        let answer = answer.map(|answer| analysis.interner.id(answer));
        scope.index = Some((counter.head, answer));
        scope
    }
}

/// The dependencies of gates, queries and keys: for each atom, the number of forms that are
/// computed from it.
#[derive(Debug, Default)]
struct Dependencies {
    /// Columns of the embedding.
    columns: BTreeSet<u16>,
    /// For each place at which a table is read, the number of forms.
    places: QuickMap<Atom, usize>,
    /// For each atom that may be a counter, the number of gates.
    counters: QuickMap<Atom, usize>,
    /// For each atom, the number of gates that depend on the position less the atom.
    from_time: QuickMap<Atom, usize>,
}

impl Dependencies {
    fn of(survey: &Survey, interner: &Interner) -> Self {
        let mut all = Self::default();
        for &gate in &survey.gates {
            for atom in interner.depends_on(gate) {
                all.add(interner, atom);
                all.add_counter(interner, gate, atom);
            }
        }
        for &form in survey.queries.iter().flatten().chain(&survey.keys) {
            for atom in interner.depends_on(form) {
                all.add(interner, atom);
            }
        }
        all
    }

    fn add(&mut self, interner: &Interner, atom: Atom) {
        match *interner.kind(atom) {
            AtomKind::Token { slot, .. } => {
                self.columns.insert(slot);
            }
            AtomKind::Read { place, .. } => *self.places.entry(place).or_default() += 1,
            _ => {}
        }
    }

    fn add_counter(&mut self, interner: &Interner, gate: PolyId, atom: Atom) {
        if let AtomKind::Latest { .. } | AtomKind::Found { .. } | AtomKind::Kept { .. } =
            interner.kind(atom)
        {
            *self.counters.entry(atom).or_default() += 1;
            let weight = interner[gate].coefficient((0, atom));
            if weight != 0.0 && interner[gate].coefficient((0, TIME)) == -weight {
                *self.from_time.entry(atom).or_default() += 1;
            }
        }
    }
}

/// The atom of the greatest count, if that is at least [`FEWEST`]; the lowest of several such
/// atoms.
fn most_frequent(counts: &QuickMap<Atom, usize>) -> Option<Atom> {
    let enough = counts.iter().filter(|(_, count)| **count >= FEWEST);
    let most = enough.max_by_key(|(atom, count)| (**count, u32::MAX - **atom));
    most.map(|(atom, _)| *atom)
}

/// The outputs that are an entry of a table for the token at a place, with the table.
fn outputs_read_at(analysis: &Analysis, place: Atom) -> Vec<(HeadAt, usize, u32)> {
    let interner = &analysis.interner;
    let mut read = Vec::new();
    for &(at, output) in &analysis.survey.outputs {
        let Head::Place { values, .. } = analysis.layout.head(at) else {
            continue;
        };
        for (part, value) in values.into_iter().enumerate() {
            let Some(Value::Table {
                table,
                time: [0.0, 0.0],
            }) = value
            else {
                continue;
            };
            let is_read = |atom| *interner.kind(atom) == AtomKind::Read { place, table };
            if interner[output[part]].as_atom().is_some_and(is_read) {
                read.push((at, part, table));
            }
        }
    }
    read
}
