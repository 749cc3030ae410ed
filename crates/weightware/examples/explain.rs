//! Explains one token of `3 + 5`: the token that each head attends to, and the greatest logits.
//!
//! `cargo run --release -p weightware --example explain`

use std::io::{self, Write};

use weightware::{Computer, Engine, Extension, Profile, Source, TokenId, compile, inspect};

const PROGRAM: &str =
    "{ i32.const 03 00 00 00 i32.const 05 00 00 00 i32.add 00 00 00 00 output 00 00 00 00 }";

/// The low byte of the sum: two constants come first, of four bytes and a commit each.
const INDEX: usize = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = io::stdout().lock();
    let compiled = compile(Profile::default(), &Extension::ALL)?;
    let computer = Computer::new(compiled.model)?;
    let program = Source::parse(PROGRAM.as_bytes())?.program(b"");
    let trace: Vec<_> = computer.run(&program, Engine::Hull, None)?.collect();

    // The model predicts token `INDEX` from the prompt and the trace before it.
    let mut tokens = computer.prompt(&program);
    tokens.extend(trace[..INDEX].iter().map(|&token| computer.id(token)));
    let pass = inspect(computer.model(), Engine::Hull, &tokens)?;
    let string = |id: TokenId| computer.model().tokenizer.string(id).unwrap_or("?");

    writeln!(out, "token {INDEX} of the trace is `{}`", trace[INDEX])?;
    for head in &pass.heads {
        let heads = &compiled.names.layers[head.layer].attn.heads;
        let Some(name) = &heads[head.head] else {
            continue;
        };
        let at = usize::try_from(head.last)?;
        writeln!(
            out,
            "layer {}, {:24} query ({}, {}) -> position {at}, `{}`",
            head.layer + 1,
            name.name,
            head.query[0],
            head.query[1],
            string(tokens[at])
        )?;
    }
    let mut best: Vec<(u32, f64)> = (0..).zip(pass.logits.iter().copied()).collect();
    best.sort_by(|a, b| b.1.total_cmp(&a.1));
    for &(id, logit) in &best[..2] {
        writeln!(out, "logit {logit:>24}  `{}`", string(TokenId(id)))?;
    }
    writeln!(out, "margin {}", best[0].1 - best[1].1)?;
    assert_eq!(pass.next, Some(computer.id(trace[INDEX])));
    assert_eq!(trace[INDEX].to_string(), "08");
    Ok(())
}
