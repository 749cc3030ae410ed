//! The proof of the next token of the default model, and of the same model with a fault.
//!
//! `cargo run --release -p weightware-certify --example next_token`

use std::io::{self, Write};

use weightware_certify::{certify, next_tokens};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut model = weightware_compiler::default_model();
    writeln!(out, "{}", certify(&model))?;
    writeln!(out, "{}", next_tokens(&model))?;

    // Multiplies all outputs of the last layer's neurons by a thousand, so that results outweigh
    // the codes of end tokens.
    let last = model.weights.layers.last_mut().expect("a layer");
    for row in 0..last.ff_out.rows {
        last.ff_out
            .row_mut(row)
            .iter_mut()
            .for_each(|weight| *weight *= 1024.0);
    }
    writeln!(out, "with a fault:")?;
    for problem in next_tokens(&model).problems().take(3) {
        writeln!(out, "{problem}")?;
    }
    Ok(())
}
