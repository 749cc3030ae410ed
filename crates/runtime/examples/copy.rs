//! A hand-written model of one head that repeats the last three words for ever, run by all engines;
//! and the kernel to which the plan engine compiles it.

use std::io::{self, Write};

use weightware_model::{
    Attention, Config, LayerWeights, Matrix, Model, PositionFeature, Shape, TokenId, Tokenizer,
    Weights,
};
use weightware_runtime::{Decoder, Engine};

const WORDS: [&str; 6] = ["a", "rose", "is", "red", "and", "sweet"];

/// Head 0 has the keys `(2j, -j^2)` and the query `64 * (t - 2, 1)`, whose score is the product
/// `64 * (2 j (t - 2) - j^2)`. It is greatest at `j = t - 2`: the head fetches the token to be
/// repeated. The other two heads are dead.
fn model() -> Model {
    let [one, t, tt, token, fetched] = [0, 1, 2, 3, 4];
    let (d, vocab) = (6, WORDS.len());
    let feature = |slot, coefficients| PositionFeature { slot, coefficients };
    let mut layer = LayerWeights {
        in_proj: Matrix::zeros(3 * d, d),
        out_proj: Matrix::zeros(d, d),
        ff_in: Matrix::zeros(2, d),
        ff_out: Matrix::zeros(d, 1),
    };
    layer.in_proj.row_mut(0)[t] = 64.0;
    layer.in_proj.row_mut(0)[one] = -128.0;
    layer.in_proj.row_mut(1)[one] = 64.0;
    layer.in_proj.row_mut(d)[t] = 2.0;
    layer.in_proj.row_mut(d + 1)[tt] = -1.0;
    layer.in_proj.row_mut(2 * d)[token] = 1.0;
    layer.out_proj.row_mut(fetched)[0] = 1.0;
    let mut tok = Matrix::zeros(vocab, d);
    let mut head = Matrix::zeros(vocab, d);
    for id in 0..vocab {
        let b = id as f64;
        tok.row_mut(id)[token] = b;
        // 2 b x - b^2 is greatest for the token nearest to x.
        head.row_mut(id)[fetched] = 2.0 * b;
        head.row_mut(id)[one] = -b * b;
    }
    Model {
        config: Config {
            shape: Shape {
                layers: 1,
                d_model: d,
                heads: d / 2,
                d_ffn: 1,
                vocab,
            },
            attention: Attention::Hardmax,
            position_features: vec![
                feature(one, [1.0, 0.0, 0.0]),
                feature(t, [0.0, 1.0, 0.0]),
                feature(tt, [0.0, 0.0, 1.0]),
            ],
            profile: None,
            modules: None,
            context: None,
            last_position: 1_000_000,
            key_bounds: vec![],
        },
        weights: Weights {
            tok,
            layers: vec![layer],
            head,
        },
        tokenizer: Tokenizer::new(WORDS.map(String::from).to_vec()),
        end_tokens: vec![],
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = model();
    let prompt = model.tokenizer.encode("a rose is")?;
    for engine in Engine::available() {
        let mut decoder = Decoder::new(&model, engine)?;
        decoder.prefill(&prompt)?;
        let tokens: Vec<TokenId> = decoder.generate(Some(9)).collect();
        let text = model.tokenizer.decode(&tokens);
        writeln!(io::stdout(), "{}: a rose is {text} ...", engine.name())?;
        assert_eq!(text, ["a rose is"; 3].join(" "));
        if let (Engine::Plan, Some(kernel)) = (engine, decoder.kernel()) {
            write!(io::stdout(), "\n{kernel}\n")?;
        }
    }
    Ok(())
}
