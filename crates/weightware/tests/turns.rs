//! Programs whose contexts turn, decoded from the weights: every token is the plain interpreter's,
//! and the output is that of a run in one context.

use weightware::{Computer, Engine, Program, RunEnd, Token};
use weightware_compiler::machine::Profile;
use weightware_compiler::profile_model;
use weightware_frontend::{Options, lower};
use weightware_model::TokenId;
use weightware_runtime::Decoder;

/// Calls within loops, recursion with 64-bit values on the operand stack, and a trap at the end.
const PROGRAM: &str = r#"
(module
  (func $deep (param $n i32) (param $x i64) (result i64)
    (local $unused i32)
    (if (result i64) (i32.eqz (local.get $n))
      (then (local.get $x))
      (else
        (i64.add (i64.shl (local.get $x) (i64.const 3))
          (i64.xor (i64.const 0x0123456789abcdef)
            (call $deep (i32.sub (local.get $n) (i32.const 1))
              (i64.add (local.get $x) (i64.extend_i32_u (local.get $n)))))))))
  (func (export "loops") (param $n i32) (result i64)
    (local $i i32) (local $h i64)
    (loop $outer
      (local.set $h (i64.add (i64.mul (local.get $h) (i64.const 31))
        (call $deep (i32.const 5) (i64.extend_i32_u (local.get $i)))))
      (br_if $outer (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $h)))
"#;

fn program(turns: bool) -> Program {
    let options = Options::default()
        .with_invocation("loops", ["8"])
        .with_turns(turns);
    lower(PROGRAM.as_bytes(), &options)
        .unwrap()
        .into_program(b"")
}

fn computer(context: u64) -> Computer {
    Computer::new(profile_model(Profile::STOCK.with_context(context))).unwrap()
}

#[test]
fn a_run_that_turns_has_the_output_of_one_that_does_not() {
    let plain = program(false);
    let whole = Computer::default();
    let mut once = whole.run(&plain, Engine::Plan, None).unwrap();
    let wanted = once.finish();
    assert!(matches!(wanted, RunEnd::Outcome(_)));
    // A context that is not full has the trace of a program that cannot turn.
    let program = program(true);
    for context in [100_000, Profile::STOCK.context] {
        let computer = computer(context);
        let mut same = computer.run(&program, Engine::Plan, None).unwrap();
        assert_eq!(same.finish(), wanted);
        assert_eq!(same.reader().tokens(), once.reader().tokens());
        assert_eq!(same.contexts(), 1);
    }
    for (context, engine, least) in [
        (1, Engine::Plan, 50),
        (333, Engine::Plan, 10),
        (700, Engine::Hull, 5),
    ] {
        let computer = computer(context);
        let run = computer.run(&program, engine, None).unwrap();
        let mut run = run.checked(&program, &[]);
        assert_eq!(run.finish(), wanted, "{context}, {engine:?}");
        assert_eq!(run.agreed(), Some(run.reader().tokens()));
        assert_eq!(run.reader().output(), once.reader().output());
        assert!(run.contexts() > least, "{context}: {}", run.contexts());
    }
}

#[test]
fn a_turn_in_stock_softmax() {
    let program = program(true);
    let computer = computer(1);
    let run = computer
        .run(&program, Engine::Softmax, Some(4_500))
        .unwrap();
    let mut run = run.checked(&program, &[]);
    assert_eq!(run.finish(), RunEnd::MaxTokens);
    assert_eq!(run.agreed(), Some(4_500));
    assert!(run.contexts() >= 2, "{}", run.contexts());
}

/// Rebuilds every prompt from the text of the tokens before it, and decodes it with a decoder that
/// knows nothing else.
#[test]
fn a_prompt_consists_of_earlier_tokens() {
    let program = program(true);
    let computer = computer(333);
    let text = |tokens: &[Token]| {
        let strings: Vec<String> = tokens.iter().map(Token::to_string).collect();
        strings.join(" ")
    };
    let first: Vec<Token> = program.full_prompt().collect();
    let first = text(&first);
    let (until_close, after) = first.split_at(first.find(" } ").unwrap() + 3);
    let ready: Vec<&str> = after.split(' ').collect();
    let ready = ready[ready.len() - 4..].join(" ");
    assert!(ready.ends_with(" ready"));

    let mut run = computer.run(&program, Engine::Plan, None).unwrap();
    let mut contexts: Vec<Vec<Token>> = vec![vec![]];
    while let Some((token, _)) = run.step() {
        contexts.last_mut().unwrap().push(token);
        if token == Token::Turned {
            contexts.push(vec![]);
        }
    }
    let contexts: Vec<String> = contexts.iter().map(|tokens| text(tokens)).collect();
    assert!(contexts.len() > 10);
    let mut prompt = first.clone();
    for trace in &contexts {
        let mut decoder = Decoder::new(computer.model(), Engine::Hull).unwrap();
        let tokenizer = &computer.model().tokenizer;
        let ids = tokenizer.encode(&prompt).unwrap();
        decoder.prefill(&ids).unwrap();
        let mut decoded = vec![];
        while decoder.finish_reason().is_none() {
            let mut id = [TokenId(0)];
            match decoder.generate_into(&mut id) {
                0 => break,
                _ => decoded.push(tokenizer.string(id[0]).unwrap().to_owned()),
            }
        }
        assert_eq!(decoded.join(" "), *trace);
        // The line that ends with `saving`, and what follows.
        let Some(saving) = trace.find(" saving ") else {
            break;
        };
        let line = trace[..saving].len() - "00 00 00".len();
        prompt = format!("{until_close}{ready} {}", &trace[line..]);
    }
}

/// Counts of turns, and the prompts of all contexts: a run resumes from any token of its trace,
/// whichever context that is in.
#[test]
fn a_run_resumes_in_any_context() {
    let program = program(true);
    let computer = computer(700);
    let mut run = computer.run(&program, Engine::Plan, None).unwrap();
    let mut trace = vec![];
    // For each context: the tokens before it, and its prompt.
    let mut contexts = vec![(0, run.prompt().to_vec())];
    let mut programs = 0;
    let mut turning = false;
    loop {
        let decoded = run.steps(usize::MAX, |token, line| {
            trace.push(token);
            let Some(line) = line else { return };
            turning |= token == Token::Interrupted;
            programs += if turning { 0 } else { line.tokens().len() };
            turning &= token != Token::Continued;
        });
        if decoded == 0 {
            break;
        }
        assert_eq!(run.turn_tokens() as usize, trace.len() - programs);
        assert_eq!(run.turning(), turning);
        if run.contexts() as usize > contexts.len() {
            // Steps end with a context.
            assert_eq!(trace.last(), Some(&Token::Turned));
            assert_eq!(run.earlier_tokens() as usize, trace.len());
            contexts.push((trace.len(), run.prompt().to_vec()));
        }
    }
    assert!(contexts.len() > 3, "{}", contexts.len());
    let later = contexts[1..].iter().map(|(_, prompt)| prompt.len());
    assert_eq!(run.reread_tokens() as usize, later.sum::<usize>());
    let whole = computer.run(&self::program(false), Engine::Plan, None);
    let mut whole = whole.unwrap();
    whole.finish();
    assert_eq!(whole.reader().tokens() as usize, programs);

    let wanted = run.end();
    let ends = contexts[1..].iter().map(|(begin, _)| *begin);
    let ends: Vec<usize> = ends.chain([trace.len()]).collect();
    for ((begin, prompt), end) in contexts.iter().zip(&ends) {
        for at in [*begin, begin + 1, (begin + end) / 2, end - 3, end - 1] {
            // From the context's prompt, or from the first one's.
            let context = (prompt, &trace[*begin..at]);
            for (prompt, before) in [context, (&contexts[0].1, &trace[..at])] {
                let run = computer.resume(prompt, before, Engine::Plan, None);
                let mut run = run.unwrap();
                assert_eq!(run.resumed_tokens() as usize, before.len());
                let rest: Vec<Token> = run.by_ref().collect();
                assert_eq!(rest, trace[at..], "from {at}");
                assert_eq!(run.end(), wanted);
            }
        }
    }
}
