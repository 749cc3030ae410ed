//! Stores of keys that heads share: a table for keys near a parabola, registers for the highest
//! key.
//!
//! The interpreter and machine code both insert and find keys by these methods.

use weightware_analysis::{Bailout, Group, KeyLayout, SparseWeights};
use weightware_hull::Point;

use crate::key_box::cleared;
use crate::plan::exec::boxes::{Boxes, Outside, note};
use crate::plan::exec::table::{Entry, Table, Unfit};
use crate::plan::float::round;
use crate::plan::ir::RegisterLayout;
use crate::sparse::WIDTH;

/// The keys of all groups of heads.
#[derive(Debug)]
pub(crate) struct Groups(Vec<Store>);

/// The keys of a group of heads.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there are a dozen stores, and a box would cost every lookup"
)]
enum Store {
    /// Only the highest key can win: its y and its values are in registers.
    Latest,
    /// Any key can win.
    Table { table: Table, boxes: Boxes },
}

impl Groups {
    /// The stores with the first token's keys, some of them in registers.
    pub(super) fn new(
        rows: &SparseWeights,
        layout: &KeyLayout,
        register_layout: &RegisterLayout,
        registers: &mut [f64; WIDTH],
    ) -> Result<Self, Bailout> {
        let mut stores = Vec::new();
        for (number, group) in (0..).zip(&layout.groups) {
            let bailout = Bailout::Group(number);
            let (key, values) = first_of_group(layout, group).ok_or(bailout)?;
            stores.push(if group.latest {
                registers[usize::from(register_layout.height(number))] = key[1];
                for (i, &value) in values.iter().enumerate() {
                    let register = usize::from(register_layout.latest(number, i));
                    registers[register] = value;
                    registers[register + 1] = round(value);
                }
                Store::Latest
            } else {
                first_table(rows, group, key, &values).map_err(|_| bailout)?
            });
        }
        Ok(Self(stores))
    }

    /// For each group, whether only its highest key can win.
    pub(super) fn are_latest(&self) -> impl Iterator<Item = bool> + '_ {
        self.0.iter().map(|store| matches!(store, Store::Latest))
    }

    fn tables(&self) -> impl Iterator<Item = (&Table, &Boxes)> {
        self.0.iter().filter_map(|store| match store {
            Store::Table { table, boxes } => Some((table, boxes)),
            Store::Latest => None,
        })
    }

    /// The boxes of heads whose keys are in tables.
    pub(super) fn boxes(&self) -> impl Iterator<Item = &Boxes> {
        self.tables().map(|(_, boxes)| boxes)
    }

    pub(super) fn bytes(&self) -> usize {
        self.tables().map(|(table, _)| table.bytes()).sum()
    }

    #[inline]
    fn table(&self, group: u16) -> &Table {
        match &self.0[usize::from(group)] {
            Store::Table { table, .. } => table,
            Store::Latest => unreachable!("kernels find keys only in tables, not in group {group}"),
        }
    }

    /// Inserts a key into a group's table, or records that it is outside a box.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        group: u16,
        [x, y]: [f64; 2],
        values: impl Iterator<Item = f64>,
        first_outside: &mut Option<Outside>,
    ) -> Result<(), Bailout> {
        let Store::Table { table, boxes } = &mut self.0[usize::from(group)] else {
            unreachable!("kernels insert keys only into tables, not into group {group}");
        };
        if let Some(outside) = boxes.outside(x, y) {
            note(first_outside, outside);
            return Ok(());
        }
        let inserted = match table.parse(x, y) {
            Ok(Some((j, lift))) => table.insert(j, lift, values),
            Ok(None) => Ok(()),
            Err(unfit) => Err(unfit),
        };
        inserted.map_err(|unfit| bailout(group, unfit))
    }

    /// Notes that kernels leave out keys of a group that may lie near the parabola.
    pub(super) fn omits_near(&mut self, group: u32) {
        if let Store::Table { table, .. } = &mut self.0[group as usize] {
            table.omits_near();
        }
    }

    /// The entry of a group that has the greatest score.
    #[inline]
    pub(crate) fn find(&self, group: u16, query: Point) -> Result<Entry, Bailout> {
        let found = self.table(group).find(query);
        found.map_err(|unfit| bailout(group, unfit))
    }

    /// The entry of a group that is nearest to an integer.
    #[inline]
    pub(crate) fn find_index(&self, group: u16, query: f64) -> Result<Entry, Bailout> {
        let found = self.table(group).find_whole(query);
        found.map_err(|unfit| bailout(group, unfit))
    }

    /// A value of an entry.
    #[inline]
    pub(crate) fn value(&self, group: u16, entry: Entry, value: u16) -> f64 {
        self.table(group).value(entry, value.into())
    }
}

/// The reason why a group cannot hold a key or has no answer.
#[cold]
fn bailout(group: u16, unfit: Unfit) -> Bailout {
    match unfit {
        Unfit::Keys => Bailout::Group(group.into()),
        Unfit::Tie => Bailout::Tie(group.into()),
    }
}

/// The first token's key and values at a group. `None` if its heads differ.
fn first_of_group(layout: &KeyLayout, group: &Group) -> Option<([f64; 2], Vec<f64>)> {
    let offers = &layout.first[group.layer];
    let key = offers[group.heads[0]].key;
    let is_shared = group.heads.iter().all(|&head| offers[head].key == key);
    let values = group.values.iter();
    let values = values.map(|&(head, part)| offers[head].value[part]);
    is_shared.then(|| (key, values.collect()))
}

/// A table with the first token's key.
fn first_table(
    rows: &SparseWeights,
    group: &Group,
    [x, y]: [f64; 2],
    values: &[f64],
) -> Result<Store, Unfit> {
    let heads = &rows.layers[group.layer].heads;
    let mut table = Table::new(
        values.len(),
        cleared(heads[group.heads[0]].bound),
        group.averages,
    );
    if let Some((j, lift)) = table.parse(x, y)? {
        table.insert(j, lift, values.iter().copied())?;
    }
    let heads = group.heads.iter().map(|&head| (group.layer, head));
    let boxes = Boxes::of(rows, heads);
    Ok(Store::Table { table, boxes })
}
