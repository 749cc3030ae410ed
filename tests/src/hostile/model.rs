//! Model folders and weights.

use std::fs;
use std::path::Path;

use weightware::{Decoder, Engine};
use weightware_model::{
    Attention, Config, KeyBound, LayerWeights, Matrix, Model, PositionFeature, Shape, TokenId,
    Tokenizer, Weights,
};

use super::target::{Check, readable};

/// A small model of the architecture.
fn small() -> Model {
    let shape = Shape {
        layers: 2,
        d_model: 4,
        heads: 2,
        d_ffn: 3,
        vocab: 5,
    };
    let layer = || LayerWeights {
        in_proj: Matrix::zeros(12, 4),
        out_proj: Matrix::zeros(4, 4),
        ff_in: Matrix::zeros(6, 4),
        ff_out: Matrix::zeros(4, 3),
    };
    Model {
        config: Config {
            shape,
            attention: Attention::Hardmax,
            position_features: vec![
                PositionFeature {
                    slot: 1,
                    coefficients: [0.0, 1.0, 0.0],
                },
                PositionFeature {
                    slot: 2,
                    coefficients: [0.0, 0.0, 1.0],
                },
            ],
            profile: None,
            modules: None,
            context: None,
            last_position: 100,
            key_bounds: vec![KeyBound {
                layer: 1,
                head: 0,
                max_abs_x: 1e6,
                max_lift: 1.0,
            }],
        },
        weights: Weights {
            tok: Matrix::zeros(5, 4),
            layers: vec![layer(), layer()],
            head: Matrix::zeros(5, 4),
        },
        tokenizer: Tokenizer::new(["a", "b", "c", "d", "e"].map(String::from).to_vec()),
        end_tokens: vec![TokenId(4)],
    }
}

/// The target of a folder with one file replaced by the input.
pub(super) fn file(name: &'static str) -> (Box<Check>, Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    small()
        .save(dir.path())
        .expect("the temporary folder can be written");
    let valid = fs::read(dir.path().join(name)).expect("the file was just written");
    let text = String::from_utf8_lossy(&valid);
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !"._\"".contains(c));
    let words = words
        .filter(|word| (1..40).contains(&word.len()))
        .map(|word| word.as_bytes().to_vec());
    let words = words.collect();
    let check = move |input: &[u8]| {
        fs::write(dir.path().join(name), input).map_err(|error| error.to_string())?;
        loaded(dir.path())
    };
    (Box::new(check), vec![valid], words)
}

fn loaded(dir: &Path) -> Result<bool, String> {
    match Model::load(dir) {
        Ok(model) => {
            model
                .validate()
                .map_err(|error| format!("is loaded, and inconsistent: {error}"))?;
            let short = model.config.shape.vocab < 100;
            if short {
                agree(&model)?;
            }
            Ok(true)
        }
        Err(error) if error.path().is_none_or(|path| !path.starts_with(dir)) => {
            Err(format!("is refused without the file: {error}"))
        }
        Err(error) => readable(&error.to_string()).map(|()| false),
    }
}

/// Runs a model by all engines: none panics, and the exact ones give the same tokens.
fn agree(model: &Model) -> Result<(), String> {
    let vocab = model.config.shape.vocab as u32;
    let prompt: Vec<TokenId> = (0..vocab.min(4)).map(TokenId).collect();
    let mut said = vec![];
    for engine in Engine::available() {
        let Ok(mut decoder) = Decoder::new(model, engine) else {
            continue;
        };
        let taken = decoder.prefill(&prompt).map_err(|stop| stop.to_string());
        let tokens: Vec<TokenId> = decoder.generate(Some(12)).collect();
        if engine != Engine::Softmax {
            said.push((engine, taken, tokens, decoder.finish_reason()));
        }
    }
    for pair in said.windows(2) {
        let [(one, a, b, c), (other, x, y, z)] = pair else {
            unreachable!("windows(2) yields slices of two")
        };
        if (a, b, c) != (x, y, z) {
            return Err(format!(
                "{} says {a:?} {b:?} {c:?}, {} {x:?} {y:?} {z:?}",
                one.name(),
                other.name()
            ));
        }
    }
    Ok(())
}

/// Runs a model whose weights are the bytes of the input.
pub(super) fn weights(input: &[u8]) -> Result<bool, String> {
    let mut model = small();
    let mut bytes = input.iter().copied();
    let mut fill = |matrix: &mut Matrix| {
        for row in 0..matrix.rows {
            for weight in matrix.row_mut(row) {
                *weight = weight_of(bytes.next().unwrap_or(0));
            }
        }
    };
    fill(&mut model.weights.tok);
    for layer in &mut model.weights.layers {
        fill(&mut layer.in_proj);
        fill(&mut layer.out_proj);
        fill(&mut layer.ff_in);
        fill(&mut layer.ff_out);
    }
    fill(&mut model.weights.head);
    agree(&model)?;
    Ok(true)
}

/// A weight: mostly 0 and small numbers, and some of every magnitude.
fn weight_of(byte: u8) -> f64 {
    const ODD: [f64; 16] = [
        0.5,
        -0.5,
        1e-300,
        5e-324,
        1e308,
        -1e308,
        1e154,
        1e16,
        -1e16,
        9_007_199_254_740_993.0,
        0.1,
        -0.1,
        1.0 / 3.0,
        8192.0,
        -1_099_511_627_776.0,
        f64::EPSILON,
    ];
    match byte {
        0..=127 => 0.0,
        128..=191 => f64::from(i16::from(byte) - 160) / 8.0,
        192..=223 => f64::from(byte - 192) - 16.0,
        _ => ODD[usize::from(byte) % 16],
    }
}
