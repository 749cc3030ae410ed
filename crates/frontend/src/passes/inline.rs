//! Inlining of functions that have one call site, which are then removed, and of very short ones.
//!
//! Inlining saves the eight tokens of a call and its return, and arguments may then stay on the
//! stack. Recursive functions are neither inlined nor inlined into: their frames would grow, and
//! fewer of their calls could nest.

use std::collections::HashSet;

use weightware_isa::Op;

use crate::code::{Code, Inst, InstKind, Label, LabelMap, LabelSet};

/// The most instructions of a function that is inlined at every call site: each copy takes tokens
/// of the prompt.
pub(crate) const SHORT: usize = 6;

/// The most for operators in the weights, which take no more tokens than one in the prompt that is
/// called from two places.
pub(crate) const SHORT_IN_WEIGHTS: usize = 120;

/// The most words of a frame after inlining. Calls from larger frames go through thunks.
const LARGEST_FRAME: u32 = 255;

/// Runs the pass over all functions, by their labels. The entry code calls those in `kept`; calls
/// through tables, whose labels are not among the functions', may reach those in `elements`.
/// Functions of up to `most` instructions are short.
pub(crate) fn run(
    functions: &mut Vec<(Label, Code)>,
    most: usize,
    kept: &HashSet<Label>,
    elements: &HashSet<Label>,
    mut fresh: impl FnMut() -> Label,
) {
    let index: LabelMap<usize> = (0..)
        .zip(functions.iter())
        .map(|(index, &(label, _))| (label, index))
        .collect();
    let order = order(functions, &index, elements);
    let mut call_sites = vec![0_usize; functions.len()];
    for callee in functions.iter().flat_map(|(_, code)| callees(code)) {
        if let Some(&callee) = index.get(&callee) {
            call_sites[callee] += 1;
        }
    }
    let stays = |label: &Label| kept.contains(label) || elements.contains(label);
    let not_recursive: HashSet<usize> = order.iter().copied().collect();
    for &caller in &order {
        let fits = |callee: usize, words: u32| {
            let (label, code) = &functions[callee];
            let single = call_sites[callee] == 1 && !stays(label);
            let short = code.insts.len() <= most;
            not_recursive.contains(&callee)
                && callee != caller
                && (single || short)
                && words + code.words <= LARGEST_FRAME
        };
        let code = &functions[caller].1;
        if code.words > LARGEST_FRAME {
            continue;
        }
        let mut words = code.words;
        let mut insts = Vec::with_capacity(code.insts.len());
        for inst in &code.insts {
            let callee = match inst.kind {
                InstKind::Call(callee) => index.get(&callee.label).copied(),
                _ => None,
            };
            match callee.filter(|&callee| fits(callee, words)) {
                Some(callee) => {
                    let body = &functions[callee].1;
                    copy(body, words, inst, &mut fresh, &mut insts);
                    words += body.words;
                }
                None => insts.push(inst.clone()),
            }
        }
        let code = &mut functions[caller].1;
        (code.words, code.insts) = (words, insts);
    }
    let called: LabelSet = functions
        .iter()
        .flat_map(|(_, code)| callees(code))
        .collect();
    functions.retain(|(label, _)| called.contains(label) || stays(label));
}

fn callees(code: &Code) -> impl Iterator<Item = Label> {
    code.insts.iter().filter_map(|inst| match inst.kind {
        InstKind::Call(callee) => Some(callee.label),
        _ => None,
    })
}

/// Appends a copy of a function's body: its locals follow those of the caller, its labels are
/// renamed, and jumps to the end replace its returns.
fn copy(
    body: &Code,
    words: u32,
    call: &Inst,
    mut fresh: impl FnMut() -> Label,
    insts: &mut Vec<Inst>,
) {
    let end = fresh();
    let mut names: LabelMap<Label> = LabelMap::default();
    for inst in &body.insts {
        if let InstKind::Bind(label) | InstKind::LabelIndex(label) = inst.kind {
            names.entry(label).or_insert_with(&mut fresh);
        }
    }
    let name = |label: Label| names.get(&label).copied().unwrap_or(label);
    for (index, inst) in body.insts.iter().enumerate() {
        let last = index + 1 == body.insts.len();
        let mut inst = match inst.access() {
            Some(access) => inst.with_access(access.of(access.local() + words)),
            None if inst.is(Op::Return) && last => continue,
            None if inst.is(Op::Return) => inst.with(InstKind::Jump(Op::Br, end)),
            None => inst.clone(),
        };
        for target in inst.targets_mut() {
            *target = name(*target);
        }
        match &mut inst.kind {
            InstKind::Bind(label)
            | InstKind::LabelIndex(label)
            | InstKind::Table { row: label, .. } => {
                *label = name(*label);
            }
            _ => {}
        }
        insts.push(inst);
    }
    insts.push(call.with(InstKind::Bind(end)));
}

/// The functions that are not recursive, each after those that it calls. Functions on a path from
/// one recursive function to another are left out as well.
fn order(
    functions: &[(Label, Code)],
    index: &LabelMap<usize>,
    elements: &HashSet<Label>,
) -> Vec<usize> {
    // One node represents the calls through tables, which may reach all elements.
    let through_table = functions.len();
    let mut calls: Vec<Vec<usize>> = functions
        .iter()
        .map(|(_, code)| {
            let node = |callee| index.get(&callee).copied().unwrap_or(through_table);
            let mut calls: Vec<usize> = callees(code).map(node).collect();
            calls.sort_unstable();
            calls.dedup();
            calls
        })
        .collect();
    let mut reached: Vec<usize> = elements
        .iter()
        .filter_map(|label| index.get(label).copied())
        .collect();
    // The order of a hash set differs from run to run.
    reached.sort_unstable();
    calls.push(reached);
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); calls.len()];
    for (caller, calls) in calls.iter().enumerate() {
        calls
            .iter()
            .for_each(|&callee| callers[callee].push(caller));
    }
    // Functions that reach no cycle, then functions that no cycle reaches.
    let mut order = without_cycles(&calls, &callers);
    let mut above = without_cycles(&callers, &calls);
    above.reverse();
    let known: HashSet<usize> = order.iter().copied().collect();
    order.extend(above.into_iter().filter(|node| !known.contains(node)));
    order.retain(|&node| node != through_table);
    order
}

/// The nodes of a graph that reach no cycle, in reverse topological order (Kahn's algorithm).
fn without_cycles(next: &[Vec<usize>], before: &[Vec<usize>]) -> Vec<usize> {
    let mut left: Vec<usize> = next.iter().map(Vec::len).collect();
    let mut order: Vec<usize> = (0..next.len()).filter(|&node| left[node] == 0).collect();
    let mut done = 0;
    while let Some(&node) = order.get(done) {
        done += 1;
        for &other in &before[node] {
            left[other] -= 1;
            if left[other] == 0 {
                order.push(other);
            }
        }
    }
    order
}
