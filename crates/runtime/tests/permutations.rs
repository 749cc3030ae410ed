//! Invariance under permutations: the order of tokens, slots and heads does not matter.

mod common;

use common::{Random, copier};
use weightware_model::{Matrix, Model, TokenId, Tokenizer};
use weightware_runtime::{Decoder, Engine};

/// A copier of two heads that matter and one that does not, in the middle of a wider stream.
fn model() -> Model {
    let mut model = copier(12, 4);
    let layer = &mut model.weights.layers[0];
    // Head 1 averages all tokens into a slot that is never read; head 2 writes to no slot.
    layer.in_proj.row_mut(14)[3] = 1.0;
    layer.out_proj.row_mut(5)[2] = 1.0;
    layer.in_proj.row_mut(16)[1] = 3.0;
    layer.ff_in.row_mut(0)[1] = 1.0;
    layer.ff_in.row_mut(1)[3] = 2.0;
    layer.ff_out.row_mut(5)[0] = 1.0;
    model
}

fn rows(matrix: &mut Matrix, order: &[usize]) {
    let old = matrix.clone();
    for (new, &from) in order.iter().enumerate() {
        matrix.row_mut(new).copy_from_slice(old.row(from));
    }
}

fn columns(matrix: &mut Matrix, order: &[usize]) {
    let old = matrix.clone();
    for r in 0..matrix.rows {
        for (new, &from) in order.iter().enumerate() {
            matrix.row_mut(r)[new] = old.row(r)[from];
        }
    }
}

fn permute(model: &mut Model, random: &mut Random) {
    let shape = model.config.shape;
    let slots = random.permutation(shape.d_model);
    let tokens = random.permutation(shape.vocab);
    rows(&mut model.weights.tok, &tokens);
    rows(&mut model.weights.head, &tokens);
    columns(&mut model.weights.tok, &slots);
    columns(&mut model.weights.head, &slots);
    let strings = tokens
        .iter()
        .map(|&t| model.tokenizer.strings()[t].clone())
        .collect();
    model.tokenizer = Tokenizer::new(strings);
    for feature in &mut model.config.position_features {
        feature.slot = slots.iter().position(|&s| s == feature.slot).unwrap();
    }
    for layer in &mut model.weights.layers {
        let heads: Vec<usize> = random
            .permutation(shape.heads)
            .into_iter()
            .flat_map(|h| [2 * h, 2 * h + 1])
            .collect();
        let thirds: Vec<usize> = (0..3)
            .flat_map(|third| heads.iter().map(move |h| third * shape.d_model + h))
            .collect();
        rows(&mut layer.in_proj, &thirds);
        columns(&mut layer.in_proj, &slots);
        columns(&mut layer.out_proj, &heads);
        rows(&mut layer.out_proj, &slots);
        columns(&mut layer.ff_in, &slots);
        rows(&mut layer.ff_out, &slots);
    }
}

fn text(model: &Model, engine: Engine) -> String {
    let prompt = model.tokenizer.encode("t3 t11 t0 t3").unwrap();
    let mut decoder = Decoder::new(model, engine).unwrap();
    decoder.prefill(&prompt).unwrap();
    let tokens: Vec<TokenId> = decoder.generate(Some(100)).collect();
    model.tokenizer.decode(&tokens)
}

#[test]
fn permutations_change_nothing() {
    let expected = ["t3 t11 t0 t3"; 25].join(" ");
    for engine in Engine::available() {
        let mut model = model();
        assert_eq!(text(&model, engine), expected);
        let mut random = Random(7);
        for _ in 0..20 {
            permute(&mut model, &mut random);
            assert_eq!(text(&model, engine), expected);
        }
    }
}
