;; Unsigned division of the magnitudes. The common case first: neither is negative.
(func (export "i32.div_s") (param $n i32) (param $d i32) (result i32)
  (if (i32.ge_s (i32.or (local.get $n) (local.get $d)) (i32.const 0)) (then
    (return (i32.div_u (local.get $n) (local.get $d)))))
  (if (i32.ge_s (local.get $n) (i32.const 0)) (then
    (return (i32.sub
      (i32.const 0)
      (i32.div_u (local.get $n) (i32.sub (i32.const 0) (local.get $d)))))))
  (if (i32.ge_s (local.get $d) (i32.const 0)) (then
    (return (i32.sub
      (i32.const 0)
      (i32.div_u (i32.sub (i32.const 0) (local.get $n)) (local.get $d))))))
  (if (i32.eq (local.get $d) (i32.const -1)) (then
    (if (i32.eq (local.get $n) (i32.const 0x80000000)) (then (call $integer_overflow)))))
  (i32.div_u
    (i32.sub (i32.const 0) (local.get $n))
    (i32.sub (i32.const 0) (local.get $d))))

;; The remainder has the sign of $n; that of $d does not matter.
(func (export "i32.rem_s") (param $n i32) (param $d i32) (result i32)
  (if (i32.lt_s (local.get $d) (i32.const 0)) (then
    (local.set $d (i32.sub (i32.const 0) (local.get $d)))))
  (if (i32.ge_s (local.get $n) (i32.const 0)) (then
    (return (i32.rem_u (local.get $n) (local.get $d)))))
  (i32.sub
    (i32.const 0)
    (i32.rem_u (i32.sub (i32.const 0) (local.get $n)) (local.get $d))))
