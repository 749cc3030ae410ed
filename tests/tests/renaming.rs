//! Names have no meaning: with permuted tokens, heads, neurons and slots, and with other strings of
//! tokens, decoding is the same.

use weightware::{Computer, Decoder, Engine, Model, Source, TokenId};
use weightware_model::{Matrix, Tokenizer};
use weightware_tests::Random;

/// A permutation of `0..n` (Fisher-Yates).
fn permutation(n: usize, seed: u64) -> Vec<usize> {
    let mut random = Random::new(seed);
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        order.swap(last, random.below(last as u64 + 1) as usize);
    }
    order
}

/// The matrix whose row `i` is row `rows[i]` and whose column `j` is column `cols[j]`.
fn permuted(matrix: &Matrix, rows: &[usize], cols: &[usize]) -> Matrix {
    assert_eq!((rows.len(), cols.len()), (matrix.rows, matrix.cols));
    let mut result = Matrix::zeros(matrix.rows, matrix.cols);
    for (i, &row) in rows.iter().enumerate() {
        for (j, &col) in cols.iter().enumerate() {
            result.row_mut(i)[j] = matrix.row(row)[col];
        }
    }
    result
}

/// The model with everything in another order and with other names; `tokens[new]` is the old id.
fn disguised(model: &Model, tokens: &[usize]) -> Model {
    let mut other = model.clone();
    let shape = model.config.shape;
    let slots = permutation(shape.d_model, 11);
    let place = |slot: usize| {
        slots
            .iter()
            .position(|&old| old == slot)
            .expect("a permutation")
    };
    for feature in &mut other.config.position_features {
        feature.slot = place(feature.slot);
    }
    other.weights.tok = permuted(&model.weights.tok, tokens, &slots);
    other.weights.head = permuted(&model.weights.head, tokens, &slots);
    for (index, layer) in other.weights.layers.iter_mut().enumerate() {
        let heads = permutation(shape.heads, 100 + index as u64);
        let neurons = permutation(shape.d_ffn, 200 + index as u64);
        let lanes: Vec<usize> = heads
            .iter()
            .flat_map(|head| [2 * head, 2 * head + 1])
            .collect();
        let thirds = |third: usize| lanes.iter().map(move |lane| third * shape.d_model + lane);
        let in_rows: Vec<usize> = (0..3).flat_map(thirds).collect();
        let ff_rows: Vec<usize> = [0, 1]
            .iter()
            .flat_map(|half| neurons.iter().map(move |n| half * shape.d_ffn + n))
            .collect();
        layer.in_proj = permuted(&layer.in_proj, &in_rows, &slots);
        layer.out_proj = permuted(&layer.out_proj, &slots, &lanes);
        layer.ff_in = permuted(&layer.ff_in, &ff_rows, &slots);
        layer.ff_out = permuted(&layer.ff_out, &slots, &neurons);
        for bound in other
            .config
            .key_bounds
            .iter_mut()
            .zip(&model.config.key_bounds)
        {
            let (bound, old) = bound;
            if old.layer == index {
                bound.head = heads
                    .iter()
                    .position(|&head| head == old.head)
                    .expect("a permutation");
            }
        }
    }
    other.tokenizer = Tokenizer::new((0..shape.vocab).map(|id| format!("t{id}")).collect());
    for end in &mut other.end_tokens {
        end.0 = tokens
            .iter()
            .position(|&old| old == end.0 as usize)
            .expect("a permutation") as u32;
    }
    other
}

fn decode(model: &Model, prompt: &[TokenId], engine: Engine, limit: u64) -> Vec<TokenId> {
    let mut decoder = Decoder::new(model, engine).expect("a sound model");
    decoder.prefill(prompt).expect("within the horizon");
    decoder.generate(Some(limit)).collect()
}

#[test]
fn order_and_names_mean_nothing() {
    let computer = Computer::default();
    let bytes = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../programs/memory.wasm"
    ));
    let source = Source::parse(&bytes.expect("the program is there")).expect("a program");
    let prompt = computer.prompt(&source.program(b""));

    let model = computer.model();
    let tokens = permutation(model.config.shape.vocab, 7);
    let new = |old: TokenId| {
        let place = tokens.iter().position(|&id| id == old.0 as usize);
        TokenId(place.expect("a permutation") as u32)
    };
    let other = disguised(model, &tokens);
    let other_prompt: Vec<TokenId> = prompt.iter().map(|&id| new(id)).collect();

    for (engine, limit) in [
        (Engine::Hull, 100_000),
        (Engine::Plan, 100_000),
        (Engine::Softmax, 400),
    ] {
        let trace = decode(model, &prompt, engine, limit);
        let expected: Vec<TokenId> = trace.iter().map(|&id| new(id)).collect();
        assert!(trace.len() >= 400);
        assert_eq!(
            decode(&other, &other_prompt, engine, limit),
            expected,
            "{}",
            engine.name()
        );
    }
}
