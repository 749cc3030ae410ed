//! What code calls of a memory.

use crate::plan::analysis::Refusal;
use crate::plan::memory::{Memory, Store};
use crate::plan::program::Register;
use crate::plan::table::Table;

impl Memory {
    /// The table of a group.
    ///
    /// # Panics
    /// If only the highest key of the group counts.
    #[inline]
    pub(super) fn table(&self, group: u32) -> &Table {
        match &self.groups[group as usize] {
            Store::Table { table, .. } => table,
            Store::Latest => unreachable!("a group keeps its kind"),
        }
    }

    /// Takes a key of a group into its table, with the values that registers hold.
    pub(super) fn insert(
        &mut self,
        group: u16,
        key: [f64; 2],
        values: &[Register],
    ) -> Result<(), Refusal> {
        let registers = &self.registers;
        let values = values.iter().map(|&r| registers[usize::from(r)]);
        let fits = self.groups[usize::from(group)].insert(key, values, &mut self.outside);
        fits.map_err(|_| Refusal::Group(group.into()))
    }
}
