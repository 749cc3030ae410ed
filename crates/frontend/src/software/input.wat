
;; Bytes of the input that have been read. In the hidden data the input's length precedes it, and the arguments follow.
(global $position (mut i32) (i32.const 0))

;; The next byte of the input, or -1 at its end.
(func (export "getchar") (result i32)
  (if (i32.lt_u (global.get $position) (global.get $input_length)) (then
    (i32.load8_u $hidden offset=4 (i32.add (global.get $position) (call $input)))
    (global.set $position (i32.add (global.get $position) (i32.const 1)))
    (return)))
  (i32.const -1))
