// Conversions.
#include "float.h"

EXPORT("f64.promote_f32") uint64_t promote(uint32_t a) {
  uint32_t sign = a & SIGN, e = exponent32(a), s = a & FRACTION32;
  if (e == 0xff) {
    if (s) return NAN64;
    return join(0, sign | 0x7ff00000);
  }
  if (!e) {
    if (!s) return join(0, sign);
    uint32_t n = (uint32_t)__builtin_clz(s) - 8;
    s = s << n & FRACTION32;
    e = 1 - n;
  }
  return join(s << 29, sign | ((e + 0x380) << 20) | s >> 3);
}

EXPORT("f32.demote_f64") uint32_t demote(uint64_t a) {
  uint32_t h = high(a), sign = h & SIGN;
  int32_t e = (int32_t)(h >> 20 & 0x7ff);
  if (e == 0x7ff) return is_nan64(a) ? NAN32 : sign | INFINITY32;
  // 31 bits of the significand, the last one for all below it; what has no hidden bit becomes zero.
  uint32_t s = 1u << 30 | (h & 0xfffff) << 10 | low(a) >> 22 | ((low(a) << 10) != 0);
  if (!e) return sign;
  return pack32(sign, e - 0x380, s);
}

// Integers to numbers.

EXPORT("f64.convert_i32_u") uint64_t f64_from_u32(uint32_t a) {
  if (!a) return 0;
  uint32_t n = (uint32_t)__builtin_clz(a);
  a <<= n;
  // The leading bit adds one to the exponent.
  return join(a << 21, ((0x41d - n) << 20) + (a >> 11));
}

EXPORT("f64.convert_i32_s") uint64_t f64_from_s32(uint32_t a) {
  if (!a) return 0;
  uint32_t sign = a & SIGN;
  if (sign) a = 0 - a;
  uint32_t n = (uint32_t)__builtin_clz(a);
  a <<= n;
  return join(a << 21, (sign | (0x41d - n) << 20) + (a >> 11));
}

INLINE uint64_t from64(uint32_t sign, uint64_t a) {
  if (!a) return 0;
  uint32_t n = (uint32_t)__builtin_clzll(a);
  a <<= n;
  return rounded64(sign, 0x43e - n, a >> 1 | (a & 1));
}

EXPORT("f64.convert_i64_u") uint64_t f64_from_u64(uint64_t a) { return from64(0, a); }
EXPORT("f64.convert_i64_s") uint64_t f64_from_s64(uint64_t a) {
  uint32_t sign = high(a) & SIGN;
  return from64(sign, sign ? 0 - a : a);
}

INLINE uint32_t from32(uint32_t sign, uint32_t a) {
  if (!a) return 0;
  uint32_t n = (uint32_t)__builtin_clz(a);
  a <<= n;
  return rounded32(sign, 0x9e - n, a >> 1 | (a & 1));
}

EXPORT("f32.convert_i32_u") uint32_t f32_from_u32(uint32_t a) { return from32(0, a); }
EXPORT("f32.convert_i32_s") uint32_t f32_from_s32(uint32_t a) {
  uint32_t sign = a & SIGN;
  return from32(sign, sign ? 0 - a : a);
}

INLINE uint32_t f32_from64(uint32_t sign, uint64_t a) {
  if (!a) return 0;
  uint32_t n = (uint32_t)__builtin_clzll(a);
  a <<= n;
  return rounded32(sign, 0xbe - n, high(a) >> 1 | ((low(a) | (high(a) & 1)) != 0));
}

EXPORT("f32.convert_i64_u") uint32_t f32_from_u64(uint64_t a) { return f32_from64(0, a); }
EXPORT("f32.convert_i64_s") uint32_t f32_from_s64(uint64_t a) {
  uint32_t sign = high(a) & SIGN;
  return f32_from64(sign, sign ? 0 - a : a);
}

// Numbers to integers. A number out of range traps, or saturates, with zero for NaN.

INLINE uint64_t significand64(uint64_t a) { return (a | HIDDEN64) << 11; }

#define TRAP(nan) ((nan) ? invalid_conversion() : integer_overflow())

