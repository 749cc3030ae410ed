// Arithmetic and comparisons of f32. A significand is held with its leading bit at 30: seven bits are left for rounding.
#include "float.h"

INLINE uint32_t add32(uint32_t a, uint32_t b) {
  uint32_t ma = a & MAGNITUDE32, mb = b & MAGNITUDE32;
  if (ma < mb) {
    uint32_t t = a; a = b; b = t;
    t = ma; ma = mb; mb = t;
  }
  uint32_t sign = a & SIGN, subtracts = (a ^ b) & SIGN;
  uint32_t e = ma >> 23, eb = mb >> 23;
  if (e == 0xff) {
    if (ma > INFINITY32 || (mb == INFINITY32 && subtracts)) return NAN32;
    return a;
  }
  uint32_t sa = ma << 7, sb = mb << 7;
  if (eb) {
    sa = (sa & (FRACTION32 << 7)) | (HIDDEN32 << 7);
    sb = (sb & (FRACTION32 << 7)) | (HIDDEN32 << 7);
  } else {
    if (e) {
      if (!mb) return a;
      sa = (sa & (FRACTION32 << 7)) | (HIDDEN32 << 7);
    } else {
      if (!ma) return a & b;
      e = 1;
    }
    eb = 1;
  }
  if (e != eb) sb = shift_sticky32(sb, e - eb);
  if (!subtracts) {
    sa += sb;
    if ((int32_t)sa < 0) {
      sa = (sa >> 1) | (sa & 1);
      e++;
      if (e == 0xff) return sign | INFINITY32;
    }
    return rounded32(sign, e, sa);
  }
  sa -= sb;
  if (!sa) return 0;
  uint32_t n = (uint32_t)__builtin_clz(sa) - 1;
  if (n) {
    if (n >= e) n = e - 1;
    e -= n;
    sa <<= n;
  }
  return rounded32(sign, e, sa);
}

EXPORT("f32.add") uint32_t f32_add(uint32_t a, uint32_t b) { return add32(a, b); }

EXPORT("f32.sub") uint32_t f32_sub(uint32_t a, uint32_t b) {
  if (is_nan32(b)) return NAN32;
  return f32_add(a, b ^ SIGN);
}

INLINE uint32_t normal32(uint32_t a, int32_t *e) {
  uint32_t n = (uint32_t)__builtin_clz(a) - 8;
  *e = 1 - (int32_t)n;
  return a << n;
}

EXPORT("f32.mul") uint32_t f32_mul(uint32_t a, uint32_t b) {
  uint32_t sign = (a ^ b) & SIGN;
  int32_t e = (int32_t)exponent32(a), eb = (int32_t)exponent32(b);
  uint32_t sa = a & FRACTION32, sb = b & FRACTION32;
  if (e == 0xff || eb == 0xff) {
    if (is_nan32(a) || is_nan32(b)) return NAN32;
    if (!(a & MAGNITUDE32) || !(b & MAGNITUDE32)) return NAN32;
    return sign | INFINITY32;
  }
  if (e) {
    sa |= HIDDEN32;
  } else {
    if (!sa) return sign;
    sa = normal32(sa, &e);
  }
  if (eb) {
    sb |= HIDDEN32;
  } else {
    if (!sb) return sign;
    sb = normal32(sb, &eb);
  }
  e += eb - 0x7e;
  sa <<= 7;
  sb <<= 8;
  uint32_t l = sa * sb;
  uint32_t s = mul_high(join(sa, sb), l) | (l != 0);
  if (!(s >> 30)) {
    s <<= 1;
    e--;
  }
  return pack32(sign, e, s);
}

EXPORT("f32.div") uint32_t f32_div(uint32_t a, uint32_t b) {
  uint32_t sign = (a ^ b) & SIGN;
  int32_t e = (int32_t)exponent32(a), eb = (int32_t)exponent32(b);
  uint32_t n = a & FRACTION32, d = b & FRACTION32;
  if (e == 0xff) {
    if (n || eb == 0xff) return NAN32;
    return sign | INFINITY32;
  }
  if (eb == 0xff) return d ? NAN32 : sign;
  if (eb) {
    d |= HIDDEN32;
  } else {
    if (!d) {
      if (!(a & MAGNITUDE32)) return NAN32;
      return sign | INFINITY32;
    }
    d = normal32(d, &eb);
  }
  if (e) {
    n |= HIDDEN32;
  } else {
    if (!n) return sign;
    n = normal32(n, &e);
  }
  e -= eb - 0x7f;
  if (n < d) {
    n <<= 1;
    e--;
  }
  // The leading bit is 1; three digits of eight bits after it.
  n = (n - d) << 8;
  uint32_t q2 = n / d;
  n = (n - q2 * d) << 8;
  uint32_t q1 = n / d;
  n = (n - q1 * d) << 8;
  uint32_t q0 = n / d;
  uint32_t s = 1u << 30 | q2 << 22 | q1 << 14 | q0 << 6 | (n != q0 * d);
  return pack32(sign, e, s);
}

