//! General folders of every kind with random weights, written by hand.

pub(crate) mod reference;

use std::{collections::HashMap, fs, path::Path};

use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};

pub(crate) const VOCAB: usize = 7;
/// The positions of learned tables.
pub(crate) const CONTEXT: usize = 80;

/// A row-major matrix or a vector.
#[derive(Clone)]
pub(crate) struct Entries {
    pub(crate) dims: Vec<usize>,
    pub(crate) entries: Vec<f64>,
}

pub(crate) struct Folder {
    pub(crate) config: Value,
    pub(crate) tensors: HashMap<String, Entries>,
    pub(crate) end_tokens: Vec<u32>,
}

/// Configurations in which all pairs of a norm, an activation and a kind of positions occur, with
/// the other keys present, absent, on and off.
pub(crate) fn configs(dtype: &str) -> Vec<Value> {
    let norms = ["none", "layer", "rms"];
    let activations = ["relu", "gelu", "gated_relu", "swiglu"];
    let feature =
        |slot, coefficients: [f64; 3]| json!({"slot": slot, "coefficients": coefficients});
    let features = [feature(3, [0.1, 0.01, -1e-4]), feature(0, [1.0, 0.0, 0.0])];
    let positions = [
        json!({"kind": "none"}),
        json!({"kind": "learned", "context": CONTEXT}),
        json!({"kind": "sinusoidal"}),
        json!({"kind": "rotary"}),
        json!({"kind": "rotary", "base": 100.0, "spread": "heads"}),
        json!({"kind": "polynomial", "features": features}),
    ];
    let mut configs = Vec::new();
    for (a, positions) in positions.iter().enumerate() {
        for (b, activation) in activations.iter().enumerate() {
            let number = a * activations.len() + b;
            let is_on = |bit: usize| (number + a) >> bit & 1 == 1;
            let mut config = json!({
                "architecture": "transformer", "layers": 2, "d_model": 6 + number % 3, "heads": 4,
                "head_dim": 2 + number % 4, "d_ffn": [5, 6 + number % 5], "vocab": VOCAB,
                "dtype": dtype, "norm": norms[(a + b) % norms.len()], "activation": activation,
                "bias": is_on(1), "positions": positions, "tied_embeddings": is_on(2),
            });
            let mut set = |key: &str, value: Value| config[key] = value;
            if is_on(0) {
                set("score_scale", json!(0.8));
                set("norm_epsilon", json!(0.01));
                set("d_ffn", json!(9));
            }
            if is_on(3) {
                set("temperature", json!(true));
            }
            if is_on(1) != is_on(2) {
                set("head_product", json!(true));
                set("context", json!(40));
            }
            configs.push(config);
        }
    }
    configs
}

/// The tokens that all models read.
pub(crate) fn tokens(length: usize) -> Vec<u32> {
    let id = |i: usize| (i * i * 31 / 7 % VOCAB) as u32;
    (0..length).map(id).collect()
}

impl Folder {
    /// Entries uniform in [-0.5, 0.5), numbers of the configuration's dtype.
    pub(crate) fn random(config: Value, seed: u64) -> Self {
        let mut state = seed;
        let mut draw = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / f64::from(1 << 24) - 0.5
        };
        let tensors = shapes(&config).into_iter().map(|(name, dims)| {
            let count = dims.iter().product::<usize>();
            let entries = (0..count).map(&mut draw).collect();
            (name, Entries { dims, entries })
        });
        Self {
            tensors: tensors.collect(),
            end_tokens: vec![],
            config,
        }
    }

    pub(crate) fn write(&self, dir: &Path) {
        let dtype = match self.config["dtype"].as_str() {
            Some("float32") => DType::F32,
            _ => DType::F64,
        };
        let tensor = |(name, of): (&String, &Entries)| {
            let tensor = Tensor::from_slice(&of.entries, &of.dims[..], &Device::Cpu).unwrap();
            (name.clone(), tensor.to_dtype(dtype).unwrap())
        };
        let tensors: HashMap<String, Tensor> = self.tensors.iter().map(tensor).collect();
        candle_core::safetensors::save(&tensors, dir.join("model.safetensors")).unwrap();
        let vocab: HashMap<String, usize> = (0..VOCAB).map(|id| (format!("t{id}"), id)).collect();
        let tokenizer = json!({
            "pre_tokenizer": {"type": "WhitespaceSplit"}, "model": {"vocab": vocab},
        });
        for (name, content) in [
            ("config.json", &self.config),
            ("tokenizer.json", &tokenizer),
            (
                "generation_config.json",
                &json!({"eos_token_id": self.end_tokens}),
            ),
        ] {
            fs::write(dir.join(name), content.to_string()).unwrap();
        }
    }

    /// Sets all entries of a tensor.
    pub(crate) fn set(&mut self, name: &str, entries: &[f64]) {
        let tensor = self.tensors.get_mut(name).unwrap();
        assert_eq!(tensor.entries.len(), entries.len(), "{name}");
        tensor.entries = entries.to_vec();
    }
}

/// A dimension of a configuration.
pub(crate) fn size(config: &Value, key: &str) -> usize {
    config[key].as_u64().unwrap() as usize
}

pub(crate) fn is_on(config: &Value, key: &str) -> bool {
    config[key].as_bool().unwrap_or(false)
}

/// Names and dimensions of the tensors of a configuration.
fn shapes(config: &Value) -> Vec<(String, Vec<usize>)> {
    let (d, vocab) = (size(config, "d_model"), size(config, "vocab"));
    let width = size(config, "heads") * size(config, "head_dim");
    let is_gated = matches!(config["activation"].as_str(), Some("gated_relu" | "swiglu"));
    let mut shapes = vec![("tok.weight".to_owned(), vec![vocab, d])];
    let mut put = |name: String, dims: &[usize]| shapes.push((name, dims.to_vec()));
    if config["positions"]["kind"] == "learned" {
        put(
            "positions.weight".into(),
            &[size(&config["positions"], "context"), d],
        );
    }
    if !is_on(config, "tied_embeddings") {
        put("head.weight".into(), &[vocab, d]);
    }
    let layers = size(config, "layers");
    let mut norms = vec!["norm".to_owned()];
    for i in 0..layers {
        let list = config["d_ffn"].as_array();
        let neurons = list.map_or(&config["d_ffn"], |list| &list[i]);
        let neurons = neurons.as_u64().unwrap() as usize;
        let rows = if is_gated { 2 * neurons } else { neurons };
        for (prefix, out, inner) in [
            (format!("attn.{i}.in_proj_"), 3 * width, d),
            (format!("attn.{i}.out_proj."), d, width),
            (format!("ff_in.{i}."), rows, d),
            (format!("ff_out.{i}."), d, neurons),
        ] {
            put(format!("{prefix}weight"), &[out, inner]);
            if is_on(config, "bias") {
                put(format!("{prefix}bias"), &[out]);
            }
        }
        if is_on(config, "temperature") {
            put(format!("attn.{i}.temperature"), &[size(config, "heads")]);
        }
        norms.extend([format!("norm1.{i}"), format!("norm2.{i}")]);
    }
    for norm in norms {
        if config["norm"] != "none" {
            put(format!("{norm}.weight"), &[d]);
        }
        if config["norm"] == "layer" {
            put(format!("{norm}.bias"), &[d]);
        }
    }
    shapes
}
