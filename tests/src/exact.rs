//! A machine's graph in exact integers: the token that its logits choose.

use weightware_compiler::machine::Machine;
use weightware_compiler::{Evaluator, LinearForm};
use weightware_isa::{Token, Vocabulary};

/// A machine with the logits of all its tokens.
#[derive(Debug)]
pub(crate) struct ExactMachine {
    machine: Machine,
    vocabulary: Vocabulary,
    logits: Vec<LinearForm>,
}

impl ExactMachine {
    pub(crate) fn new(machine: Machine) -> Self {
        let vocabulary = Vocabulary::new();
        let tokens = vocabulary.tokens().iter();
        Self {
            logits: tokens.map(|&token| machine.logit(token)).collect(),
            machine,
            vocabulary,
        }
    }

    /// The vocabulary, whose ids the logits have.
    #[cfg(feature = "candle")]
    pub(crate) fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// An evaluation of the graph that has seen these tokens.
    pub(crate) fn after(&self, tokens: impl Iterator<Item = Token>) -> Evaluator<'_> {
        let mut evaluator = Evaluator::new(&self.machine.graph);
        for token in tokens {
            self.push(&mut evaluator, token);
        }
        evaluator
    }

    /// Shows the evaluation the next token.
    pub(crate) fn push(&self, evaluator: &mut Evaluator<'_>, token: Token) {
        evaluator.push(&self.machine.embed(token));
    }

    /// The token with the greatest logit; of several, that with the lowest id.
    pub(crate) fn argmax(&self, evaluator: &Evaluator<'_>) -> Option<Token> {
        let logits = self.logits.iter().map(|logit| evaluator.form(logit));
        let best = logits
            .zip(0..)
            .max_by_key(|&(logit, id)| (logit, u32::MAX - id));
        best.and_then(|(_, id)| self.vocabulary.token(id))
    }
}
