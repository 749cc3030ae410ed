
;; Bytes of the input that have been read. In the hidden data its length stands before it, and after it the arguments.
(global $position (mut i32) (i32.const 0))

;; The next byte of the input, or -1 at its end.
(func (export "getchar") (result i32)
  (if (i32.lt_u (global.get $position) (global.get $input_length)) (then
    (i32.load8_u $hidden offset=4 (i32.add (global.get $position) (call $input)))
    (global.set $position (i32.add (global.get $position) (i32.const 1)))
    (return)))
  (i32.const -1))
