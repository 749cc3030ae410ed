//! What the weights make of a token, as forms: abstract interpretation of the network, on demand.

use std::sync::Arc;

use smallvec::SmallVec;
use weightware_hull::{MAX_MAGNITUDE, MIN_MAGNITUDE};

use super::atoms::{Atoms, Kind, TIME};
use super::classes::Classes;
use super::form::{Atom, Form, QuickMap, QuickSet, Range, exact_product, grain, is_exact, is_power, power};
use super::rows::Rows;
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
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone)]
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
    form: Form,
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
    key: [Form; 2],
    /// Head and part of every distinct value.
    pub(crate) values: Vec<(usize, usize)>,
    forms: Vec<Form>,
    ranges: Vec<Range>,
    /// How far values are from integers at most, if they are close.
    nearness: Vec<Option<f64>>,
}

/// What is assumed of a token, and the forms that follow, as far as they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// The class of its id.
    pub(crate) class: u16,
    /// Answers of heads that are known.
    pub(crate) fetched: QuickMap<(HeadAt, usize), f64>,
    pub(crate) index: Option<((HeadAt, usize), Form)>,
    slots: QuickMap<(usize, usize), Form>,
    answers: QuickMap<HeadAt, [Form; 2]>,
    neurons: QuickMap<(usize, usize), Form>,
}

impl Scope {
    pub(crate) fn new(class: u16) -> Self {
        Self {
            class,
            ..Self::default()
        }
    }
}

/// Everything found out about a model after its first token.
#[derive(Debug)]
pub(crate) struct Analysis {
    pub(crate) rows: Arc<Rows>,
    pub(crate) atoms: Atoms,
    pub(crate) heads: Vec<Vec<Head>>,
    /// Functions of ids; the last entry is for the first token, whatever its id.
    pub(crate) tables: Vec<Vec<f64>>,
    table_ranges: Vec<Range>,
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
    askers: QuickMap<Atom, HeadAt>,
}

