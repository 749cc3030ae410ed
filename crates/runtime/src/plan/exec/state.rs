//! The decoding state of a plan: token ids, registers, running sums, tables of keys, hulls.

use std::sync::Arc;

use weightware_analysis::{Bailout, HeadAt, IdTable, KeyLayout, Offer, SparseWeights};
use weightware_hull::{HullCache, KeyValueIndex, Point};

use crate::plan::exec::boxes::{Boxes, Outside};
use crate::plan::exec::columns::Columns;
use crate::plan::exec::groups::Groups;
use crate::plan::float::whole;
use crate::plan::ir::{Guard, INDEX, ONE, Register, RegisterLayout, TIME};
use crate::plan::lower::compiler::Constants;
use crate::sparse::{Vector, zero_vector};

/// The decoding state of a plan: the keys and values of past tokens that it needs, and registers.
#[derive(Debug)]
pub(crate) struct PlanState {
    /// The ids of the tokens. The first is one more than the greatest id, in place of its own.
    pub(crate) ids: Vec<u16>,
    layout: RegisterLayout,
    terms: Terms,
    /// The bounds of running sums.
    pub(crate) sum_bounds: Vec<[f64; 2]>,
    /// The entries of all tables as one list, padded so that every 16-bit id is in bounds.
    pub(crate) tables: Vec<f64>,
    pub(crate) columns: Columns,
    pub(crate) groups: Groups,
    pub(crate) streams: Vec<Vec<f64>>,
    pub(crate) hulls: Vec<(HullCache, Boxes)>,
    /// The first head whose key of this token is outside its box.
    pub(crate) outside: Option<Outside>,
    pub(crate) registers: Vector,
    pub(crate) rows: Arc<SparseWeights>,
}

/// The summands of running sums that are functions of the token's id.
#[derive(Debug)]
struct Terms {
    all: Vec<Term>,
    /// The range of the terms of each id.
    of_id: Vec<[u32; 2]>,
}

/// A summand that a token adds to a running sum.
#[derive(Debug)]
struct Term {
    sum: Register,
    value: f64,
    /// The bounds of the sum.
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

/// The entries of all tables, with [padding](PlanState::tables) after the last.
fn padded(tables: &[IdTable]) -> Vec<f64> {
    let tables = tables.iter().map(|table| &table.entries[..]);
    let entries = tables.clone().map(<[f64]>::len).sum::<usize>();
    // The system allocates no pages for zeros that are never read.
    let mut all = vec![0.0; entries + (1 << 16)];
    let mut rest = &mut all[..];
    for table in tables {
        let (into, later) = rest.split_at_mut(table.len());
        into.copy_from_slice(table);
        rest = later;
    }
    all
}

/// The hull of a head, with the first token's key.
fn first_hull(
    rows: &SparseWeights,
    layout: &KeyLayout,
    (layer, head): HeadAt,
) -> Result<(HullCache, Boxes), Bailout> {
    let Offer { key: [x, y], value } = layout.first[layer][head];
    let mut hull = HullCache::new();
    hull.push(Point { x, y }, value)
        .map_err(|_| Bailout::Model)?;
    Ok((hull, Boxes::of(rows, std::iter::once((layer, head)))))
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
        let groups = Groups::new(rows, layout, register_layout, &mut registers)?;
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
            columns: Columns::new(rows),
            groups,
            streams: streams.collect(),
            hulls: hulls.collect::<Result<_, _>>()?,
            outside: None,
            registers,
            rows: Arc::clone(rows),
        })
    }

    /// For each group, the y of its highest key; 0 for groups that keep all keys.
    pub(crate) fn heights(&self) -> Vec<f64> {
        let height = |(group, is_latest)| match is_latest {
            true => self.registers[usize::from(self.layout.height(group))],
            false => 0.0,
        };
        (0..).zip(self.groups.are_latest()).map(height).collect()
    }

    /// The extent of live keys of each head with a box: layer, number in the weights, least and
    /// greatest `x`, greatest lift.
    pub(crate) fn reach(&self) -> impl Iterator<Item = (usize, usize, [f64; 3])> + '_ {
        let hulls = self.hulls.iter().map(|(_, boxes)| boxes);
        self.groups.boxes().chain(hulls).flat_map(Boxes::reach)
    }

    /// Whether guards hold: whether all their places lie before the last token.
    #[inline]
    pub(crate) fn holds(&self, guards: &[Guard]) -> bool {
        let last = self.registers[usize::from(TIME)];
        let place = |&(register, plus): &Guard| self.registers[usize::from(register)] + plus;
        guards.iter().all(|guard| place(guard) < last)
    }

    /// Begins a token: appends its id, and adds the summands of its id to running sums.
    #[inline]
    pub(crate) fn begin(&mut self, id: u16) -> Result<(), Bailout> {
        // Positions have at most 27 bits.
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

    /// Takes over what the lowering of kernels assumes: constants, in registers from the last one
    /// down, and the groups of which kernels leave out near keys.
    pub(crate) fn assume(&mut self, constants: &Constants) {
        for (&value, register) in constants.values.iter().zip((0..=Register::MAX).rev()) {
            self.registers[usize::from(register)] = value;
        }
        for &group in &constants.omits_near {
            self.groups.omits_near(group);
        }
    }

    /// The id of the token at a place.
    #[inline]
    pub(crate) fn id_at(&self, place: Register) -> usize {
        usize::from(self.ids[whole(self.registers[usize::from(place)])])
    }

    /// Stores the index in its register, and returns it.
    #[inline]
    pub(crate) fn set_index(&mut self, register: Register) -> f64 {
        let index = self.registers[usize::from(register)];
        self.registers[usize::from(INDEX)] = index;
        index
    }

    pub(crate) fn bytes(&self) -> usize {
        let streams: usize = self.streams.iter().map(|s| 8 * s.capacity()).sum();
        let hulls: usize = self.hulls.iter().map(|(h, _)| h.hull().heap_bytes()).sum();
        2 * self.ids.capacity() + self.groups.bytes() + streams + hulls
    }
}
