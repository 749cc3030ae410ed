//! What code calls of a state.

use weightware_analysis::Bailout;

use crate::plan::exec::state::PlanState;
use crate::plan::ir::Register;

impl PlanState {
    /// Takes a key of a group into its table, with the values that registers hold.
    pub(super) fn insert(
        &mut self,
        group: u16,
        key: [f64; 2],
        values: &[Register],
    ) -> Result<(), Bailout> {
        let registers = &self.registers;
        let values = values.iter().map(|&r| registers[usize::from(r)]);
        let fits = self.groups[usize::from(group)].insert(key, values, &mut self.outside);
        fits.map_err(|_| Bailout::Group(group.into()))
    }
}
