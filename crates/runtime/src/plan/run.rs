//! Running programs.

use std::cmp::Ordering;
use std::sync::Arc;

use weightware_hull::{HullCache, KeyValueIndex, Point, compare_scores};

use super::analysis::{Analysis, Refusal};
use super::compile::cleared;
use super::program::{INDEX, ONE, Op, Program, Register, Span, TIME, ZERO};
use super::rows::Rows;
use super::table::{Table, Unfit};
use crate::forward::NOWHERE;
use crate::sparse::{Vector, zero_vector};

/// Keys and values of past tokens, as far as a plan needs them.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Two bytes a token; the first is not its id but one past the greatest.
    pub(crate) ids: Vec<u16>,
    sums: Vec<f64>,
    /// By id: what it adds to every sum that is a function of ids.
    terms: Vec<f64>,
    /// By id: whether it adds anything.
    adds: Vec<bool>,
    /// Bounds of sums.
    sum_bounds: Vec<[f64; 2]>,
    tables: Vec<f64>,
    /// Ids, the first token's included.
    kinds: usize,
    groups: Vec<Store>,
    streams: Vec<Vec<f64>>,
    hulls: Vec<(HullCache, Boxes)>,
    /// The first head whose key of this token is outside its box.
    pub(crate) outside: Option<Outside>,
    pub(crate) registers: Vector,
    rows: Arc<Rows>,
}

#[derive(Debug)]
enum Store {
    Latest { y: f64, values: Vec<f64> },
    Table { table: Table, boxes: Boxes },
}

/// The boxes of heads that share their keys, and how far live keys went.
#[derive(Debug)]
struct Boxes {
    /// Layer, number in the weights, and the box: greatest `|x|`, greatest lift.
    heads: Vec<(usize, usize, [f64; 2])>,
    reach: [f64; 3],
}

/// A live key outside the box of its head: layer, head, x, lift.
pub(crate) type Outside = (usize, usize, f64, f64);

fn boxed(rows: &Rows, (layer, head): (usize, usize)) -> Option<(usize, usize, [f64; 2])> {
    let head = &rows.layers[layer].heads[head];
    Some((layer, head.number, head.bound?))
}

impl Boxes {
    fn new(heads: impl Iterator<Item = (usize, usize, [f64; 2])>) -> Self {
        Self {
            heads: heads.collect(),
            reach: NOWHERE,
        }
    }

    /// The first of the heads whose box the key is outside of.
    #[inline]
    fn outside(&mut self, x: f64, y: f64) -> Option<Outside> {
        let half = x / 2.0;
        let lift = y + half * half;
        if lift < -0.5 {
            return None;
        }
        let mut outside = self.heads.iter().filter(|(_, _, [most, highest])| {
            let inside = x.abs() <= *most && lift <= *highest;
            !inside
        });
        if let Some(&(layer, head, _)) = outside.next() {
            return Some((layer, head, x, lift));
        }
        // The key of a token whose embedding is zero says nothing.
        if (x, y) != (0.0, 0.0) {
            let [least, greatest, highest] = self.reach;
            self.reach = [least.min(x), greatest.max(x), highest.max(lift)];
        }
        None
    }
}

fn note(first: &mut Option<Outside>, outside: Outside) {
    if first.is_none_or(|first| (outside.0, outside.1) < (first.0, first.1)) {
        *first = Some(outside);
    }
}

