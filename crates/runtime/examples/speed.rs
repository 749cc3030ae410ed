//! Measures the hull engine on a synthetic model of the kind that a compiler makes: 7 layers of 18
//! heads, about half of them dead, half of the live ones looking up positions, the others addresses
//! and averages; 1,600 tokens whose logits depend on 3 slots.
//!
//! ```text
//! cargo run --release -p weightware-runtime --example speed -- 5000000
//! ```

use std::io::{self, Write};
use std::time::Instant;

use weightware_model::{
    Attention, Config, LayerWeights, Matrix, Model, PositionFeature, Shape, TokenId, Tokenizer,
    Weights,
};
use weightware_runtime::{Decoder, Engine};

const VOCAB: usize = 1_600;
const PERIOD: usize = 3_000;
const D: usize = 36;
const HEADS: usize = D / 2;
const FFN: usize = 40;

// Slots that all layers read.
const ONE: usize = 0;
const T: usize = 1;
const TT: usize = 2;
const TOKEN: usize = 3;
const TOKEN2: usize = 4;
const FETCHED: usize = 5;
const FRESH: usize = 6;
/// Slots from this one on are written, and read only by the unembedding's zero weights.
const JUNK: usize = 8;

fn head(layer: &mut LayerWeights, h: usize, rows: [&[(usize, f64)]; 6], out: [usize; 2]) {
    for (i, row) in rows.into_iter().enumerate() {
        for &(slot, weight) in row {
            layer.in_proj.row_mut(i / 2 * D + 2 * h + i % 2)[slot] = weight;
        }
    }
    for (j, slot) in out.into_iter().enumerate() {
        layer.out_proj.row_mut(slot)[2 * h + j] = 1.0;
    }
}

fn layer(index: usize) -> LayerWeights {
    let mut layer = LayerWeights {
        in_proj: Matrix::zeros(3 * D, D),
        out_proj: Matrix::zeros(D, D),
        ff_in: Matrix::zeros(2 * FFN, D),
        ff_out: Matrix::zeros(D, FFN),
    };
    let junk = |i: usize| JUNK + (index * 5 + i) % (D - JUNK);
    let place = |h: usize| [junk(2 * h), junk(2 * h + 1)];
    // The machine: the token of PERIOD - 1 positions ago.
    if index == 0 {
        let back = 1.0 - PERIOD as f64;
        let query: [&[_]; 2] = [&[(T, 1.0), (ONE, back)], &[(ONE, 1.0)]];
        let rows = [
            query[0],
            query[1],
            &[(T, 2.0)],
            &[(TT, -1.0)],
            &[(TOKEN, 1.0)],
            &[],
        ];
        head(&mut layer, 0, rows, [FETCHED, JUNK]);
    }
    // Positions near and far, some that depend on the token.
    for h in 1..4 {
        let near = -((7 * h + index) as f64);
        let q = [(T, 1.0), (ONE, near)];
        let rows: [&[_]; 6] = [
            &q,
            &[(ONE, 1.0)],
            &[(T, 2.0)],
            &[(TT, -1.0)],
            &[(TOKEN, 1.0)],
            &[(TOKEN2, 1.0)],
        ];
        head(&mut layer, h, rows, place(h));
    }
    let q = [(TOKEN, 2.0 + index as f64)];
    let rows: [&[_]; 6] = [
        &q,
        &[(ONE, 1.0)],
        &[(T, 2.0)],
        &[(TT, -1.0)],
        &[(T, 1.0)],
        &[(ONE, 1.0)],
    ];
    head(&mut layer, 4, rows, place(4));
    // Addresses, the latest first: two heads on the same keys, one of another layer's kind.
    let fresh = [(TOKEN2, -1.0), (FRESH, 1.0)];
    for h in 5..7 {
        let q = [(TOKEN, 1.0), (ONE, h as f64 - 5.0)];
        let rows: [&[_]; 6] = [
            &q,
            &[(ONE, 1.0)],
            &[(TOKEN, 2.0)],
            &fresh,
            &[(TOKEN, 1.0)],
            &[(T, 1.0)],
        ];
        head(&mut layer, h, rows, place(h));
    }
    // An average of everything.
    head(
        &mut layer,
        7,
        [&[], &[], &[], &[], &[(TOKEN, 1.0)], &[]],
        place(7),
    );
    for n in 0..FFN {
        let cut = (n * 40) as f64;
        layer.ff_in.row_mut(n)[TOKEN] = if n % 2 == 0 { 1.0 } else { -1.0 };
        layer.ff_in.row_mut(n)[ONE] = if n % 2 == 0 { -cut } else { cut };
        layer.ff_in.row_mut(n)[JUNK + n % 20] = 0.0;
        layer.ff_in.row_mut(FFN + n)[ONE] = 1.0;
        layer.ff_in.row_mut(FFN + n)[FETCHED] = 2.0;
        layer.ff_in.row_mut(FFN + n)[TOKEN] = -2.0;
        layer.ff_out.row_mut(junk(n))[n] = 1.0;
        layer.ff_out.row_mut(junk(n + 3))[n] = -1.0;
    }
    layer
}

