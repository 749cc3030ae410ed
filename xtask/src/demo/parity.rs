//! Whether a sentence has an odd or an even number of verbs.

use anyhow::{Context, Result, ensure};
use clap::Args;
use weightware::{Decoder, Engine, Model};
use weightware_compiler::parity;

use super::EngineArgument;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Words that the model knows; by default "the cat runs and the dog jumps over fences quickly"
    words: Vec<String>,
    #[command(flatten)]
    engine: EngineArgument,
}

impl Arguments {
    pub(super) fn run(self) -> Result<()> {
        let mut sentence = self.words.join(" ");
        if sentence.is_empty() {
            sentence = parity::SENTENCE.to_owned();
        }
        let expected = expected(&sentence)?;
        let prompt = parity::prompt(&sentence);
        let model = parity::model();
        let shape = model.config.shape;
        println!(
            "{} layers, d_model {}, {} heads, d_ffn {}; prompt: {prompt}\n",
            shape.layers, shape.d_model, shape.heads, shape.d_ffn
        );
        let said = say(&model, &prompt, self.engine.engine)?;
        let words = sentence
            .split_whitespace()
            .map(|word| (word, is_verb(word)));
        for ((word, verb), token) in words.chain([("", Some(false))]).zip(&said) {
            let note = if verb == Some(true) { "verb" } else { "" };
            println!("  {word:10} {note:6} {token}");
        }
        ensure!(said == expected, "wrong: expected {}", expected.join(" "));
        Ok(())
    }
}

/// The tokens that a model generates for a prompt, up to its end.
fn say(model: &Model, prompt: &str, engine: Engine) -> Result<Vec<String>> {
    let mut decoder = Decoder::new(model, engine)?;
    decoder.prefill(&model.tokenizer.encode(prompt)?)?;
    let limit = prompt.split_whitespace().count() as u64 + 1;
    let tokens = decoder.generate(Some(limit));
    let strings = tokens.map(|token| model.tokenizer.string(token).unwrap_or("?").to_owned());
    Ok(strings.collect())
}

fn is_verb(word: &str) -> Option<bool> {
    let known = parity::WORDS.iter().find(|(known, _)| *known == word);
    known.map(|&(_, verb)| verb)
}

/// The expected tokens.
fn expected(sentence: &str) -> Result<Vec<String>> {
    let mut odd = false;
    let mut expected = vec![];
    for word in sentence.split_whitespace() {
        odd ^= is_verb(word).with_context(|| {
            let known: Vec<_> = parity::WORDS.iter().map(|&(known, _)| known).collect();
            format!("the model does not know {word:?}, but: {}", known.join(" "))
        })?;
        expected.push(if odd { "O1" } else { "E0" }.to_owned());
    }
    expected.push(if odd { "odd" } else { "even" }.to_owned());
    Ok(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_verbs_of_any_sentence() {
        let model = parity::model();
        for sentence in [
            parity::SENTENCE,
            "",
            "runs",
            "the bird sings",
            "runs runs runs",
        ] {
            let said = say(&model, &parity::prompt(sentence), Engine::Hull).unwrap();
            assert_eq!(said, expected(sentence).unwrap());
        }
        let error = expected("the elephant runs").unwrap_err().to_string();
        assert!(
            error.contains("elephant") && error.contains("jumps"),
            "{error}"
        );
    }
}
