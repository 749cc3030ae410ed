//! The decoding state of a plan: token ids, registers, running sums, tables of keys, hulls.

use std::sync::Arc;

use weightware_analysis::{Bailout, Group, HeadAt, IdTable, KeyLayout, Offer, SparseWeights};
use weightware_hull::{HullCache, KeyValueIndex, Point};

use crate::key_box::{KeyExtent, cleared, holds, live_lift};
use crate::plan::exec::table::{Table, Unfit};
use crate::plan::float::{round, whole};
use crate::plan::ir::{Guard, INDEX, ONE, Register, RegisterLayout, TIME};
use crate::sparse::{Vector, zero_vector};

/// Keys and values of past tokens, as far as a plan needs them.
#[derive(Debug)]
pub(crate) struct PlanState {
    /// Two bytes a token; the first is not its id but one past the greatest.
    pub(crate) ids: Vec<u16>,
    layout: RegisterLayout,
    terms: Terms,
    /// Bounds of sums.
    pub(crate) sum_bounds: Vec<[f64; 2]>,
    /// All tables, one after the other, padded: every 16-bit id indexes each.
    pub(crate) tables: Vec<f64>,
    pub(crate) groups: Vec<Store>,
    pub(crate) streams: Vec<Vec<f64>>,
    pub(crate) hulls: Vec<(HullCache, Boxes)>,
    /// The first head whose key of this token is outside its box.
    pub(crate) outside: Option<Outside>,
    pub(crate) registers: Vector,
    pub(crate) rows: Arc<SparseWeights>,
}

/// The numbers that ids add to the sums that are functions of them.
#[derive(Debug)]
struct Terms {
    all: Vec<Term>,
    /// By id: the range of its terms.
    of_id: Vec<[u32; 2]>,
}

/// A number that a token adds to a sum.
#[derive(Debug)]
struct Term {
    sum: Register,
    value: f64,
    /// Bounds of the sum.
    bounds: [f64; 2],
}

impl Terms {
    fn new(vocab: usize, layout: &KeyLayout, registers: &RegisterLayout) -> Self {
        let mut all = Vec::new();
        let mut of_id = Vec::new();
        for id in 0..vocab {
            let start = all.len() as u32;
            for (number, sum) in (0..).zip(&layout.sums) {
                let value = sum.by_id.as_ref().map_or(0.0, |by_id| by_id[id]);
                if value != 0.0 {
                    all.push(Term {
                        sum: registers.sum(number),
                        value,
                        bounds: [sum.range.lo, sum.range.hi],
                    });
                }
            }
            of_id.push([start, all.len() as u32]);
        }
        Self { all, of_id }
    }
}

/// The keys of a group of heads.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there are a dozen stores, and a box would cost every lookup"
)]
pub(crate) enum Store {
    /// The highest key's y and its values are in registers.
    Latest,
    Table {
        table: Table,
        boxes: Boxes,
    },
}

impl Store {
    /// The table.
    ///
    /// # Panics
    /// If only the highest key counts.
    #[inline]
    pub(crate) fn table(&self) -> &Table {
        match self {
            Self::Table { table, .. } => table,
            Self::Latest => unreachable!("only groups that keep all keys are searched"),
        }
    }

    /// Takes a key into a table, or notes that it is outside a box.
    ///
    /// # Panics
    /// If only the highest key counts.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        [x, y]: [f64; 2],
        values: impl Iterator<Item = f64>,
        first_outside: &mut Option<Outside>,
    ) -> Result<(), Unfit> {
        let Self::Table { table, boxes } = self else {
            unreachable!("keys are inserted into groups that keep all of them");
        };
        if let Some(outside) = boxes.outside(x, y) {
            note(first_outside, outside);
            return Ok(());
        }
        match table.parse(x, y)? {
            Some((j, lift)) => table.insert(j, lift, values),
            None => Ok(()),
        }
    }
}

/// The boxes of heads that share their keys, and the extent of their live keys.
#[derive(Debug)]
pub(crate) struct Boxes {
    /// Layer, number in the weights, and the box: greatest `|x|`, greatest lift.
    heads: Vec<(usize, usize, [f64; 2])>,
    /// The intersection of all boxes.
    least: [f64; 2],
    extent: KeyExtent,
}

/// A live key outside the box of its head: layer, head, x, lift.
pub(crate) type Outside = (usize, usize, f64, f64);

