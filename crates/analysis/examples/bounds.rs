//! Bounds of the columns that the unembedding reads, by the token that one lookup finds and by one
//! counter: in the default model, by opcode and byte index.
//!
//! `cargo run --release -p weightware-analysis --example bounds -- i32.add br_if`

#![allow(clippy::print_stdout)]

use std::sync::Arc;

use weightware_analysis::{Analysis, Assumptions, Bailout, Cases, Counted, Range, SparseWeights};

/// The first values of the counter.
const COUNTERS: u32 = 6;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = weightware_compiler::default_model();
    let rows = Arc::new(SparseWeights::new(&model));
    // Token 0 begins every sequence, and does not occur again.
    let assumptions = Assumptions::beginning_with(0);
    let mut analysis = Analysis::new(&rows, &Arc::new(rows.offers(0)), &assumptions)?;
    let cases = Cases::new(&mut analysis);
    println!(
        "one lookup finds tokens of {} kinds; tokens themselves are of {} classes",
        cases.kinds,
        cases.classes - 1
    );
    let mut tokens: Vec<String> = std::env::args().skip(1).collect();
    if tokens.is_empty() {
        tokens = ["i32.const", "i32.add", "i32.eq"].map(str::to_owned).into();
    }
    for token in tokens {
        let id = model.tokenizer.id(&token);
        let id = id.ok_or_else(|| format!("`{token}` is no token of the model"))?;
        let kind = usize::from(cases.kind_of[id.0 as usize]);
        for counter in 0..COUNTERS {
            let bounds = bounds(&mut analysis, &cases, kind, counter.into())?;
            let columns = rows.columns.iter().zip(&bounds);
            let columns = columns.map(|(slot, Range { lo, hi, .. })| match lo == hi {
                true => format!("slot {slot}: {lo}"),
                false => format!("slot {slot}: {lo} to {hi}"),
            });
            let columns: Vec<String> = columns.collect();
            println!("{token} {counter}   {}", columns.join("   "));
        }
    }
    Ok(())
}

/// Bounds of the columns for tokens of any class.
fn bounds(
    analysis: &mut Analysis,
    cases: &Cases,
    kind: usize,
    counter: f64,
) -> Result<Vec<Range>, Bailout> {
    let rows = Arc::clone(&analysis.rows);
    let mut all: Vec<Option<Range>> = vec![None; rows.columns.len()];
    for class in 1..cases.classes as u16 {
        let mut scope = cases.scope(analysis, class, kind, Counted::Exactly(counter));
        for (known, &slot) in all.iter_mut().zip(&rows.columns) {
            let form = analysis.slot(&mut scope, 2 * rows.layers.len(), slot)?;
            let range = analysis.interner.tight(&analysis.interner[form]);
            *known = Some(known.map_or(range, |known| known.union(range)));
        }
        analysis.end(scope);
    }
    Ok(all.into_iter().flatten().collect())
}
