
;; The full product of the low words, plus the low halves of the two products of a low and a high word.
(func $mul (export "i64.mul") (param $a i64) (param $b i64) (result i64)
  (local $al i32) (local $bl i32) (local $l i32)
  (call $join
    (local.tee $l (i32.mul
      (local.tee $al (i32.wrap_i64 (local.get $a)))
      (local.tee $bl (i32.wrap_i64 (local.get $b)))))
    (i32.add
      (i32.add
        (call $mul_high (call $join (local.get $al) (local.get $bl)) (local.get $l))
        (i32.mul (call $high (local.get $a)) (local.get $bl)))
      (i32.mul (call $high (local.get $b)) (local.get $al)))))

;; The product of a word and a 64-bit value, modulo 2^64.
(func $mul_word (param $a i32) (param $b i64) (result i64)
  (local $bl i32) (local $l i32)
  (call $join
    (local.tee $l (i32.mul (local.get $a) (local.tee $bl (i32.wrap_i64 (local.get $b)))))
    (i32.add
      (call $mul_high (call $join (local.get $a) (local.get $bl)) (local.get $l))
      (i32.mul (call $high (local.get $b)) (local.get $a)))))

;; ($h 2^32 + $l) / $d for $h < $d: two digits of 16 bits.
(func $narrow (param $h i32) (param $l i32) (param $d i32) (result i32)
  (local $s i32) (local $d1 i32) (local $d0 i32) (local $q1 i32) (local $q0 i32) (local $r i32) (local $w i64)
  (if (i32.lt_u (local.get $d) (i32.const 0x10000)) (then
    (local.set $r (i32.or
      (i32.shl (local.get $h) (i32.const 16))
      (i32.shr_u (local.get $l) (i32.const 16))))
    (local.set $q1 (i32.div_u (local.get $r) (local.get $d)))
    (return (i32.or
      (i32.shl (local.get $q1) (i32.const 16))
      (i32.div_u
        (i32.or
          (i32.shl
            (i32.sub (local.get $r) (i32.mul (local.get $q1) (local.get $d)))
            (i32.const 16))
          (i32.and (local.get $l) (i32.const 0xffff)))
        (local.get $d))))))
  ;; Normalised, so that a quotient of the upper halves is at most two too large.
  (if (local.tee $s (i32.clz (local.get $d))) (then
    (local.set $d (i32.shl (local.get $d) (local.get $s)))
    (local.set $w (i64.shl
      (call $join (local.get $l) (local.get $h))
      (i64.extend_i32_u (local.get $s))))
    (local.set $h (call $high (local.get $w)))
    (local.set $l (i32.wrap_i64 (local.get $w)))))
  (local.set $d1 (i32.shr_u (local.get $d) (i32.const 16)))
  (local.set $d0 (i32.and (local.get $d) (i32.const 0xffff)))
  (local.set $q1 (call $digit
    (local.get $h) (i32.shr_u (local.get $l) (i32.const 16)) (local.get $d1) (local.get $d0)))
  (local.set $h (i32.sub
    (i32.or (i32.shl (local.get $h) (i32.const 16)) (i32.shr_u (local.get $l) (i32.const 16)))
    (i32.mul (local.get $q1) (local.get $d))))
  (i32.add
    (i32.shl (local.get $q1) (i32.const 16))
    (call $digit
      (local.get $h) (i32.and (local.get $l) (i32.const 0xffff)) (local.get $d1) (local.get $d0))))

;; ($h 2^16 + $l) / ($d1 2^16 + $d0), a digit of 16 bits.
(func $digit (param $h i32) (param $l i32) (param $d1 i32) (param $d0 i32) (result i32)
  (local $q i32) (local $r i32)
  (local.set $r (i32.sub
    (local.get $h)
    (i32.mul (local.tee $q (i32.div_u (local.get $h) (local.get $d1))) (local.get $d1))))
  (block $done
    (loop $again
      (if (i32.lt_u (local.get $q) (i32.const 0x10000)) (then
        (br_if $done (i32.le_u
          (i32.mul (local.get $q) (local.get $d0))
          (i32.or (i32.shl (local.get $r) (i32.const 16)) (local.get $l))))))
      (local.set $q (i32.sub (local.get $q) (i32.const 1)))
      (br_if $again (i32.lt_u
        (local.tee $r (i32.add (local.get $r) (local.get $d1)))
        (i32.const 0x10000)))))
  (local.get $q))