fn boxed(rows: &SparseWeights, (layer, head): (usize, usize)) -> Option<(usize, usize, [f64; 2])> {
    let head = &rows.layers[layer].heads[head];
    Some((layer, head.number, head.bound?))
}

impl Boxes {
    fn new(heads: impl Iterator<Item = (usize, usize, [f64; 2])>) -> Self {
        let heads: Vec<_> = heads.collect();
        let least =
            |[x, lift]: [f64; 2], head: &(_, _, [f64; 2])| [x.min(head.2[0]), lift.min(head.2[1])];
        Self {
            least: heads.iter().fold([f64::INFINITY; 2], least),
            heads,
            extent: KeyExtent::EMPTY,
        }
    }

    /// The first head whose box does not hold the key.
    #[inline]
    pub(crate) fn outside(&mut self, x: f64, y: f64) -> Option<Outside> {
        let lift = live_lift([x, y])?;
        if holds(self.least, x, lift) {
            self.extent.include([x, y], lift);
            return None;
        }
        let mut outside = self.heads.iter().filter(|head| !holds(head.2, x, lift));
        let &(layer, head, _) = outside.next()?;
        Some((layer, head, x, lift))
    }
}

pub(crate) fn note(first: &mut Option<Outside>, outside: Outside) {
    if first.is_none_or(|first| (outside.0, outside.1) < (first.0, first.1)) {
        *first = Some(outside);
    }
}

/// The entries of all tables, with [padding](PlanState::tables) after the last.
fn padded(tables: &[IdTable]) -> Vec<f64> {
    let tables = tables.iter().map(|table| &table.entries[..]);
    let entries = tables.clone().map(<[f64]>::len).sum::<usize>();
    // Zeros that are never read take no pages.
    let mut all = vec![0.0; entries + (1 << 16)];
    let mut rest = &mut all[..];
    for table in tables {
        let (into, later) = rest.split_at_mut(table.len());
        into.copy_from_slice(table);
        rest = later;
    }
    all
}

/// The first token's key and values at a group; none if its heads differ.
fn first_of_group(layout: &KeyLayout, group: &Group) -> Option<([f64; 2], Vec<f64>)> {
    let offers = &layout.first[group.layer];
    let key = offers[group.heads[0]].key;
    let is_shared = group.heads.iter().all(|&head| offers[head].key == key);
    let values = group.values.iter();
    let values = values.map(|&(head, part)| offers[head].value[part]);
    is_shared.then(|| (key, values.collect()))
}

/// A table of keys with the first token's.
fn first_table(
    rows: &SparseWeights,
    group: &Group,
    [x, y]: [f64; 2],
    values: &[f64],
) -> Result<Store, Unfit> {
    let heads = &rows.layers[group.layer].heads;
    let mut table = Table::new(values.len(), cleared(heads[group.heads[0]].bound));
    if let Some((j, lift)) = table.parse(x, y)? {
        table.insert(j, lift, values.iter().copied())?;
    }
    let heads = group.heads.iter();
    let boxes = heads.filter_map(|&head| boxed(rows, (group.layer, head)));
    Ok(Store::Table {
        table,
        boxes: Boxes::new(boxes),
    })
}

/// The hull of a head with the first token's key.
fn first_hull(
    rows: &SparseWeights,
    layout: &KeyLayout,
    (layer, head): HeadAt,
) -> Result<(HullCache, Boxes), Bailout> {
    let Offer { key: [x, y], value } = layout.first[layer][head];
    let mut hull = HullCache::new();
    hull.push(Point { x, y }, value)
        .map_err(|_| Bailout::Model)?;
    Ok((hull, Boxes::new(boxed(rows, (layer, head)).into_iter())))
}

