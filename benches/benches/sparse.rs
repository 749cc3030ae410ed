//! The sparse engine inside a trained model, beside the vectorised scan of all keys: what it leaves
//! out, and how fast it is in long contexts. `cargo xtask bench sparse` runs it.
#![allow(missing_docs, clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use weightware::TokenId;
use weightware::general::{Budget, Decoder, Engine, HeadReport, Model, Sequence, Wanted};

/// Budgets of the tables.
const KEYS: [usize; 4] = [1, 8, 32, 128];
const ERRORS: [f64; 3] = [1e-2, 1e-4, 1e-6];
/// Windows of the text, and their length if the model does not state one.
const WINDOWS: usize = 16;
const WINDOW: usize = 128;
/// Tokens of a measurement, at most and at least, and the seconds after which it ends.
const TIMED: [usize; 2] = [8, 256];
const SECONDS: f64 = 5.0;

struct Arguments {
    model: PathBuf,
    text: PathBuf,
    most: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(arguments) = arguments()? else {
        return Ok(());
    };
    let model = Model::load(&arguments.model)?;
    let text = fs::read_to_string(&arguments.text)?;
    let tokens = model.tokenizer.encode(&text)?;
    if tokens.len() < 2 {
        return Err("the text has no two tokens".into());
    }
    fidelity(&model, &tokens)?;
    let most = arguments
        .most
        .min(model.config.longest().unwrap_or(usize::MAX));
    speed(&model, &tokens, most)
}

/// `--model DIR --text FILE [--most N]`; `None` for runs of `cargo bench` without arguments.
fn arguments() -> Result<Option<Arguments>, Box<dyn Error>> {
    let (mut model, mut text, mut most) = (None, None, 1_000_000);
    let mut given = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench");
    while let Some(option) = given.next() {
        let value = given.next().ok_or(format!("{option} lacks a value"))?;
        match option.as_str() {
            "--model" => model = Some(PathBuf::from(value)),
            "--text" => text = Some(PathBuf::from(value)),
            "--most" => most = value.parse()?,
            _ => return Err(format!("{option} is unknown").into()),
        }
    }
    let (Some(model), Some(text)) = (model, text) else {
        println!("needs --model DIR and --text FILE, of the model's tokens");
        return Ok(None);
    };
    Ok(Some(Arguments { model, text, most }))
}

fn budgets() -> impl Iterator<Item = (String, Engine)> {
    let keys = KEYS.map(|k| (format!("k = {k}"), Engine::Sparse(Budget::Keys(k))));
    let errors = ERRORS.map(|e| (format!("E = {e:.0e}"), Engine::Sparse(Budget::MassError(e))));
    keys.into_iter().chain(errors)
}

/// The loss of each engine on windows of the text, and its greatest difference from softmax.
fn fidelity(model: &Model, tokens: &[TokenId]) -> Result<(), Box<dyn Error>> {
    let length = model.config.context.unwrap_or(WINDOW).min(tokens.len());
    // The end of a text is most often kept from training.
    let step = (tokens.len() / 10).saturating_sub(length) / WINDOWS;
    let start = |window: usize| tokens.len() - length - window * step;
    let windows: Vec<&[TokenId]> = (0..WINDOWS)
        .map(|window| &tokens[start(window)..][..length])
        .collect();
    println!("{WINDOWS} windows of {length} tokens from the last tenth of the text.\n");
    println!(
        "| engine | perplexity | greatest difference of a logit | mass left out at most, proved | output \
         error of a head at most, proved | keys a query | scans since few keys do not suffice |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut exact = Vec::new();
    for (name, engine) in [("softmax".to_owned(), Engine::Softmax)]
        .into_iter()
        .chain(budgets())
    {
        let mut decoder = Decoder::new(model, engine)?;
        let (mut loss, mut count, mut difference) = (0.0, 0_usize, 0.0_f64);
        for (number, window) in windows.iter().enumerate() {
            let sequence = decoder.begin();
            let logits = decoder.read_batch(&[(sequence, window)], Wanted::All)?;
            decoder.end(sequence);
            for (row, next) in logits.rows().zip(&window[1..]) {
                loss -= log_softmax(row, next.0 as usize);
                count += 1;
            }
            if engine == Engine::Softmax {
                exact.push(logits);
                continue;
            }
            for (is, must) in logits.rows().zip(exact[number].rows()) {
                for (is, must) in is.iter().zip(must) {
                    difference = difference.max((is - must).abs());
                }
            }
        }
        let all = decoder.work();
        let queries = all.queries as f64;
        println!(
            "| {name} | {:.5} | {difference:.2e} | {:.2e} | {:.2e} | {:.1} | {:.1} % |",
            (loss / count as f64).exp(),
            all.missed,
            all.output_error,
            all.keys as f64 / queries,
            100.0 * all.fallbacks as f64 / queries,
        );
    }
    println!();
    Ok(())
}

/// `logits[token] - log sum e^logits`.
fn log_softmax(logits: &[f64], token: usize) -> f64 {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - most).exp()).sum();
    logits[token] - most - sum.ln()
}

