//! The exact evaluator of the machine's graph against expected traces.

use weightware_compiler::machine::{Machine, Module};
use weightware_compiler::Evaluator;
use weightware_isa::{Instruction, Op, Program, Token};

/// Greedy decoding with the exact evaluator.
fn decode(machine: &Machine, program: &Program, limit: usize) -> Vec<Token> {
    let vocabulary = Machine::vocabulary();
    let logits: Vec<_> = vocabulary.tokens().iter().map(|&token| machine.logit(token)).collect();
    let mut evaluator = Evaluator::new(&machine.graph);
    program.full_prompt().for_each(|token| evaluator.push(&machine.embed(token)));
    let mut trace = vec![];
    while trace.len() < limit {
        let best = logits.iter().zip(0..).max_by_key(|(logit, id)| (evaluator.form(logit), u32::MAX - id));
        let token = vocabulary.token(best.expect("tokens").1).expect("in range");
        trace.push(token);
        if token.ends_run() {
            break;
        }
        evaluator.push(&machine.embed(token));
    }
    trace
}

fn show(trace: &[Token]) -> String {
    trace.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[test]
fn adds_three_and_five() {
    let machine = Machine::new(&Module::ALL);
    let program = Program {
        code: vec![
            Instruction::new(Op::I32Const, 3),
            Instruction::new(Op::I32Const, 5),
            Instruction::new(Op::I32Add, 0),
            Instruction::new(Op::Output, 0),
        ],
        sections: vec![],
    };
    assert_eq!(
        show(&decode(&machine, &program, 100)),
        "03 00 00 00 commit(+1,sts=1,bt=0) 05 00 00 00 commit(+1,sts=1,bt=0) \
         08 00 00 00 commit(-1,sts=1,bt=0) out(08) halt"
    );
}
