//! Programs whose contexts turn: the output and the outcome are those of a run in one context.

use weightware_frontend::{Options, lower};
use weightware_isa::{Interpreter, Op, Outcome, Program};

/// Recursion with 64-bit values on the operand stack, calls within loops, memory that grows, and a
/// trap at the end.
const PROGRAM: &str = r#"
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory 1 3)
  (global $sum (mut i64) (i64.const 7))
  (func $put (param $byte i32)
    (i32.store8 (i32.const 100) (local.get $byte))
    (i32.store (i32.const 104) (i32.const 100))
    (i32.store (i32.const 108) (i32.const 1))
    (drop (call $write (i32.const 1) (i32.const 104) (i32.const 1) (i32.const 112))))
  (func $put64 (param $value i64)
    (local $bit i32)
    (loop $more
      (call $put (i32.add (i32.const 48) (i32.wrap_i64 (i64.and (i64.shr_u (local.get $value)
        (i64.extend_i32_u (i32.sub (i32.const 60) (local.get $bit)))) (i64.const 15)))))
      (br_if $more (i32.lt_u (local.tee $bit (i32.add (local.get $bit) (i32.const 4))) (i32.const 64)))))
  (func $deep (param $n i32) (param $x i64) (result i64)
    (local $unused i32) (local $i i32)
    (if (result i64) (i32.eqz (local.get $n))
      (then (local.get $x))
      (else
        (i64.add (i64.mul (local.get $x) (i64.const 0x100000001b3))
          (i64.xor (i64.const 0x0123456789abcdef)
            (call $deep (i32.sub (local.get $n) (i32.const 1))
              (i64.add (local.get $x) (i64.extend_i32_u (local.get $n)))))))))
  (func $loops (param $n i32) (result i32)
    (local $i i32) (local $j i32) (local $h i32)
    (loop $outer
      (local.set $j (i32.const 0))
      (loop $inner
        (local.set $h (i32.add (i32.mul (local.get $h) (i32.const 31))
          (i32.wrap_i64 (call $deep (i32.const 2) (i64.extend_i32_u (local.get $j))))))
        (i32.store (i32.shl (i32.and (local.get $h) (i32.const 255)) (i32.const 2)) (local.get $h))
        (br_if $inner (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 3))))
      (br_if $outer (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $h))
  (func (export "_start")
    (call $put64 (call $deep (i32.const 60) (i64.const 5)))
    (call $put64 (i64.extend_i32_s (call $loops (i32.const 12))))
    (drop (memory.grow (i32.const 1)))
    (i32.store (i32.const 70000) (i32.const 77))
    (global.set $sum (i64.add (global.get $sum) (i64.load (i32.const 70000))))
    (call $put64 (global.get $sum))
    (call $put (i32.add (i32.const 48) (memory.size)))
    (drop (i32.load (i32.const 200000)))))
"#;

fn run(program: &Program, context: Option<u64>) -> (Vec<u8>, Option<Outcome>, u64, u64) {
    let mut run = Interpreter::new(program);
    if let Some(tokens) = context {
        run = run.with_context(tokens);
    }
    let mut contexts = 1;
    loop {
        run.run(u64::MAX).expect("no fault");
        if !run.turn() {
            return (run.output().to_vec(), run.outcome(), contexts, run.tokens());
        }
        contexts += 1;
    }
}

#[test]
fn a_run_in_many_contexts() {
    let once = lower(PROGRAM.as_bytes(), &Options::default()).unwrap();
    let wanted = run(&once.into_program(b""), None);
    let options = Options::default().with_turns(true);
    let program = lower(PROGRAM.as_bytes(), &options)
        .unwrap()
        .into_program(b"");
    assert_eq!(program.validate(), Ok(()));
    assert_eq!(program.to_string().parse(), Ok(program.clone()));
    // Without a turn the trace is the same.
    assert_eq!(run(&program, None), wanted);
    assert_eq!(run(&program, Some(10_000_000)), wanted);
    for context in [1, 7, 50, 333, 2000] {
        let found = run(&program, Some(context));
        assert_eq!((&found.0, found.1), (&wanted.0, wanted.1), "{context}");
        assert!(found.2 > 5, "{context}: {} contexts", found.2);
    }
}

/// Two blocks are written whole, at the beginning; the rest of the memory stays as it is.
const FILLED: &str = r#"
(module (memory 1)
  (func (export "_start") (local $at i32) (local $n i32)
    (loop $fill
      (i32.store offset=2048 (local.get $at) (i32.const 0x01010101))
      (br_if $fill (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (i32.const 2048))))
    (loop $idle
      (br_if $idle (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 9000))))))
"#;

#[test]
fn the_saved_memory_does_not_grow_by_itself() {
    let options = Options::default().with_turns(true);
    let program = lower(FILLED.as_bytes(), &options)
        .unwrap()
        .into_program(b"");
    let mut run = Interpreter::new(&program).with_context(20_000);
    let dumps = |run: &Interpreter<'_>| {
        let mut counts = run.histogram();
        counts.find_map(|(op, count)| (op == Op::Dump).then_some(count))
    };
    let mut saved = vec![];
    let mut before = 0;
    loop {
        run.run(u64::MAX).expect("no fault");
        let all = dumps(&run).unwrap_or(0);
        if !run.turn() {
            break;
        }
        saved.push(all - before);
        before = all;
    }
    assert_eq!(run.outcome(), Some(Outcome::Halted));
    // The two blocks, and that of the state.
    assert!(saved.len() > 5, "{saved:?}");
    assert!(saved.iter().all(|&blocks| blocks == 3), "{saved:?}");
}
