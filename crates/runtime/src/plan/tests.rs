//! Plans against the hull engine, number by number.

use std::collections::BTreeSet;

use weightware_model::{Model, TokenId};

use super::decode::PlanOptions;
use super::engine::{Mode, PlanEngine};
use super::ir::Kernel;
use super::text::KernelText;
use crate::argmax_cache::ArgmaxCache;
use crate::cache::Hull;
use crate::forward::ResidualStream;
use crate::network::Network;
use crate::token_buffer::TokenBuffer;

#[path = "../../tests/common/mod.rs"]
mod common;

/// One model of each kind for a seed: with known structures, dense, with fractions, a machine.
fn models(seed: u64) -> [Model; 4] {
    let layers = 1 + seed as usize % 4;
    [
        common::structured(layers, 5 + seed as usize % 5, 4 + seed as usize % 30, seed),
        common::random(layers, 1 + seed as usize % 6, 7, 2, seed),
        common::floats(layers, 1 + seed as usize % 6, 7, seed),
        common::machine(seed),
    ]
}

/// Decodes with the hull engine, and compares with the plan engine every number that the
/// unembedding reads. Returns the numbers of comparisons and of links; collects the kinds of steps
/// that have machine code.
fn compare(
    model: &Model,
    prompt: &[u32],
    length: usize,
    translates: bool,
    kinds: &mut BTreeSet<String>,
) -> [usize; 2] {
    let network = Network::new(model);
    let mut planned = PlanEngine::with_options(model, &network, PlanOptions::TESTED, translates);
    let mut stream = ResidualStream::new(&network);
    let mut hull = Hull::new(&network);
    let mut cache = ArgmaxCache::default();
    let (mut compared, mut followers) = (0, 0);
    let mut next = None;
    for time in 0..length {
        let token = match prompt.get(time) {
            Some(&id) => TokenId(id),
            None => next.unwrap(),
        };
        let expected = stream.forward(&network, &mut hull, token, time as u64);
        let found = planned.advance(&network, token, true);
        match (expected, found) {
            (Ok(()), Ok(token)) => next = token,
            (expected, found) => {
                assert_eq!(expected.err(), found.err());
                return [compared, followers];
            }
        }
        assert_eq!(next, cache.predict(&network.unembed, &stream.x));
        if let Mode::Plan(plan) = &planned.mode {
            followers = plan.followers();
            if time + 1 == length {
                kinds.extend(plan.translated());
            }
            for (column, &slot) in plan.columns.iter().zip(&planned.rows.columns) {
                assert_eq!(*column, stream.x[slot], "at {time}, slot {slot}");
                compared += 1;
            }
        }
    }
    [compared, followers]
}

/// Decodes one by one and several at once, with code as soon as possible; returns the number of
/// compared tokens.
fn compare_batches(model: &Model, prompt: &[u32], length: usize) -> usize {
    let network = Network::new(model);
    let [mut single, mut together] =
        [(); 2].map(|()| PlanEngine::with_options(model, &network, PlanOptions::TESTED, true));
    let mut said = None;
    for &id in prompt {
        let [one, other] = [&mut single, &mut together]
            .map(|planned| planned.advance(&network, TokenId(id), true));
        assert_eq!(one, other);
        // No token follows an error.
        let Ok(next) = one else { return 0 };
        said = next;
    }
    let Some(first) = said else { return 0 };
    let mut tokens = vec![first];
    let mut why = None;
    while tokens.len() < length && why.is_none() {
        match single.advance(&network, tokens[tokens.len() - 1], true) {
            Ok(next) => tokens.extend(next),
            Err(error) => why = Some(error),
        }
    }
    let mut batches = vec![first];
    for size in (1..9).cycle() {
        let mut batch = vec![TokenId(0); size.min(tokens.len() - batches.len())];
        let mut room = TokenBuffer::into(&mut batch);
        let went = together.decode_many(&network, batches[batches.len() - 1], &mut room);
        let count = room.count();
        batches.extend_from_slice(&batch[..count]);
        assert_eq!(batches, tokens[..batches.len()]);
        assert_eq!(
            together.steps,
            (prompt.len() + batches.len() - 1) as u64 + u64::from(went.is_err())
        );
        if let Err(error) = went {
            assert_eq!((Some(error), tokens.len()), (why, batches.len()));
            break;
        }
        if batches.len() == tokens.len() {
            break;
        }
    }
    tokens.len()
}