impl Memory {
    /// The memory of the first token alone.
    pub(crate) fn new(analysis: &Analysis) -> Result<Self, Refusal> {
        let vocab = analysis.rows.vocab;
        let sums = analysis.sums.len();
        let mut terms = vec![0.0; vocab * sums];
        for (i, sum) in analysis.sums.iter().enumerate() {
            for (id, &term) in sum.by_id.iter().flatten().enumerate() {
                terms[id * sums + i] = term;
            }
        }
        let adds = (0..vocab).map(|id| terms[id * sums..][..sums].iter().any(|&t| t != 0.0));
        let mut groups = Vec::new();
        for (number, group) in analysis.groups.iter().enumerate() {
            let calls = &analysis.first[group.layer];
            let key = calls[group.heads[0]].key;
            let same = group.heads.iter().all(|&head| calls[head].key == key);
            if !same {
                return Err(Refusal::Group(number as u32));
            }
            let values: Vec<f64> = group
                .values
                .iter()
                .map(|&(head, part)| calls[head].value[part])
                .collect();
            groups.push(if group.latest {
                Store::Latest { y: key.y, values }
            } else {
                let heads = &analysis.rows.layers[group.layer].heads;
                let mut table = Table::new(values.len(), cleared(heads[group.heads[0]].bound));
                let unfit = |_: Unfit| Refusal::Group(number as u32);
                if let Some((j, lift)) = table.parse(key.x, key.y).map_err(unfit)? {
                    table.insert(j, lift, values.into_iter()).map_err(unfit)?;
                }
                let heads = group.heads.iter();
                let boxes = heads.filter_map(|&head| boxed(&analysis.rows, (group.layer, head)));
                Store::Table {
                    table,
                    boxes: Boxes::new(boxes),
                }
            });
        }
        let streams = analysis
            .streams
            .iter()
            .map(|&(at, part)| vec![analysis.first[at.0][at.1].value[part]]);
        let mut hulls = Vec::new();
        for &(layer, head) in &analysis.hulls {
            let call = &analysis.first[layer][head];
            let mut hull = HullCache::new();
            hull.push(call.key, call.value)
                .map_err(|_| Refusal::Model)?;
            hulls.push((
                hull,
                Boxes::new(boxed(&analysis.rows, (layer, head)).into_iter()),
            ));
        }
        let mut registers = zero_vector();
        registers[usize::from(ONE)] = 1.0;
        registers[usize::from(ZERO)] = 0.0;
        Ok(Self {
            ids: vec![vocab as u16],
            sums: analysis.sums.iter().map(|sum| sum.first).collect(),
            adds: adds.collect(),
            sum_bounds: analysis
                .sums
                .iter()
                .map(|sum| [sum.range.lo, sum.range.hi])
                .collect(),
            terms,
            tables: analysis.tables.concat(),
            kinds: vocab + 1,
            groups,
            streams: streams.collect(),
            hulls,
            outside: None,
            registers,
            rows: Arc::clone(&analysis.rows),
        })
    }

    /// The highest keys of groups of which only that counts.
    pub(crate) fn heights(&self) -> Vec<f64> {
        let height = |store: &Store| match store {
            Store::Latest { y, .. } => *y,
            Store::Table { .. } => 0.0,
        };
        self.groups.iter().map(height).collect()
    }

