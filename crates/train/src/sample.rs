//! Text that a trained model writes, decoded by the runtime from the model's folder form.

use weightware_model::general::Model;
use weightware_runtime::general::{Decoder, Engine, Sampler};

use crate::error::{Error, Result};
use crate::settings::Sample;

/// Continues the prompt, with seeds 0, 1, ..; each text includes the prompt.
///
/// # Errors
/// If the prompt has characters that are not in the vocabulary, or the decoder refuses the model.
pub fn texts(model: &Model, settings: &Sample) -> Result<Vec<String>> {
    let refused = |e: &dyn std::fmt::Display| {
        Error::invalid(
            "[sample]",
            e,
            "use a prompt of characters that the text has",
        )
    };
    let prompt = model
        .tokenizer
        .encode(&settings.prompt)
        .map_err(|e| refused(&e))?;
    let mut decoder = Decoder::new(model, Engine::Softmax).map_err(|e| refused(&e))?;
    (0..settings.texts)
        .map(|seed| {
            let mut sampler = Sampler::new(settings.temperature, seed);
            let sequence = decoder.begin();
            let mut tokens = prompt.clone();
            let mut read = 0;
            for _ in 0..settings.characters {
                let logits = decoder
                    .read(sequence, &tokens[read..])
                    .map_err(|e| refused(&e))?;
                read = tokens.len();
                tokens.push(sampler.draw(logits.last()));
            }
            Ok(model.tokenizer.decode(&tokens))
        })
        .collect()
}
