//! The ends of runs: a limit or a horizon is never reported as an outcome, nor an outcome as a
//! limit.

use weightware::{Computer, Engine, Outcome, Program, RunEnd, Trap};

fn program(text: &str) -> Program {
    text.parse().expect("a valid program")
}

/// A program that counts for ever.
fn endless() -> Program {
    program("{ i32.const 00 00 00 00  i32.const 01 00 00 00  i32.add 00 00 00 00  br 01 00 00 00 }")
}

fn end(
    computer: &Computer,
    program: &Program,
    engine: Engine,
    limit: Option<u64>,
) -> (RunEnd, u64) {
    let mut run = computer.run(program, engine, limit).expect("a sound model");
    let end = run.finish();
    assert_eq!(end, run.end());
    assert_eq!(run.next(), None, "nothing follows the end");
    (end, run.reader().tokens())
}

#[test]
fn a_limit_is_no_outcome() {
    let computer = Computer::default();
    for engine in Engine::available() {
        assert_eq!(
            end(&computer, &endless(), engine, Some(0)),
            (RunEnd::MaxTokens, 0)
        );
        assert_eq!(
            end(&computer, &endless(), engine, Some(123)),
            (RunEnd::MaxTokens, 123)
        );
    }
}

#[test]
fn an_outcome_at_the_limit_is_an_outcome() {
    let computer = Computer::default();
    for (text, outcome) in [
        ("{ }", Outcome::Halted),
        (
            "{ unreachable 00 00 00 00 }",
            Outcome::Trapped(Trap::Unreachable),
        ),
        (
            "{ i32.const ff 00 00 80 exit 00 00 00 00 }",
            Outcome::Exited(0x8000_00ff),
        ),
    ] {
        let program = program(text);
        for engine in Engine::available() {
            let (free, tokens) = end(&computer, &program, engine, None);
            assert_eq!(free, RunEnd::Outcome(outcome), "{text}");
            assert_eq!(
                end(&computer, &program, engine, Some(tokens)),
                (free, tokens)
            );
            let short = end(&computer, &program, engine, Some(tokens - 1));
            assert_eq!(short, (RunEnd::MaxTokens, tokens - 1), "{text}");
        }
    }
}

#[test]
fn a_horizon_is_no_outcome() {
    let program = endless();
    let prompt = program.full_prompt().count() as u64;
    let mut model = Computer::default().model().clone();
    model.config.last_position = prompt + 99;
    let computer = Computer::new(model).expect("a model of the machine");
    for engine in Engine::available() {
        let (end, tokens) = end(&computer, &program, engine, None);
        assert!(
            matches!(end, RunEnd::Horizon { position, .. } if position == prompt + 100),
            "{end:?}"
        );
        assert_eq!(tokens, 100);
    }
}

#[test]
fn a_prompt_beyond_the_horizon_gives_nothing() {
    let mut model = Computer::default().model().clone();
    model.config.last_position = 270;
    let computer = Computer::new(model).expect("a model of the machine");
    for engine in Engine::available() {
        let (end, tokens) = end(&computer, &endless(), engine, None);
        assert!(matches!(end, RunEnd::Horizon { .. }), "{end:?}");
        assert_eq!(tokens, 0);
    }
}

/// A store far beyond the 16 MiB that the machine can address is a horizon, not a wrong byte later.
#[test]
fn an_address_out_of_range_is_a_horizon() {
    let program = program(
        "{
        i32.const   40 0d 03 00     # 200,000
        i32.const   61 00 00 00
        i32.store8  00 00 00 ff
        i32.const   40 0d 03 00
        i32.load8_u 00 00 00 ff
        output      00 00 00 00
        }",
    );
    let computer = Computer::default();
    for engine in Engine::available() {
        let (end, _) = end(&computer, &program, engine, None);
        assert!(matches!(end, RunEnd::Horizon { .. }), "{end:?}");
    }
}

/// Steps of many tokens give the same tokens, lines, end and limit as single steps.
#[test]
fn many_steps_are_single_steps() {
    let computer = Computer::default();
    let programs = [
        "{ i32.const ff 00 00 80 output 00 00 00 00 i32.const 07 00 00 00 exit 00 00 00 00 }",
        "{ i32.const 01 00 00 00 drop 00 00 00 00 unreachable 00 00 00 00 }",
    ];
    let programs = programs.map(program).into_iter().chain([endless()]);
    for program in programs {
        for (engine, limit) in [(Engine::Plan, 300), (Engine::Hull, 70), (Engine::Plan, 5)] {
            let run = || {
                computer
                    .run(&program, engine, Some(limit))
                    .expect("a sound model")
            };
            let mut single = run();
            let mut expected = vec![];
            while let Some((token, line)) = single.step() {
                expected.push((token, line.map(|line| line.to_string())));
            }
            for most in [1, 3, 64, 65, 1000] {
                let mut many = run();
                let mut shown = vec![];
                let show = |shown: &mut Vec<_>, many: &mut weightware::Run<'_>| {
                    let before = shown.len();
                    let count = many.steps(most, |token, line| {
                        shown.push((token, line.map(|line| line.to_string())));
                    });
                    assert_eq!(shown.len(), before + count);
                    count
                };
                while show(&mut shown, &mut many) == most {}
                assert_eq!(shown, expected);
                assert_eq!(show(&mut shown, &mut many), 0);
                assert_eq!(many.end(), single.end());
                assert_eq!(many.stats(), single.stats());
                assert_eq!(many.reader().tokens(), single.reader().tokens());
            }
        }
    }
}
