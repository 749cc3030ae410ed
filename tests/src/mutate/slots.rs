//! The residual stream, slot by slot, of the original weights and of changed ones.

use weightware::TokenId;
use weightware_compiler::Schedule;
use weightware_compiler::machine::{Extension, Machine, Profile};
use weightware_model::Model;

use crate::common::Forward;

/// The contents of slots after every half-layer while the original weights run some programs.
/// Averages are left out; the sums that result from them are not.
#[derive(Debug, Clone)]
pub(super) struct Slots {
    /// For each half-layer, the embedding first, the slots that are still to be read.
    readable: Vec<Vec<usize>>,
    runs: Vec<Reference>,
}

#[derive(Debug, Clone)]
struct Reference {
    tokens: Vec<TokenId>,
    prompt: usize,
    /// The readable slots after each half-layer, for each token from the prompt's last one on.
    held: Vec<Vec<Vec<f64>>>,
}

impl Slots {
    /// Records the slots over prompts and traces.
    pub(super) fn new<'r>(
        model: &Model,
        runs: impl Iterator<Item = (&'r [TokenId], &'r [TokenId])>,
    ) -> Self {
        let machine = Machine::new(&Extension::ALL);
        let graph = &machine.graph;
        let schedule = Schedule::parse(graph, Profile::default().schedule())
            .expect("the committed schedule fits");
        let half_layers = -1..2 * model.config.shape.layers as i32;
        let readable = half_layers.map(|half_layer| {
            let slots = schedule.readable(graph, half_layer).into_iter();
            let exact = slots.filter(|&(_, dim)| !graph.name(dim).starts_with("average:"));
            exact.map(|(slot, _)| slot).collect()
        });
        let mut slots = Self {
            readable: readable.collect(),
            runs: vec![],
        };
        for (prompt, trace) in runs {
            let tokens = [prompt, trace].concat();
            let mut reference = Reference {
                tokens,
                prompt: prompt.len(),
                held: vec![],
            };
            slots.walk(model, &reference.clone(), |_, held| {
                reference.held.push(held.to_vec());
                true
            });
            slots.runs.push(reference);
        }
        slots
    }

    /// Shows the readable slots after each token of the trace, and after the prompt's last token,
    /// until `show` returns false.
    fn walk(
        &self,
        model: &Model,
        run: &Reference,
        mut show: impl FnMut(usize, &[Vec<f64>]) -> bool,
    ) {
        let mut forward = Forward::new(model);
        for (at, token) in run.tokens.iter().enumerate() {
            forward.push(token.0);
            if at + 1 < run.prompt {
                continue;
            }
            let half_layers = forward.half_layers.iter().zip(&self.readable);
            let held: Vec<Vec<f64>> = half_layers
                .map(|(x, readable)| readable.iter().map(|&slot| x[slot]).collect())
                .collect();
            if !show(at + 1 - run.prompt, &held) {
                break;
            }
        }
    }

    /// Whether a slot of another model differs, given the same tokens.
    pub(super) fn notice(&self, model: &Model) -> bool {
        self.runs.iter().any(|run| {
            let mut differs = false;
            self.walk(model, run, |at, held| {
                let pairs = held.iter().flatten().zip(run.held[at].iter().flatten());
                differs = pairs.into_iter().any(|(have, want)| {
                    // NaN differs from every number.
                    let off = (have - want).abs() / want.abs().max(1.0);
                    off.is_nan() || off >= ROUNDING
                });
                !differs
            });
            differs
        })
    }
}

/// The greatest relative difference that counts as rounding.
const ROUNDING: f64 = 1e-9;