/// The forms of any token but the first.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) queries: Vec<(HeadAt, [Form; 2])>,
    pub(crate) gates: Vec<Form>,
    pub(crate) keys: Vec<Form>,
    pub(crate) answers: Vec<(HeadAt, [Form; 2])>,
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
        };
        let mut scope = Scope::default();
        for layer in 0..rows.layers.len() {
            all.heads.push(Vec::new());
            for head in 0..rows.layers[layer].heads.len() {
                let at = (layer, head);
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
            for neuron in 0..rows.layers[layer].neurons.len() {
                all.neuron(&mut scope, layer, neuron)?;
            }
            for slot in 0..rows.d_model {
                let form = all.slot(&mut scope, 2 * layer + 2, slot)?;
                if all.atoms.range(&form).size() >= power(900) {
                    return Err(Refusal::Model);
                }
            }
        }
        let mut size = 0.0;
        for (c, &slot) in rows.columns.iter().enumerate() {
            let form = all.slot(&mut scope, 2 * rows.layers.len(), slot)?;
            let column = rows.head.iter().skip(c).step_by(rows.columns.len());
            let largest = column.fold(0.0, |a: f64, w| a.max(w.abs()));
            size += largest * all.atoms.range(&form).size();
        }
        // The logits never overflow.
        if size >= 1e280 || size.is_nan() {
            return Err(Refusal::Model);
        }
        Ok(all)
    }

    fn choose(&mut self, scope: &mut Scope, at: HeadAt, expected: &Expected) -> Result<Head> {
        let all = Arc::clone(&self.rows);
        let rows = &all.layers[at.0].heads[at.1];
        let [query, key, value] = [&rows.query, &rows.key, &rows.value];
        let query = [
            self.row(scope, 2 * at.0, &query[0])?,
            self.row(scope, 2 * at.0, &query[1])?,
        ];
        let key = [
            self.row(scope, 2 * at.0, &key[0])?,
            self.row(scope, 2 * at.0, &key[1])?,
        ];
        let values = [
            self.row(scope, 2 * at.0, &value[0])?,
            self.row(scope, 2 * at.0, &value[1])?,
        ];
        for form in query.iter().chain(&key).chain(&values) {
            let range = self.atoms.range(form);
            let fine = grain(MIN_MAGNITUDE);
            if !(range.size() <= MAX_MAGNITUDE && (range.size() == 0.0 || range.grain >= fine)) {
                return Err(Refusal::Model);
            }
        }
        self.survey.queries.push((at, query.clone()));
        let first = self.first[at.0][at.1];
        let hull = |this: &mut Self| {
            this.survey.keys.extend(key.clone());
            this.hulls.push(at);
            Ok(Head::Hull(this.hulls.len() as u32 - 1))
        };
        if expected.demoted.contains(&at) {
            return hull(self);
        }
        let [x, y] = &key;
        if x.as_constant() == Some(first.key.x) && y.as_constant() == Some(first.key.y) {
            let mut sums = [None; 2];
            for part in (0..2).filter(|&part| rows.live[part]) {
                match self.sum_of(at, part, &values[part], expected.wide) {
                    Some(sum) => sums[part] = Some(sum),
                    None => return hull(self),
                }
            }
            return Ok(Head::Mean(sums));
        }
        if let Some(key) = parabola(x, y)
            && first.key.x == 0.0
            && first.key.y == 0.0
        {
            return self.by_position(at, &query, key, &values);
        }
        if self.atoms.range(&query[1]).lo <= 0.0 {
            return hull(self);
        }
        if x.as_constant() == Some(first.key.x) {
            return Ok(self.grouped(at, true, &key, &values));
        }
        if self.atoms.range(x).grain >= 1 {
            return Ok(self.grouped(at, false, &key, &values));
        }
        hull(self)
    }

    fn sum_of(&mut self, at: HeadAt, part: usize, form: &Form, wide: bool) -> Option<u32> {
        let first = [self.first[at.0][at.1].value[0], self.first[at.0][at.1].value[1]][part];
        let known = |sum: &Sum| sum.form == *form && sum.first == first;
        if let Some(known) = self.sums.iter().position(known) {
            return Some(known as u32);
        }
        let value = self.atoms.range(form).union(Range::of(first));
        let count = self.longest as f64 + 1.0;
        let (mut lo, mut hi) = (value.lo.min(0.0) * count, value.hi.max(0.0) * count);
        if !is_exact(lo.abs().max(hi), value.grain) {
            return None;
        }
        if !wide && first >= 0.0 && first < EXPECTED_SUM {
            lo = 0.0;
            if hi > 2.0 * count {
                hi = EXPECTED_SUM;
            }
        }
        let by_id = self.by_id(form);
        self.sums.push(Sum {
            head: at,
            part,
            form: form.clone(),
            first,
            range: Range::new(lo, hi, value.grain),
            by_id,
        });
        Some(self.sums.len() as u32 - 1)
    }

    /// A form over columns of the embedding alone, for every id.
    fn by_id(&self, form: &Form) -> Option<Vec<f64>> {
        let slots: Option<Vec<(usize, f64)>> = form
            .terms()
            .iter()
            .map(|&((a, b), coefficient)| match (a, self.atoms.kind(b)) {
                (0, Kind::One) => Some((usize::MAX, coefficient)),
                (0, &Kind::Token { slot, .. }) => Some((slot.into(), coefficient)),
                _ => None,
            })
            .collect();
        let slots = slots?;
        let number = |id: usize| {
            let term = |&(slot, coefficient): &(usize, f64)| match slot {
                usize::MAX => coefficient,
                slot => coefficient * self.rows.embedded(id, slot),
            };
            slots.iter().map(term).sum()
        };
        Some((0..self.rows.vocab).map(number).collect())
    }

    fn by_position(
        &mut self,
        at: HeadAt,
        query: &[Form; 2],
        key: [f64; 2],
        values: &[Form; 2],
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
            for &(monomial, coefficient) in values[part].terms() {
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
                        range: self.atoms.range(&values[part]).union(Range::of(first[part])),
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
        self.tables.push(by_id);
        self.table_ranges.push(range);
        let table = self.tables.len() as u32 - 1;
        self.table_of.insert(known, table);
        table
    }

    fn grouped(&mut self, at: HeadAt, latest: bool, key: &[Form; 2], values: &[Form; 2]) -> Head {
        let same = |g: &Group| g.layer == at.0 && g.latest == latest && g.key == *key;
        let group = self.groups.iter().position(same).unwrap_or_else(|| {
            self.survey.keys.extend(key.clone());
            self.groups.push(Group {
                layer: at.0,
                latest,
                heads: vec![],
                key: key.clone(),
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
            let range = self.atoms.range(&values[part]).union(Range::of(first));
            let close = self.atoms.close_to(&values[part]);
            let nearness = close
                .filter(|(close, _)| self.atoms.is_safe(close) && self.atoms.range(close).grain >= 0)
                .map(|(_, error)| error.max((first - first.round()).abs()));
            let group = &mut self.groups[group];
            // Values that are equal at all tokens but the first are told apart by it.
            let same = |(i, form): (usize, &Form)| {
                let (head, other) = group.values[i];
                *form == values[part] && self.first[at.0][head].value[other] == first
            };
            let known = group.forms.iter().enumerate().position(same);
            places[part] = Some(known.unwrap_or_else(|| {
                group.values.push((at.1, part));
                group.forms.push(values[part].clone());
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
    fn attends_to_itself(&self, query: &[Form; 2], [a, b]: [f64; 2]) -> bool {
        let Some(slope) = query[1].as_constant() else {
            return false;
        };
        let own = exact_product(2.0 * b, slope)
            .map(|c| Form::monomial((0, TIME), c))
            .filter(|_| slope > 0.0);
        own.is_some_and(|own| Form::zero().plus(a, &query[0]) == Some(own))
    }

    /// A slot of the residual stream before a half-layer: attention has even numbers.
    pub(crate) fn slot(&mut self, scope: &mut Scope, half: usize, slot: usize) -> Result<Form> {
        if let Some(form) = scope.slots.get(&(half, slot)) {
            return Ok(form.clone());
        }
        let rows = Arc::clone(&self.rows);
        let form = if half == 0 {
            self.embedded(scope, slot)?
        } else {
            let base = self.slot(scope, half - 1, slot)?;
            let layer = (half - 1) / 2;
            let mut terms = Vec::new();
            if half % 2 == 1 {
                for entry in &rows.layers[layer].heads_out[slot] {
                    let [head, part] = [entry.input / 2, entry.input % 2].map(usize::from);
                    let answer = &self.answers(scope, (layer, head))?[part];
                    terms.push((entry.weight, answer.clone()));
                }
            } else {
                for entry in &rows.layers[layer].neurons_out[slot] {
                    let product = self.neuron(scope, layer, entry.input.into())?;
                    terms.push((entry.weight, product));
                }
            }
            self.sum(Some(base), terms)
        };
        scope.slots.insert((half, slot), form.clone());
        Ok(form)
    }

    fn embedded(&mut self, scope: &Scope, slot: usize) -> Result<Form> {
        let range = self.classes.range(scope.class, slot);
        let told = if range.lo == range.hi {
            Form::constant(range.lo)
        } else {
            let kind = Kind::Token {
                slot: slot as u16,
                class: scope.class,
            };
            Form::atom(self.atoms.get(kind, || range))
        };
        let Some(feature) = self.rows.position_features.iter().find(|f| f.slot == slot) else {
            return Ok(told);
        };
        let [c0, c1, c2] = feature.coefficients;
        let polynomial = [((0, 0), c0), ((0, TIME), c1), ((TIME, TIME), c2)]
            .into_iter()
            .try_fold(Form::zero(), |sum, (monomial, c)| {
                sum.plus(1.0, &Form::monomial(monomial, c))
            });
        let polynomial = polynomial.ok_or(Refusal::Model)?;
        // Then Horner's rule does not round either.
        let t = self.longest as f64;
        let mass = c0.abs() + t * (c1.abs() + t * c2.abs());
        let fine = grain(c0).min(grain(c1)).min(grain(c2));
        if !is_exact(mass, fine) {
            return Err(Refusal::Model);
        }
        Ok(self.sum(Some(told), vec![(1.0, polynomial)]))
    }

    /// The product of a row with the residual stream.
    pub(crate) fn row(&mut self, scope: &mut Scope, half: usize, row: &Row) -> Result<Form> {
        let mut terms = Vec::with_capacity(row.len());
        for entry in row {
            terms.push((entry.weight, self.slot(scope, half, entry.input.into())?));
        }
        Ok(self.sum(None, terms))
    }

    /// Query, key or value of a head.
    pub(crate) fn rows_of(&mut self, scope: &mut Scope, at: HeadAt, rows: &[Row; 2]) -> Result<[Form; 2]> {
        Ok([
            self.row(scope, 2 * at.0, &rows[0])?,
            self.row(scope, 2 * at.0, &rows[1])?,
        ])
    }

    pub(crate) fn key(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[Form; 2]> {
        let rows = Arc::clone(&self.rows);
        self.rows_of(scope, at, &rows.layers[at.0].heads[at.1].key)
    }

    pub(crate) fn query(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[Form; 2]> {
        let rows = Arc::clone(&self.rows);
        self.rows_of(scope, at, &rows.layers[at.0].heads[at.1].query)
    }

    pub(crate) fn value(&mut self, scope: &mut Scope, at: HeadAt, part: usize) -> Result<Form> {
        let rows = Arc::clone(&self.rows);
        self.row(scope, 2 * at.0, &rows.layers[at.0].heads[at.1].value[part])
    }

    fn neuron(&mut self, scope: &mut Scope, layer: usize, neuron: usize) -> Result<Form> {
        if let Some(form) = scope.neurons.get(&(layer, neuron)) {
            return Ok(form.clone());
        }
        let rows = Arc::clone(&self.rows);
        let [gate, value] = &rows.layers[layer].neurons[neuron];
        let gate = self.row(scope, 2 * layer + 1, gate)?;
        let form = if self.atoms.range(&gate).hi <= 0.0 {
            Form::zero()
        } else {
            let value = self.row(scope, 2 * layer + 1, value)?;
            self.gated(&gate, &value)
        };
        if scope.class == 0 && scope.index.is_none() && self.heads.len() == layer + 1 {
            self.survey.gates.push(gate);
        }
        scope.neurons.insert((layer, neuron), form.clone());
        Ok(form)
    }

    /// `max(gate, 0) * value`.
    fn gated(&mut self, gate: &Form, value: &Form) -> Form {
        if value.is_zero() {
            return Form::zero();
        }
        let [g, v] = [gate, value].map(|form| self.atoms.range(form));
        if let (Some(gate), Some(value)) = (gate.as_constant(), value.as_constant()) {
            return Form::constant(gate * value + 0.0);
        }
        // Powers of two scale any number exactly.
        for (factor, form) in [(gate, value), (value, gate)] {
            if let Some(factor) = factor.as_constant()
                && is_power(factor)
                && g.lo >= 0.0
                && let Some(product) = Form::zero().plus(factor, form)
            {
                return product;
            }
        }
        let exact = is_exact(g.size() * v.size(), g.grain.saturating_add(v.grain));
        let (kind, range) = if g.lo >= 0.0 {
            if exact
                && let Some(product) = gate.times(value)
                && self.atoms.is_safe(&product)
            {
                return product;
            }
            let range = match self.atoms.total(gate, value) {
                Some(sum) => {
                    // (s / n) n is off by at most two roundings.
                    let sum = self.atoms.range_of(sum);
                    let off = |number: f64| number.abs() * power(-50);
                    let grain = g.times(v).grain;
                    Range::new(sum.lo - off(sum.lo), sum.hi + off(sum.hi), grain)
                }
                None => g.times(v),
            };
            let (gate, value) = (gate.clone(), value.clone());
            (Kind::Product { gate, value }, range)
        } else {
            let open = Range { lo: 0.0, ..g };
            let range = if gate == value { open.squared() } else { open.times(v) };
            let (gate, value) = (gate.clone(), value.clone());
            (Kind::Gated { gate, value }, range)
        };
        Form::atom(self.atoms.get(kind, || Range::new(range.lo, range.hi, range.grain)))
    }

    /// `base + (products added up in order)`, every operation rounded.
    fn sum(&mut self, base: Option<Form>, mut terms: Vec<(f64, Form)>) -> Form {
        terms.retain(|(_, form)| !form.is_zero());
        if terms.is_empty() {
            return base.unwrap_or_default();
        }
        if let [(weight, form)] = &terms[..] {
            // Whatever the numbers: powers of two scale them exactly, and x - x is 0.
            let start = base.clone().unwrap_or_default();
            if let Some(sum) = start.plus(*weight, form)
                && (sum.is_zero() || start.is_zero() && is_power(*weight))
            {
                return sum;
            }
        }
        let base = base.filter(|base| !base.is_zero());
        let ranges: SmallVec<[Range; 8]> = terms.iter().map(|(_, form)| self.atoms.range(form)).collect();
        let base_range = base.as_ref().map(|base| self.atoms.range(base));
        let mut partial = Partial::zero();
        for ((weight, _), range) in terms.iter().zip(&ranges) {
            partial.add_product(*weight, *range, None);
        }
        if let Some(range) = base_range {
            partial.add_to(range, None);
        }
        if partial.exact {
            let start = base.clone().unwrap_or_default();
            let sum = terms.iter().try_fold(start, |sum, (weight, form)| sum.plus(*weight, form));
            if let Some(sum) = sum
                && self.atoms.is_safe(&sum)
            {
                return sum;
            }
        }
        if partial.range.lo == partial.range.hi {
            return Form::constant(partial.range.lo + 0.0);
        }
        let mut partial = Partial::zero();
        for ((weight, form), range) in terms.iter().zip(&ranges) {
            partial.add_product(*weight, *range, self.atoms.close_to(form));
        }
        if let (Some(base), Some(range)) = (&base, base_range) {
            partial.add_to(range, self.atoms.close_to(base));
        }
        let Partial { range, close, .. } = partial;
        if let Some((close, error)) = &close
            && let Some(settled) = self.settle(close, *error, range.grain)
        {
            return settled;
        }
        let terms = terms.into_iter().map(|(w, form)| (w.to_bits(), form)).collect();
        let kind = Kind::Rounded { base, terms };
        let atom = self.atoms.get(kind, || Range::new(range.lo, range.hi, range.grain));
        self.atoms.note_closeness(atom, close);
        Form::atom(atom)
    }

    /// The form that a multiple of `2^grain` is, which is off another form by at most `error`: a multiple of that that is
    /// less than `2^grain` away.
    fn settle(&self, close: &Form, error: f64, least: i32) -> Option<Form> {
        let (mut whole, mut rest) = (Form::zero(), Form::zero());
        for &(monomial, coefficient) in close.terms() {
            let term = Form::monomial(monomial, coefficient);
            let part = if self.atoms.range(&term).grain >= least { &mut whole } else { &mut rest };
            *part = part.plus(1.0, &term)?;
        }
        let error = error + self.atoms.range(&rest).size();
        (error < power(least) && self.atoms.is_safe(&whole)).then_some(whole)
    }

    /// The two answers of a head.
    pub(crate) fn answers(&mut self, scope: &mut Scope, at: HeadAt) -> Result<[Form; 2]> {
        if let Some(answers) = scope.answers.get(&at) {
            return Ok(answers.clone());
        }
        let answers = [self.answer(scope, at, 0)?, self.answer(scope, at, 1)?];
        scope.answers.insert(at, answers.clone());
        Ok(answers)
    }

    fn answer(&mut self, scope: &mut Scope, at: HeadAt, part: usize) -> Result<Form> {
        let rows = &self.rows.layers[at.0].heads[at.1];
        if !rows.live[part] {
            return Ok(Form::zero());
        }
        if let Some(&known) = scope.fetched.get(&(at, part)) {
            return Ok(Form::constant(known));
        }
        if let Some((_, form)) = scope.index.as_ref().filter(|(head, _)| *head == (at, part)) {
            return Ok(form.clone());
        }
        match self.heads[at.0][at.1].clone() {
            Head::Mean(sums) => {
                let Some(index) = sums[part] else {
                    return Ok(Form::zero());
                };
                let sum = &self.sums[index as usize];
                let value = self.atoms.range(&sum.form).union(Range::of(sum.first));
                let range = sum.range;
                self.atoms.get(Kind::Sum { sum: index }, || range);
                // An average of up to 2^27 numbers, rounded.
                let range = Range::new(value.lo, value.hi, value.grain.min(0) - 80);
                Ok(Form::atom(self.atoms.get(Kind::Mean { sum: index }, || range)))
            }
            Head::Place { own: true, .. } => self.value(scope, at, part),
            Head::Place { key, values, .. } => {
                let query = self.query(scope, at)?;
                self.attended(at, part, query, key, values[part].as_ref())
            }
            Head::Group { group, values } => {
                let Some(value) = values[part] else {
                    return Ok(Form::zero());
                };
                let range = self.groups[group as usize].ranges[value as usize];
                let atom = if self.groups[group as usize].latest {
                    let atom = self.atoms.get(Kind::Latest { group, value }, || range);
                    if let Some(error) = self.groups[group as usize].nearness[value as usize] {
                        self.atoms.note_nearness(atom, error);
                    }
                    atom
                } else {
                    let query = self.query(scope, at)?;
                    let (query, _) = self.normal(query, [2.0, 1.0], false);
                    let entry = self.atoms.get(Kind::Entry { group, query }, || Range::of(0.0));
                    self.atoms.get(Kind::Found { entry, value }, || range)
                };
                Ok(Form::atom(atom))
            }
            Head::Hull(head) => {
                let query = self.query(scope, at)?;
                let mut general = Scope::default();
                let value = self.value(&mut general, at, part)?;
                let first = Range::of(self.first[at.0][at.1].value[part]);
                let range = self.atoms.range(&value).union(first);
                let kind = Kind::Hull {
                    head,
                    query,
                    part: part == 1,
                };
                let range = Range::new(range.lo, range.hi, range.grain.min(0) - 80);
                Ok(Form::atom(self.atoms.get(kind, || range)))
            }
        }
    }

    /// A head that asks for a place.
    pub(crate) fn asker(&self, place: Atom) -> HeadAt {
        self.askers[&place]
    }

    fn attended(
        &mut self,
        at: HeadAt,
        part: usize,
        query: [Form; 2],
        key: [f64; 2],
        value: Option<&Value>,
    ) -> Result<Form> {
        let Some(value) = value else {
            return Ok(Form::zero());
        };
        let [x, y] = [&query[0], &query[1]].map(|form| self.atoms.range(form));
        // Position 1 scores less than position 0, and later ones even less.
        if y.lo >= 0.0 && key[0] * x.hi < key[1] * y.lo - (key[1] * y.lo).abs() * power(-50) {
            return Ok(Form::constant(self.first[at.0][at.1].value[part]));
        }
        if y.lo >= 0.0 && x.hi < 0.0 {
            return Ok(Form::constant(self.first[at.0][at.1].value[part]));
        }
        let (query, key) = self.normal(query, key, true);
        if query[1].as_constant() == Some(1.0) && key == [2.0, 1.0] && self.atoms.range(&query[0]).hi < 0.5 {
            return Ok(Form::constant(self.first[at.0][at.1].value[part]));
        }
        let longest = self.longest;
        let place = Kind::Place {
            query,
            key: key.map(f64::to_bits),
        };
        let place = self.atoms.get(place, || Range::new(0.0, longest as f64, 0));
        self.askers.insert(place, at);
        match *value {
            Value::Kept { stream, range } => {
                let kind = Kind::Kept { place, stream };
                Ok(Form::atom(self.atoms.get(kind, || range)))
            }
            Value::Told { table, time } => {
                let entries = &self.tables[table as usize];
                let told = if entries.iter().all(|&e| e == entries[0]) {
                    Form::constant(entries[0])
                } else {
                    let range = self.table_ranges[table as usize];
                    Form::atom(self.atoms.get(Kind::Read { place, table }, || range))
                };
                let polynomial = Form::monomial((0, place), time[0])
                    .plus(1.0, &Form::monomial((place, place), time[1]))
                    .ok_or(Refusal::Head(at))?;
                match told.plus(1.0, &polynomial).filter(|sum| self.atoms.is_safe(sum)) {
                    Some(sum) => Ok(sum),
                    None => Err(Refusal::Head(at)),
                }
            }
        }
    }

    /// Stores of keys and of values.
    pub(crate) fn streams_kept(&self) -> (usize, usize) {
        let values: usize = self.groups.iter().map(|group| group.values.len()).sum();
        let keys = self.groups.len() + self.hulls.len();
        (keys, values + self.sums.len() + self.streams.len() + 2 * self.hulls.len())
    }

    /// The same question with the query `(q, 1)` and keys `(2 t, -t^2)`, if that is exactly the same. Where only the nearest
    /// integer counts, q is that if it is known to be close to one.
    fn normal(&self, query: [Form; 2], key: [f64; 2], nearest: bool) -> ([Form; 2], [f64; 2]) {
        let [a, b] = key;
        let Some(slope) = query[1].as_constant().filter(|slope| *slope > 0.0) else {
            return (query, key);
        };
        let factor = a / (2.0 * b * slope);
        if !(is_power(factor) && is_power(slope) && is_power(a) && is_power(b)) {
            return (query, key);
        }
        let Some(scaled) = Form::zero().plus(factor, &query[0]) else {
            return (query, key);
        };
        let one = Form::constant(1.0);
        if nearest
            && let Some((close, error)) = self.atoms.close_to(&scaled)
            && error < 0.49
            && self.atoms.is_safe(&close)
            && self.atoms.range(&close).grain >= 0
        {
            return ([close, one], [2.0, 1.0]);
        }
        ([scaled, one], [2.0, 1.0])
    }

    /// The atoms of a form and of what its rounded ones are made of.
    pub(crate) fn depends_on(&self, form: &Form) -> QuickSet<Atom> {
        let mut seen = QuickSet::default();
        let mut open: Vec<Atom> = form.atoms().collect();
        while let Some(atom) = open.pop() {
            if !seen.insert(atom) {
                continue;
            }
            match self.atoms.kind(atom) {
                Kind::Rounded { base, terms } => {
                    open.extend(base.iter().flat_map(Form::atoms));
                    open.extend(terms.iter().flat_map(|(_, form)| form.atoms()));
                }
                Kind::Gated { gate, value } | Kind::Product { gate, value } => {
                    open.extend(gate.atoms().chain(value.atoms()));
                }
                _ => {}
            }
        }
        seen
    }
}

/// What is known of a sum while it is added up.
struct Partial {
    range: Range,
    /// Whether nothing was rounded.
    exact: bool,
    /// An exact form that it is close to, and how close.
    close: Option<(Form, f64)>,
}

impl Partial {
    fn zero() -> Self {
        Self {
            range: Range::of(0.0),
            exact: true,
            close: Some((Form::zero(), 0.0)),
        }
    }

    fn add_product(&mut self, weight: f64, number: Range, close: Option<(Form, f64)>) {
        let product = number.scaled(weight);
        let rounds = !is_power(weight) && !is_exact(product.size(), product.grain);
        let off = if rounds { product.size() * power(-53) } else { 0.0 };
        let close = close.and_then(|(close, error)| {
            Some((Form::zero().plus(weight, &close)?, (error * weight.abs() + off) * (1.0 + power(-20))))
        });
        self.exact &= !rounds;
        self.add_to(product, close);
    }

    /// Adds a number. Rounding is monotonic, so the same operation on bounds gives bounds.
    fn add_to(&mut self, number: Range, close: Option<(Form, f64)>) {
        let (lo, hi) = (self.range.lo + number.lo, self.range.hi + number.hi);
        let mut grain = self.range.grain.min(number.grain);
        let size = lo.abs().max(hi.abs());
        let first = self.range.lo == 0.0 && self.range.hi == 0.0;
        let rounds = !first && !is_exact(size, grain);
        // A number that is never small is a multiple of its last bit.
        let least = if lo > 0.0 { lo } else if hi < 0.0 { -hi } else { 0.0 };
        if least >= power(-900) {
            let exponent = ((least.to_bits() >> 52) & 0x7ff) as i32 - 1023;
            grain = grain.max(exponent - 52);
        }
        let off = if rounds { size * power(-53) } else { 0.0 };
        self.close = match (self.close.take(), close) {
            (Some((sum, error)), Some((term, other))) => {
                sum.plus(1.0, &term).map(|sum| (sum, (error + other + off) * (1.0 + power(-20))))
            }
            _ => None,
        };
        self.exact &= !rounds;
        self.range = Range { lo, hi, grain };
    }
}

/// `a` and `b`, if the key is `(a t, -b t^2)`.
fn parabola(x: &Form, y: &Form) -> Option<[f64; 2]> {
    let (a, b) = (x.coefficient((0, TIME)), -y.coefficient((TIME, TIME)));
    (x.terms().len() == 1 && y.terms().len() == 1 && a > 0.0 && b > 0.0).then_some([a, b])
}