;; The quotient by a divisor of more than 32 bits: that of the upper 32 bits, one less, is at most one too small.
(func $long (param $n i64) (param $d i64) (result i32)
  (local $s i32) (local $q i32) (local $half i64)
  (if (i64.lt_u (local.get $n) (local.get $d)) (then (return (i32.const 0))))
  (local.set $s (i32.clz (call $high (local.get $d))))
  (if (i32.eqz (local.get $s)) (then (return (i32.const 1))))
  (local.set $half (i64.shr_u (local.get $n) (i64.const 1)))
  (local.set $q (i32.shr_u
    (call $narrow
      (call $high (local.get $half))
      (i32.wrap_i64 (local.get $half))
      (call $high (i64.shl (local.get $d) (i64.extend_i32_u (local.get $s)))))
    (i32.sub (i32.const 31) (local.get $s))))
  (if (local.get $q) (then (local.set $q (i32.sub (local.get $q) (i32.const 1)))))
  (i32.add
    (local.get $q)
    (i64.ge_u
      (i64.sub (local.get $n) (call $mul_word (local.get $q) (local.get $d)))
      (local.get $d))))

(func $div_u (export "i64.div_u") (param $n i64) (param $d i64) (result i64)
  (local $h i32) (local $w i32) (local $q i32)
  (if (call $high (local.get $d)) (then
    (return (i64.extend_i32_u (call $long (local.get $n) (local.get $d))))))
  (local.set $w (i32.wrap_i64 (local.get $d)))
  (local.set $h (call $high (local.get $n)))
  (if (i32.eqz (local.get $h)) (then
    (return (i64.extend_i32_u (i32.div_u (i32.wrap_i64 (local.get $n)) (local.get $w))))))
  (local.set $q (i32.div_u (local.get $h) (local.get $w)))
  (call $join
    (call $narrow
      (i32.sub (local.get $h) (i32.mul (local.get $q) (local.get $w)))
      (i32.wrap_i64 (local.get $n))
      (local.get $w))
    (local.get $q)))

(func $rem_u (export "i64.rem_u") (param $n i64) (param $d i64) (result i64)
  (local $h i32) (local $l i32) (local $w i32)
  (if (call $high (local.get $d)) (then
    (return (i64.sub
      (local.get $n)
      (call $mul_word (call $long (local.get $n) (local.get $d)) (local.get $d))))))
  (local.set $w (i32.wrap_i64 (local.get $d)))
  (local.set $l (i32.wrap_i64 (local.get $n)))
  (local.set $h (call $high (local.get $n)))
  (if (i32.eqz (local.get $h)) (then
    (return (i64.extend_i32_u (i32.rem_u (local.get $l) (local.get $w))))))
  (i64.extend_i32_u (i32.sub
    (local.get $l)
    (i32.mul
      (call $narrow
        (i32.rem_u (local.get $h) (local.get $w))
        (local.get $l)
        (local.get $w))
      (local.get $w)))))

;; The magnitudes, then the sign. A quotient of 2^63 that is not negative traps.
(func (export "i64.div_s") (param $n i64) (param $d i64) (result i64)
  (call $with_sign
    (call $div_u (call $abs (local.get $n)) (call $abs (local.get $d)))
    (i64.xor (local.get $n) (local.get $d))))

(func (export "i64.rem_s") (param $n i64) (param $d i64) (result i64)
  (call $with_sign
    (call $rem_u (call $abs (local.get $n)) (call $abs (local.get $d)))
    (local.get $n)))
