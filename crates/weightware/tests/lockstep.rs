//! Lockstep with the plain interpreter, and derailed runs.

use weightware::{
    Computer, Divergence, Engine, Lockstep, Outcome, Place, Program, RunEnd, SavedRun, Token,
    default_model,
};
use weightware_isa::{FaultKind, Vocabulary};

const ENGINES: [Engine; 4] = [Engine::Plan, Engine::Hull, Engine::Hardmax, Engine::Softmax];

/// Output of 3 + 5: `03 00 00 00 commit 05 00 00 00 commit 08 00 00 00 commit out(08) halt`.
const SUM: &str =
    "{ i32.const 03 00 00 00 i32.const 05 00 00 00 i32.add 00 00 00 00 output 00 00 00 00 }";

fn program(text: &str) -> Program {
    text.parse().expect("a valid program")
}

fn token(string: &str) -> Token {
    Vocabulary::new().parse(string).expect("a token")
}

/// A machine that generates one token where it should generate another.
fn exchanging(one: &str, other: &str) -> Computer {
    let mut model = default_model();
    let row = |string: &str| model.tokenizer.id(string).expect("a token").0 as usize;
    let (one, other) = (row(one), row(other));
    let width = model.config.shape.d_model;
    let entries = &mut model.weights.head.entries;
    for column in 0..width {
        entries.swap(one * width + column, other * width + column);
    }
    Computer::new(model).expect("the tokens are there")
}

fn place(program: &Program, index: u64) -> Place {
    let position = program.full_prompt().count() as u64 + index;
    Place { index, position }
}

#[test]
fn a_run_that_is_right_is_confirmed_to_its_end() {
    let computer = Computer::default();
    let program = program(SUM);
    for engine in ENGINES {
        let unchecked: Vec<Token> = computer
            .run(&program, engine, None)
            .expect("a run")
            .collect();
        let run = computer.run(&program, engine, None).expect("a run");
        let mut run = run.checked(&program, &[]);
        assert_eq!(run.by_ref().collect::<Vec<_>>(), unchecked);
        assert_eq!(run.end(), RunEnd::Outcome(Outcome::Halted));
        assert_eq!((run.agreed(), run.divergence()), (Some(17), None));
    }
    // The limit ends a checked run too.
    let run = computer
        .run(&program, Engine::Plan, Some(7))
        .expect("a run");
    let mut run = run.checked(&program, &[]);
    assert_eq!((run.finish(), run.agreed()), (RunEnd::MaxTokens, Some(7)));
}

/// The trace belongs to another program.
#[test]
fn a_wrong_token_ends_a_checked_run() {
    let computer = exchanging("08", "09");
    let program = program(SUM);
    let (expected, found) = (token("08"), token("09"));
    for engine in ENGINES {
        let mut run = computer.run(&program, engine, None).expect("a run");
        assert_eq!(run.finish(), RunEnd::Outcome(Outcome::Halted));
        assert_eq!(run.reader().output(), [9]);

        let end = RunEnd::Differs {
            at: place(&program, 10),
            expected,
            found,
        };
        let run = computer.run(&program, engine, None).expect("a run");
        let mut many = run.checked(&program, &[]);
        assert_eq!(many.finish(), end);
        let run = computer.run(&program, engine, None).expect("a run");
        let mut single = run.checked(&program, &[]);
        assert_eq!(single.by_ref().last(), Some(found));
        for run in [&mut many, &mut single] {
            assert_eq!(run.end(), end);
            assert_eq!((run.agreed(), run.reader().tokens()), (Some(10), 11));
            assert_eq!(
                run.divergence(),
                Some((place(&program, 10), Divergence::Differs { expected, found }))
            );
            assert!(run.step().is_none());
            assert!(run.reader().output().is_empty());
        }
    }
}

/// A derailed run ends without `checked`.
#[test]
fn a_token_that_no_program_makes_ends_the_run() {
    for (one, other, index) in [
        ("commit(-1,sts=1,bt=0)", "loaded", 14),
        ("commit(-1,sts=1,bt=0)", "halt", 14),
        ("commit(+1,sts=1,bt=0)", "commit(-1,sts=1,bt=0)", 4),
        ("out(08)", "out(80)", 15),
        ("05", "05+", 9),
        ("00", "ff+", 1),
    ] {
        let computer = exchanging(one, other);
        let program = program(SUM);
        for engine in ENGINES {
            let mut run = computer.run(&program, engine, None).expect("a run");
            let RunEnd::Derailed { at, token } = run.finish() else {
                panic!("{one}, {other}: {:?}", run.end());
            };
            assert_eq!(at, place(&program, index), "{one}, {other}: {token}");
            assert_eq!(run.reader().outcome(), None);
            assert_eq!(run.reader().tokens(), index + 1);
            assert!(run.step().is_none());
            // A checked run derails too, unless it differs before.
            let run = computer.run(&program, engine, None).expect("a run");
            let mut checked = run.checked(&program, &[]);
            let end = checked.finish();
            let (parted, _) = checked.divergence().expect("they part");
            assert_eq!(
                matches!(end, RunEnd::Derailed { .. }),
                parted == at,
                "{end:?}"
            );
        }
    }
}