EXPORT("f32.sqrt") uint32_t f32_sqrt(uint32_t a) {
  if (!(a & MAGNITUDE32)) return a;
  if (is_nan32(a) || (int32_t)a < 0) return NAN32;
  int32_t e = (int32_t)exponent32(a);
  if (e == 0xff) return a;
  uint32_t s = a & FRACTION32;
  if (e) s |= HIDDEN32; else s = normal32(s, &e);
  s <<= e & 1 ? 7 : 8;
  // The root of 2^30 or 2^31 times the number: 16 bits, then 12 more from what is left.
  uint32_t r = (s >> 17) + 0x8400;
  r = (r + s / r) >> 1;
  r = (r + s / r) >> 1;
  r = (r + s / r) >> 1;
  if (r > 0xffff) r = 0xffff;
  if (r * r > s) r--;
  uint32_t left = s - r * r;
  uint32_t q = (left << 11) / r;
  uint32_t root = (r << 12) + q;
  // left 2^24 - 2 r q 2^12 - q q, of which the last 32 bits tell the sign.
  int32_t rest = (int32_t)(((left << 11) - r * q) << 13) - (int32_t)(q * q);
  if (rest < 0) {
    root--;
    rest = 1;
  }
  return rounded32(0, (uint32_t)(e + 0x7f) >> 1, root << 3 | (rest != 0));
}

INLINE int below32(uint32_t a, uint32_t b) {
  if ((int32_t)(a | b) >= 0) return a < b && b <= INFINITY32;
  if (is_nan32(a) || is_nan32(b)) return 0;
  if ((int32_t)a >= 0) return 0;
  if ((int32_t)b >= 0) return ((a & MAGNITUDE32) | b) != 0;
  return b < a;
}

INLINE int at_most32(uint32_t a, uint32_t b) {
  if ((int32_t)(a | b) >= 0) return a <= b && b <= INFINITY32;
  if (is_nan32(a) || is_nan32(b)) return 0;
  if ((int32_t)b >= 0) return (int32_t)a < 0 || ((a | b) & MAGNITUDE32) == 0;
  if ((int32_t)a >= 0) return ((b & MAGNITUDE32) | a) == 0;
  return b <= a;
}

INLINE int equal32(uint32_t a, uint32_t b) {
  if (a == b) return !is_nan32(a);
  return ((a | b) & MAGNITUDE32) == 0;
}

EXPORT("f32.eq") int f32_eq(uint32_t a, uint32_t b) { return equal32(a, b); }
EXPORT("f32.ne") int f32_ne(uint32_t a, uint32_t b) { return !equal32(a, b); }
EXPORT("f32.lt") int f32_lt(uint32_t a, uint32_t b) { return below32(a, b); }
EXPORT("f32.gt") int f32_gt(uint32_t a, uint32_t b) { return below32(b, a); }
EXPORT("f32.le") int f32_le(uint32_t a, uint32_t b) { return at_most32(a, b); }
EXPORT("f32.ge") int f32_ge(uint32_t a, uint32_t b) { return at_most32(b, a); }

INLINE int32_t order32(uint32_t a) { return (int32_t)((int32_t)a < 0 ? a ^ MAGNITUDE32 : a); }

EXPORT("f32.min") uint32_t f32_min(uint32_t a, uint32_t b) {
  if (is_nan32(a) || is_nan32(b)) return NAN32;
  return order32(a) < order32(b) ? a : b;
}

EXPORT("f32.max") uint32_t f32_max(uint32_t a, uint32_t b) {
  if (is_nan32(a) || is_nan32(b)) return NAN32;
  return order32(a) < order32(b) ? b : a;
}

INLINE uint32_t part32(uint32_t e) { return FRACTION32 >> (e - 0x7f); }

INLINE uint32_t whole32(uint32_t a) { return is_nan32(a) ? NAN32 : a; }

EXPORT("f32.trunc") uint32_t f32_trunc(uint32_t a) {
  uint32_t e = exponent32(a);
  if (e >= 0x96) return whole32(a);
  if (e < 0x7f) return a & SIGN;
  return a & ~part32(e);
}

INLINE uint32_t away32(uint32_t a, uint32_t sign) {
  uint32_t e = exponent32(a);
  if (e >= 0x96) return whole32(a);
  uint32_t is = a & SIGN;
  if (e < 0x7f) return is == sign && (a & MAGNITUDE32) ? is | 0x3f800000 : is;
  uint32_t part = part32(e);
  if (is == sign) a += part;
  return a & ~part;
}

EXPORT("f32.floor") uint32_t f32_floor(uint32_t a) { return away32(a, SIGN); }
EXPORT("f32.ceil") uint32_t f32_ceil(uint32_t a) { return away32(a, 0); }

EXPORT("f32.nearest") uint32_t f32_nearest(uint32_t a) {
  uint32_t e = exponent32(a);
  if (e >= 0x96) return whole32(a);
  if (e < 0x7f) {
    uint32_t sign = a & SIGN;
    return (a & MAGNITUDE32) > 0x3f000000 ? sign | 0x3f800000 : sign;
  }
  uint32_t part = part32(e), half = part >> 1;
  a += half + ((a & (part + 1)) != 0);
  return a & ~part;
}
