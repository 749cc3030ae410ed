
;; WASI preview 1. The descriptors are 0, 1 and 2, streams that cannot seek. Errors: 8 badf, 70 spipe.

;; The address of the arguments: their count and bytes; count and bytes of the environment; the offsets of all strings; then
;; the strings, each with a zero at its end.
(func $arguments (result i32)
  (i32.add (i32.add (call $input) (i32.const 4)) (global.get $input_length)))

(func (export "wasi.args_sizes_get") (param $count i32) (param $bytes i32) (result i32)
  (local $at i32)
  (i32.store $guest (local.get $count) (i32.load $hidden (local.tee $at (call $arguments))))
  (i32.store $guest (local.get $bytes) (i32.load $hidden offset=4 (local.get $at)))
  (i32.const 0))

(func (export "wasi.environ_sizes_get") (param $count i32) (param $bytes i32) (result i32)
  (local $at i32)
  (i32.store $guest (local.get $count) (i32.load $hidden offset=8 (local.tee $at (call $arguments))))
  (i32.store $guest (local.get $bytes) (i32.load $hidden offset=12 (local.get $at)))
  (i32.const 0))

(func (export "wasi.args_get") (param $pointers i32) (param $strings i32) (result i32)
  (local $at i32) (local $count i32)
  (local.set $count (i32.load $hidden (local.tee $at (call $arguments))))
  (call $list
    (local.get $pointers) (local.get $strings) (local.get $count)
    (i32.add (local.get $at) (i32.const 16)))
  (call $reveal
    (local.get $strings)
    (i32.add
      (i32.add (local.get $at) (i32.const 16))
      (i32.shl
        (i32.add (local.get $count) (i32.load $hidden offset=8 (local.get $at)))
        (i32.const 2)))
    (i32.load $hidden offset=4 (local.get $at)))
  (i32.const 0))

(func (export "wasi.environ_get") (param $pointers i32) (param $strings i32) (result i32)
  (local $at i32) (local $offsets i32) (local $count i32)
  (local.set $count (i32.load $hidden offset=8 (local.tee $at (call $arguments))))
  (local.set $offsets (i32.add
    (i32.add (local.get $at) (i32.const 16))
    (i32.shl (i32.load $hidden (local.get $at)) (i32.const 2))))
  (call $list (local.get $pointers) (local.get $strings) (local.get $count) (local.get $offsets))
  (call $reveal
    (local.get $strings)
    (i32.add
      (i32.add (local.get $offsets) (i32.shl (local.get $count) (i32.const 2)))
      (i32.load $hidden offset=4 (local.get $at)))
    (i32.load $hidden offset=12 (local.get $at)))
  (i32.const 0))

