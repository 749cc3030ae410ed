;; Sums of neighbouring bits, then pairs, then nibbles, then the product adds up the bytes.
(func (export "popcnt") (param $x i32) (result i32)
  (local.set $x (i32.sub
    (local.get $x)
    (i32.and (i32.shr_u (local.get $x) (i32.const 1)) (i32.const 0x55555555))))
  (local.set $x (i32.add
    (i32.and (local.get $x) (i32.const 0x33333333))
    (i32.and (i32.shr_u (local.get $x) (i32.const 2)) (i32.const 0x33333333))))
  (i32.shr_u
    (i32.mul
      (i32.and
        (i32.add (local.get $x) (i32.shr_u (local.get $x) (i32.const 4)))
        (i32.const 0x0f0f0f0f))
      (i32.const 0x01010101))
    (i32.const 24)))
