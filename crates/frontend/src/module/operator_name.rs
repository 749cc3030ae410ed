//! Names of operators as WebAssembly's text format spells them.

use wasmparser::Operator;

/// First words that a dot follows.
const PREFIXES: [&str; 18] = [
    "i32", "i64", "f32", "f64", "v128", "i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2",
    "memory", "table", "local", "global", "ref", "data", "elem",
];

/// The name of an operator: `I32RemS` is `i32.rem_s`.
pub(crate) fn instruction(operator: &Operator<'_>) -> String {
    let debug = format!("{operator:?}");
    let end = debug.find(|c: char| !c.is_ascii_alphanumeric());
    spell(&debug[..end.unwrap_or(debug.len())])
}

/// The name of the operator that the parser calls by a name in camel case.
pub(crate) fn spell(operator: &str) -> String {
    if operator == "TypedSelect" {
        return "select".to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    for c in operator.chars() {
        match words.last_mut() {
            Some(word) if !c.is_ascii_uppercase() => word.push(c),
            _ => words.push(c.to_ascii_lowercase().to_string()),
        }
    }
    match words.split_first() {
        Some((first, rest)) if !rest.is_empty() && PREFIXES.contains(&first.as_str()) => {
            let rest = rest.join("_");
            let rest = rest.replace("atomic_", "atomic.").replace("rmw_", "rmw.");
            format!("{first}.{rest}")
        }
        _ => words.join("_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_text_format() {
        for (operator, name) in [
            (Operator::I32RemS, "i32.rem_s"),
            (Operator::I64Extend8S, "i64.extend8_s"),
            (Operator::F32ReinterpretI32, "f32.reinterpret_i32"),
            (Operator::I32TruncSatF64U, "i32.trunc_sat_f64_u"),
            (Operator::MemoryGrow { mem: 0 }, "memory.grow"),
            (Operator::BrIf { relative_depth: 0 }, "br_if"),
            (Operator::Unreachable, "unreachable"),
            (
                Operator::CallIndirect {
                    type_index: 0,
                    table_index: 0,
                },
                "call_indirect",
            ),
        ] {
            assert_eq!(instruction(&operator), name);
        }
    }
}