    /// How far the live keys of heads with a box went: layer, number, least and greatest `x`, greatest lift.
    pub(crate) fn reach(&self) -> impl Iterator<Item = (usize, usize, [f64; 3])> + '_ {
        let tables = self.groups.iter().filter_map(|store| match store {
            Store::Table { boxes, .. } => Some(boxes),
            Store::Latest { .. } => None,
        });
        let all = tables.chain(self.hulls.iter().map(|(_, boxes)| boxes));
        all.flat_map(|boxes| {
            let heads = boxes.heads.iter();
            heads.map(|&(layer, head, _)| (layer, head, boxes.reach))
        })
    }

    /// Begins a token.
    #[inline]
    pub(crate) fn begin(&mut self, id: u16) -> Result<(), Refusal> {
        let time = self.ids.len();
        self.registers[usize::from(TIME)] = time as f64;
        self.ids.push(id);
        if self.adds[usize::from(id)] {
            let terms = &self.terms[usize::from(id) * self.sums.len()..][..self.sums.len()];
            let mut fits = true;
            for ((sum, term), [lo, hi]) in self.sums.iter_mut().zip(terms).zip(&self.sum_bounds) {
                *sum += term;
                fits &= (*lo..=*hi).contains(sum);
            }
            if !fits {
                return Err(Refusal::Sums);
            }
        }
        Ok(())
    }

    /// Sets registers that programs do not write, from the last one down.
    pub(crate) fn set_constants(&mut self, values: &[f64]) {
        for (&value, register) in values.iter().zip((0..=Register::MAX).rev()) {
            self.registers[usize::from(register)] = value;
        }
    }

    /// The id at a place, as it stands there.
    #[inline]
    pub(crate) fn id_at(&self, place: Register) -> usize {
        usize::from(self.ids[self.registers[usize::from(place)] as usize])
    }

    /// The number by which programs are chosen.
    #[inline]
    pub(crate) fn set_index(&mut self, register: Register) -> f64 {
        let index = self.registers[usize::from(register)];
        self.registers[usize::from(INDEX)] = index;
        index
    }

    pub(crate) fn bytes(&self) -> usize {
        let stores = self.groups.iter().map(|store| match store {
            Store::Latest { values, .. } => 8 * values.len(),
            Store::Table { table, .. } => table.bytes(),
        });
        let streams: usize = self.streams.iter().map(|s| 8 * s.capacity()).sum();
        let hulls: usize = self.hulls.iter().map(|(h, _)| h.hull().heap_bytes()).sum();
        2 * self.ids.capacity() + stores.sum::<usize>() + streams + hulls
    }

    /// Runs a program for the last token.
    #[inline]
    pub(crate) fn run(
        &mut self,
        program: &Program,
        heads: &[(usize, usize)],
    ) -> Result<(), Refusal> {
        let products = |span: Span| &program.products[span.start as usize..][..span.len as usize];
        let registers = |span: Span| &program.registers[span.start as usize..][..span.len as usize];
        macro_rules! get {
            ($register:expr) => {
                self.registers[usize::from($register)]
            };
        }
        macro_rules! linear {
            ($start:expr, $span:expr) => {{
                let mut sum = $start;
                for product in products($span) {
                    sum += product.weight * get!(product.register);
                }
                sum
            }};
        }
        for op in &program.ops {
            let (to, number) = match *op {
                Op::Token { to, slot } => (to, self.embedded(slot)),
                Op::Linear {
                    to,
                    start,
                    products: span,
                } => (to, linear!(start, span)),
                Op::Quadratic {
                    to,
                    start,
                    products: span,
                } => {
                    let mut sum = start;
                    for product in products(span) {
                        sum += product.weight * (get!(product.register) * get!(product.factor));
                    }
                    (to, sum)
                }
                Op::Rounded {
                    to,
                    base,
                    products: span,
                } => {
                    let mut sum = 0.0;
                    for product in products(span) {
                        sum += product.weight * get!(product.register);
                    }
                    (to, get!(base) + sum)
                }
                Op::Gated { to, gate, value } => {
                    let gate = get!(gate);
                    let open = if gate <= 0.0 { 0.0 } else { gate };
                    (to, open * get!(value))
                }
                Op::Product { to, gate, value } => (to, get!(gate) * get!(value)),
                Op::Whole { to, query } => (to, get!(query).max(0.0).min(get!(TIME))),
                Op::Close { to, query, head } => {
                    let query = get!(query);
                    let place = round(query);
                    let last = get!(TIME);
                    if (query - place).abs() < 0.499_99 {
                        (to, place.max(0.0).min(last))
                    } else {
                        let place = nearest(Point::new(query, 1.0), [2.0, 1.0], last);
                        (to, place.ok_or(Refusal::Head(heads[head as usize]))?)
                    }
                }
                Op::Sum { to, sum } => (to, self.sums[sum as usize]),
                Op::Near { to, of } => (to, round(get!(of))),
                Op::Nearest {
                    to,
                    query,
                    scale,
                    head,
                } => {
                    let query = Point::new(get!(query[0]), get!(query[1]));
                    let scale = &program.products[scale as usize..];
                    let key = [scale[0].weight, scale[1].weight];
                    let place = nearest(query, key, get!(TIME));
                    let at = heads[head as usize];
                    (to, place.ok_or(Refusal::Head(at))?)
                }
                Op::Read { to, place, table } => {
                    let id = self.id_at(place);
                    (to, self.tables[table as usize * self.kinds + id])
                }
                Op::Recall {
                    to,
                    start,
                    products: span,
                    table,
                } => {
                    let place = linear!(start, span).max(0.0).min(get!(TIME));
                    let id = usize::from(self.ids[place as usize]);
                    (to, self.tables[table as usize * self.kinds + id])
                }
                Op::Kept { to, place, stream } => {
                    let place = get!(place) as usize;
                    (to, self.streams[stream as usize][place])
                }
                Op::Keep { stream, value } => {
                    let value = get!(value);
                    self.streams[stream as usize].push(value);
                    continue;
                }
                Op::Add { sum, value } => {
                    let value = get!(value);
                    let sum = sum as usize;
                    self.sums[sum] += value;
                    let [lo, hi] = self.sum_bounds[sum];
                    if !(lo..=hi).contains(&self.sums[sum]) {
                        return Err(Refusal::Sums);
                    }
                    continue;
                }
                Op::Mean { to, sum } => {
                    let count = get!(TIME) + 1.0;
                    (to, self.sums[sum as usize] / count)
                }
                Op::Raise { group, y, values } => {
                    let y = get!(y);
                    let Store::Latest {
                        y: highest,
                        values: stored,
                    } = &mut self.groups[group as usize]
                    else {
                        unreachable!("a group keeps its kind");
                    };
                    let values = registers(values)
                        .iter()
                        .map(|&r| self.registers[usize::from(r)]);
                    if y > *highest {
                        *highest = y;
                        for (stored, value) in stored.iter_mut().zip(values) {
                            *stored = value;
                        }
                    } else if y == *highest && !stored.iter().zip(values).all(|(a, b)| *a == b) {
                        return Err(Refusal::Group(group));
                    }
                    continue;
                }
                Op::Latest { to, group, value } => match &self.groups[group as usize] {
                    Store::Latest { values, .. } => (to, values[value as usize]),
                    Store::Table { .. } => unreachable!("a group keeps its kind"),
                },
                Op::Insert {
                    group,
                    x,
                    y,
                    values,
                } => {
                    let (x, y) = (get!(x), get!(y));
                    let Store::Table { table, boxes } = &mut self.groups[group as usize] else {
                        unreachable!("a group keeps its kind");
                    };
                    let unfit = |_: Unfit| Refusal::Group(group);
                    if let Some(outside) = boxes.outside(x, y) {
                        note(&mut self.outside, outside);
                        continue;
                    }
                    if let Some((j, lift)) = table.parse(x, y).map_err(unfit)? {
                        let values = registers(values)
                            .iter()
                            .map(|&r| self.registers[usize::from(r)]);
                        table.insert(j, lift, values).map_err(unfit)?;
                    }
                    continue;
                }
                Op::Find { to, group, query } => {
                    let query = Point::new(get!(query[0]), get!(query[1]));
                    let Store::Table { table, .. } = &self.groups[group as usize] else {
                        unreachable!("a group keeps its kind");
                    };
                    let entry = table.find(query).map_err(|_| Refusal::Group(group))?;
                    (to, f64::from(entry))
                }
                Op::FindWhole { to, group, query } => {
                    let query = get!(query);
                    let Store::Table { table, .. } = &self.groups[group as usize] else {
                        unreachable!("a group keeps its kind");
                    };
                    let entry = table.find_whole(query).map_err(|_| Refusal::Group(group))?;
                    (to, f64::from(entry))
                }
                Op::Found {
                    to,
                    group,
                    entry,
                    value,
                } => {
                    let entry = get!(entry) as u32;
                    match &self.groups[group as usize] {
                        Store::Table { table, .. } => (to, table.value(entry, value)),
                        Store::Latest { .. } => unreachable!("a group keeps its kind"),
                    }
                }
                Op::Look {
                    to,
                    entry,
                    group,
                    value,
                    start,
                    products: span,
                } => {
                    let query = linear!(start, span);
                    let Store::Table { table, .. } = &self.groups[usize::from(group)] else {
                        unreachable!("a group keeps its kind");
                    };
                    let found = table
                        .find_whole(query)
                        .map_err(|_| Refusal::Group(group.into()))?;
                    get!(entry) = f64::from(found);
                    (to, table.value(found, value.into()))
                }
                Op::Push { hull, key, values } => {
                    let key = Point::new(get!(key[0]), get!(key[1]));
                    let values = values.map(|r| get!(r));
                    let (hull, boxes) = &mut self.hulls[hull as usize];
                    if let Some(outside) = boxes.outside(key.x, key.y) {
                        note(&mut self.outside, outside);
                        continue;
                    }
                    hull.push(key, values).map_err(|_| Refusal::Model)?;
                    continue;
                }
                Op::Ask { hull, query, to } => {
                    let query = Point::new(get!(query[0]), get!(query[1]));
                    let answers = self.hulls[hull as usize]
                        .0
                        .query(query)
                        .map_err(|_| Refusal::Model)?;
                    get!(to[0]) = answers[0];
                    (to[1], answers[1])
                }
            };
            get!(to) = number;
        }
        Ok(())
    }

    #[inline]
    fn embedded(&self, slot: u16) -> f64 {
        let id = self.ids[self.ids.len() - 1];
        self.rows.embedded(id.into(), slot.into())
    }
}

