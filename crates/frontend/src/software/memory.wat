
;; Pages by which the memory has grown.
(global $grown (mut i32) (i32.const 0))

(func $size (export "memory.size") (result i32)
  (i32.add (call $initial) (global.get $grown)))

(func (export "memory.grow") (param $pages i32) (result i32)
  (local $size i32)
  (local.set $size (call $size))
  (if (i32.gt_u (local.get $pages) (i32.sub (call $limit) (local.get $size))) (then
    (return (i32.const -1))))
  (global.set $grown (i32.add (global.get $grown) (local.get $pages)))
  (call $memory_grown (global.get $grown))
  (local.get $size))

;; Traps unless the memory contains $count bytes from $start on.
(func $check (param $start i32) (param $count i32)
  (local $end i32)
  (local.set $end (i32.shl (memory.size $guest) (i32.const 16)))
  (if (i32.gt_u (local.get $count) (local.get $end)) (then (call $out_of_bounds)))
  (if (i32.gt_u (local.get $start) (i32.sub (local.get $end) (local.get $count))) (then
    (call $out_of_bounds))))

(func (export "memory.copy") (param $to i32) (param $from i32) (param $count i32)
  (call $check (local.get $to) (local.get $count))
  (call $check (local.get $from) (local.get $count))
  (if (i32.ge_u (i32.sub (local.get $to) (local.get $from)) (local.get $count)) (then
    (call $forward (local.get $to) (local.get $from) (local.get $count)))
  (else
    (call $backward (local.get $to) (local.get $from) (local.get $count)))))

;; Copies eight bytes at a time, which is also correct if $to is less than $from and the ranges overlap.
(func $forward (param $to i32) (param $from i32) (param $count i32)
  (block $bytes
    (br_if $bytes (i32.lt_u (local.get $count) (i32.const 8)))
    (loop $more
      (i64.store $guest (local.get $to) (i64.load $guest (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (local.set $from (i32.add (local.get $from) (i32.const 8)))
      (br_if $more (i32.ge_u
        (local.tee $count (i32.sub (local.get $count) (i32.const 8)))
        (i32.const 8)))))
  (block $done
    (br_if $done (i32.eqz (local.get $count)))
    (loop $more
      (i32.store8 $guest (local.get $to) (i32.load8_u $guest (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))

(func $backward (param $to i32) (param $from i32) (param $count i32)
  (block $bytes
    (br_if $bytes (i32.lt_u (local.get $count) (i32.const 8)))
    (loop $more
      (local.set $count (i32.sub (local.get $count) (i32.const 8)))
      (i64.store $guest
        (i32.add (local.get $to) (local.get $count))
        (i64.load $guest (i32.add (local.get $from) (local.get $count))))
      (br_if $more (i32.ge_u (local.get $count) (i32.const 8)))))
  (block $done
    (br_if $done (i32.eqz (local.get $count)))
    (loop $more
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (i32.store8 $guest
        (i32.add (local.get $to) (local.get $count))
        (i32.load8_u $guest (i32.add (local.get $from) (local.get $count))))
      (br_if $more (local.get $count)))))

(func (export "memory.fill") (param $to i32) (param $byte i32) (param $count i32)
  (local $eight i64)
  (call $check (local.get $to) (local.get $count))
  (block $bytes
    (br_if $bytes (i32.lt_u (local.get $count) (i32.const 8)))
    (local.set $byte (i32.mul (i32.and (local.get $byte) (i32.const 0xff)) (i32.const 0x01010101)))
    (local.set $eight (call $join (local.get $byte) (local.get $byte)))
    (loop $more
      (i64.store $guest (local.get $to) (local.get $eight))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (br_if $more (i32.ge_u
        (local.tee $count (i32.sub (local.get $count) (i32.const 8)))
        (i32.const 8)))))
  (block $done
    (br_if $done (i32.eqz (local.get $count)))
    (loop $more
      (i32.store8 $guest (local.get $to) (local.get $byte))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))

;; $length is the length of the passive segment, $base its offset in the hidden data.
(func (export "memory.init")
  (param $to i32) (param $from i32) (param $count i32) (param $length i32) (param $base i32)
  (if (i32.gt_u (local.get $count) (local.get $length)) (then (call $out_of_bounds)))
  (if (i32.gt_u (local.get $from) (i32.sub (local.get $length) (local.get $count))) (then
    (call $out_of_bounds)))
  (call $check (local.get $to) (local.get $count))
  (call $reveal (local.get $to) (i32.add (local.get $base) (local.get $from)) (local.get $count)))

;; Copies hidden data into the memory.
(func $reveal (param $to i32) (param $from i32) (param $count i32)
  (block $bytes
    (br_if $bytes (i32.lt_u (local.get $count) (i32.const 8)))
    (loop $more
      (i64.store $guest (local.get $to) (i64.load $hidden (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (local.set $from (i32.add (local.get $from) (i32.const 8)))
      (br_if $more (i32.ge_u
        (local.tee $count (i32.sub (local.get $count) (i32.const 8)))
        (i32.const 8)))))
  (block $done
    (br_if $done (i32.eqz (local.get $count)))
    (loop $more
      (i32.store8 $guest (local.get $to) (i32.load8_u $hidden (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))
