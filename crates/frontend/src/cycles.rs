//! Which functions may call themselves, directly or through others.

use wasmparser::Operator;

use crate::error::Error;
use crate::module::Module;

/// Of every function, the cycle of direct calls that it is on: a strongly connected component of the call graph.
pub(crate) fn cycles(module: &Module<'_>) -> Result<Vec<Option<u32>>, Error> {
    let count = module.functions.len();
    let mut callees: Vec<Vec<u32>> = vec![Vec::new(); count];
    for (index, body) in (module.imports.len()..).zip(&module.bodies) {
        for operator in body.get_operators_reader()? {
            if let Operator::Call { function_index } = operator? {
                callees[index].push(function_index);
            }
        }
        callees[index].sort_unstable();
        callees[index].dedup();
    }
    Ok(components(&callees))
}

/// Tarjan's algorithm without recursion.
fn components(callees: &[Vec<u32>]) -> Vec<Option<u32>> {
    const NEW: u32 = u32::MAX;
    let count = callees.len();
    let mut found = vec![NEW; count];
    let mut low = vec![0; count];
    let mut open = vec![false; count];
    let mut stack = Vec::new();
    let mut component = vec![None; count];
    let (mut time, mut components) = (0, 0);
    for root in 0..count {
        if found[root] != NEW {
            continue;
        }
        let mut path = vec![(root, 0)];
        while let Some(&mut (node, ref mut next)) = path.last_mut() {
            if *next == 0 {
                found[node] = time;
                low[node] = time;
                time += 1;
                open[node] = true;
                stack.push(node);
            }
            if let Some(&callee) = callees[node].get(*next) {
                let callee = callee as usize;
                *next += 1;
                if found[callee] == NEW {
                    path.push((callee, 0));
                } else if open[callee] {
                    low[node] = low[node].min(found[callee]);
                }
                continue;
            }
            path.pop();
            if let Some(&(caller, _)) = path.last() {
                low[caller] = low[caller].min(low[node]);
            }
            if low[node] != found[node] {
                continue;
            }
            let start = stack
                .iter()
                .rposition(|&member| member == node)
                .unwrap_or(0);
            let members = stack.split_off(start);
            let on_cycle = members.len() > 1 || callees[node].contains(&(node as u32));
            for member in members {
                open[member] = false;
                component[member] = on_cycle.then_some(components);
            }
            components += 1;
        }
    }
    component
}

#[cfg(test)]
mod tests {
    use super::components;

    #[test]
    fn cycles_are_components() {
        // 0 -> 1 -> 2 -> 1, 2 -> 3, 4 -> 4, 5 alone
        let callees = [vec![1], vec![2], vec![1, 3], vec![], vec![4], vec![]];
        let found = components(&callees);
        assert_eq!(found[0], None);
        assert!(found[1].is_some());
        assert_eq!(found[1], found[2]);
        assert_eq!(found[3], None);
        assert!(found[4].is_some());
        assert_ne!(found[4], found[1]);
        assert_eq!(found[5], None);
    }
}
