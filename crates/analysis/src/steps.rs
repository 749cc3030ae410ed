//! Neurons of a form that are a step together.

use smallvec::SmallVec;

use crate::atoms::{Atoms, Kind};
use crate::form::{Form, FormId};
use crate::range::{Range, grain, is_exact};

/// Two terms of a form that are a step together: `c relu(g) v - c relu(g - d) v`.
pub(crate) struct Step {
    /// Where they stand in the form.
    pub(crate) pair: [usize; 2],
    /// Of how far the step has risen: `relu(g) - relu(g - d)`.
    pub(crate) rise: Range,
    /// What that is multiplied by: `c v`.
    pub(crate) factor: Range,
    /// g and g - d.
    gates: [FormId; 2],
    /// v.
    value: FormId,
}

impl Step {
    /// Of the sum of both terms, if neither was rounded.
    pub(crate) fn range(&self) -> Range {
        self.rise.times(self.factor)
    }
}

impl Atoms {
    /// Pairs of terms `c (relu(g) - relu(g - d)) v` with a constant d: a step that goes from 0 to `d c v` as g goes from 0 to d,
    /// however great g may be. Both are rounded if g is very great: that the mass of a form says.
    pub(crate) fn steps(&self, form: &Form) -> SmallVec<[Step; 2]> {
        let mut steps: SmallVec<[Step; 2]> = SmallVec::new();
        let terms = form.terms();
        for (first, &((_, atom), coefficient)) in terms.iter().enumerate() {
            let &Kind::Gated { gate, value } = self.kind(atom) else {
                continue;
            };
            if terms[first].0.0 != 0 || steps.iter().any(|step| step.pair.contains(&first)) {
                continue;
            }
            let found = terms
                .iter()
                .enumerate()
                .skip(first + 1)
                .find_map(|(second, term)| {
                    let &((0, atom), other) = term else {
                        return None;
                    };
                    let &Kind::Gated {
                        gate: below,
                        value: of,
                    } = self.kind(atom)
                    else {
                        return None;
                    };
                    let free = !steps.iter().any(|step| step.pair.contains(&second));
                    if !free || of != value || other != -coefficient {
                        return None;
                    }
                    let apart = self[gate].plus(-1.0, &self[below])?.as_constant()?;
                    Some((second, below, apart))
                });
            let Some((second, below, apart)) = found else {
                continue;
            };
            let Range {
                lo,
                hi,
                grain: fine,
            } = self.bounds(gate);
            // Rises with g from 0 to d; for a negative d falls from 0 to it.
            let at = |g: f64| match (g <= apart.min(0.0), g >= apart.max(0.0)) {
                (true, _) => 0.0,
                (_, true) => apart,
                _ if apart > 0.0 => g,
                _ => apart - g,
            };
            let rise = Range {
                lo: at(lo).min(at(hi)),
                hi: at(lo).max(at(hi)),
                grain: fine.min(grain(apart)),
            };
            steps.push(Step {
                pair: [first, second],
                rise,
                factor: self.bounds(value).scaled(coefficient),
                gates: [gate, below],
                value,
            });
        }
        steps
    }

    /// Whether neither neuron of a step is rounded.
    pub(crate) fn is_exact_step(&self, step: &Step) -> bool {
        let value = self.bounds(step.value);
        step.gates.iter().all(|&gate| {
            let gate = self.bounds(gate);
            let fine = gate.grain.saturating_add(value.grain);
            let scaled = value.lo == value.hi && gate.is_scaled_by(value.lo);
            scaled || is_exact(gate.hi.max(0.0) * value.size(), fine)
        })
    }
}
