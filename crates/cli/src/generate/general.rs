//! `generate` with general models: engines softmax and sparse, sampling, speculation.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Error;
use weightware::general::{
    Budget, Decoder, Draft, Engine, ExecutorDraft, Model, ModelDraft, Sampler, Sequence,
    Speculative,
};
use weightware::{Architecture, Splitting, TokenId};

use super::{prompt, statistics};
use crate::args::{GeneralArgs, GenerateArgs, GenerateEngine};
use crate::failure::{BUDGET, Failure, HORIZON, INTERRUPTED, Result, printable};
use crate::folders;
use crate::interrupt::Interrupt;
use crate::report::counted;
use crate::say;
use crate::screen::{Screen, Stream};

/// Keys for each query, if the command line does not say.
const KEYS: usize = 32;
/// Proposals in a block, if the command line does not say.
const BLOCK: usize = 4;

/// The source of further tokens.
enum Source {
    Alone(Box<Alone>),
    Speculative(Box<Speculative<Box<dyn Draft>>>),
}

/// One model, and its logits after the tokens so far.
struct Alone {
    decoder: Decoder,
    sequence: Sequence,
    sampler: Sampler,
    logits: Vec<f64>,
}

pub(super) fn generate(args: &GenerateArgs) -> Result<u8> {
    let model = folders::general_model(&args.model)?;
    let prompt = prompt::read(&args.prompt, &model.tokenizer)?;
    let begun = Instant::now();
    let mut source = source(args, &model, &prompt)?;
    let prefilled = begun.elapsed();

    let interrupt = Interrupt::watch()?;
    let mut screen = Screen::new(true, true);
    let mut generated: Vec<TokenId> = Vec::new();
    let most = args.max_tokens.unwrap_or(u64::MAX);
    let longest = model.config.longest().unwrap_or(usize::MAX);
    let begun = Instant::now();
    let status = 'tokens: loop {
        if generated.len() as u64 >= most {
            break BUDGET;
        }
        // A token at the last position has no successor that the model could read.
        if prompt.len() + generated.len() > longest {
            break HORIZON;
        }
        let is_last = prompt.len() + generated.len() == longest;
        for token in source.next(is_last)? {
            let text = model.tokenizer.decode(&[token]);
            let splits = model.tokenizer.splitting() == Splitting::Words;
            let separator = if splits && !generated.is_empty() {
                " "
            } else {
                ""
            };
            let output = screen.output(Stream::Stdout);
            write!(output, "{separator}{text}").map_err(Failure::stdout)?;
            generated.push(token);
            screen.tick(String::new)?;
            if model.end_tokens.contains(&token) {
                break 'tokens 0;
            }
            if generated.len() as u64 >= most {
                break 'tokens BUDGET;
            }
        }
        if interrupt.pressed() {
            break INTERRUPTED;
        }
    };
    let elapsed = begun.elapsed();
    screen.output(Stream::Stdout).push(b'\n');
    screen.close()?;

    let count = counted(generated.len() as u64);
    match status {
        BUDGET => say(&format!("budget: stopped after {count}")),
        INTERRUPTED => say(&format!("interrupted after {count}")),
        HORIZON => say(&printable(&format!(
            "horizon: the model has learned positions for {longest} tokens, the prompt included; shorten the prompt"
        ))),
        _ => {}
    }
    if args.general.stats {
        let speed = statistics::Speed {
            prompt: prompt.len(),
            prefilled,
            generated: generated.len(),
            elapsed,
        };
        let (decoder, acceptance) = match &source {
            Source::Alone(alone) => (&alone.decoder, None),
            Source::Speculative(both) => (both.verifier(), Some(both.acceptance())),
        };
        say(&statistics::text(&speed, decoder, acceptance));
    }
    Ok(status)
}

