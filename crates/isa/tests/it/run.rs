//! Whole runs: the first program, faults, limits, and random programs and streams.

use weightware_isa::{
    Fault, FaultKind, Instruction, Interpreter, Op, Outcome, Program, Token, TraceReader,
    Vocabulary,
};

use crate::program;

#[test]
fn three_plus_five() {
    let text =
        "{ i32.const 03 00 00 00 i32.const 05 00 00 00 i32.add 00 00 00 00 output 00 00 00 00 }";
    let program: Program = text.parse().unwrap();
    assert_eq!(program.to_string(), text);
    let mut run = Interpreter::new(&program);
    let mut reader = TraceReader::new();
    let mut lines = Vec::new();
    for token in run.by_ref() {
        lines.extend(reader.feed(token.unwrap()).map(|line| line.to_string()));
    }
    let expected = [
        "03 00 00 00 commit(+1,sts=1,bt=0)",
        "05 00 00 00 commit(+1,sts=1,bt=0)",
        "08 00 00 00 commit(-1,sts=1,bt=0)",
        "out(08)",
        "halt",
    ];
    assert_eq!(lines, expected);
    assert_eq!((run.output(), reader.output()), (&[8][..], &[8][..]));
    assert_eq!(
        (run.outcome(), reader.outcome()),
        (Some(Outcome::Halted), Some(Outcome::Halted))
    );
    assert_eq!((run.tokens(), reader.tokens()), (17, 17));
    assert_eq!((run.executed(), reader.lines()), (4, 5));
    let histogram: Vec<_> = run.histogram().collect();
    assert_eq!(
        histogram,
        [(Op::I32Const, 2), (Op::I32Add, 1), (Op::Output, 1)]
    );
}

#[test]
fn an_empty_program_halts() {
    let program = Program::default();
    let tokens: Vec<_> = Interpreter::new(&program).collect();
    assert_eq!(tokens, [Ok(Token::Halt)]);
}

#[test]
fn faults_are_reported_once_at_their_instruction() {
    let op = |op| Instruction::new(op, 0);
    let constant = Instruction::new(Op::I32Const, 0);
    let call = Instruction::with_byte(Op::Call, 0, 1);
    let rows: &[(&[Instruction], usize, FaultKind)] = &[
        (&[op(Op::Drop)], 0, FaultKind::Underflow),
        (&[constant, op(Op::I32Add)], 1, FaultKind::Underflow),
        (
            &[constant, constant, op(Op::Select)],
            2,
            FaultKind::Underflow,
        ),
        (
            &[constant, Instruction::with_byte(Op::I32Store, 0, 1)],
            1,
            FaultKind::Underflow,
        ),
        (&[op(Op::LocalTee)], 0, FaultKind::Underflow),
        (&[op(Op::GlobalSet)], 0, FaultKind::Underflow),
        (&[op(Op::Exit)], 0, FaultKind::Underflow),
        (&[op(Op::Output)], 0, FaultKind::Underflow),
        (
            &[Instruction::new(Op::LocalGet, 7)],
            0,
            FaultKind::Unwritten(7),
        ),
        (
            &[Instruction::new(Op::GlobalGet, 8)],
            0,
            FaultKind::Unwritten(8),
        ),
        (&[op(Op::Return)], 0, FaultKind::NoCaller),
        (&[call], 0, FaultKind::NoResume),
        (&[call, op(Op::Drop)], 0, FaultKind::NoResume),
        (&[op(Op::Call), op(Op::Resume)], 0, FaultKind::NoFrame),
        (&[op(Op::Resume)], 0, FaultKind::NotExecutable(Op::Resume)),
        (
            &[constant, op(Op::Section)],
            1,
            FaultKind::NotExecutable(Op::Section),
        ),
        (&[Instruction::new(Op::Br, 9)], 9, FaultKind::Outside),
        (
            &[op(Op::Section)],
            1,
            FaultKind::Sections {
                declared: 1,
                given: 0,
            },
        ),
    ];
    for &(code, instruction, kind) in rows {
        let program = program(code);
        let fault = Fault { instruction, kind };
        let mut run = Interpreter::new(&program);
        assert_eq!(
            run.by_ref().find_map(Result::err),
            Some(fault),
            "{}",
            program.disassemble()
        );
        assert_eq!(
            (run.next(), run.outcome(), run.fault()),
            (None, None, Some(fault))
        );
        assert_eq!(run.run(1), Err(fault));
    }
    let fault = Fault {
        instruction: 4,
        kind: FaultKind::Unwritten(7),
    };
    assert_eq!(
        fault.to_string(),
        "instruction 4: word 7 is read before it is written"
    );
}

