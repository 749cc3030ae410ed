//! Jump tables, for `br_table` and `call_indirect`, and binary search for short `br_table`s.
//!
//! A jump table is a row of instructions, one for each index: a jump, or a trap. `br_stack` jumps
//! into the row.

use wasmparser::BrTable;
use weightware_isa::{Op, Trap};

use super::function::Function;
use super::key::{Dispatch, Key, Unit};
use super::linker::Linker;
use crate::code::{Code, Label};
use crate::error::Error;

/// The most ranges of equal targets for which a binary search costs less than a jump table.
const SEARCHED: usize = 4;

impl Function<'_, '_> {
    /// Appends a jump table, or a binary search over the ranges of indices with equal targets.
    pub(crate) fn br_table(&mut self, table: &BrTable<'_>) -> Result<(), Error> {
        self.pop();
        let targets = table.targets().collect::<Result<Vec<u32>, _>>()?;
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for (index, depth) in (0..).zip(targets.iter().copied().chain([table.default()])) {
            if ranges.last().is_none_or(|&(_, last)| last != depth) {
                ranges.push((index, depth));
            }
        }
        let [_, _, ..] = ranges[..] else {
            self.linker.code.op(Op::Drop);
            self.jump(table.default());
            return Ok(());
        };
        let index = self.scratch(self.most_carried());
        let mut stubs: Vec<(u32, Label)> = Vec::new();
        let mut depths: Vec<u32> = ranges.iter().map(|&(_, depth)| depth).collect();
        depths.sort_unstable();
        depths.dedup();
        for &depth in &depths {
            let label = match self.plain_target(depth) {
                Some(label) => label,
                None => self.linker.code.label(),
            };
            stubs.push((depth, label));
        }
        if ranges.len() <= SEARCHED {
            self.linker.code.emit(Op::LocalSet, index);
            self.search(index, &ranges, &stubs);
        } else {
            let labels: Vec<Label> = targets
                .iter()
                .map(|&depth| label_of(depth, &stubs))
                .collect();
            let default = label_of(table.default(), &stubs);
            let row = self.linker.row_index(index, labels.len(), default);
            self.linker.code.jump_table(row, labels);
        }
        for (depth, label) in stubs {
            if self.plain_target(depth).is_none() {
                self.linker.code.bind(label);
                self.jump(depth);
                self.linker.code.check_size()?;
            }
        }
        Ok(())
    }

    fn search(&mut self, index: u32, ranges: &[(u32, u32)], stubs: &[(u32, Label)]) {
        match ranges {
            [] => {}
            [(_, depth)] => self.linker.code.branch(Op::Br, label_of(*depth, stubs)),
            _ => {
                let (low, high) = ranges.split_at(ranges.len() / 2);
                let below = match low {
                    [(_, depth)] => label_of(*depth, stubs),
                    _ => self.linker.code.label(),
                };
                let code = &mut self.linker.code;
                code.emit(Op::LocalGet, index);
                if high[0].0 == 1 {
                    code.branch(Op::BrUnless, below);
                } else {
                    code.constant(high[0].0);
                    code.op(Op::I32LtU);
                    code.branch(Op::BrIf, below);
                }
                self.search(index, high, stubs);
                if low.len() > 1 {
                    self.linker.code.bind(below);
                    self.search(index, low, stubs);
                }
            }
        }
    }

    pub(crate) fn call_indirect(&mut self, ty: u32, table: u32) -> Result<(), Error> {
        let module = self.module;
        let ty = &module.types[ty as usize];
        // One type may have several indices.
        let first = module.types.iter().position(|other| other == ty);
        let dispatch = Dispatch {
            table,
            ty: first.unwrap_or(0),
        };
        self.pop();
        let label = self.linker.dispatch(dispatch);
        self.linker.code.call(label);
        self.called(ty)
    }
}

fn label_of(depth: u32, stubs: &[(u32, Label)]) -> Label {
    let found = stubs.binary_search_by_key(&depth, |&(depth, _)| depth);
    stubs[found.expect("every depth has a label")].1
}

impl Linker<'_> {
    /// `index -- address`: appends code that computes the address of an instruction in a row of
    /// `count`, and returns the label of the row. An index outside the row jumps to `outside`. The
    /// local is scratch.
    fn row_index(&mut self, local: u32, count: usize, outside: Label) -> Label {
        let code = &mut self.code;
        let row = code.label();
        code.emit(Op::LocalTee, local);
        code.constant(u32::try_from(count).unwrap_or(u32::MAX));
        code.op(Op::I32LtU);
        code.branch(Op::BrUnless, outside);
        code.emit(Op::LocalGet, local);
        code.label_index(row);
        code.op(Op::I32Add);
        row
    }

    /// Requests the functions that calls through a table may reach, and returns their labels.
    pub(crate) fn request_elements(&mut self, dispatch: Dispatch) -> Vec<Label> {
        let module = self.module(Unit::Guest);
        let wanted = &module.types[dispatch.ty];
        let elements = module.tables[dispatch.table as usize].iter().flatten();
        let reached = elements.filter(|&&index| module.type_of(index) == wanted);
        reached
            .map(|&index| {
                let unit = Unit::Guest;
                self.request(Key { unit, index }).label
            })
            .collect()
    }

    /// The code of a dispatch: it jumps to the function of the index on the stack, or traps. It
    /// runs in the callee's frame, before any word of the frame is written.
    pub(crate) fn dispatch_code(&mut self, dispatch: Dispatch) -> Code {
        self.set_origin_added("table");
        let module = self.module(Unit::Guest);
        let elements = &module.tables[dispatch.table as usize];
        let wanted = &module.types[dispatch.ty];
        let outside = self.trap(Trap::UndefinedElement);
        let row = self.row_index(0, elements.len(), outside);
        self.code.op(Op::BrStack);
        self.code.bind(row);
        for &element in elements {
            match element {
                None => self.code.op(Op::trap(Trap::UninitializedElement)),
                Some(index) if module.type_of(index) == wanted => {
                    let unit = Unit::Guest;
                    let callee = self.request(Key { unit, index });
                    self.code.branch(Op::Br, callee.label);
                }
                Some(_) => self.code.op(Op::trap(Trap::IndirectCallType)),
            }
        }
        self.code.finish(0, 0)
    }
}