impl PlanState {
    /// The state after the first token.
    pub(crate) fn new(
        rows: &Arc<SparseWeights>,
        layout: &KeyLayout,
        register_layout: &RegisterLayout,
    ) -> Result<Self, Bailout> {
        if register_layout.end().is_none() {
            return Err(Bailout::Model);
        }
        let mut registers = zero_vector();
        registers[usize::from(ONE)] = 1.0;
        for (number, sum) in (0..).zip(&layout.sums) {
            registers[usize::from(register_layout.sum(number))] = sum.first;
        }
        let mut groups = Vec::new();
        for (number, group) in (0..).zip(&layout.groups) {
            let bailout = Bailout::Group(number);
            let (key, values) = first_of_group(layout, group).ok_or(bailout)?;
            groups.push(if group.latest {
                registers[usize::from(register_layout.height(number))] = key[1];
                for (i, &value) in values.iter().enumerate() {
                    let register = usize::from(register_layout.latest(number, i));
                    registers[register] = value;
                    registers[register + 1] = round(value);
                }
                Store::Latest
            } else {
                first_table(rows, group, key, &values).map_err(|Unfit| bailout)?
            });
        }
        let first =
            |&((layer, head), part): &(HeadAt, usize)| layout.first[layer][head].value[part];
        let streams = layout.streams.iter().map(|stream| vec![first(stream)]);
        let hulls = layout.hulls.iter().map(|&at| first_hull(rows, layout, at));
        let sums = layout.sums.iter();
        Ok(Self {
            ids: vec![rows.vocab as u16],
            layout: register_layout.clone(),
            terms: Terms::new(rows.vocab, layout, register_layout),
            sum_bounds: sums.map(|sum| [sum.range.lo, sum.range.hi]).collect(),
            tables: padded(&layout.tables),
            groups,
            streams: streams.collect(),
            hulls: hulls.collect::<Result<_, _>>()?,
            outside: None,
            registers,
            rows: Arc::clone(rows),
        })
    }

    /// The highest keys of groups of which only that counts.
    pub(crate) fn heights(&self) -> Vec<f64> {
        let height = |(number, store)| match store {
            &Store::Latest => self.registers[usize::from(self.layout.height(number))],
            Store::Table { .. } => 0.0,
        };
        (0..).zip(&self.groups).map(height).collect()
    }

    /// How far the live keys of heads with a box extent: layer, number, least and greatest `x`,
    /// greatest lift.
    pub(crate) fn reach(&self) -> impl Iterator<Item = (usize, usize, [f64; 3])> + '_ {
        let tables = self.groups.iter().filter_map(|store| match store {
            Store::Table { boxes, .. } => Some(boxes),
            Store::Latest => None,
        });
        let all = tables.chain(self.hulls.iter().map(|(_, boxes)| boxes));
        all.flat_map(|boxes| {
            let heads = boxes.heads.iter();
            heads.map(|&(layer, head, _)| (layer, head, boxes.extent.0))
        })
    }

    /// Whether places lie before the last token.
    #[inline]
    pub(crate) fn holds(&self, guards: &[Guard]) -> bool {
        let last = self.registers[usize::from(TIME)];
        let place = |&(register, plus): &Guard| self.registers[usize::from(register)] + plus;
        guards.iter().all(|guard| place(guard) < last)
    }

    /// Begins a token.
    #[inline]
    pub(crate) fn begin(&mut self, id: u16) -> Result<(), Bailout> {
        // Positions have 26 bits.
        self.registers[usize::from(TIME)] = f64::from(self.ids.len() as u32);
        self.ids.push(id);
        let [from, to] = self.terms.of_id[usize::from(id)];
        let mut fits = true;
        for term in &self.terms.all[from as usize..to as usize] {
            let sum = &mut self.registers[usize::from(term.sum)];
            *sum += term.value;
            let [lo, hi] = term.bounds;
            fits &= (lo..=hi).contains(sum);
        }
        match fits {
            true => Ok(()),
            false => Err(Bailout::Sums),
        }
    }

    /// Sets registers that kernels do not write, from the last one down.
    pub(crate) fn set_constants(&mut self, values: &[f64]) {
        for (&value, register) in values.iter().zip((0..=Register::MAX).rev()) {
            self.registers[usize::from(register)] = value;
        }
    }

    /// The id at a place, as it stands there.
    #[inline]
    pub(crate) fn id_at(&self, place: Register) -> usize {
        usize::from(self.ids[whole(self.registers[usize::from(place)])])
    }

    /// The number by which kernels are chosen.
    #[inline]
    pub(crate) fn set_index(&mut self, register: Register) -> f64 {
        let index = self.registers[usize::from(register)];
        self.registers[usize::from(INDEX)] = index;
        index
    }

    pub(crate) fn bytes(&self) -> usize {
        let stores = self.groups.iter().map(|store| match store {
            Store::Latest => 0,
            Store::Table { table, .. } => table.bytes(),
        });
        let streams: usize = self.streams.iter().map(|s| 8 * s.capacity()).sum();
        let hulls: usize = self.hulls.iter().map(|(h, _)| h.hull().heap_bytes()).sum();
        2 * self.ids.capacity() + stores.sum::<usize>() + streams + hulls
    }
}
