//! A context in which the exact evaluator decodes.

use weightware_compiler::machine::Machine;
use weightware_compiler::{Evaluator, LinearForm};
use weightware_isa::{Interpreter, Outcome, Program, Token, Vocabulary};

/// A context in which a machine decodes.
pub(crate) struct Context<'m> {
    machine: &'m Machine,
    evaluator: Evaluator<'m>,
    logits: Vec<(Token, LinearForm)>,
}

impl<'m> Context<'m> {
    /// A context that holds the preamble.
    pub(crate) fn new(machine: &'m Machine) -> Self {
        let mut context = Self::empty(machine);
        context.read(Program::default().preamble());
        context
    }

    /// A context without any token.
    pub(crate) fn empty(machine: &'m Machine) -> Self {
        let vocabulary = Vocabulary::new();
        let tokens = vocabulary.tokens().iter();
        Self {
            machine,
            evaluator: Evaluator::new(&machine.graph),
            logits: tokens.map(|&token| (token, machine.logit(token))).collect(),
        }
    }

    pub(crate) fn push(&mut self, token: Token) {
        self.evaluator.push(&self.machine.embed(token));
    }

    pub(crate) fn read(&mut self, tokens: impl IntoIterator<Item = Token>) {
        tokens.into_iter().for_each(|token| self.push(token));
    }

    /// Decodes one token.
    pub(crate) fn step(&mut self) -> Token {
        let ids = self.logits.iter().zip(0..);
        let best = ids.max_by_key(|((_, logit), id)| (self.evaluator.form(logit), u32::MAX - id));
        let (token, _) = *best.expect("tokens").0;
        self.push(token);
        token
    }

    /// Decodes a program whose prompt was read, compares with the plain interpreter, and returns
    /// the number of tokens.
    pub(crate) fn follow(&mut self, program: &Program) -> usize {
        let mut run = Interpreter::new(program);
        let followed = self.follow_run(&mut run);
        assert_ne!(run.outcome(), Some(Outcome::Turned));
        followed
    }

    /// Decodes one context of a run whose prompt was read, compares it, and returns the number of
    /// tokens.
    pub(crate) fn follow_run(&mut self, run: &mut Interpreter<'_>) -> usize {
        let mut recent: Vec<String> = vec![];
        for expected in run {
            let expected = expected.expect("the program has no fault");
            recent.push(expected.to_string());
            let tail = &recent[recent.len().saturating_sub(30)..];
            let planned = self.machine.planned();
            assert_eq!(
                self.step(),
                expected,
                "{planned:?}, after {}",
                tail.join(" ")
            );
        }
        recent.len()
    }
}
