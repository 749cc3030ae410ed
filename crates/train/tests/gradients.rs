//! Every derivative against central differences in 64-bit floats, attention against a composition
//! of candle's own operations, and the forward pass against the runtime's decoder.

use candle_core::{D, DType, Device, Tensor, Var};
use weightware_model::TokenId;
use weightware_model::general::{Config, Model};
use weightware_runtime::general::{Decoder, Engine};
use weightware_train::ops::{Angles, attention};
use weightware_train::task::Batch;
use weightware_train::{Settings, Transformer};

/// Configurations that together have every option.
const MODELS: [&str; 9] = [
    "heads = 18\nhead_dim = 2\nlayers = 1\ntemperature = true",
    "heads = 9\nhead_dim = 3\nlayers = 1",
    "heads = 4\nhead_dim = 2",
    "heads = 2\nhead_dim = 3\nnorm = \"layer\"\nbias = true\nactivation = \"swiglu\"",
    "heads = 2\nhead_dim = 4\nactivation = \"gated_relu\"\ntied_embeddings = true\n\
     positions = { kind = \"learned\", context = 40 }\ntemperature = true",
    "heads = 4\nhead_dim = 2\nhead_product = true\nbias = true\nactivation = \"relu\"\n\
     positions = { kind = \"sinusoidal\" }",
    "heads = 1\nhead_dim = 8\nnorm = \"none\"\nscore_scale = 0.3\n\
     positions = { kind = \"rotary\", base = 100.0, spread = \"pairs\" }",
    "heads = 4\nhead_dim = 2\nlayers = 1\ntemperature = true\npositions = { kind = \"polynomial\", \
     features = [{ slot = 0, coefficients = [0.0, 0.5, 0.0] }, \
     { slot = 1, coefficients = [1.0, 0.0, -0.25] }] }",
    "heads = 3\nhead_dim = 5\nlayers = 1\npositions = { kind = \"none\" }",
];

fn model(keys: &str, dtype: &str) -> Transformer {
    let text = format!(
        "[training]\nsteps = 1\nbatch = 1\nlearning_rate = 0.1\n\
         [task]\nkind = \"tracking\"\ngroup = \"z2\"\nlength = 9\ntests = []\n\
         [model]\nd_model = 6\nd_ffn = 5\ndtype = \"{dtype}\"\n{keys}\n"
    );
    let settings = Settings::parse(&text, "the test").unwrap();
    Transformer::new(settings.config(7, 9).unwrap(), 3).unwrap()
}

/// Two sequences of `length` tokens; every second row is supervised.
fn batch(length: usize) -> Batch {
    let rows = 2 * length as u32;
    Batch {
        sequences: 2,
        length,
        tokens: (0..rows).map(|i| (i * i + 3 * i + 1) % 7).collect(),
        rows: Some((0..rows).step_by(2).collect()),
        targets: (0..rows).step_by(2).map(|i| (5 * i + 2) % 7).collect(),
    }
}

fn loss(model: &Transformer, batch: &Batch) -> f64 {
    model.loss(batch).unwrap().to_scalar().unwrap()
}

/// Makes norms, biases and temperatures differ from what they begin as.
fn disturb(model: &Transformer) {
    for (i, (_, variable)) in model.variables().iter().enumerate() {
        let noise = (0..variable.elem_count()).map(|j| 0.2 * ((i * 31 + j * 17) as f64).sin());
        let noise: Vec<f64> = noise.collect();
        let noise = Tensor::from_vec(noise, variable.shape(), &Device::Cpu).unwrap();
        let noise = noise.to_dtype(variable.dtype()).unwrap();
        variable
            .set(&(variable.as_tensor() + noise).unwrap())
            .unwrap();
    }
}

#[test]
fn gradients_are_central_differences() {
    for keys in MODELS {
        let model = model(keys, "float64");
        disturb(&model);
        let batch = batch(9);
        let gradients = model.loss(&batch).unwrap().backward().unwrap();
        for (shape, variable) in model.variables() {
            let gradient = gradients.get(variable.as_tensor()).unwrap_or_else(|| {
                panic!("{keys}: {} has no gradient", shape.name);
            });
            let gradient: Vec<f64> = gradient.flatten_all().unwrap().to_vec1().unwrap();
            let weights: Vec<f64> = variable.flatten_all().unwrap().to_vec1().unwrap();
            let at = |i: usize, change: f64| {
                let mut weights = weights.clone();
                weights[i] += change;
                let tensor = Tensor::from_vec(weights, variable.shape(), &Device::Cpu).unwrap();
                variable.set(&tensor).unwrap();
                loss(&model, &batch)
            };
            let h = 1e-5;
            for i in (0..weights.len()).step_by(1 + weights.len() / 12) {
                let difference = (at(i, h) - at(i, -h)) / (2.0 * h);
                assert!(
                    (difference - gradient[i]).abs() < 1e-8 + 1e-6 * difference.abs(),
                    "{keys}: {}[{i}]: {} against {difference}",
                    shape.name,
                    gradient[i]
                );
            }
            at(0, 0.0);
        }
    }
}

