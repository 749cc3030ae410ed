//! The decoding state of a plan: token ids, registers, running sums, tables of keys, hulls.

use std::sync::Arc;

use weightware_analysis::{Analysis, Bailout, SparseWeights};
use weightware_hull::{HullCache, KeyValueIndex, Point};

use crate::key_box::{KeyExtent, cleared, holds, live_lift};
use crate::plan::exec::table::{Table, Unfit};
use crate::plan::float::{round, whole};
use crate::plan::ir::Guard;
use crate::plan::ir::{INDEX, ONE, Register, RegisterLayout, TIME};
use crate::sparse::{Vector, zero_vector};

/// Keys and values of past tokens, as far as a plan needs them.
#[derive(Debug)]
pub(crate) struct PlanState {
    /// Two bytes a token; the first is not its id but one past the greatest.
    pub(crate) ids: Vec<u16>,
    fixed: RegisterLayout,
    /// What ids add to sums that are functions of them.
    terms: Vec<Term>,
    /// By id: where its terms begin and end.
    terms_of: Vec<[u32; 2]>,
    /// Bounds of sums.
    pub(crate) sum_bounds: Vec<[f64; 2]>,
    /// One after the other, and room behind them: every 16-bit id indexes each.
    pub(crate) tables: Vec<f64>,
    pub(crate) groups: Vec<Store>,
    pub(crate) streams: Vec<Vec<f64>>,
    pub(crate) hulls: Vec<(HullCache, Boxes)>,
    /// The first head whose key of this token is outside its box.
    pub(crate) outside: Option<Outside>,
    pub(crate) registers: Vector,
    pub(crate) rows: Arc<SparseWeights>,
}

/// What a token adds to a sum.
#[derive(Debug)]
struct Term {
    sum: Register,
    value: f64,
    /// Of the sum.
    bounds: [f64; 2],
}

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
            Self::Latest => unreachable!("a group keeps its kind"),
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
            unreachable!("a group keeps its kind");
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

/// The boxes of heads that share their keys, and how far live keys extent.
#[derive(Debug)]
pub(crate) struct Boxes {
    /// Layer, number in the weights, and the box: greatest `|x|`, greatest lift.
    heads: Vec<(usize, usize, [f64; 2])>,
    /// What is within this is within all of them.
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

    /// The first of the heads whose box the key is outside of.
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

/// Tables one after the other, with [room](PlanState::tables) behind the last.
fn padded(tables: &[Vec<f64>]) -> Vec<f64> {
    let entries = tables.iter().map(Vec::len).sum::<usize>();
    // Of zeros that nobody reads there are no pages.
    let mut all = vec![0.0; entries + (1 << 16)];
    let mut rest = &mut all[..];
    for table in tables {
        let (into, behind) = rest.split_at_mut(table.len());
        into.copy_from_slice(table);
        rest = behind;
    }
    all
}

impl PlanState {
    /// The memory of the first token alone.
    pub(crate) fn new(analysis: &Analysis, fixed: &RegisterLayout) -> Result<Self, Bailout> {
        let vocab = analysis.rows.vocab;
        let mut terms = Vec::new();
        let mut terms_of = Vec::new();
        for id in 0..vocab {
            let start = terms.len() as u32;
            for (number, sum) in (0..).zip(&analysis.sums) {
                let value = sum.by_id.as_ref().map_or(0.0, |by_id| by_id[id]);
                if value != 0.0 {
                    terms.push(Term {
                        sum: fixed.sum(number),
                        value,
                        bounds: [sum.range.lo, sum.range.hi],
                    });
                }
            }
            terms_of.push([start, terms.len() as u32]);
        }
        let mut registers = zero_vector();
        registers[usize::from(ONE)] = 1.0;
        let fixed = fixed.clone();
        if fixed.end().is_none() {
            return Err(Bailout::Model);
        }
        let sums_first = analysis.sums.iter().map(|sum| sum.first);
        for (register, first) in registers[fixed.sums()].iter_mut().zip(sums_first) {
            *register = first;
        }
        let mut groups = Vec::new();
        for (number, group) in analysis.groups.iter().enumerate() {
            let calls = &analysis.first[group.layer];
            let key = calls[group.heads[0]].key;
            let same = group.heads.iter().all(|&head| calls[head].key == key);
            if !same {
                return Err(Bailout::Group(number as u32));
            }
            let values: Vec<f64> = group
                .values
                .iter()
                .map(|&(head, part)| calls[head].value[part])
                .collect();
            groups.push(if group.latest {
                registers[usize::from(fixed.height(number as u32))] = key[1];
                for (i, &value) in values.iter().enumerate() {
                    let register = usize::from(fixed.latest(number as u32, i));
                    registers[register] = value;
                    registers[register + 1] = round(value);
                }
                Store::Latest
            } else {
                let heads = &analysis.rows.layers[group.layer].heads;
                let mut table = Table::new(values.len(), cleared(heads[group.heads[0]].bound));
                let unfit = |_: Unfit| Bailout::Group(number as u32);
                if let Some((j, lift)) = table.parse(key[0], key[1]).map_err(unfit)? {
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
            let [x, y] = call.key;
            hull.push(Point { x, y }, call.value)
                .map_err(|_| Bailout::Model)?;
            hulls.push((
                hull,
                Boxes::new(boxed(&analysis.rows, (layer, head)).into_iter()),
            ));
        }
        Ok(Self {
            ids: vec![vocab as u16],
            fixed,
            sum_bounds: analysis
                .sums
                .iter()
                .map(|sum| [sum.range.lo, sum.range.hi])
                .collect(),
            terms,
            terms_of,
            tables: padded(&analysis.tables),
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
        let height = |(number, store)| match store {
            &Store::Latest => self.registers[usize::from(self.fixed.height(number))],
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
        let [from, to] = self.terms_of[usize::from(id)];
        let mut fits = true;
        for term in &self.terms[from as usize..to as usize] {
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
