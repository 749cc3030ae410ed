//! General models: any configuration through its folder, plain executors as a special case, and
//! folders that must be refused.

use std::fs;

use proptest::prelude::*;
use weightware_model::general::{
    Activation, Config, Dtype, Model, Norm, Positions, Rotary, Spread, Weights,
};
use weightware_model::{Error, PositionFeature, TokenId, Tokenizer};

fn norms() -> impl Strategy<Value = Option<Norm>> {
    prop::sample::select(vec![
        None,
        Some(Norm::Layer { epsilon: 1e-5 }),
        Some(Norm::Rms { epsilon: 1e-6 }),
    ])
}

fn positions() -> impl Strategy<Value = Positions> {
    let feature = PositionFeature {
        slot: 1,
        coefficients: [0.1, 0.2, -0.3],
    };
    let rotary = |spread| {
        Positions::Rotary(Rotary {
            base: 100.0,
            spread,
        })
    };
    prop::sample::select(vec![
        Positions::None,
        Positions::Learned { context: 7 },
        Positions::Sinusoidal { base: 1e4 },
        rotary(Spread::Pairs),
        rotary(Spread::Heads),
        Positions::Polynomial(vec![feature]),
    ])
}

fn configs() -> impl Strategy<Value = Config> {
    let activations = prop::sample::select(vec![
        Activation::Relu,
        Activation::Gelu,
        Activation::GatedRelu,
        Activation::SwiGlu,
    ]);
    let shape = (
        1..4usize,
        2..5usize,
        prop::collection::vec(1..5usize, 1..4),
        1..5usize,
    );
    let switches = prop::array::uniform5(any::<bool>());
    (shape, norms(), activations, positions(), switches).prop_map(
        |((pairs, head_dim, neurons, vocab), norm, activation, positions, switches)| {
            let [wide, bias, tied_embeddings, temperature, head_product] = switches;
            Config {
                d_model: 2 + pairs,
                heads: 2 * pairs,
                head_dim,
                neurons,
                vocab,
                dtype: if wide { Dtype::Float64 } else { Dtype::Float32 },
                norm,
                activation,
                bias,
                positions,
                tied_embeddings,
                score_scale: 0.7,
                temperature,
                head_product,
                context: Some(5),
            }
        },
    )
}

/// A model of distinct weights.
fn model(config: Config) -> Model {
    let mut number = 0.0;
    let weights = Weights::assemble(&config, |tensor| {
        let next = |_| {
            number += 0.25;
            number
        };
        Ok::<_, Error>((0..tensor.len()).map(next).collect())
    });
    let letters = ('a'..).take(config.vocab).map(String::from);
    Model {
        tokenizer: Tokenizer::characters(letters.collect()),
        end_tokens: vec![TokenId(0)],
        weights: weights.unwrap(),
        config,
    }
}

proptest! {
    #[test]
    fn folders_give_back_the_model(config in configs()) {
        let model = model(config);
        model.validate().unwrap();
        let dir = tempfile::tempdir().unwrap();
        model.save(dir.path()).unwrap();
        prop_assert_eq!(&Model::load(dir.path()).unwrap(), &model);
        // The plain reader refuses it and says what runs it.
        let error = weightware_model::Model::load(dir.path()).unwrap_err().to_string();
        prop_assert!(error.contains("generate"), "{error}");
    }

    #[test]
    fn the_table_of_tensors_is_that_of_the_weights(config in configs()) {
        let model = model(config);
        let named = model.weights.named();
        let shapes: Vec<_> = named.iter().map(|(shape, _)| shape.clone()).collect();
        prop_assert_eq!(shapes, model.config.tensors());
        let entries: usize = named.iter().map(|(_, entries)| entries.len()).sum();
        prop_assert_eq!(entries, model.config.parameters());
    }

    /// Weights of another configuration do not pass.
    #[test]
    fn other_weights_are_refused(a in configs(), b in configs()) {
        let (mut one, other) = (model(a), model(b));
        one.weights = other.weights;
        let fits = one.config.tensors() == other.config.tensors();
        prop_assert_eq!(one.validate().is_ok(), fits);
    }

    /// A file with one byte changed is refused by name, or consistent.
    #[test]
    fn damaged_files_do_not_panic(config in configs(), file in 0..4usize, at: u16, byte: u8) {
        const FILES: [&str; 4] =
            ["config.json", "model.safetensors", "tokenizer.json", "generation_config.json"];
        let dir = tempfile::tempdir().unwrap();
        model(config).save(dir.path()).unwrap();
        let path = dir.path().join(FILES[file]);
        let mut bytes = fs::read(&path).unwrap();
        let at = usize::from(at) % bytes.len();
        bytes[at] = byte;
        fs::write(&path, bytes).unwrap();
        match Model::load(dir.path()) {
            Ok(model) => prop_assert!(model.validate().is_ok()),
            Err(error) => prop_assert!(
                error.path().is_some_and(|path| path.starts_with(dir.path())), "{error}"
            ),
        }
    }
}

#[test]
fn contradictions_are_refused() {
    let config = Config {
        d_model: 4,
        heads: 2,
        head_dim: 2,
        neurons: vec![1],
        vocab: 2,
        dtype: Dtype::Float32,
        norm: None,
        activation: Activation::Relu,
        bias: false,
        positions: Positions::None,
        tied_embeddings: true,
        score_scale: 1.0,
        temperature: false,
        head_product: false,
        context: None,
    };
    config.validate().unwrap();
    let rotary = Positions::Rotary(Rotary {
        base: 1e4,
        spread: Spread::Heads,
    });
    let refused: [(&str, Config); 6] = [
        (
            "d_model",
            Config {
                d_model: 0,
                ..config.clone()
            },
        ),
        (
            "layers",
            Config {
                neurons: vec![],
                ..config.clone()
            },
        ),
        (
            "score_scale",
            Config {
                score_scale: f64::NAN,
                ..config.clone()
            },
        ),
        (
            "head_dim",
            Config {
                head_dim: 1,
                positions: rotary,
                ..config.clone()
            },
        ),
        (
            "heads",
            Config {
                heads: 3,
                head_product: true,
                ..config.clone()
            },
        ),
        (
            "norm_epsilon",
            Config {
                norm: Some(Norm::Rms { epsilon: 0.0 }),
                ..config.clone()
            },
        ),
    ];
    for (field, config) in refused {
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
    // A number that 32 bits do not hold.
    let mut model = model(config);
    model.weights.tok.entries[1] = 0.1;
    let error = model.validate().unwrap_err().to_string();
    assert!(error.contains("tok.weight: entry 1"), "{error}");
}

#[test]
fn unknown_keys_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let plain = Config {
        d_model: 2,
        heads: 1,
        head_dim: 2,
        neurons: vec![1],
        vocab: 1,
        dtype: Dtype::Float64,
        norm: None,
        activation: Activation::Relu,
        bias: false,
        positions: Positions::None,
        tied_embeddings: true,
        score_scale: 1.0,
        temperature: false,
        head_product: false,
        context: None,
    };
    model(plain).save(dir.path()).unwrap();
    let path = dir.path().join("config.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen('{', "{\"window\": 16,", 1)).unwrap();
    let error = Model::load(dir.path()).unwrap_err().to_string();
    assert!(error.contains("window"), "{error}");
    fs::write(&path, text.replace("\"transformer\"", "\"mamba\"")).unwrap();
    let error = Model::load(dir.path()).unwrap_err().to_string();
    assert!(error.contains("mamba"), "{error}");
}
