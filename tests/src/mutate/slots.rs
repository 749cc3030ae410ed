//! The residual stream, slot by slot, of weights as they are and of others.

use weightware::TokenId;
use weightware_compiler::Schedule;
use weightware_compiler::machine::{Extension, Machine, Profile};
use weightware_model::Model;

use crate::common::Forward;

/// What slots hold behind every half-layer while the weights as they are run some programs.
/// Averages are left out: what is made of them is not.
#[derive(Debug, Clone)]
pub(super) struct Slots {
    /// By half-layer, the embedding first: the slots that hold what is still to be read.
    readable: Vec<Vec<usize>>,
    runs: Vec<Reference>,
}

#[derive(Debug, Clone)]
struct Reference {
    tokens: Vec<TokenId>,
    prompt: usize,
    /// By token behind the prompt and half-layer: the readable slots.
    held: Vec<Vec<Vec<f64>>>,
}

impl Slots {
    /// Of prompts and traces.
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

    /// Shows what is held behind each token of the trace, and the last one of the prompt, until
    /// told to stop.
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

    /// Whether a slot of another model holds something else, given the same tokens.
    pub(super) fn notice(&self, model: &Model) -> bool {
        self.runs.iter().any(|run| {
            let mut differs = false;
            self.walk(model, run, |at, held| {
                let pairs = held.iter().flatten().zip(run.held[at].iter().flatten());
                differs = pairs.into_iter().any(|(have, want)| {
                    // Not a number is another number.
                    let off = (have - want).abs() / want.abs().max(1.0);
                    off.is_nan() || off >= ROUNDING
                });
                !differs
            });
            differs
        })
    }
}

/// The same number, rounded differently.
const ROUNDING: f64 = 1e-9;