#[test]
fn a_frame_keeps_what_an_earlier_one_wrote() {
    let text = "{ call 05 00 00 04 resume 02 00 00 00 call 08 00 00 04 resume 04 00 00 00
                  exit 00 00 00 00
                  i32.const 2a 00 00 00 local.set 00 00 00 00 return 00 00 00 00
                  local.get 00 00 00 00 return 00 00 00 00 }";
    let program: Program = text.parse().unwrap();
    assert_eq!(
        Interpreter::new(&program).run(1000),
        Ok(Some(Outcome::Exited(42)))
    );
}

#[test]
fn a_limit_stops_in_the_middle_of_a_line() {
    let program: Program = "{ i32.const 07 00 00 00 exit 00 00 00 00 }"
        .parse()
        .unwrap();
    let mut run = Interpreter::new(&program);
    assert_eq!(run.run(9), Ok(None));
    assert_eq!((run.tokens(), run.outcome()), (9, None));
    assert_eq!(run.run(1), Ok(Some(Outcome::Exited(7))));
    assert_eq!(run.run(100), Ok(Some(Outcome::Exited(7))));
    assert_eq!(run.tokens(), 10);
}

#[test]
fn a_loop_has_an_endless_trace() {
    let program: Program = "{ br 00 00 00 00 }".parse().unwrap();
    let mut run = Interpreter::new(&program);
    assert_eq!(run.run(40_000), Ok(None));
    assert_eq!((run.executed(), run.tokens()), (10_000, 40_000));
}

/// A pseudorandom generator: SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

#[test]
fn random_programs_never_panic_and_their_traces_are_read() {
    let mut random = Random(1);
    let vocabulary = Vocabulary::new();
    let mut ended = 0;
    for _ in 0..20_000 {
        let length = 1 + random.below(30);
        let mut code: Vec<Instruction> = Vec::new();
        while code.len() < length {
            let mut op = Op::ALL[random.below(Op::ALL.len())];
            if random.below(2) == 0 {
                op = Op::I32Const;
            }
            let small = random.below(length) as u8;
            let immediate = match random.below(3) {
                0 => [small, 0, 0, 1],
                1 => [small, 0, 0, 0],
                _ => [0; 4].map(|_: u8| random.below(256) as u8),
            };
            code.push(Instruction { op, immediate });
            if op == Op::I64Const {
                code.push(Instruction::new(Op::I64ConstHigh, random.below(256) as u32));
            }
            if op == Op::Call {
                code.push(Instruction::new(Op::Resume, code.len() as u32 + 1));
            }
        }
        let sections = vec![vec![1, 2, 3]; random.below(3)];
        let program = Program {
            code,
            sections,
            turns: None,
            resident: None,
        };
        let mut run = Interpreter::new(&program);
        let mut reader = TraceReader::new();
        let (mut depth, mut bytes) = (0, Vec::new());
        for token in run.by_ref().take(1000) {
            let Ok(token) = token else { break };
            assert_eq!(vocabulary.token(vocabulary.id(token)), Some(token));
            reader.feed(token);
            // The trace determines the stack.
            match token {
                Token::Byte(byte, _) => bytes.push(byte),
                Token::Commit(commit) => {
                    depth += i64::from(commit.delta);
                    assert!(!commit.stored || bytes.len() >= 4);
                    bytes.clear();
                }
                Token::Out(_) | Token::Stepping | Token::Continued => {
                    depth -= 1;
                    bytes.clear();
                }
                Token::Interrupted => {
                    depth += 1;
                    bytes.clear();
                }
                _ => bytes.clear(),
            }
            assert!(depth >= 0);
        }
        assert_eq!(reader.malformed(), None, "{}", program.disassemble());
        assert_eq!(reader.outcome(), run.outcome());
        assert_eq!(reader.output(), run.output());
        assert_eq!(reader.tokens(), run.tokens());
        ended += u32::from(run.outcome().is_some());
        // A valid program survives printing and reading.
        let read = program.to_string().parse::<Program>();
        assert_eq!(read.is_ok(), program.validate().is_ok());
        assert!(read.is_err() || read == Ok(program));
    }
    assert!(ended > 1000, "{ended}");
}

#[test]
fn random_streams_are_read() {
    let mut random = Random(2);
    let tokens: Vec<Token> = Token::all().collect();
    for _ in 0..2000 {
        let mut reader = TraceReader::new();
        let mut read = 0;
        for _ in 0..200 {
            let token = tokens[random.below(tokens.len())];
            if let Some(line) = reader.feed(token) {
                read += line.tokens().len();
                assert!(line.tokens().len() <= TraceReader::LONGEST_LINE);
            }
        }
        let rest = reader.unfinished().map_or(0, |line| line.tokens().len());
        assert_eq!((read + rest) as u64, reader.tokens());
    }
}
