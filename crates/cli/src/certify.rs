//! `certify`.

use std::io::{self, Write};

use anyhow::anyhow;
use serde_json::{Value, json};
use weightware::{
    Certificate, CertifiedRun, HeadCertificate, KeyRange, NextTokens, Outcome, RunEnd, Scaling,
    next_tokens,
};

use crate::args::CertifyArgs;
use crate::covered::Covered;
use crate::failure::{FAILED, Failure, Result};
use crate::input;
use crate::machine::Machine;
use crate::report::described;

pub(crate) fn certify(args: &CertifyArgs) -> Result<u8> {
    let has_program = args.file.is_some() || args.model.program.is_some();
    if !has_program && !args.program.arguments.is_empty() {
        return Err(Failure::Refused(anyhow!(
            "arguments are a program's: name its file before `--`"
        )));
    }
    let used;
    let (certificate, next, contexts);
    if has_program {
        let file = args.file.as_deref();
        let machine = Machine(&args.model);
        let (computer, loaded, ready) = machine.load(file, &args.program, false)?;
        let run = computer.certify(&ready.program, args.max_tokens);
        let run = run.map_err(|error| loaded.refused(error))?;
        certificate = run.certified.certificate().clone();
        next = next_tokens(computer.model());
        contexts = Covered::of(&computer.model().config);
        used = Some(run);
    } else {
        let model = input::compiled_or(&args.model)?;
        certificate = weightware::certify(&model);
        next = next_tokens(&model);
        contexts = Covered::of(&model.config);
        used = None;
    }
    let text = match args.json {
        true => format!(
            "{}\n",
            json_of(&certificate, &next, &contexts, used.as_ref())
        ),
        false => format!(
            "{certificate}\n{next}\n{}{}",
            contexts.text(),
            table(&certificate, used.as_ref())
        ),
    };
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(Failure::stdout)?;
    let end = used.as_ref().map(|run| &run.end);
    if let Some(end @ (RunEnd::Derailed { .. } | RunEnd::UnknownToken { .. })) = end {
        // Proofs about keys and sums say nothing about a model that derails.
        return Err(Failure::Failed(anyhow!("the program: {}", ended(end))));
    }
    Ok(match certificate.problems().chain(next.problems()).next() {
        None => 0,
        Some(_) => FAILED,
    })
}

fn head<'c>(certificate: &'c Certificate, range: &KeyRange) -> Option<&'c HeadCertificate> {
    let mut heads = certificate.heads.iter();
    heads.find(|head| (head.layer, head.head) == (range.layer, range.head))
}

/// The share of what is there that was used.
fn share(used: f64, stated: f64) -> String {
    format!("{:.2} %", 100.0 * used / stated)
}

fn table(certificate: &Certificate, used: Option<&CertifiedRun>) -> String {
    let Some(used) = used else {
        return String::new();
    };
    let stated = certificate.last_position;
    let mut text = format!(
        "\nthe program: position {} of {stated}, {}{}; {}\n",
        used.position,
        share(used.position as f64, stated as f64),
        match used.contexts {
            1 => String::new(),
            contexts => format!(
                ", in context {} of {contexts}, which is followed least",
                used.context
            ),
        },
        ended(&used.end)
    );
    for range in &used.key_ranges {
        let Some(bounds) = head(certificate, range).and_then(|head| head.index_box.as_ref()) else {
            continue;
        };
        let [least, greatest] = range.x.map(|x| x / 2.0);
        text += &format!(
            "{:5} index {least} to {greatest} of {} to {}; time {:.0} of {}, {}\n",
            format!("{}.{}", range.layer, range.head),
            -bounds.index,
            bounds.index,
            range.lift / bounds.unit,
            bounds.times,
            share(range.lift, bounds.times as f64 * bounds.unit),
        );
    }
    let sums = used.certified.sums().used();
    text += &format!(
        "running sums: {} of what stock softmax is proved to sum at this length\n",
        share(sums, 1.0)
    );
    let names = Scaling::ALL.map(Scaling::name).join(" / ");
    let followed = Scaling::ALL
        .map(|scaling| used.certified.stock_position(scaling).to_string())
        .join(" / ");
    text += &format!(
        "stock softmax, scale with {names}, is proved to follow up to position {followed}\n"
    );
    text
}

