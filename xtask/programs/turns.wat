;; A loop that calls a function, for contexts so short that each of them ends within the loop.
(module
  (import "env" "putchar" (func $put (param i32)))
  (func $next (param $n i32) (result i32) (i32.add (local.get $n) (i32.const 1)))
  (func (export "main") (result i32) (local $n i32)
    (loop $again
      (local.set $n (call $next (local.get $n)))
      (br_if $again (i32.lt_u (local.get $n) (i32.const 5))))
    (call $put (i32.add (i32.const 48) (local.get $n)))
    (i32.const 0)))
