//! The names of operands: registers with a fixed meaning, constants, places, sums.

use std::fmt::Write as _;

use weightware_analysis::HeadAt;

use crate::plan::decode::Plan;
use crate::plan::ir::{INDEX, ONE, Register, RegisterLayout, Role, TIME, ZERO};
use crate::plan::lower::compiler::Constants;

/// The context that names operands.
pub(super) struct Names<'p> {
    pub(super) layout: &'p RegisterLayout,
    pub(super) constants: &'p Constants,
    pub(super) heads: &'p [HeadAt],
    pub(super) vocab: usize,
}

impl<'p> Names<'p> {
    pub(super) fn of(plan: &'p Plan) -> Self {
        Self {
            layout: &plan.constants.layout,
            constants: &plan.constants,
            heads: &plan.heads,
            vocab: plan.analysis.rows.vocab,
        }
    }

    /// The name of a register, or the number that it always holds.
    pub(super) fn register(&self, register: Register) -> String {
        match register {
            TIME => return "time".to_owned(),
            ONE => return "one".to_owned(),
            INDEX => return "index".to_owned(),
            ZERO => return "zero".to_owned(),
            _ => {}
        }
        if let Some(value) = self.constants.value(register) {
            return format!("{value:?}");
        }
        match self.layout.role(register) {
            None => format!("r{register}"),
            Some(Role::Sum(sum)) => format!("sum{sum}"),
            Some(Role::Height { group }) => format!("group{group}.y"),
            Some(Role::Latest {
                group,
                value,
                is_rounded,
            }) => {
                let kind = if is_rounded { 'n' } else { 'v' };
                format!("group{group}.{kind}{value}")
            }
        }
    }

    pub(super) fn list(&self, registers: &[Register]) -> String {
        let names = registers.iter().map(|&register| self.register(register));
        names.collect::<Vec<_>>().join(", ")
    }

    /// The sum of a register and a constant.
    pub(super) fn near(&self, register: Register, plus: f64) -> String {
        let name = self.register(register);
        if plus == 0.0 {
            name
        } else if plus < 0.0 {
            format!("{name} - {:?}", -plus)
        } else {
            format!("{name} + {plus:?}")
        }
    }

    /// A sum of products, in the order of the additions.
    pub(super) fn sum(
        &self,
        start: impl Into<String>,
        terms: impl IntoIterator<Item = (f64, String)>,
    ) -> String {
        let mut text = start.into();
        for (weight, factor) in terms {
            text += if weight < 0.0 { " - " } else { " + " };
            // Multiplying by 1 or -1 changes no number.
            if weight.abs() != 1.0 {
                let _ = write!(text, "{:?}*", weight.abs());
            }
            text += &factor;
        }
        text
    }

    /// The name of a table, given the index of its first entry.
    pub(super) fn table(&self, start: u32) -> String {
        format!("table{}", start as usize / (self.vocab + 1))
    }

    /// The name of a live head: its layer, and its index among the live heads of the layer.
    pub(super) fn head(&self, head: u32) -> String {
        let (layer, head) = self.heads[head as usize];
        format!("head{layer}.{head}")
    }
}

/// Formats ascending numbers as runs; after the first runs, only their total count.
pub(super) fn ranges(numbers: impl Iterator<Item = usize>) -> String {
    const MOST: usize = 12;
    let mut runs: Vec<[usize; 2]> = Vec::new();
    let mut count = 0;
    for number in numbers {
        count += 1;
        match runs.last_mut() {
            Some([_, last]) if *last + 1 == number => *last = number,
            _ => runs.push([number; 2]),
        }
    }
    let shown = runs.iter().take(MOST).map(|&[first, last]| match first {
        _ if first == last => format!("{first}"),
        _ => format!("{first}-{last}"),
    });
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if runs.len() > MOST {
        let _ = write!(text, ", ... ({count} in all)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn runs_are_shortened() {
        assert_eq!(ranges([].into_iter()), "");
        assert_eq!(ranges([0, 2, 3, 4, 9, 10].into_iter()), "0, 2-4, 9-10");
        let many = ranges((0..100).step_by(2));
        assert!(many.ends_with("20, 22, ... (50 in all)"), "{many}");
    }
}
