//! Models that have the machine's tokens but are not its models.

use weightware::{Computer, Engine, Error, RunEnd, Source, default_model};

const PROGRAM: &[u8] = b"{ i32.const 03 00 00 00 output 00 00 00 00 }";

#[test]
fn a_token_that_the_machine_does_not_know_ends_the_run() -> Result<(), Error> {
    let mut model = default_model();
    let width = model.config.shape.d_model;
    let strings = model.tokenizer.strings().iter().cloned();
    model.tokenizer = weightware_model::Tokenizer::new(strings.chain(["hm".to_owned()]).collect());
    // It generates `hm` wherever the machine would halt: the logit of `halt`, doubled.
    let halt = model
        .tokenizer
        .id("halt")
        .expect("a token of the machine")
        .0 as usize;
    let row: Vec<f64> = model
        .weights
        .head
        .row(halt)
        .iter()
        .map(|weight| 2.0 * weight)
        .collect();
    model.weights.head.entries.extend(row);
    model
        .weights
        .tok
        .entries
        .extend(std::iter::repeat_n(0.0, width));
    for matrix in [&mut model.weights.tok, &mut model.weights.head] {
        matrix.rows += 1;
    }
    model.config.shape.vocab += 1;

    let computer = Computer::new(model)?;
    let program = Source::parse(PROGRAM)?.program(&[]);
    let mut run = computer.run(&program, Engine::Hull, None)?;
    assert_eq!(run.finish(), RunEnd::UnknownToken { token: "hm".into() });
    assert!(run.step().is_none());
    Ok(())
}

#[test]
fn a_token_that_the_model_lacks_is_named() {
    let mut model = default_model();
    let renamed = model
        .tokenizer
        .strings()
        .iter()
        .map(|string| string.replace("i32.add", "plus"));
    model.tokenizer = weightware_model::Tokenizer::new(renamed.collect());
    let error = Computer::new(model).expect_err("no i32.add");
    assert!(matches!(error, Error::MissingToken(token) if token == "i32.add"));
}