;; Stores a pointer to each string.
(func $list (param $pointers i32) (param $strings i32) (param $count i32) (param $offsets i32)
  (block $done
    (br_if $done (i32.eqz (local.get $count)))
    (loop $more
      (i32.store $guest
        (local.get $pointers)
        (i32.add (local.get $strings) (i32.load $hidden (local.get $offsets))))
      (local.set $pointers (i32.add (local.get $pointers) (i32.const 4)))
      (local.set $offsets (i32.add (local.get $offsets) (i32.const 4)))
      (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))

(func (export "wasi.fd_read")
  (param $fd i32) (param $buffers i32) (param $count i32) (param $read i32) (result i32)
  (local $length i32) (local $total i32) (local $left i32)
  (if (local.get $fd) (then (return (i32.const 8))))
  (block $done
    (br_if $done (i32.eqz (local.get $count)))
    (loop $more
      (local.set $left (i32.sub (global.get $input_length) (global.get $position)))
      (local.set $length (i32.load $guest offset=4 (local.get $buffers)))
      (if (i32.gt_u (local.get $length) (local.get $left)) (then
        (local.set $length (local.get $left))))
      (call $reveal
        (i32.load $guest (local.get $buffers))
        (i32.add (i32.add (call $input) (i32.const 4)) (global.get $position))
        (local.get $length))
      (global.set $position (i32.add (global.get $position) (local.get $length)))
      (local.set $total (i32.add (local.get $total) (local.get $length)))
      (local.set $buffers (i32.add (local.get $buffers) (i32.const 8)))
      (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
  (i32.store $guest (local.get $read) (local.get $total))
  (i32.const 0))

(func (export "wasi.fd_write")
  (param $fd i32) (param $buffers i32) (param $count i32) (param $written i32) (result i32)
  (local $length i32) (local $total i32)
  (if (i32.ge_u (i32.sub (local.get $fd) (i32.const 1)) (i32.const 2)) (then
    (return (i32.const 8))))
  (block $done
    (br_if $done (i32.eqz (local.get $count)))
    (loop $more
      (local.set $length (i32.load $guest offset=4 (local.get $buffers)))
      (local.set $total (i32.add (local.get $total) (local.get $length)))
      (if (i32.eq (local.get $fd) (i32.const 1))
        (then (call $put (i32.load $guest (local.get $buffers)) (local.get $length)))
        (else (call $put_err (i32.load $guest (local.get $buffers)) (local.get $length))))
      (local.set $buffers (i32.add (local.get $buffers) (i32.const 8)))
      (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
  (i32.store $guest (local.get $written) (local.get $total))
  (i32.const 0))

(func $put (param $from i32) (param $count i32)
  (block $bytes
    (br_if $bytes (i32.lt_u (local.get $count) (i32.const 4)))
    (loop $more
      (call $output (i32.load8_u $guest (local.get $from)))
      (call $output (i32.load8_u $guest offset=1 (local.get $from)))
      (call $output (i32.load8_u $guest offset=2 (local.get $from)))
      (call $output (i32.load8_u $guest offset=3 (local.get $from)))
      (local.set $from (i32.add (local.get $from) (i32.const 4)))
      (br_if $more (i32.ge_u
        (local.tee $count (i32.sub (local.get $count) (i32.const 4)))
        (i32.const 4)))))
  (block $done
    (br_if $done (i32.eqz (local.get $count)))
    (loop $more
      (call $output (i32.load8_u $guest (local.get $from)))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))

(func $put_err (param $from i32) (param $count i32)
  (block $done
    (br_if $done (i32.eqz (local.get $count)))
    (loop $more
      (call $output_err (i32.load8_u $guest (local.get $from)))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))

;; The given error for a descriptor that exists, else 8.
(func $only (param $fd i32) (param $errno i32) (result i32)
  (select (local.get $errno) (i32.const 8) (i32.lt_u (local.get $fd) (i32.const 3))))

(func (export "wasi.fd_close") (param $fd i32) (result i32)
  (call $only (local.get $fd) (i32.const 0)))

(func (export "wasi.fd_seek") (param $fd i32) (param i64 i32 i32) (result i32)
  (call $only (local.get $fd) (i32.const 70)))

(func (export "wasi.fd_tell") (param $fd i32) (param i32) (result i32)
  (call $only (local.get $fd) (i32.const 70)))

;; Streams have no positions. With this error, libraries that try pread and pwrite first use read and write instead.
(func (export "wasi.fd_pread") (param $fd i32) (param i32 i32 i64 i32) (result i32)
  (call $only (local.get $fd) (i32.const 70)))

(func (export "wasi.fd_pwrite") (param $fd i32) (param i32 i32 i64 i32) (result i32)
  (call $only (local.get $fd) (i32.const 70)))

(func (export "wasi.fd_fdstat_set_flags") (param $fd i32) (param i32) (result i32)
  (call $only (local.get $fd) (i32.const 0)))

;; A stream of unknown type with the rights to read and write.
(func (export "wasi.fd_fdstat_get") (param $fd i32) (param $at i32) (result i32)
  (if (i32.ge_u (local.get $fd) (i32.const 3)) (then (return (i32.const 8))))
  (i64.store $guest (local.get $at) (i64.const 0))
  (i64.store $guest offset=8 (local.get $at) (i64.const 0x42))
  (i64.store $guest offset=16 (local.get $at) (i64.const 0))
  (i32.const 0))

(func (export "wasi.fd_filestat_get") (param $fd i32) (param $at i32) (result i32)
  (if (i32.ge_u (local.get $fd) (i32.const 3)) (then (return (i32.const 8))))
  (i64.store $guest (local.get $at) (i64.const 0))
  (i64.store $guest offset=8 (local.get $at) (i64.const 0))
  (i64.store $guest offset=16 (local.get $at) (i64.const 0))
  (i64.store $guest offset=24 (local.get $at) (i64.const 1))
  (i64.store $guest offset=32 (local.get $at) (i64.const 0))
  (i64.store $guest offset=40 (local.get $at) (i64.const 0))
  (i64.store $guest offset=48 (local.get $at) (i64.const 0))
  (i64.store $guest offset=56 (local.get $at) (i64.const 0))
  (i32.const 0))

(func (export "wasi.sched_yield") (result i32)
  (i32.const 0))

;; Nanoseconds. Every clock begins at 0 and advances by a millisecond at every read.
(global $clock (mut i64) (i64.const 0))

(func (export "wasi.clock_res_get") (param $id i32) (param $at i32) (result i32)
  (if (i32.ge_u (local.get $id) (i32.const 4)) (then (return (i32.const 28))))
  (i64.store $guest (local.get $at) (i64.const 1000000))
  (i32.const 0))

(func (export "wasi.clock_time_get") (param $id i32) (param i64) (param $at i32) (result i32)
  (if (i32.ge_u (local.get $id) (i32.const 4)) (then (return (i32.const 28))))
  (i64.store $guest (local.get $at) (global.get $clock))
  (global.set $clock (i64.add (global.get $clock) (i64.const 1000000)))
  (i32.const 0))

;; Xorshift (Marsaglia 2003), always from one initial state.
(global $random (mut i64) (i64.const 0x9e3779b97f4a7c15))

(func $next (result i64)
  (local $x i64)
  (local.set $x (global.get $random))
  (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 13))))
  (local.set $x (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 7))))
  (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 17))))
  (global.set $random (local.get $x))
  (local.get $x))

(func (export "wasi.random_get") (param $to i32) (param $count i32) (result i32)
  (local $x i64)
  (call $check (local.get $to) (local.get $count))
  (block $bytes
    (br_if $bytes (i32.lt_u (local.get $count) (i32.const 8)))
    (loop $more
      (i64.store $guest (local.get $to) (call $next))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (br_if $more (i32.ge_u
        (local.tee $count (i32.sub (local.get $count) (i32.const 8)))
        (i32.const 8)))))
  (block $done
    (br_if $done (i32.eqz (local.get $count)))
    (local.set $x (call $next))
    (loop $more
      (i64.store8 $guest (local.get $to) (local.get $x))
      (local.set $x (i64.shr_u (local.get $x) (i64.const 8)))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
  (i32.const 0))