fn ended(end: &RunEnd) -> String {
    match end {
        RunEnd::Outcome(Outcome::Trapped(trap)) => {
            format!("it trapped: {} ({})", trap.message(), trap.name())
        }
        RunEnd::Outcome(outcome) => format!("it {outcome}"),
        RunEnd::MaxTokens => "stopped by --max-tokens".to_owned(),
        RunEnd::Horizon { reason, .. } => format!("horizon: {reason}"),
        RunEnd::UnknownToken { token } => format!("the model said {token:?}, which means nothing"),
        RunEnd::Derailed { at, token } => format!(
            "derailed: no program makes token {} of the trace, `{token}`: the weights are not the machine's, or wrong",
            at.index
        ),
        RunEnd::Differs { .. } | RunEnd::Fault { .. } => unreachable!("nobody checks this run"),
    }
}

/// The proof of the next token.
fn next_json(next: &NextTokens) -> Value {
    let found = next.found.iter().map(|found| {
        let counters = found.counters.iter().map(|picked| {
            json!({
                "margin": picked.margin,
                "code_margin": picked.code_margin,
                "columns": picked.columns.iter().map(|(slot, lo, hi)| json!({
                    "slot": slot, "least": lo, "greatest": hi,
                })).collect::<Vec<_>>(),
                "ends": picked.ends,
                "problem": picked.problem,
            })
        });
        json!({
            "found": found.name,
            "tokens": found.tokens,
            "bytes": counters.collect::<Vec<_>>(),
        })
    });
    let of = |least: Option<(&str, u64, &weightware::Picked)>, code: bool| {
        least.map(|(name, counter, picked)| {
            let margin = if code {
                picked.code_margin
            } else {
                picked.margin
            };
            json!({"margin": margin, "found": name, "byte": counter})
        })
    };
    json!({
        "least": of(next.least(), false),
        "least_of_codes": of(next.least_of_codes(), true),
        "problems": next.problems().collect::<Vec<_>>(),
        "found": found.collect::<Vec<_>>(),
    })
}

fn json_of(
    certificate: &Certificate,
    next: &NextTokens,
    contexts: &Covered,
    used: Option<&CertifiedRun>,
) -> Value {
    let positions = |count: u64| match count {
        u64::MAX => Value::Null,
        count => json!(count),
    };
    let by_scaling = |of: &dyn Fn(Scaling) -> u64| -> Value {
        let entries =
            Scaling::ALL.map(|scaling| (scaling.name().to_owned(), positions(of(scaling))));
        Value::Object(entries.into_iter().collect())
    };
    let heads = certificate.heads.iter().map(|head| {
        json!({
            "layer": head.layer,
            "head": head.head,
            "keys": head.keys.to_string(),
            "temperature": head.temperature,
            "exact_positions": positions(head.exact_positions),
            "stock_positions": by_scaling(&|scaling| head.stock_positions[scaling as usize]),
            "largest_score": head.largest_score,
            "box": head.index_box.as_ref().map(|bounds| json!({
                "index": bounds.index,
                "lift": bounds.lift,
                "times": bounds.times,
                "exact_index": bounds.exact_index,
                "stock_index": by_scaling(&|scaling| bounds.stock_index[scaling as usize]),
            })),
            "problem": head.problem(certificate.last_position),
        })
    });
    let first = certificate.first_to_fail();
    json!({
        "last_position": certificate.last_position,
        "exact_positions": positions(certificate.exact_positions()),
        "stock_positions": by_scaling(&|scaling| certificate.stock_positions(scaling)),
        "stock_sums": positions(certificate.stock_sums()),
        "first_to_fail": first.map(|head| json!({"layer": head.layer, "head": head.head})),
        "problems": certificate.problems().collect::<Vec<_>>(),
        "heads": heads.collect::<Vec<_>>(),
        "next_token": next_json(next),
        "contexts": contexts.json(),
        "program": used.map(|used| json!({
            "position": used.position,
            "contexts": used.contexts,
            "context": used.context,
            "end": ended(&used.end),
            "outcome": described(&used.end).0,
            "code": described(&used.end).1,
            "trap": described(&used.end).2,
            "sums": used.certified.sums().used(),
            "stock_position": by_scaling(&|scaling| used.certified.stock_position(scaling)),
            "reach": used.key_ranges.iter().map(|range| json!({
                "layer": range.layer,
                "head": range.head,
                "index": range.x.map(|x| x / 2.0),
                "lift": range.lift,
            })).collect::<Vec<_>>(),
        })),
    })
}
