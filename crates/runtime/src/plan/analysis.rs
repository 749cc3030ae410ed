//! What the weights make of a token, as forms: abstract interpretation of the network, on demand.

use std::sync::Arc;

use weightware_hull::{MAX_MAGNITUDE, MIN_MAGNITUDE};

use super::arithmetic::Made;
use super::atoms::{Atoms, Kind, Mark, TIME};
use super::classes::Classes;
use super::form::{Atom, Form, FormId, exact_product};
use super::hash::{QuickMap, QuickSet};
use super::interpret::{Forms, Scope};
use super::program::Fixed;
use super::range::{Range, grain, is_exact, power};
use super::rows::{HeadRows, Rows};
use super::shared::Shared;
use crate::cache::Call;
use crate::sparse::Row;

/// A live head: its layer, and its place among the live heads of it.
pub(crate) type HeadAt = (usize, usize);

/// Why a plan does not hold, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A head needs a hull of its own.
    Head(HeadAt),
    /// So do all heads of a group.
    Group(u32),
    /// A sum leaves the range that was expected.
    Sums,
    /// The first token's id comes again.
    Sentinel,
    /// The model as a whole, or from here on.
    Model,
}

/// What a plan expects of the tokens to come; given up where they disappoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    /// Heads that have hulls of their own, because others stores did not do.
    pub(crate) demoted: QuickSet<HeadAt>,
    /// Whether sums may have any value.
    pub(crate) wide: bool,
    /// An id that will not come again, the first token's.
    pub(crate) sentinel: Option<usize>,
}

/// How the keys of a head are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Head {
    /// All keys are equal.
    Mean([Option<u32>; 2]),
    /// Keys are `(a t, -b t^2)`.
    Place {
        key: [f64; 2],
        /// Whether every token attends to itself.
        own: bool,
        values: [Option<Value>; 2],
    },
    /// Keys are kept in a group.
    Group {
        group: u32,
        values: [Option<u32>; 2],
    },
    /// Any keys.
    Hull(u32),
}

/// What a head that attends by position says of a token.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value {
    /// A function of the token's id plus `c[0] t + c[1] t^2`.
    Told { table: u32, time: [f64; 2] },
    /// A number computed at the token and kept.
    Kept { stream: u32, range: Range },
}

/// A running sum.
#[derive(Debug, Clone)]
pub(crate) struct Sum {
    pub(crate) head: HeadAt,
    pub(crate) part: usize,
    pub(super) form: FormId,
    pub(crate) first: f64,
    /// Of the sum, to be checked.
    pub(crate) range: Range,
    /// By id, if it is a function of that.
    pub(crate) by_id: Option<Vec<f64>>,
}

/// Heads of one layer with equal keys.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) layer: usize,
    /// Whether only the highest key counts: all keys have the same x. Otherwise keys are `(2 j, -j^2 + lift)`.
    pub(crate) latest: bool,
    pub(crate) heads: Vec<usize>,
    key: [FormId; 2],
    /// Head and part of every distinct value.
    pub(crate) values: Vec<(usize, usize)>,
    forms: Vec<FormId>,
    pub(super) ranges: Vec<Range>,
    /// How far values are from integers at most, if they are close.
    pub(super) nearness: Vec<Option<f64>>,
}

/// Everything found out about a model after its first token.
#[derive(Debug)]
pub(crate) struct Analysis {
    pub(crate) rows: Arc<Rows>,
    pub(crate) atoms: Atoms,
    pub(crate) heads: Vec<Vec<Head>>,
    /// Functions of ids; the last entry is for the first token, whatever its id.
    pub(crate) tables: Vec<Vec<f64>>,
    pub(super) table_ranges: Vec<Range>,
    /// The entry that a table has for all ids, if it has.
    pub(super) table_constants: Vec<Option<f64>>,
    table_of: QuickMap<(Form, u64), u32>,
    pub(crate) sums: Vec<Sum>,
    /// Heads and parts whose values are kept per token.
    pub(crate) streams: Vec<(HeadAt, usize)>,
    pub(crate) groups: Vec<Group>,
    pub(crate) hulls: Vec<HeadAt>,
    pub(crate) classes: Classes,
    /// What the first token asked and offered, by layer and head.
    pub(crate) first: Arc<Vec<Vec<Call>>>,
    pub(crate) survey: Survey,
    pub(crate) longest: u64,
    /// A head that asks for a place.
    pub(super) askers: QuickMap<Atom, HeadAt>,
    pub(super) made: Made,
    pub(super) shared: Shared,
    pub(crate) fixed: Fixed,
    /// Of the values of heads that have hulls.
    pub(super) hull_ranges: Vec<[Range; 2]>,
    /// Forms that hold for any token but the first.
    pub(crate) common: Forms,
}

/// The forms of any token but the first.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) queries: Vec<(HeadAt, [FormId; 2])>,
    pub(crate) gates: Vec<FormId>,
    pub(crate) keys: Vec<FormId>,
    pub(crate) answers: Vec<(HeadAt, [FormId; 2])>,
}

/// No position is greater in a plan, so that squares of positions are exact.
const LONGEST: u64 = 1 << 26;