/// Tokens per second at contexts of 10^3, 10^4, .. tokens, insertion included.
fn speed(model: &Model, tokens: &[TokenId], most: usize) -> Result<(), Box<dyn Error>> {
    println!(
        "Decoding one token at a time, insertion included; text over and over. Hulls are {} deep.\n",
        KEYS[KEYS.len() - 1]
    );
    println!(
        "| context | engine | tokens/s | speed-up over the scan | keys a query | operations a query | scans | \
         fallbacks | heads that mostly fall back | mass left out at most |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let widest = Engine::Sparse(Budget::Keys(KEYS[KEYS.len() - 1]));
    let mut sparse = Decoder::new(model, widest)?;
    let sequence = sparse.begin();
    let mut read = 0;
    let next = |at: usize| tokens[at % tokens.len()];
    let contexts = (3..)
        .map(|power| 10_usize.pow(power))
        .take_while(|&n| n <= most);
    for context in contexts {
        let begun = Instant::now();
        sparse.switch(widest)?;
        let before = context.saturating_sub(TIMED[1]);
        while read < before {
            let block: Vec<TokenId> = (read..before.min(read + 4096)).map(next).collect();
            sparse.read_batch(&[(sequence, &block)], Wanted::None)?;
            read += block.len();
        }
        eprintln!(
            "{context} tokens read, {:.0} s",
            begun.elapsed().as_secs_f64()
        );
        let mut scan = sparse.under(Engine::Softmax)?;
        let base = timed(&mut scan, sequence, read, &next)?;
        drop(scan);
        row(context, "scan", base.0, base.0, &base.1, 0);
        for (name, engine) in budgets() {
            sparse.switch(engine)?;
            let (rate, report) = timed(&mut sparse, sequence, read, &next)?;
            let spread = sparse.reports().iter();
            let spread = spread
                .filter(|head| 2 * head.fallbacks > head.queries)
                .count();
            row(context, &name, rate, base.0, &report, spread);
        }
    }
    Ok(())
}

fn row(context: usize, name: &str, rate: f64, base: f64, all: &HeadReport, spread: usize) {
    let queries = all.queries as f64;
    println!(
        "| {context} | {name} | {rate:.1} | {:.2} | {:.1} | {:.0} | {:.1} % | {:.1} % | {spread} | {:.2e} |",
        rate / base,
        all.keys as f64 / queries,
        all.operations as f64 / queries,
        100.0 * all.scans as f64 / queries,
        100.0 * all.fallbacks as f64 / queries,
        all.missed
    );
}

/// Tokens per second after a context, which is left as it was.
fn timed(
    decoder: &mut Decoder,
    sequence: Sequence,
    from: usize,
    next: &impl Fn(usize) -> TokenId,
) -> Result<(f64, HeadReport), Box<dyn Error>> {
    let begun = Instant::now();
    let mut count = 0;
    while count < TIMED[0] || count < TIMED[1] && begun.elapsed().as_secs_f64() < SECONDS {
        decoder.read(sequence, &[next(from + count)])?;
        count += 1;
    }
    let elapsed = begun.elapsed().as_secs_f64();
    decoder.truncate(sequence, from)?;
    Ok((count as f64 / elapsed, decoder.work()))
}
