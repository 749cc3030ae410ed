//! Statistics of `generate` with a general model.

use std::fmt::Write;
use std::time::Duration;

use weightware::general::{Acceptance, Decoder, HeadReport};

/// Above this mean share of keys a head is too spread for a few keys.
const SPREAD: f64 = 0.5;

/// Heads that are named, and indices of a block whose acceptance is stated.
const MOST: usize = 8;

/// Tokens and times.
pub(super) struct Speed {
    pub(super) prompt: usize,
    pub(super) prefilled: Duration,
    pub(super) generated: usize,
    pub(super) elapsed: Duration,
}

pub(super) fn text(speed: &Speed, decoder: &Decoder, acceptance: Option<&Acceptance>) -> String {
    let rate = |tokens: usize, time: Duration| tokens as f64 / time.as_secs_f64().max(1e-9);
    let mut text = format!(
        "prompt: {} tokens, {:.0} tokens/s\ngenerated: {} tokens, {:.0} tokens/s\n",
        speed.prompt,
        rate(speed.prompt, speed.prefilled),
        speed.generated,
        rate(speed.generated, speed.elapsed)
    );
    let reports = decoder.reports();
    let all = decoder.work();
    let queries = all.queries.max(1) as f64;
    let per_query = |count: u64| count as f64 / queries;
    let _ = writeln!(
        text,
        "a query: {:.1} keys of {:.1}, {:.1} operations; {:.2} % of queries scanned, {:.2} % since a few keys did \
             not suffice\nleft out at most: {:.3e} of a head's probability, an output error of {:.3e}",
        per_query(all.keys),
        per_query(all.keys_before),
        per_query(all.operations),
        100.0 * per_query(all.scans),
        100.0 * per_query(all.fallbacks),
        all.missed,
        all.output_error
    );
    let is_spread = |head: &&HeadReport| head.fallbacks as f64 > SPREAD * head.queries as f64;
    let spread: Vec<&HeadReport> = reports.iter().filter(is_spread).collect();
    if !spread.is_empty() {
        let _ = writeln!(
            text,
            "{} of {} heads are too spread for a few keys, most of their queries are scans:{}",
            spread.len(),
            reports.len(),
            names(&spread)
        );
    }
    if let Some(acceptance) = acceptance {
        let rates = acceptance.conditional_rates();
        let stated = rates.iter().take(MOST);
        let rates: Vec<String> = stated.map(|rate| format!("{rate:.3}")).collect();
        let _ = writeln!(
            text,
            "acceptance: length {:.2}, rate {:.3}, by index {}",
            acceptance.length(),
            acceptance.rate(),
            rates.join(" ")
        );
    }
    text.trim_end().to_owned()
}

/// The first few heads, by layer and number.
fn names(heads: &[&HeadReport]) -> String {
    let name = |head: &&HeadReport| format!(" {}.{}", head.layer, head.head);
    let more = if heads.len() > MOST { " ..." } else { "" };
    heads.iter().take(MOST).map(name).collect::<String>() + more
}
