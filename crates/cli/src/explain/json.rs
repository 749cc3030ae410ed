//! An explanation for programs.

use serde_json::{Map, Value, json};
use weightware::HeadAttention;

use super::explanation::{Change, Explanation, half_layer_name, query_index, reads, values};

pub(super) fn of(explanation: &Explanation) -> Value {
    let Explanation {
        index,
        context,
        token,
        line,
        instruction,
        engine,
        pass,
        best,
        names,
        kernel,
        ..
    } = explanation;
    let half_layers = pass.residual.iter().enumerate().map(|(half_layers, _)| {
        let heads = pass
            .heads
            .iter()
            .filter(|head| 2 * head.layer + 1 == half_layers);
        json!({
            "half_layer": half_layer_name(half_layers),
            "heads": heads.map(|head| head_json(explanation, head)).collect::<Vec<_>>(),
            "changed": explanation.changes(half_layers).iter().map(change_json).collect::<Vec<_>>(),
        })
    });
    json!({
        "token": token.to_string(),
        "index": index,
        "context": context,
        "position": pass.position + 1,
        "line": {
            "number": line.number,
            "tokens": line.tokens.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "at": line.at,
        },
        "instruction": instruction.as_ref().map(|instruction| json!({
            "index": instruction.index,
            "opcode": instruction.opcode,
            "immediate": instruction.immediate,
            "text": instruction.text,
            "function": instruction.function.as_ref().map(|function| json!({
                "name": function.name,
                "index": function.index,
                "offset": function.offset,
            })),
        })),
        "engine": engine.name(),
        "named": names.is_some(),
        "pass": {
            "position": pass.position,
            "token": explanation.string(pass.position),
            "half_layers": half_layers.collect::<Vec<_>>(),
        },
        "kernel": kernel,
        "best": best.iter().map(|(token, logit)| json!({"token": token, "logit": logit})).collect::<Vec<_>>(),
        "margin": explanation.margin(),
    })
}

fn head_json(explanation: &Explanation, head: &HeadAttention) -> Value {
    let names = explanation.names.as_ref();
    let name = names.and_then(|names| names.head(head.layer, head.head));
    let at = |position: u64| {
        let part = explanation.layout.part(position);
        json!({
            "position": position,
            "token": explanation.string(position),
            "part": part.kind(),
            "number": part.number(),
        })
    };
    let query = name.and_then(|name| name.query.as_ref());
    let forms = query.map(|query| {
        json!({
            "index": query.index, "scale": query.scale,
            "key": query.key, "time": query.time, "clear": query.clear,
        })
    });
    let read = values(name).map(|part| {
        let mut value = Map::new();
        value.insert("reads".to_owned(), json!(reads(name, part)));
        value.insert("value".to_owned(), json!(head.value[part]));
        Value::Object(value)
    });
    json!({
        "head": head.head,
        "name": name.map(|name| &name.name),
        "kind": name.map(|name| name.kind),
        "forms": forms,
        "query": head.query,
        "query_index": query_index(head),
        "key_index": head.key[0] / 2.0,
        "winners": head.winners,
        "first": at(head.first),
        "last": at(head.last),
        "values": read.collect::<Vec<_>>(),
    })
}

fn change_json(change: &Change) -> Value {
    json!({
        "slot": change.slot,
        "name": change.name,
        "value": change.value,
        "partial": change.partial,
    })
}
