//! The effects of functions on the state that calls share.

use wasmparser::{BinaryReaderError, Operator, Parser, Payload};

use crate::linked::HOST;

/// The effects of a function, including those of the functions that it calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    /// Whether it writes to a memory, a table or a global.
    pub(crate) writes: bool,
    /// Whether it reads one.
    pub(crate) reads: bool,
}

/// The effects of all functions of a merged module, without the host's two.
pub(crate) fn effects(driver: &[u8]) -> Result<Vec<Effects>, BinaryReaderError> {
    let mut effects: Vec<Effects> = vec![];
    let mut calls: Vec<Vec<usize>> = vec![];
    let mut indirect: Vec<bool> = vec![];
    for payload in Parser::new(0).parse_all(driver) {
        let Payload::CodeSectionEntry(body) = payload? else {
            continue;
        };
        let (mut own, mut callees, mut calls_indirect) = (Effects::default(), vec![], false);
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            match operator {
                Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                    callees.extend(function_index.checked_sub(HOST).map(|index| index as usize));
                }
                Operator::CallIndirect { .. } | Operator::ReturnCallIndirect { .. } => {
                    calls_indirect = true;
                    own.reads = true;
                }
                _ => {
                    let name = format!("{operator:?}");
                    let name = name.split(' ').next().unwrap_or_default();
                    own.reads |= name.contains("Load")
                        || ["GlobalGet", "MemorySize", "TableGet", "TableSize"].contains(&name);
                    own.writes |= name.contains("Store")
                        || [
                            "MemoryGrow",
                            "MemoryFill",
                            "MemoryCopy",
                            "MemoryInit",
                            "DataDrop",
                        ]
                        .contains(&name)
                        || [
                            "TableGrow",
                            "TableFill",
                            "TableCopy",
                            "TableInit",
                            "ElemDrop",
                        ]
                        .contains(&name)
                        || ["GlobalSet", "TableSet"].contains(&name);
                }
            }
        }
        effects.push(own);
        calls.push(callees);
        indirect.push(calls_indirect);
    }
    let any = effects.iter().fold(Effects::default(), |any, own| Effects {
        writes: any.writes | own.writes,
        reads: any.reads | own.reads,
    });
    loop {
        let before = effects.clone();
        for function in 0..effects.len() {
            let callees = calls[function].iter().map(|&callee| before[callee]);
            let through = if indirect[function] { Some(any) } else { None };
            for callee in callees.chain(through) {
                effects[function].writes |= callee.writes;
                effects[function].reads |= callee.reads;
            }
        }
        if effects == before {
            return Ok(effects);
        }
    }
}
