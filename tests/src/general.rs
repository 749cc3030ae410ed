//! General models of every kind, and stock forward passes of them in PyTorch.

use std::path::Path;
use std::process::Command;

use weightware::general::{
    Activation, Config, Decoder, Dtype, Engine, Model, Norm, Positions, Rotary, Spread, Wanted,
    Weights,
};
use weightware::{TokenId, Tokenizer};
use weightware_model::PositionFeature;

const VOCAB: usize = 7;
/// Tokens that are compared.
const TOKENS: usize = 40;
/// The greatest difference of a logit, where logits are about 1.
const TOLERANCES: [(Dtype, f64); 2] = [(Dtype::Float64, 1e-13), (Dtype::Float32, 1e-5)];

/// Models of random weights: all pairs of a norm, an activation and a kind of positions occur, with
/// all other switches on and off.
#[must_use]
pub fn models() -> Vec<(String, Model)> {
    let norms = [
        None,
        Some(Norm::Layer { epsilon: 1e-5 }),
        Some(Norm::Rms { epsilon: 1e-5 }),
    ];
    let activations = [
        Activation::Relu,
        Activation::Gelu,
        Activation::GatedRelu,
        Activation::SwiGlu,
    ];
    let feature = |slot, coefficients| PositionFeature { slot, coefficients };
    let rotary = |spread| {
        Positions::Rotary(Rotary {
            base: 100.0,
            spread,
        })
    };
    let positions = [
        Positions::None,
        Positions::Learned { context: TOKENS },
        Positions::Sinusoidal { base: 1e4 },
        rotary(Spread::Pairs),
        rotary(Spread::Heads),
        Positions::Polynomial(vec![
            feature(3, [0.1, 0.01, -1e-4]),
            feature(0, [1.0, 0.0, 0.0]),
        ]),
    ];
    let mut models = Vec::new();
    for (a, positions) in positions.iter().enumerate() {
        for (b, &activation) in activations.iter().enumerate() {
            // With twelve pairs of the two others each norm meets each of them.
            let number = a * activations.len() + b;
            let on = |bit: usize| (number + a) >> bit & 1 == 1;
            let config = Config {
                d_model: 6 + number % 3,
                heads: 4,
                head_dim: 2 + number % 4,
                neurons: vec![9, 5 + number],
                vocab: VOCAB,
                dtype: if on(0) {
                    Dtype::Float32
                } else {
                    Dtype::Float64
                },
                norm: norms[(a + b) % norms.len()],
                activation,
                bias: on(1),
                positions: positions.clone(),
                tied_embeddings: on(2),
                score_scale: 0.8,
                temperature: on(3),
                head_product: on(1) != on(2),
                context: None,
            };
            let name = format!("{number:02}");
            models.push((name, model(config, number as u64)));
        }
    }
    models
}

fn model(config: Config, seed: u64) -> Model {
    let mut state = seed;
    let weights = Weights::assemble(&config, |tensor| {
        let draw = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            f64::from((state >> 40) as f32 / (1 << 24) as f32 - 0.5)
        };
        Ok::<_, ()>((0..tensor.len()).map(draw).collect())
    });
    Model {
        tokenizer: Tokenizer::characters(('a'..).take(VOCAB).map(String::from).collect()),
        end_tokens: vec![],
        weights: weights.expect("all entries are drawn"),
        config,
    }
}

/// The tokens that all models read.
#[must_use]
pub fn tokens() -> Vec<u32> {
    (0..TOKENS as u32)
        .map(|i| i * i * 31 / 7 % VOCAB as u32)
        .collect()
}

/// The greatest difference of a logit of the softmax engine from those of another forward pass.
///
/// # Errors
/// If the model cannot be run, the numbers of logits differ, or a difference is beyond what
/// rounding explains.
pub fn compare(model: &Model, others: &[Vec<f64>]) -> Result<f64, String> {
    let mut decoder = Decoder::new(model, Engine::Softmax).map_err(|error| error.to_string())?;
    let sequence = decoder.begin();
    let ids: Vec<TokenId> = tokens().into_iter().map(TokenId).collect();
    let logits = decoder.read_batch(&[(sequence, &ids)], Wanted::All);
    let logits = logits.map_err(|error| error.to_string())?;
    if logits.len() != others.len() || others.iter().any(|row| row.len() != VOCAB) {
        return Err("the forward passes have other numbers of logits".to_owned());
    }
    let pairs = logits.rows().flatten().zip(others.iter().flatten());
    let differences = pairs.map(|(own, other)| (own - other).abs() / own.abs().max(1.0));
    let worst = differences.fold(0.0, |worst, difference| {
        // A NaN is not less than the limit below.
        if difference > worst || difference.is_nan() {
            difference
        } else {
            worst
        }
    });
    let limit = TOLERANCES
        .iter()
        .find(|(dtype, _)| *dtype == model.config.dtype);
    match limit {
        Some(&(_, limit)) if worst < limit => Ok(worst),
        _ => Err(format!("a logit differs by {worst:.1e}")),
    }
}

/// The logits of `examples/pytorch/general.py` for a folder.
///
/// # Errors
/// If Python fails; the text is what it says.
pub fn pytorch(python: &str, folder: &Path, tokens: &Path) -> Result<Vec<Vec<f64>>, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pytorch/general.py");
    let mut command = Command::new(python);
    command
        .arg(script)
        .arg(folder)
        .args(["logits", "--tokens"])
        .arg(tokens);
    let output = command
        .output()
        .map_err(|error| format!("{python}: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let rows = String::from_utf8_lossy(&output.stdout);
    let row = |line: &str| serde_json::from_str(line).map_err(|error| error.to_string());
    rows.lines().map(row).collect()
}
