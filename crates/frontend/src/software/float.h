// Shared routines of floating point. Numbers are bits: uint64_t an f64, uint32_t an f32.
#ifndef FLOAT_H
#define FLOAT_H

#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define PURE __attribute__((const))
#define INLINE static inline __attribute__((always_inline))
#define SLOW static __attribute__((noinline))

// Instructions of the machine. mul_high takes both factors as one value, and their product modulo 2^32.
PURE IMPORT("machine", "i64.join") uint64_t join(uint32_t low, uint32_t high);
PURE IMPORT("machine", "i32.mul_high") uint32_t mul_high(uint64_t factors, uint32_t product);
IMPORT("trap", "integer_overflow") _Noreturn void integer_overflow(void);
IMPORT("trap", "invalid_conversion") _Noreturn void invalid_conversion(void);

// The high word: as an instruction, so that the compiler computes with 32 bits.
PURE IMPORT("machine", "i64.high") uint32_t high(uint64_t a);
INLINE uint32_t low(uint64_t a) { return (uint32_t)a; }

// a b, all 64 bits of it.
INLINE uint64_t product(uint32_t a, uint32_t b) {
  uint32_t l = a * b;
  return join(l, mul_high(join(a, b), l));
}

// a b / 2^32.
INLINE uint32_t product_high(uint32_t a, uint32_t b) { return mul_high(join(a, b), a * b); }

// a / 2^n, the last bit set if anything but zeros was shifted out.
INLINE uint64_t shift_sticky64(uint64_t a, uint32_t n) {
  if (n > 63) return a != 0;
  uint64_t shifted = a >> n;
  return shifted | (shifted << n != a);
}

INLINE uint32_t shift_sticky32(uint32_t a, uint32_t n) {
  if (n > 31) return a != 0;
  uint32_t shifted = a >> n;
  return shifted | (shifted << n != a);
}

#define SIGN 0x80000000u

// f64: the sign, 11 bits of exponent, 52 of fraction.
#define MAGNITUDE64 0x7fffffffffffffffull
#define FRACTION64 0x000fffffffffffffull
#define HIDDEN64 0x0010000000000000ull
#define INFINITY64 0x7ff0000000000000ull
#define NAN64 0x7ff8000000000000ull

// f32: the sign, 8 bits of exponent, 23 of fraction.
#define MAGNITUDE32 0x7fffffffu
#define FRACTION32 0x007fffffu
#define HIDDEN32 0x00800000u
#define INFINITY32 0x7f800000u
#define NAN32 0x7fc00000u

INLINE uint32_t exponent64(uint64_t a) { return high(a) >> 20 & 0x7ff; }
INLINE uint32_t exponent32(uint32_t a) { return a >> 23 & 0xff; }
INLINE int is_nan64(uint64_t a) { return (a & MAGNITUDE64) > INFINITY64; }
INLINE int is_nan32(uint32_t a) { return (a & MAGNITUDE32) > INFINITY32; }

// The number with sign, exponent e and significand s, whose leading bit is 62 (of a subnormal number, with e = 1,
// a lower one), rounded to nearest, ties to even, at bit 10.
INLINE uint64_t rounded64(uint32_t sign, uint32_t e, uint64_t s) {
  return join(0, sign | (e - 1) << 20) + ((s + 0x1ff + (low(s) >> 10 & 1)) >> 10);
}

// The number with any exponent: s becomes subnormal, or the number infinite.
SLOW uint64_t outside64(uint32_t sign, int32_t e, uint64_t s) {
  if (e > 0) return join(0, sign | 0x7ff00000);
  return rounded64(sign, 1, shift_sticky64(s, (uint32_t)(1 - e)));
}

INLINE uint64_t pack64(uint32_t sign, int32_t e, uint64_t s) {
  if ((uint32_t)(e - 1) >= 0x7fe) return outside64(sign, e, s);
  return rounded64(sign, (uint32_t)e, s);
}

// For f32: the leading bit is 30, bit 7 the last one.
INLINE uint32_t rounded32(uint32_t sign, uint32_t e, uint32_t s) {
  return (sign | (e - 1) << 23) + ((s + 0x3f + (s >> 7 & 1)) >> 7);
}

SLOW uint32_t outside32(uint32_t sign, int32_t e, uint32_t s) {
  if (e > 0) return sign | INFINITY32;
  return rounded32(sign, 1, shift_sticky32(s, (uint32_t)(1 - e)));
}

INLINE uint32_t pack32(uint32_t sign, int32_t e, uint32_t s) {
  if ((uint32_t)(e - 1) >= 0xfe) return outside32(sign, e, s);
  return rounded32(sign, (uint32_t)e, s);
}

#endif