/// The nearest integer, for numbers below 2^51; greater ones stay as they are, as far as a position can tell.
#[inline]
fn round(number: f64) -> f64 {
    const MAGIC: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52
    (number + MAGIC) - MAGIC
}

/// The position from 0 to `last` at which the key `(a t, -b t^2)` scores most; none if several do.
#[inline]
fn nearest(query: Point, [a, b]: [f64; 2], last: f64) -> Option<f64> {
    if query.y > 0.0 {
        let vertex = a * query.x / (2.0 * b * query.y);
        let place = round(vertex);
        // The quotient is off by less than 2^-20 where it matters.
        if (vertex - place).abs() < 0.499_99 {
            return Some(place.max(0.0).min(last));
        }
        if vertex < -1.0 {
            return Some(0.0);
        }
        if vertex > last + 1.0 {
            return Some(last);
        }
    }
    exactly_nearest(query, [a, b], last)
}

#[cold]
fn exactly_nearest(query: Point, [a, b]: [f64; 2], last: f64) -> Option<f64> {
    let key = |t: f64| Point::new(a * t, -(b * (t * t)));
    let better = |s: f64, t: f64| match compare_scores(query, key(s), key(t)) {
        Ordering::Greater => Some(s),
        Ordering::Less => Some(t),
        Ordering::Equal => None,
    };
    if query.y > 0.0 {
        let vertex = a * query.x / (2.0 * b * query.y);
        let low = vertex.floor().max(0.0).min(last);
        let high = (low + 1.0).min(last);
        if low == high {
            Some(low)
        } else {
            better(low, high)
        }
    } else if last == 0.0 {
        Some(0.0)
    } else {
        // Scores are convex, or linear, in t: an end wins.
        better(0.0, last)
    }
}
