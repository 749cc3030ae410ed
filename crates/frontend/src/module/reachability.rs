//! Reachability over the call graph: finds the operators and imports on which the layout of memory
//! depends, before any code is lowered.

use std::collections::HashSet;

use wasmparser::Operator;

use crate::error::Error;
use crate::module::Module;
use crate::module::host_imports;

/// The requirements of reachable functions on memory. Unreachable code within them counts too,
/// although it is not lowered.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reachability {
    /// The memory may grow.
    pub(crate) grows_memory: bool,
    /// Input or arguments lie beside the guest's memory.
    pub(crate) hides_input: bool,
    /// Passive segments lie beside the guest's memory.
    pub(crate) hides_segments: bool,
}

/// Traverses the call graph from the roots. A call through a table reaches all functions of its
/// type in the table.
pub(crate) fn reach(module: &Module<'_>, roots: &[u32]) -> Result<Reachability, Error> {
    let mut reach = Reachability::default();
    let mut seen: HashSet<u32> = roots.iter().copied().collect();
    let mut queue = roots.to_vec();
    let mut indirect = HashSet::new();
    while let Some(function) = queue.pop() {
        let Some(body) = module.body(function) else {
            reach.hides_input |=
                host_imports::needs_hidden_data(&module.imports[function as usize]);
            continue;
        };
        for operator in body.get_operators_reader()? {
            let mut call = |callee| {
                if seen.insert(callee) {
                    queue.push(callee);
                }
            };
            match operator? {
                Operator::Call { function_index } => call(function_index),
                Operator::CallIndirect {
                    type_index,
                    table_index,
                } if indirect.insert((type_index, table_index)) => {
                    let wanted = &module.types[type_index as usize];
                    let elements = module.tables[table_index as usize].iter().flatten();
                    elements
                        .copied()
                        .filter(|&element| module.type_of(element) == wanted)
                        .for_each(&mut call);
                }
                Operator::MemoryGrow { .. } => reach.grows_memory = true,
                Operator::MemoryInit { .. } => reach.hides_segments = true,
                _ => {}
            }
        }
    }
    Ok(reach)
}
