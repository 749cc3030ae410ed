//! The proved horizons of the default model, and the share of them that one program uses.
//!
//! `cargo run --release -p weightware --example certify`

use std::io::{self, Write};

use weightware::{Computer, Scaling, Source, next_tokens};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = io::stdout().lock();
    let computer = Computer::default();
    let source = Source::parse(
        b"(module (memory 1) (func (export \"main\") (result i32) (local $i i32)
            (loop $next
                (i32.store (local.get $i) (local.get $i))
                (local.set $i (i32.add (local.get $i) (i32.const 4)))
                (br_if $next (i32.lt_u (local.get $i) (i32.const 400))))
            (i32.load (i32.const 396))))",
    )?;
    let run = computer.certify(&source.program(b""), None)?;
    let certificate = run.certified.certificate();
    writeln!(
        out,
        "exact hard-max is proved to position {}",
        certificate.exact_positions()
    )?;
    writeln!(
        out,
        "the program ends at position {}: {:?}",
        run.position, run.end
    )?;
    for scaling in Scaling::ALL {
        let followed = run.certified.stock_position(scaling);
        writeln!(
            out,
            "stock softmax, scaling {}: to {followed}",
            scaling.name()
        )?;
    }
    let next = next_tokens(computer.model());
    assert_eq!(next.problems().count(), 0);
    writeln!(
        out,
        "one next token wins in all {} cases",
        next.all().count()
    )?;
    Ok(())
}