/// Attention of operations that candle has, without rotary positions.
fn composed(qkv: &Tensor, temperature: &Tensor, config: &Config) -> Tensor {
    let (batch, length, _) = qkv.dims3().unwrap();
    let (heads, dim) = (config.heads, config.head_dim);
    let third = |i: usize| {
        let part = qkv.narrow(2, i * heads * dim, heads * dim).unwrap();
        let part = part.reshape((batch, length, heads, dim)).unwrap();
        part.transpose(1, 2).unwrap().contiguous().unwrap()
    };
    let scores = third(0).matmul(&third(1).t().unwrap()).unwrap();
    let scores = (scores * config.score_scale).unwrap();
    let temperature = temperature.reshape((1, heads, 1, 1)).unwrap();
    let mask = (0..length * length).map(|i| if i % length > i / length { -1e30 } else { 0.0 });
    let mask = Tensor::from_vec(mask.collect::<Vec<f64>>(), (length, length), &Device::Cpu);
    let mask = mask.unwrap().to_dtype(qkv.dtype()).unwrap();
    let scores = scores
        .broadcast_mul(&temperature)
        .unwrap()
        .broadcast_add(&mask)
        .unwrap();
    let greatest = scores.max_keepdim(D::Minus1).unwrap().detach();
    let powers = scores.broadcast_sub(&greatest).unwrap().exp().unwrap();
    let sums = powers.sum_keepdim(D::Minus1).unwrap();
    let y = powers
        .broadcast_div(&sums)
        .unwrap()
        .matmul(&third(2))
        .unwrap();
    y.transpose(1, 2)
        .unwrap()
        .reshape((batch, length, heads * dim))
        .unwrap()
}

/// Heads, head dimension and length, for all algorithms and both widths of blocks.
const SHAPES: [(usize, usize, usize); 12] = [
    (4, 2, 37),
    (3, 3, 16),
    (2, 16, 33),
    (1, 64, 5),
    (2, 1, 1),
    (33, 2, 19),
    (9, 2, 18),
    (22, 3, 17),
    (8, 3, 9),
    (16, 4, 20),
    (10, 4, 7),
    (8, 8, 21),
];

#[test]
fn attention_is_that_of_candle() {
    for (heads, dim, length) in SHAPES {
        for (dtype, bound) in [(DType::F64, 1e-12), (DType::F32, 2e-5)] {
            let keys =
                format!("heads = {heads}\nhead_dim = {dim}\npositions = {{ kind = \"none\" }}");
            let model = model(&keys, "float64");
            let config = model.config();
            let random = |shape: &[usize], seed: usize| {
                let count: usize = shape.iter().product();
                let entries = (0..count).map(|i| 2.0 * ((i * i + 7 * i + seed) as f64).sin());
                let entries: Vec<f64> = entries.collect();
                let tensor = Tensor::from_vec(entries, shape, &Device::Cpu).unwrap();
                Var::from_tensor(&tensor.to_dtype(dtype).unwrap()).unwrap()
            };
            let qkv = random(&[3, length, 3 * heads * dim], 1);
            let temperature = random(&[heads], 2);
            let weights = random(&[3, length, heads * dim], 3);
            let results = [true, false].map(|is_fused| {
                let y = match is_fused {
                    true => {
                        let angles = Angles::new(config, length);
                        attention(&qkv, &temperature, config, &angles).unwrap()
                    }
                    false => composed(&qkv, &temperature, config),
                };
                let gradients = y
                    .mul(&weights)
                    .unwrap()
                    .sum_all()
                    .unwrap()
                    .backward()
                    .unwrap();
                let of = |var: &Var| gradients.get(var.as_tensor()).unwrap().clone();
                [y, of(&qkv), of(&temperature)].map(|tensor| {
                    let flat = tensor.flatten_all().unwrap().to_dtype(DType::F64).unwrap();
                    flat.to_vec1::<f64>().unwrap()
                })
            });
            let [fused, composed] = results;
            for (part, (is, must)) in fused.iter().zip(&composed).enumerate() {
                for (i, (is, must)) in is.iter().zip(must).enumerate() {
                    assert!(
                        (is - must).abs() <= bound * (1.0 + must.abs()) * 10.0,
                        "{heads} x {dim}, {length}, {dtype:?}, part {part}[{i}]: {is} {must}"
                    );
                }
            }
        }
    }
}

#[test]
fn decoder_of_the_runtime_gives_equal_logits() {
    for keys in MODELS {
        for (dtype, bound) in [("float64", 1e-10), ("float32", 1e-4)] {
            let transformer = model(keys, dtype);
            disturb(&transformer);
            let length = 29;
            let batch = Batch {
                rows: None,
                ..batch(length)
            };
            let logits = transformer
                .forward(&batch)
                .unwrap()
                .to_dtype(DType::F64)
                .unwrap();
            let logits: Vec<Vec<f64>> = logits.to_vec2().unwrap();
            let model = Model {
                config: transformer.config().clone(),
                weights: transformer.weights().unwrap(),
                tokenizer: weightware_model::Tokenizer::new(
                    (0..7).map(|i| i.to_string()).collect(),
                ),
                end_tokens: vec![],
            };
            let dir = tempfile::tempdir().unwrap();
            model.save(dir.path()).unwrap();
            let file = std::fs::read_to_string(dir.path().join("config.json")).unwrap();
            let read: Config = serde_json::from_str(&file).unwrap();
            assert_eq!(&read, transformer.config());
            let written = serde_json::to_value(&read).unwrap();
            assert_eq!(
                written,
                serde_json::from_str::<serde_json::Value>(&file).unwrap()
            );
            let model = Model::load(dir.path()).unwrap();
            let mut decoder = Decoder::new(&model, Engine::Softmax).unwrap();
            let sequence = decoder.begin();
            for (t, &token) in batch.tokens[..length].iter().enumerate() {
                let answer = decoder.read(sequence, &[TokenId(token)]).unwrap();
                for (is, must) in answer.last().iter().zip(&logits[t]) {
                    assert!((is - must).abs() < bound, "{keys}, token {t}: {is} {must}");
                }
            }
        }
    }
}
