//! The sum of two numbers of ten digits, by transformers of 168 and 256 weights.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use weightware::{Decoder, Engine, Model};
use weightware_compiler::adder::{self, Layout, SUM_DIGITS};

use super::EngineArgument;
use crate::thousands::thousands;

/// One more than the greatest number.
const END: u64 = 10_000_000_000;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Two numbers of at most ten digits
    #[arg(num_args = 2, value_names = ["A", "B"], default_values_t = [9_876_543_210, 123_456_790])]
    numbers: Vec<u64>,
    /// Add this many random pairs, too
    #[arg(long, default_value_t = 0, value_name = "N")]
    pairs: u64,
    /// The seed of the random pairs
    #[arg(long, default_value_t = 2025)]
    seed: u64,
    /// Write the model folders DIR/columns and DIR/rows
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgument,
}

impl Arguments {
    pub(super) fn run(self) -> Result<()> {
        let &[a, b] = self.numbers.as_slice() else {
            unreachable!("there are two numbers");
        };
        for layout in Layout::ALL {
            let mut adder = Adder::new(layout, self.engine.engine)?;
            println!("{}", adder.description());
            let prompt = adder.prompt(a, b)?;
            let digits = adder.generate(&prompt)?.join(" ");
            println!("prompt {prompt}\ndigits {digits}");
            let sum = adder.add(a, b)?;
            println!("{a} + {b} = {sum}");
            ensure!(sum == a + b, "wrong: {}", a + b);
            let mut random = Random(self.seed);
            for _ in 0..self.pairs {
                let (a, b) = (random.number(), random.number());
                let sum = adder.add(a, b)?;
                ensure!(sum == a + b, "wrong: {a} + {b} is not {sum}");
            }
            if self.pairs > 0 {
                println!("{} random pairs: all right", thousands(self.pairs));
            }
            if let Some(out) = &self.out {
                let folder = out.join(name(layout));
                adder.model.save(&folder)?;
                println!("{}", folder.display());
            }
            println!();
        }
        Ok(())
    }
}

fn name(layout: Layout) -> &'static str {
    match layout {
        Layout::Columns => "columns",
        Layout::Rows => "rows",
    }
}

/// A model and its decoder. Decoding knows tokens, and no numbers.
struct Adder {
    layout: Layout,
    model: Model,
    decoder: Decoder,
}

impl Adder {
    fn new(layout: Layout, engine: Engine) -> Result<Self> {
        let model = adder::model(layout);
        let decoder = Decoder::new(&model, engine)?;
        Ok(Self {
            layout,
            model,
            decoder,
        })
    }

    fn description(&self) -> String {
        let (shape, count) = (self.model.config.shape, self.model.weights.count());
        format!(
            "{}: {} layers, d_model {}, {} heads, d_ffn {}, {} tokens\n\
             {} weights, of which {} are not zero, {} different values; {} bytes dense, {} sparse",
            name(self.layout),
            shape.layers,
            shape.d_model,
            shape.heads,
            shape.d_ffn,
            shape.vocab,
            count.weights,
            count.nonzero,
            count.distinct,
            thousands(count.dense_bytes),
            thousands(count.sparse_bytes)
        )
    }

    fn prompt(&self, a: u64, b: u64) -> Result<String> {
        adder::prompt(self.layout, a, b)
            .with_context(|| format!("{a} or {b} has more than ten digits; take smaller numbers"))
    }

    /// The tokens that the model generates for a prompt.
    fn generate(&mut self, prompt: &str) -> Result<Vec<String>> {
        let tokenizer = &self.model.tokenizer;
        self.decoder.reset();
        self.decoder.prefill(&tokenizer.encode(prompt)?)?;
        let tokens = self.decoder.generate(Some(SUM_DIGITS as u64));
        let strings = tokens.map(|token| tokenizer.string(token).unwrap_or("?").to_owned());
        Ok(strings.collect())
    }

    fn add(&mut self, a: u64, b: u64) -> Result<u64> {
        let prompt = self.prompt(a, b)?;
        let tokens = self.generate(&prompt)?;
        adder::sum(tokens.iter().map(String::as_str))
            .with_context(|| format!("{} is not a sum", tokens.join(" ")))
    }
}

/// A reproducible stream of pseudorandom numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % END
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sum with a carry chain of every length from every digit.
    fn chains() -> impl Iterator<Item = (u64, u64)> {
        let powers = (0..10).map(|exponent| 10_u64.pow(exponent));
        let pairs = powers.clone().flat_map(move |first| {
            let lengths = powers.clone().map(move |length| (length - 1) * first);
            lengths.map(move |nines| (nines, first))
        });
        let edges = [(0, 0), (END - 1, 1), (1, END - 1), (END - 1, END - 1)];
        pairs.filter(|&(nines, _)| nines < END).chain(edges)
    }

    #[test]
    fn every_engine_adds() {
        let mut tried = 0;
        for layout in Layout::ALL {
            for engine in Engine::available() {
                let mut adder = Adder::new(layout, engine).unwrap();
                let mut random = Random(2025);
                let pairs = (0..10_000).map(|_| (random.number(), random.number()));
                for (a, b) in chains().chain(pairs) {
                    assert_eq!(adder.add(a, b).unwrap(), a + b, "{layout:?} {engine:?}");
                    tried += 1;
                }
            }
        }
        assert!(tried > 2 * 4 * 10_000, "{tried}");
    }

    #[test]
    fn eleven_digits_are_refused() {
        let adder = Adder::new(Layout::Rows, Engine::Hull).unwrap();
        let error = adder.prompt(0, END).unwrap_err().to_string();
        assert!(error.contains("10000000000"), "{error}");
    }
}