fn source(args: &GenerateArgs, model: &Model, prompt: &[TokenId]) -> Result<Source> {
    let refused = |folder: &Path, error: weightware::general::Error| {
        Failure::Refused(Error::new(error).context(folder.display().to_string()))
    };
    let sampler = sampler(&args.general);
    let engine = engine(args);
    let decoder = Decoder::new(model, engine).map_err(|error| refused(&args.model, error))?;
    let Some(folder) = &args.general.draft else {
        let mut alone = Alone {
            decoder,
            sequence: Sequence::default(),
            sampler,
            logits: Vec::new(),
        };
        alone.sequence = alone.decoder.begin();
        alone.read(prompt)?;
        return Ok(Source::Alone(Box::new(alone)));
    };
    let (draft, tokenizer): (Box<dyn Draft>, _) = match folders::architecture(folder)? {
        Architecture::Plain => {
            let draft = folders::model(folder)?;
            let decoder = weightware::Decoder::new(&draft, weightware::Engine::Plan);
            let decoder = decoder.map_err(|error| Failure::Refused(Error::new(error)))?;
            let vocab = draft.config.shape.vocab;
            (
                Box::new(ExecutorDraft::new(decoder, vocab)),
                draft.tokenizer,
            )
        }
        Architecture::General => {
            let draft = folders::general_model(folder)?;
            let decoder = Decoder::new(&draft, engine).map_err(|error| refused(folder, error))?;
            (Box::new(ModelDraft::new(decoder)), draft.tokenizer)
        }
    };
    if tokenizer != model.tokenizer {
        return Err(Failure::Refused(anyhow::anyhow!(
            "{}: its tokens are not those of {}; use two models of one tokenizer",
            folder.display(),
            args.model.display()
        )));
    }
    let block = args.general.block.unwrap_or(BLOCK);
    let speculative = Speculative::new(draft, decoder, block, sampler);
    let mut speculative = speculative.map_err(|error| refused(folder, error))?;
    let prefilled = speculative.prefill(prompt);
    prefilled.map_err(|error| refused(&args.model, error))?;
    Ok(Source::Speculative(Box::new(speculative)))
}

fn engine(args: &GenerateArgs) -> Engine {
    match (args.engine, args.general.k, args.general.mass_error) {
        (Some(GenerateEngine::Softmax), None, None) | (None, None, None) => Engine::Softmax,
        (_, _, Some(error)) => Engine::Sparse(Budget::MassError(error)),
        (_, k, None) => Engine::Sparse(Budget::Keys(k.unwrap_or(KEYS))),
    }
}

fn sampler(args: &GeneralArgs) -> Sampler {
    let is_sampling = args.top_k.is_some() || args.top_p.is_some() || args.seed.is_some();
    let temperature = args
        .temperature
        .unwrap_or(if is_sampling { 1.0 } else { 0.0 });
    let mut sampler = Sampler::new(temperature, args.seed.unwrap_or(0));
    if let Some(k) = args.top_k {
        sampler = sampler.with_top_k(k);
    }
    if let Some(p) = args.top_p {
        sampler = sampler.with_top_p(p);
    }
    sampler
}

impl Alone {
    fn read(&mut self, tokens: &[TokenId]) -> Result<()> {
        let logits = self.decoder.read(self.sequence, tokens);
        let logits = logits.map_err(|error| Failure::Refused(Error::new(error)))?;
        self.logits = logits.last().to_vec();
        Ok(())
    }
}

impl Source {
    /// The next tokens, one at least; the last one is not read if nothing can follow it.
    fn next(&mut self, is_last: bool) -> Result<Vec<TokenId>> {
        match self {
            Self::Alone(alone) => {
                let token = alone.sampler.draw(&alone.logits);
                if !is_last {
                    alone.read(&[token])?;
                }
                Ok(vec![token])
            }
            Self::Speculative(both) => {
                let tokens = both.step().map(<[TokenId]>::to_vec);
                tokens.map_err(|error| Failure::Refused(Error::new(error)))
            }
        }
    }
}