fn model() -> Model {
    let mut tok = Matrix::zeros(VOCAB, D);
    let mut unembed = Matrix::zeros(VOCAB, D);
    for id in 0..VOCAB {
        let b = id as f64;
        tok.row_mut(id)[TOKEN] = b;
        tok.row_mut(id)[TOKEN2] = b * b;
        unembed.row_mut(id)[FETCHED] = 2.0 * b;
        unembed.row_mut(id)[ONE] = -b * b;
        unembed.row_mut(id)[FRESH] = (id % 3) as f64 * 1e-9;
    }
    let feature = |slot, coefficients| PositionFeature { slot, coefficients };
    Model {
        config: Config {
            shape: Shape {
                layers: 7,
                d_model: D,
                heads: HEADS,
                d_ffn: FFN,
                vocab: VOCAB,
            },
            attention: Attention::Hardmax,
            position_features: vec![
                feature(ONE, [1.0, 0.0, 0.0]),
                feature(T, [0.0, 1.0, 0.0]),
                feature(TT, [0.0, 0.0, 1.0]),
                feature(FRESH, [0.0, 2f64.powi(-26), 0.0]),
            ],
            profile: None,
            modules: None,
            context: None,
            last_position: u64::MAX,
            key_bounds: vec![],
        },
        weights: Weights {
            tok,
            layers: (0..7).map(layer).collect(),
            head: unembed,
        },
        tokenizer: Tokenizer::new((0..VOCAB).map(|i| format!("t{i}")).collect()),
        end_tokens: vec![],
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let total: u64 = std::env::args().nth(1).map_or(Ok(200_000), |n| n.parse())?;
    let mut out = io::stdout().lock();
    let model = model();
    let mut decoder = Decoder::new(&model, Engine::Hull)?;
    let prompt: Vec<TokenId> = (0..PERIOD as u32)
        .map(|i| TokenId(i.wrapping_mul(2_654_435_761) % VOCAB as u32))
        .collect();
    decoder.prefill(&prompt)?;
    let mut done = 0;
    let mut step = 50_000;
    while done < total {
        let start = Instant::now();
        let tokens: Vec<TokenId> = decoder.generate(Some(step)).collect();
        let seconds = start.elapsed().as_secs_f64();
        for (token, i) in tokens.iter().zip(done as usize..) {
            assert_eq!(*token, prompt[i % PERIOD]);
        }
        done += step;
        let stats = decoder.stats();
        writeln!(
            out,
            "{done} tokens: {:.0} ns each at the end, {:.0} MB, {} live heads, {} key streams, {} value streams",
            seconds / step as f64 * 1e9,
            stats.cached_bytes as f64 / 1e6,
            stats.live_heads,
            stats.key_streams,
            stats.value_streams,
        )?;
        if done >= 10 * step {
            step *= 10;
        }
    }
    Ok(())
}