/// Sums that may be negative or very great are first expected not to be.
const EXPECTED_SUM: f64 = (1 << 22) as f64;

type Result<T> = std::result::Result<T, Refusal>;

impl Analysis {
    /// Looks at all heads and neurons, and chooses how the keys of every head are kept.
    pub(crate) fn new(
        rows: &Arc<Rows>,
        first: &Arc<Vec<Vec<Call>>>,
        expected: &Expected,
    ) -> Result<Self> {
        let longest = rows.last_position.min(LONGEST);
        let mut all = Self {
            rows: Arc::clone(rows),
            atoms: Atoms::new(longest),
            heads: Vec::new(),
            tables: Vec::new(),
            table_ranges: Vec::new(),
            table_constants: Vec::new(),
            table_of: QuickMap::default(),
            sums: Vec::new(),
            streams: Vec::new(),
            groups: Vec::new(),
            hulls: Vec::new(),
            classes: Classes::new(rows, expected.sentinel),
            first: Arc::clone(first),
            survey: Survey::default(),
            longest,
            askers: QuickMap::default(),
            hull_ranges: Vec::new(),
            made: Made::default(),
            shared: Shared::default(),
            fixed: Fixed::default(),
            common: Forms::default(),
        };
        let mut scope = Scope::new(0, Forms::new(rows));
        for layer in 0..rows.layers.len() {
            all.heads.push(Vec::new());
            for head in 0..rows.layers[layer].heads.len() {
                let at = (layer, head);
                let HeadRows {
                    query, key, value, ..
                } = &rows.layers[layer].heads[head];
                for row in query.iter().chain(key).chain(value) {
                    all.stays_finite(&mut scope, 2 * layer, row)?;
                }
                let kind = all.choose(&mut scope, at, expected)?;
                all.heads[layer].push(kind);
            }
            for head in 0..rows.layers[layer].heads.len() {
                let answers = all.answers(&mut scope, (layer, head))?;
                all.survey.answers.push(((layer, head), answers));
            }
            for slot in 0..rows.d_model {
                all.slot(&mut scope, 2 * layer + 1, slot)?;
            }
            for (neuron, rows) in rows.layers[layer].neurons.iter().enumerate() {
                // Of a closed gate, or a value of zero, nothing is computed: what overflows there would not be seen.
                for row in rows {
                    all.stays_finite(&mut scope, 2 * layer + 1, row)?;
                }
                all.neuron(&mut scope, layer, neuron)?;
                let gate = all.gate(&mut scope, layer, neuron)?;
                all.survey.gates.push(gate);
            }
            for slot in 0..rows.d_model {
                let form = all.slot(&mut scope, 2 * layer + 2, slot)?;
                if all.atoms.bounds(form).size() >= power(900) {
                    return Err(Refusal::Model);
                }
            }
        }
        let mut size = 0.0;
        for (c, &slot) in rows.columns.iter().enumerate() {
            let form = all.slot(&mut scope, 2 * rows.layers.len(), slot)?;
            let largest = rows.head[c].iter().fold(0.0, |a: f64, w| a.max(w.abs()));
            size += largest * all.atoms.bounds(form).size();
        }
        // The logits never overflow.
        if size >= 1e280 || size.is_nan() {
            return Err(Refusal::Model);
        }
        all.common = scope.forms;
        // Steps of programs have 16 bits for these.
        let most = all.groups.iter().map(|group| group.values.len()).max();
        if all.groups.len().max(most.unwrap_or(0)) > usize::from(u16::MAX) {
            return Err(Refusal::Model);
        }
        let latest = all.groups.iter();
        let latest = latest.map(|group| if group.latest { group.values.len() } else { 0 });
        all.fixed = Fixed::new(all.sums.len(), latest);
        Ok(all)
    }

    /// Forgets all atoms and forms that came later.
    pub(crate) fn forget(&mut self, mark: Mark) {
        self.atoms.truncate(mark);
        self.made = Made::default();
        self.shared = Shared::default();
    }

    /// The heads that a refusal is about.
    pub(crate) fn heads_of(&self, refusal: Refusal) -> Vec<HeadAt> {
        match refusal {
            Refusal::Head(at) => vec![at],
            Refusal::Group(group) => {
                let group = &self.groups[group as usize];
                group
                    .heads
                    .iter()
                    .map(|&head| (group.layer, head))
                    .collect()
            }
            Refusal::Sums | Refusal::Sentinel | Refusal::Model => vec![],
        }
    }

    /// Refuses the model unless no product and no partial sum of a row, nor a product of two rows, can overflow, whatever
    /// cancels.
    fn stays_finite(&mut self, scope: &mut Scope, half: usize, row: &Row) -> Result<()> {
        let mut size = 0.0;
        for entry in row {
            let form = self.slot(scope, half, entry.input.into())?;
            size += entry.weight.abs() * self.atoms.bounds(form).size();
        }
        match size < power(450) {
            true => Ok(()),
            false => Err(Refusal::Model),
        }
    }

