//! `generate` and `info` with general models: engines, sampling, drafts, refusals.

use crate::common::*;
use weightware::Tokenizer;
use weightware::general::{
    Activation, Config, Dtype, Model, Norm, Positions, Rotary, Spread, Weights,
};

/// A model of random weights over the letters a to e, in a folder of its own.
fn model(folder: &std::path::Path, name: &str, seed: u64, change: impl Fn(&mut Config)) -> String {
    let mut config = Config {
        d_model: 8,
        heads: 4,
        head_dim: 2,
        neurons: vec![8, 8],
        vocab: 5,
        dtype: Dtype::Float32,
        norm: Some(Norm::Layer { epsilon: 1e-5 }),
        activation: Activation::Gelu,
        bias: true,
        positions: Positions::Rotary(Rotary {
            base: 100.0,
            spread: Spread::Heads,
        }),
        tied_embeddings: false,
        score_scale: 3.0,
        temperature: false,
        head_product: false,
        context: Some(64),
    };
    change(&mut config);
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
    let letters = ["a", "b", "c", "d", "e"].map(String::from);
    let model = Model {
        tokenizer: Tokenizer::characters(letters.to_vec()),
        end_tokens: vec![],
        weights: weights.expect("all tensors are given"),
        config,
    };
    let path = folder.join(name);
    model.save(&path).expect("the folder is written");
    string(&path)
}

fn generate(model: &str, options: &[&str]) -> std::process::Output {
    let generate = [
        "generate",
        "--model",
        model,
        "--prompt",
        "abcab",
        "--max-tokens",
        "60",
    ];
    weightware(&[&generate[..], options].concat())
}

#[test]
fn engines_and_drafts_give_equal_tokens() {
    let folder = folder("general");
    let large = model(&folder, "large", 1, |_| {});
    let small = model(&folder, "small", 2, |config| config.neurons = vec![4]);
    let done = generate(&large, &[]);
    assert_eq!(ended(&done, 124), "budget: stopped after 60 tokens\n");
    let text = stdout(&done);
    assert_eq!(text.len(), 61);
    assert!(
        text.trim_end()
            .chars()
            .all(|letter| "abcde".contains(letter))
    );
    for options in [
        &["--engine", "softmax"][..],
        &["--engine", "sparse", "--k", "1000"],
        &["--engine", "sparse", "--mass-error", "0"],
        &["--mass-error", "1e-9", "--stats"],
        &["--draft", &small],
        &["--draft", &large, "--block", "7", "--stats"],
        &["--temperature", "0"],
    ] {
        let done = generate(&large, options);
        let said = ended(&done, 124);
        assert_eq!(stdout(&done), text, "{options:?}");
        assert_eq!(
            said.contains("operations"),
            options.contains(&"--stats"),
            "{said}"
        );
        assert_eq!(
            said.contains("rate 1.000"),
            options.contains(&"--block"),
            "{said}"
        );
    }
}

#[test]
fn seeds_determine_samples() {
    let folder = folder("samples");
    let large = model(&folder, "large", 1, |_| {});
    let small = model(&folder, "small", 2, |config| config.neurons = vec![4]);
    let sample = |options: &[&str]| {
        let done = generate(&large, options);
        ended(&done, 124);
        stdout(&done)
    };
    let first = sample(&["--seed", "1"]);
    assert_eq!(first, sample(&["--seed", "1", "--temperature", "1.0"]));
    assert_ne!(first, sample(&["--seed", "2"]));
    assert_eq!(sample(&["--top-k", "1", "--seed", "9"]), sample(&[]));
    assert_eq!(sample(&["--top-p", "1e-9"]), sample(&[]));
    let drafted = ["--seed", "1", "--draft", &small];
    assert_eq!(sample(&drafted), sample(&drafted));
}

#[test]
fn learned_positions_are_a_horizon() {
    let folder = folder("learned");
    let positions = Positions::Learned { context: 20 };
    let model = model(&folder, "learned", 3, |config| {
        config.positions = positions.clone()
    });
    for options in [&[][..], &["--draft", &model]] {
        let done = generate(&model, options);
        let said = ended(&done, 125);
        assert!(said.contains("learned positions for 20 tokens"), "{said}");
        // The token after the last position is generated, but not read.
        assert_eq!(stdout(&done).trim_end().len(), 16);
    }
}

#[test]
fn unfit_options_are_refused() {
    let folder = folder("unfit");
    let wide = model(&folder, "wide", 1, |config| config.head_dim = 5);
    let letters = model(&folder, "letters", 1, |_| {});
    let plain = string(&folder.join("plain"));
    ended(&weightware(&["weights", "--out", &plain]), 0);
    for (model, options, words) in [
        (&wide, &["--engine", "sparse"][..], "dimension 2 or 3"),
        (
            &wide,
            &["--engine", "hull"],
            "the engine hull runs plain models alone",
        ),
        (&wide, &["--k", "0"], "a number from 1 on"),
        (&wide, &["--mass-error", "1"], "from 0 up to 1"),
        (&wide, &["--top-p", "0"], "above 0"),
        (&wide, &["--temperature", "-1"], ""),
        (&wide, &["--block", "3"], "--draft"),
        (&letters, &["--draft", &plain], "one tokenizer"),
        (&plain, &["--temperature", "1"], "leave the option out"),
        (&plain, &["--k", "4"], "--engine sparse"),
    ] {
        let said = ended(&generate(model, options), 2);
        assert!(said.contains(words), "{options:?}: {said}");
    }
    let said = ended(
        &weightware(&["run", "--model", &letters, "--program", "x"]),
        2,
    );
    assert!(said.contains("general model"), "{said}");
    let unknown = ["generate", "--model", &letters, "--prompt", "abx"];
    let said = ended(&weightware(&unknown), 2);
    assert!(said.contains("`x`"), "{said}");
}

#[test]
fn information_states_the_shape() {
    let folder = folder("shape");
    let model = model(&folder, "shape", 1, |_| {});
    let done = weightware(&["info", "--model", &model]);
    assert_eq!(ended(&done, 0), "");
    let said = stdout(&done);
    for words in [
        "2 layers, d_model 8, 4 heads of dimension 2, d_ffn 8",
        "float32",
        "5 tokens, characters",
        "rotary, base 100, spread over heads",
        "with        biases",
        "softmax, sparse",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
    let done = weightware(&["info", "--model", &model, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout(&done)).expect("JSON");
    assert_eq!(json["head_dim"], 2);
}
