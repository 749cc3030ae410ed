//! Needles in long contexts: a trained model is asked for each of them by the runtime's engines.

use std::path::Path;
use std::time::Instant;

use weightware_model::TokenId;
use weightware_model::general::Model;
use weightware_runtime::general::{Decoder, Engine, HeadReport, Wanted};

use crate::error::{Error, Result};
use crate::random::{Random, Stream};
use crate::settings::Settings;
use crate::task::TaskSettings;

/// Tokens that are read at a time.
const BLOCK: usize = 4096;
/// Parts of the context whose accuracy is stated.
const PARTS: usize = 10;

/// The answers to the questions for all needles of one or more haystacks.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// Tokens before the question.
    pub context: usize,
    /// Questions, and how many were answered right.
    pub asked: usize,
    /// Right answers.
    pub right: usize,
    /// Asked and right for needles in each tenth of the context.
    pub by_part: [[usize; 2]; PARTS],
    /// Seconds for reading all haystacks.
    pub reading: f64,
    /// Seconds for all questions.
    pub asking: f64,
    /// The work of all heads, and the greatest bound of what they left out.
    pub work: HeadReport,
}

/// Hides the needles of a model's task among fillers, `context` tokens in all, and asks for each of
/// them; `haystacks` times.
///
/// # Errors
/// If the folder is none of a run of the task `needle`, or the engine refuses the model.
pub fn search(dir: &Path, engine: Engine, context: usize, haystacks: usize) -> Result<Answers> {
    let settings = Settings::read(&dir.join(crate::files::SETTINGS))?;
    let TaskSettings::Needle(task) = settings.task else {
        let place = dir.display().to_string();
        return Err(Error::invalid(
            &place,
            "its task is not `needle`",
            "name a run of that task",
        ));
    };
    if context < task.keys {
        let problem = format!("{context} tokens do not hold {} needles", task.keys);
        return Err(Error::invalid(
            "--context",
            problem,
            "state a longer context",
        ));
    }
    let refused = |e: &dyn std::fmt::Display| {
        Error::invalid(
            dir.display().to_string(),
            e,
            "use the folder of a finished run",
        )
    };
    let model = Model::load(dir).map_err(|e| refused(&e))?;
    let mut decoder = Decoder::new(&model, engine).map_err(|e| refused(&e))?;
    let mut answers = Answers {
        context,
        asked: 0,
        right: 0,
        by_part: [[0; 2]; PARTS],
        reading: 0.0,
        asking: 0.0,
        work: HeadReport::default(),
    };
    for number in 0..haystacks {
        let mut random = Random::new(number as u64, Stream::Haystack, context as u64);
        let haystack = task.haystack(&mut random, context);
        let sequence = decoder.begin();
        let begun = Instant::now();
        for block in haystack.tokens.chunks(BLOCK) {
            let ids: Vec<TokenId> = block.iter().copied().map(TokenId).collect();
            let read = decoder.read_batch(&[(sequence, &ids)], Wanted::None);
            read.map_err(|e| refused(&e))?;
        }
        answers.reading += begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        for needle in &haystack.needles {
            let logits = decoder.read(sequence, &[TokenId(needle.question)]);
            let logits = logits.map_err(|e| refused(&e))?;
            decoder
                .truncate(sequence, context)
                .map_err(|e| refused(&e))?;
            let said = weightware_runtime::general::Sampler::greedy().draw(logits.last());
            let part = &mut answers.by_part[needle.place * PARTS / context];
            let is_right = usize::from(said.0 == needle.answer);
            answers.asked += 1;
            answers.right += is_right;
            part[0] += 1;
            part[1] += is_right;
        }
        answers.asking += begun.elapsed().as_secs_f64();
        decoder.end(sequence);
    }
    answers.work = decoder.work();
    Ok(answers)
}