/// An invalid program: the result says nothing about the weights.
#[test]
fn a_fault_of_the_program_is_its_own_end() {
    let computer = Computer::default();
    for (text, index, kind) in [
        ("{ drop 00 00 00 00 }", 0, FaultKind::Underflow),
        (
            "{ i32.const 01 00 00 00 local.get 07 00 00 00 }",
            5,
            FaultKind::Unwritten(7),
        ),
    ] {
        let program = program(text);
        for engine in ENGINES {
            let run = computer.run(&program, engine, None).expect("a run");
            let mut run = run.checked(&program, &[]);
            let RunEnd::Fault { at, fault } = run.finish() else {
                panic!("{text}: {:?}", run.end());
            };
            assert_eq!((at, fault.kind), (place(&program, index), kind));
            assert_eq!(run.agreed(), Some(index));
        }
    }
    // Without the check, the missing operand is noticed, the word that was never written is not.
    let ends = ["{ drop 00 00 00 00 }", "{ local.get 07 00 00 00 }"].map(|text| {
        let program = program(text);
        let mut run = computer.run(&program, Engine::Plan, None).expect("a run");
        run.finish()
    });
    assert!(matches!(ends[0], RunEnd::Derailed { .. }), "{ends:?}");
    assert_eq!(ends[1], RunEnd::Outcome(Outcome::Halted));
}

#[test]
fn a_resumed_run_is_checked_from_its_first_token_on() {
    let computer = Computer::default();
    let program = program(SUM);
    let trace: Vec<Token> = computer
        .run(&program, Engine::Plan, Some(9))
        .expect("a run")
        .collect();
    let prompt = computer.prompt(&program);
    let saved = SavedRun {
        prompt: prompt.clone(),
        trace: trace.clone(),
        context: 1,
    };
    let again = saved.program(&computer).expect("the prompt is a program's");
    assert_eq!(again, program);
    for engine in ENGINES {
        let run = computer
            .resume(&prompt, &trace, engine, None)
            .expect("a run");
        let mut run = run.checked(&again, &trace);
        assert_eq!(run.agreed(), Some(9));
        assert_eq!(run.finish(), RunEnd::Outcome(Outcome::Halted));
        assert_eq!(run.agreed(), Some(17));

        // The prefilled tokens belong to another program: nothing is decoded.
        let mut wrong = trace.clone();
        wrong[5] = token("06");
        let run = computer
            .resume(&prompt, &wrong, engine, None)
            .expect("a run");
        let mut run = run.checked(&again, &wrong);
        assert!(run.step().is_none());
        let end = RunEnd::Differs {
            at: place(&program, 5),
            expected: token("05"),
            found: token("06"),
        };
        assert_eq!(run.finish(), end);

        // This trace belongs to no program.
        wrong[5] = token("halt");
        wrong[0] = token("drop");
        let mut run = computer
            .resume(&prompt, &wrong, engine, None)
            .expect("a run");
        assert!(run.step().is_none());
        assert!(
            matches!(run.end(), RunEnd::Derailed { at, .. } if at == place(&program, 0)),
            "{:?}",
            run.end()
        );
    }
    // This prompt belongs to no program.
    let no_preamble = SavedRun {
        prompt: prompt[Program::PREAMBLE_LEN..].to_vec(),
        trace: vec![],
        context: 1,
    };
    let cut = SavedRun {
        prompt: prompt[..prompt.len() - 1].to_vec(),
        trace: vec![],
        context: 1,
    };
    for saved in [no_preamble, cut] {
        saved.program(&computer).expect_err("no program's prompt");
    }
}

#[test]
fn a_trace_from_elsewhere_can_be_followed() {
    let program = program(SUM);
    let computer = Computer::default();
    let mut lockstep = Lockstep::new(&program);
    for token in computer.run(&program, Engine::Plan, None).expect("a run") {
        assert_eq!(lockstep.feed(token), Ok(()));
    }
    // Tokens after the end are not compared.
    assert_eq!(lockstep.feed(token("halt")), Ok(()));
    assert_eq!((lockstep.agreed(), lockstep.divergence()), (17, None));

    let mut lockstep = Lockstep::new(&program);
    let divergence = lockstep.feed(token("04")).expect_err("it is 03");
    assert_eq!(
        divergence.to_string(),
        "04 where the plain interpreter generates 03"
    );
    assert_eq!(
        lockstep.feed(token("03")),
        Err(divergence),
        "a divergence is for good"
    );
}