// Exponents from 0x41f on are of numbers from 2^32 on.
INLINE uint32_t u32_from(uint64_t a, int traps) {
  uint32_t e = exponent64(a), sign = high(a) & SIGN;
  if (e >= 0x41f || (sign && e >= 0x3ff)) {
    if (traps) TRAP(is_nan64(a));
    return is_nan64(a) || sign ? 0 : 0xffffffffu;
  }
  if (e < 0x3ff) return 0;
  return high(significand64(a)) >> (0x41e - e);
}

INLINE uint32_t s32_from(uint64_t a, int traps) {
  uint32_t e = exponent64(a), sign = high(a) & SIGN;
  if (e < 0x3ff) return 0;
  if (e < 0x41e) {
    uint32_t w = high(significand64(a)) >> (0x41e - e);
    return sign ? 0 - w : w;
  }
  // -2^31, and numbers that are truncated to it.
  if (e == 0x41e && sign && high(significand64(a)) == SIGN) return SIGN;
  if (traps) TRAP(is_nan64(a));
  if (is_nan64(a)) return 0;
  return sign ? SIGN : ~SIGN;
}

INLINE uint64_t u64_from(uint64_t a, int traps) {
  uint32_t e = exponent64(a), sign = high(a) & SIGN;
  if (e >= 0x43f || (sign && e >= 0x3ff)) {
    if (traps) TRAP(is_nan64(a));
    return is_nan64(a) || sign ? 0 : ~0ull;
  }
  if (e < 0x3ff) return 0;
  return significand64(a) >> (0x43e - e);
}

INLINE uint64_t s64_from(uint64_t a, int traps) {
  uint32_t e = exponent64(a), sign = high(a) & SIGN;
  if (e < 0x3ff) return 0;
  if (e < 0x43e) {
    uint64_t w = significand64(a) >> (0x43e - e);
    return sign ? 0 - w : w;
  }
  if (a == 0xc3e0000000000000ull) return MAGNITUDE64 + 1;
  if (traps) TRAP(is_nan64(a));
  if (is_nan64(a)) return 0;
  return sign ? MAGNITUDE64 + 1 : MAGNITUDE64;
}

EXPORT("i32.trunc_f64_u") uint32_t trunc_u32_64(uint64_t a) { return u32_from(a, 1); }
EXPORT("i32.trunc_f64_s") uint32_t trunc_s32_64(uint64_t a) { return s32_from(a, 1); }
EXPORT("i64.trunc_f64_u") uint64_t trunc_u64_64(uint64_t a) { return u64_from(a, 1); }
EXPORT("i64.trunc_f64_s") uint64_t trunc_s64_64(uint64_t a) { return s64_from(a, 1); }
EXPORT("i32.trunc_sat_f64_u") uint32_t sat_u32_64(uint64_t a) { return u32_from(a, 0); }
EXPORT("i32.trunc_sat_f64_s") uint32_t sat_s32_64(uint64_t a) { return s32_from(a, 0); }
EXPORT("i64.trunc_sat_f64_u") uint64_t sat_u64_64(uint64_t a) { return u64_from(a, 0); }
EXPORT("i64.trunc_sat_f64_s") uint64_t sat_s64_64(uint64_t a) { return s64_from(a, 0); }

// Every f32 is an f64.
EXPORT("i32.trunc_f32_u") uint32_t trunc_u32_32(uint32_t a) { return u32_from(promote(a), 1); }
EXPORT("i32.trunc_f32_s") uint32_t trunc_s32_32(uint32_t a) { return s32_from(promote(a), 1); }
EXPORT("i64.trunc_f32_u") uint64_t trunc_u64_32(uint32_t a) { return u64_from(promote(a), 1); }
EXPORT("i64.trunc_f32_s") uint64_t trunc_s64_32(uint32_t a) { return s64_from(promote(a), 1); }
EXPORT("i32.trunc_sat_f32_u") uint32_t sat_u32_32(uint32_t a) { return u32_from(promote(a), 0); }
EXPORT("i32.trunc_sat_f32_s") uint32_t sat_s32_32(uint32_t a) { return s32_from(promote(a), 0); }
EXPORT("i64.trunc_sat_f32_u") uint64_t sat_u64_32(uint32_t a) { return u64_from(promote(a), 0); }
EXPORT("i64.trunc_sat_f32_s") uint64_t sat_s64_32(uint32_t a) { return s64_from(promote(a), 0); }