#[test]
fn batches_are_what_single_tokens_are() {
    let mut compared = 0;
    for seed in 0..300 {
        let layers = 1 + seed as usize % 4;
        let models = [
            common::structured(layers, 5 + seed as usize % 5, 4 + seed as usize % 30, seed),
            common::random(layers, 1 + seed as usize % 6, 7, 2, seed),
            common::machine(seed),
        ];
        for model in &models {
            compared += compare_batches(model, &[0, 1, 2, 3, 1], 90);
        }
    }
    assert!(compared > 50_000, "{compared}");
}

#[test]
fn all_numbers_are_those_of_the_hull_engine() {
    let mut compared = [0; 4];
    let mut followers = 0;
    let mut kinds = BTreeSet::new();
    for seed in 0..300 {
        let models = models(seed);
        for (model, count) in models.iter().zip(&mut compared) {
            let translates = cfg!(feature = "jit") && seed % 3 > 0;
            let [numbers, following] = compare(model, &[0, 1, 2, 3, 1], 60, translates, &mut kinds);
            *count += numbers;
            followers += following;
        }
    }
    assert!(compared.iter().all(|&count| count > 10_000), "{compared:?}");
    assert!(followers > 500, "{followers}");
    // Steps of all kinds except two are in kernels with code, and their results were compared. Only
    // the compiled machine gathers, and finds entries without a value.
    if cfg!(all(
        feature = "jit",
        target_arch = "x86_64",
        target_pointer_width = "64"
    )) {
        assert!(kinds.len() >= 27, "{} {kinds:?}", kinds.len());
    }
}

/// The mnemonic of every instruction of a kernel, as the name of its kind.
fn mnemonics(kernel: &Kernel) -> Vec<String> {
    let snake = |debug: String| {
        let name = debug.split(' ').next().unwrap_or_default();
        let mut snake = String::new();
        for letter in name.chars() {
            if letter.is_ascii_uppercase() && !snake.is_empty() {
                snake.push('_');
            }
            snake.push(letter.to_ascii_lowercase());
        }
        snake
    };
    kernel
        .ops
        .iter()
        .map(|op| snake(format!("{op:?}")))
        .collect()
}

/// The mnemonics of the lines of a section.
fn printed(text: &str, section: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|&line| line != section).skip(1);
    let lines = lines.take_while(|line| line.starts_with("  "));
    let mnemonic = |line: &str| {
        let right = line.split_once(" = ").map_or(line, |(_, right)| right);
        right
            .trim()
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    lines
        .filter(|line| {
            !["  return ", "  dispatch "]
                .iter()
                .any(|end| line.starts_with(end))
        })
        .map(mnemonic)
        .collect()
}

#[test]
fn every_instruction_of_every_kernel_is_printed_once() {
    let mut kinds = BTreeSet::new();
    let mut linked = 0;
    for seed in 0..100 {
        let models = models(seed);
        for model in &models {
            let network = Network::new(model);
            let mut planned = PlanEngine::with_options(model, &network, PlanOptions::TESTED, false);
            let mut next = Some(TokenId(0));
            for time in 0..60 {
                let Some(token) = [0, 1, 2, 3, 1].get(time).map(|&id| TokenId(id)).or(next) else {
                    break;
                };
                match planned.advance(&network, token, time % 7 > 0) {
                    Ok(token) => next = token.or(Some(TokenId(1))),
                    Err(_) => break,
                }
            }
            let Mode::Plan(plan) = &planned.mode else {
                continue;
            };
            let mut texts = BTreeSet::new();
            for kernel in KernelText::all(plan) {
                let text = kernel.to_string();
                let body = mnemonics(&kernel.lowered().kernel);
                assert_eq!(printed(&text, "body:"), body, "{text}");
                if text.contains("prologue:") {
                    let prologue = mnemonics(&kernel.prologue().unwrap().kernel);
                    assert_eq!(printed(&text, "prologue:"), prologue, "{text}");
                }
                assert_eq!(text.matches("  return ").count(), 1, "{text}");
                linked += usize::from(text.contains(", after kernel "));
                kinds.extend(body);
                texts.insert(text);
            }
            assert_eq!(
                texts.len(),
                plan.kernels.len(),
                "kernels have texts of their own"
            );
        }
    }
    assert!(linked > 100, "{linked}");
    // All instructions except those that only larger machines need.
    assert!(kinds.len() >= 25, "{} {kinds:?}", kinds.len());
}
