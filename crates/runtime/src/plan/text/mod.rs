//! Disassembly of kernels: the assumptions in a header, then one instruction a line, in order.
//!
//! The text is for people and for golden files; no program parses it. Every number is the shortest
//! decimal that rounds to the number itself, so two kernels with equal texts compute equal numbers.
//! PLAN.md describes the text.

mod inst;
mod names;

use std::fmt::{self, Display, Formatter};

use crate::plan::decode::{NONE, Plan};
use crate::plan::ir::{Guard, Kernel, Output};
use crate::plan::lower::dispatch::{LoweredKernel, Prologue};
use crate::plan::text::names::{Names, ranges};

/// A kernel of a plan, as text.
#[derive(Clone, Copy)]
pub(crate) struct KernelText<'p> {
    plan: &'p Plan,
    number: u32,
}

impl<'p> KernelText<'p> {
    /// The kernel that ran for the last token, if a token was predicted after it.
    pub(super) fn last(plan: &'p Plan) -> Option<Self> {
        let number = plan.last;
        (number != NONE).then_some(Self { plan, number })
    }

    /// All kernels of a plan.
    #[cfg(test)]
    pub(super) fn all(plan: &'p Plan) -> impl Iterator<Item = Self> {
        (0..plan.kernels.len() as u32).map(move |number| Self { plan, number })
    }

    pub(super) fn lowered(&self) -> &'p LoweredKernel {
        &self.plan.kernels[self.number as usize].0
    }

    /// The kernel that this one is a link of.
    fn predecessor(&self) -> Option<usize> {
        let at = self.plan.links.iter().position(|&to| to == self.number)?;
        Some(at / self.plan.prologues.len())
    }

    /// The prologue that ran before the kernel, unless it is a link.
    pub(super) fn prologue(&self) -> Option<&'p Prologue> {
        if self.predecessor().is_some() {
            return None;
        }
        let prologue = &self.plan.prologues[usize::from(self.lowered().class)];
        prologue.as_ref().map(|(prologue, _)| prologue)
    }

    /// The dispatch key of the kernel, and the ids of its class and of its kind.
    fn header(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (analysis, lowered) = (&self.plan.analysis, self.lowered());
        let cases = &self.plan.dispatch.cases;
        let has_lookup = !cases.fetched.is_empty();
        write!(f, "kernel {} for class {}", self.number, lowered.class)?;
        if has_lookup {
            write!(f, ", kind {}", lowered.kind)?;
        }
        if cases.counter.is_some() {
            match lowered.index_bounds() {
                Some((lo, hi)) if lo == hi => write!(f, ", index {lo}")?,
                Some((lo, hi)) => write!(f, ", index {lo}-{hi}")?,
                None => write!(f, ", any other index")?,
            }
        }
        if matches!(lowered.kernel.output, Output::None) {
            write!(f, ", not predicted")?;
        }
        if let Some(before) = self.predecessor() {
            write!(f, ", after kernel {before}")?;
        }
        writeln!(f, " {{")?;
        let vocab = analysis.rows.vocab;
        let is_member = |id: &usize| analysis.classes.of(*id) == lowered.class;
        let ids = ranges((0..vocab).filter(is_member));
        writeln!(f, "  class {}: ids {ids}", lowered.class)?;
        if has_lookup {
            let is_kind = |id: &usize| usize::from(cases.kind_of[*id]) == lowered.kind;
            let ids = ranges((0..vocab).filter(is_kind));
            let ids = (!ids.is_empty()).then(|| format!("ids {ids}"));
            let first = is_kind(&vocab).then(|| "the first token".to_owned());
            let members: Vec<String> = ids.into_iter().chain(first).collect();
            writeln!(f, "  kind {}: {}", lowered.kind, members.join(", "))?;
        }
        Ok(())
    }

    fn guards(&self, f: &mut Formatter<'_>, names: &Names<'_>) -> fmt::Result {
        let mut guards: Vec<Guard> = self.lowered().kernel.guards.clone();
        if guards.is_empty() {
            return Ok(());
        }
        guards.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        writeln!(f, "guards:")?;
        for (register, plus) in guards {
            writeln!(f, "  {} < time", names.near(register, plus))?;
        }
        Ok(())
    }

    fn body(&self, f: &mut Formatter<'_>, names: &Names<'_>, kernel: &Kernel) -> fmt::Result {
        for &op in &kernel.ops {
            writeln!(f, "  {}", names.inst(kernel, op))?;
        }
        Ok(())
    }

    /// The prologue and its results: the token whose kind is looked up, and the index. Writes
    /// nothing if there are no results.
    fn dispatch(&self, f: &mut Formatter<'_>, names: &Names<'_>, its: &Prologue) -> fmt::Result {
        let place = its
            .place
            .map(|place| format!("kind of id[{}]", names.register(place)));
        let index = its
            .index
            .map(|index| format!("index = {}", names.register(index)));
        let keys: Vec<String> = place.into_iter().chain(index).collect();
        if keys.is_empty() {
            return Ok(());
        }
        writeln!(f, "prologue:")?;
        self.body(f, names, &its.kernel)?;
        writeln!(f, "  dispatch {}", keys.join(", "))
    }

    fn output(&self, f: &mut Formatter<'_>, names: &Names<'_>) -> fmt::Result {
        let slots = &self.plan.analysis.rows.columns;
        let list = |columns: Vec<String>| -> String {
            let slots = slots.iter().zip(columns);
            let named = slots.map(|(slot, column)| format!("slot{slot} = {column}"));
            named.collect::<Vec<_>>().join(", ")
        };
        match &self.lowered().kernel.output {
            Output::None => writeln!(f, "  return nothing"),
            Output::Token(token) => writeln!(f, "  return token {token}"),
            Output::Columns(registers) => {
                let columns = registers.iter().map(|&register| names.register(register));
                writeln!(f, "  return argmax {}", list(columns.collect()))
            }
            &Output::Column { register, line } => {
                let cache = &self.plan.predictions;
                let columns = cache.columns(line, 0.0);
                let mut columns: Vec<String> = columns.iter().map(|c| format!("{c:?}")).collect();
                columns[cache.varying(line)] = names.register(register);
                writeln!(f, "  return argmax_line {}", list(columns))
            }
        }
    }
}

impl Display for KernelText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names = Names::of(self.plan);
        self.header(f)?;
        if let Some(prologue) = self.prologue() {
            self.dispatch(f, &names, prologue)?;
        }
        self.guards(f, &names)?;
        writeln!(f, "body:")?;
        self.body(f, &names, &self.lowered().kernel)?;
        self.output(f, &names)?;
        writeln!(f, "}}")
    }
}
