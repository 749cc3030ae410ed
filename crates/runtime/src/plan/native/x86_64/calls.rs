//! What code calls of a memory.

use weightware_analysis::Refusal;

use crate::plan::memory::Memory;
use crate::plan::program::Register;

impl Memory {
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
