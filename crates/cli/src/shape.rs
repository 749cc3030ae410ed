//! The shape of a general model, for `info`.

use std::fmt::Write;

use serde_json::{Value, json};
use weightware::Splitting;
use weightware::general::{Activation, Config, Dtype, Model, Norm, Positions, Spread};

use crate::thousands::thousands;

pub(crate) fn text(model: &Model) -> String {
    let config = &model.config;
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<11} {value}");
    };
    line(
        "shape",
        format!(
            "{} layers, d_model {}, {} heads of dimension {}, d_ffn {}",
            config.layers(),
            config.d_model,
            config.heads,
            config.head_dim,
            neurons(config)
        ),
    );
    let parameters = thousands(config.parameters() as u64);
    line("weights", format!("{parameters}, {}", dtype(config)));
    let split = match model.tokenizer.splitting() {
        Splitting::Words => "words",
        Splitting::Characters => "characters",
    };
    line("vocabulary", format!("{} tokens, {split}", config.vocab));
    line("norm", norm(config).to_owned());
    line("activation", activation(config).to_owned());
    line("positions", positions(config));
    let switches = [
        ("biases", config.bias),
        ("tied embeddings", config.tied_embeddings),
        ("a temperature for each head", config.temperature),
        ("products of pairs of heads", config.head_product),
    ];
    let on: Vec<&str> = switches
        .into_iter()
        .filter(|&(_, on)| on)
        .map(|(name, _)| name)
        .collect();
    if !on.is_empty() {
        line("with", on.join(", "));
    }
    if let Some(context) = config.context {
        line(
            "trained on",
            format!("sequences of {} tokens", thousands(context as u64)),
        );
    }
    let engines = match config.head_dim {
        2 | 3 => "softmax, sparse",
        _ => "softmax",
    };
    line("engines", engines.to_owned());
    text
}

pub(crate) fn json(model: &Model) -> Value {
    let config = &model.config;
    json!({
        "architecture": "transformer",
        "layers": config.layers(),
        "d_model": config.d_model,
        "heads": config.heads,
        "head_dim": config.head_dim,
        "d_ffn": config.neurons,
        "vocab": config.vocab,
        "parameters": config.parameters(),
        "dtype": dtype(config),
        "norm": norm(config),
        "activation": activation(config),
        "positions": positions(config),
        "bias": config.bias,
        "tied_embeddings": config.tied_embeddings,
        "temperature": config.temperature,
        "head_product": config.head_product,
        "context": config.context,
    })
}

fn neurons(config: &Config) -> String {
    let mut neurons = config.neurons.clone();
    neurons.dedup();
    neurons
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn dtype(config: &Config) -> &'static str {
    match config.dtype {
        Dtype::Float32 => "float32",
        Dtype::Float64 => "float64",
    }
}

fn norm(config: &Config) -> &'static str {
    match config.norm {
        None => "none",
        Some(Norm::Layer { .. }) => "layer",
        Some(Norm::Rms { .. }) => "rms",
    }
}

fn activation(config: &Config) -> &'static str {
    match config.activation {
        Activation::Relu => "relu",
        Activation::Gelu => "gelu",
        Activation::GatedRelu => "gated_relu",
        Activation::SwiGlu => "swiglu",
    }
}

fn positions(config: &Config) -> String {
    match &config.positions {
        Positions::None => "none".to_owned(),
        Positions::Learned { context } => format!("learned, {context}"),
        Positions::Sinusoidal { base } => format!("sinusoidal, base {base}"),
        Positions::Rotary(rotary) => {
            let spread = match rotary.spread {
                Spread::Pairs => "pairs",
                Spread::Heads => "heads",
            };
            format!("rotary, base {}, spread over {spread}", rotary.base)
        }
        Positions::Polynomial(features) => format!("polynomials in {} slots", features.len()),
    }
}
