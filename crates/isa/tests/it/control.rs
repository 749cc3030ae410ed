//! Branches, calls and traps.

use weightware_isa::{Instruction, Interpreter, Op, Outcome, Trap};

use crate::{lines, program, text_lines};

#[test]
fn branches() {
    for (op, condition, taken) in [
        (Op::BrIf, 0, false),
        (Op::BrIf, 1, true),
        (Op::BrIf, 0x8000_0000, true),
        (Op::BrUnless, 0, true),
        (Op::BrUnless, 1, false),
        (Op::BrUnless, 0x100, false),
    ] {
        let code = [
            Instruction::new(Op::I32Const, condition),
            Instruction::new(op, 3),
            Instruction::new(Op::Unreachable, 0),
        ];
        let found = lines(&program(&code));
        let expected = match taken {
            true => ["03 00 00 commit(-1,sts=0,bt=1)", "halt"],
            false => ["commit(-1,sts=0,bt=0)", "trap(unreachable)"],
        };
        assert_eq!(found[1..], expected, "{op} {condition:#x}");
    }
    let mut code = vec![Instruction::new(Op::Unreachable, 0); 0x0302];
    code[0] = Instruction::new(Op::Br, 0x0302);
    assert_eq!(
        lines(&program(&code)),
        ["02 03 00 commit(0,sts=0,bt=1)", "halt"]
    );
}

#[test]
fn calls_and_returns_move_the_frame() {
    // Local 3 of the caller is local 1 of the callee, whose frame begins two words later.
    let found = text_lines(
        "{ i32.const 07 00 00 00  local.set 03 00 00 00
           call 06 00 00 02  resume 04 00 00 00
           local.get 03 00 00 00  exit 00 00 00 00
           local.get 01 00 00 00  call 0a 00 00 ff  resume 09 00 00 00  return 00 00 00 00
           local.set 00 00 00 00  return 00 00 00 00 }",
    );
    let expected = [
        "07 00 00 00 commit(+1,sts=1,bt=0)",
        "07 00 00 00 commit(-1,sts=0,bt=0)",
        "06 00 00 call(2)",
        "07 00 00 00 commit(+1,sts=1,bt=0)",
        "0a 00 00 call(255)",
        "07 00 00 00 commit(-1,sts=0,bt=0)",
        "09 00 00 return(255)",
        "04 00 00 return(2)",
        "07 00 00 00 commit(+1,sts=1,bt=0)",
        "07 00 00 00 halt(exit)",
    ];
    assert_eq!(found, expected);
}

#[test]
fn every_trap_has_an_opcode_and_ends_the_run() {
    for trap in Trap::ALL {
        let program = program(&[Instruction::new(Op::trap(trap), 0)]);
        assert_eq!(lines(&program), [format!("trap({})", trap.name())]);
        let mut run = Interpreter::new(&program);
        assert_eq!(run.run(9), Ok(Some(Outcome::Trapped(trap))));
        assert_eq!((run.tokens(), run.executed(), run.next()), (1, 1, None));
    }
}