    fn choose(&mut self, scope: &mut Scope, at: HeadAt, expected: &Expected) -> Result<Head> {
        let all = Arc::clone(&self.rows);
        let rows = &all.layers[at.0].heads[at.1];
        let query = self.query(scope, at)?;
        let key = self.key(scope, at)?;
        let values = [self.value(scope, at, 0)?, self.value(scope, at, 1)?];
        for form in [query, key, values].into_iter().flatten() {
            let range = self.atoms.bounds(form);
            let fine = grain(MIN_MAGNITUDE);
            if !(range.size() <= MAX_MAGNITUDE && (range.size() == 0.0 || range.grain >= fine)) {
                return Err(Refusal::Model);
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
        if expected.demoted.contains(&at) {
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
        if x.as_constant() == Some(first.key.x) && y.as_constant() == Some(first.key.y) {
            let mut sums = [None; 2];
            for part in (0..2).filter(|&part| rows.live[part]) {
                match self.sum_of(at, part, values[part], expected.wide) {
                    Some(sum) => sums[part] = Some(sum),
                    None => return hull(self),
                }
            }
            return Ok(Head::Mean(sums));
        }
        if let Some(key) = parabola(&x, &y)
            && first.key.x == 0.0
            && first.key.y == 0.0
        {
            return self.by_position(at, query, key, values);
        }
        if self.atoms.bounds(query[1]).lo <= 0.0 {
            return hull(self);
        }
        if x.as_constant() == Some(first.key.x) {
            return Ok(self.grouped(at, true, key, values));
        }
        if self.atoms.range(&x).grain >= 1 {
            return Ok(self.grouped(at, false, key, values));
        }
        hull(self)
    }

    fn sum_of(&mut self, at: HeadAt, part: usize, form: FormId, wide: bool) -> Option<u32> {
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
    fn by_id(&self, form: &Form) -> Option<Vec<f64>> {
        let mut by_id = vec![0.0; self.rows.vocab];
        for &((a, b), coefficient) in form.terms() {
            match (a, self.atoms.kind(b)) {
                (0, Kind::One) => by_id.iter_mut().for_each(|sum| *sum += coefficient),
                (0, &Kind::Token { slot, .. }) => {
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
        query: [FormId; 2],
        key: [f64; 2],
        values: [FormId; 2],
    ) -> Result<Head> {
        let own = self.attends_to_itself(query, key);
        let first = self.first[at.0][at.1].value;
        let live = self.rows.layers[at.0].heads[at.1].live;
        let mut found = [None, None];
        for part in (0..2).filter(|&part| live[part]) {
            if own {
                continue;
            }
            let mut told = Form::zero();
            let mut time = [0.0; 2];
            for &(monomial, coefficient) in self.atoms[values[part]].terms() {
                match monomial {
                    (0, TIME) => time[0] = coefficient,
                    (TIME, TIME) => time[1] = coefficient,
                    _ => told = told.about_plus(1.0, &Form::monomial(monomial, coefficient)),
                }
            }
            found[part] = Some(match self.by_id(&told) {
                Some(table) => Value::Told {
                    table: self.table(told, table, first[part]),
                    time,
                },
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

    fn table(&mut self, form: Form, mut by_id: Vec<f64>, first: f64) -> u32 {
        let known = (form, first.to_bits());
        if let Some(&table) = self.table_of.get(&known) {
            return table;
        }
        let range = self.atoms.range(&known.0).union(Range::of(first));
        by_id.push(first);
        let constant = Some(first).filter(|first| by_id.iter().all(|entry| entry == first));
        self.table_constants.push(constant);
        self.tables.push(by_id);
        self.table_ranges.push(range);
        let table = self.tables.len() as u32 - 1;
        self.table_of.insert(known, table);
        table
    }

    fn grouped(&mut self, at: HeadAt, latest: bool, key: [FormId; 2], values: [FormId; 2]) -> Head {
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
            let same = |(i, form): (usize, &FormId)| {
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

    /// Stores of keys and of values.
    pub(crate) fn streams_kept(&self) -> (usize, usize) {
        let values: usize = self.groups.iter().map(|group| group.values.len()).sum();
        let keys = self.groups.len() + self.hulls.len();
        (
            keys,
            values + self.sums.len() + self.streams.len() + 2 * self.hulls.len(),
        )
    }

    /// Whether the greatest score is that of the token's own position: `a qx = 2 b qy t`.
    fn attends_to_itself(&self, query: [FormId; 2], [a, b]: [f64; 2]) -> bool {
        let Some(slope) = self.atoms[query[1]].as_constant() else {
            return false;
        };
        let own = exact_product(2.0 * b, slope)
            .map(|c| Form::monomial((0, TIME), c))
            .filter(|_| slope > 0.0);
        own.is_some_and(|own| Form::zero().plus(a, &self.atoms[query[0]]) == Some(own))
    }
}

/// `a` and `b`, if the key is `(a t, -b t^2)`.
fn parabola(x: &Form, y: &Form) -> Option<[f64; 2]> {
    let (a, b) = (x.coefficient((0, TIME)), -y.coefficient((TIME, TIME)));
    (x.terms().len() == 1 && y.terms().len() == 1 && a > 0.0 && b > 0.0).then_some([a, b])
}
