// Arithmetic and comparisons of f64. A significand is held with its leading bit at 62: ten bits are left for rounding.
#include "float.h"

INLINE uint64_t add64(uint64_t a, uint64_t b) {
  uint64_t ma = a & MAGNITUDE64, mb = b & MAGNITUDE64;
  if (ma < mb) {
    uint64_t t = a; a = b; b = t;
    t = ma; ma = mb; mb = t;
  }
  uint32_t ha = high(a);
  uint32_t sign = ha & SIGN, subtracts = (ha ^ high(b)) & SIGN;
  uint32_t e = high(ma) >> 20, eb = high(mb) >> 20;
  if (e == 0x7ff) {
    if (ma > INFINITY64 || (mb == INFINITY64 && subtracts)) return NAN64;
    return a;
  }
  uint64_t sa = ma << 10, sb = mb << 10;
  // Exponents are removed, hidden bits put in; numbers without one have the exponent of those that have the least.
  if (eb) {
    sa = (sa & (FRACTION64 << 10)) | (HIDDEN64 << 10);
    sb = (sb & (FRACTION64 << 10)) | (HIDDEN64 << 10);
  } else {
    if (e) {
      if (!mb) return a;
      sa = (sa & (FRACTION64 << 10)) | (HIDDEN64 << 10);
    } else {
      if (!ma) return a & b;
      e = 1;
    }
    eb = 1;
  }
  if (e != eb) sb = shift_sticky64(sb, e - eb);
  if (!subtracts) {
    sa += sb;
    if ((int32_t)high(sa) < 0) {
      sa = (sa >> 1) | (sa & 1);
      e++;
      if (e == 0x7ff) return join(0, sign | 0x7ff00000);
    }
    return rounded64(sign, e, sa);
  }
  sa -= sb;
  if (!sa) return 0;
  uint32_t n = (uint32_t)__builtin_clzll(sa) - 1;
  if (n) {
    if (n >= e) n = e - 1;
    e -= n;
    sa <<= n;
  }
  return rounded64(sign, e, sa);
}

EXPORT("f64.add") uint64_t f64_add(uint64_t a, uint64_t b) { return add64(a, b); }

EXPORT("f64.sub") uint64_t f64_sub(uint64_t a, uint64_t b) {
  if (is_nan64(b)) return NAN64;
  return f64_add(a, b ^ (MAGNITUDE64 + 1));
}

// The significand of a number that is not zero and has no hidden bit, normalised; and its exponent.
INLINE uint64_t normal64(uint64_t a, int32_t *e) {
  uint32_t n = (uint32_t)__builtin_clzll(a) - 11;
  *e = 1 - (int32_t)n;
  return a << n;
}

EXPORT("f64.mul") uint64_t f64_mul(uint64_t a, uint64_t b) {
  uint32_t sign = (high(a) ^ high(b)) & SIGN;
  int32_t e = (int32_t)exponent64(a), eb = (int32_t)exponent64(b);
  uint64_t sa = a & FRACTION64, sb = b & FRACTION64;
  if (e == 0x7ff || eb == 0x7ff) {
    if (is_nan64(a) || is_nan64(b)) return NAN64;
    if (!(a & MAGNITUDE64) || !(b & MAGNITUDE64)) return NAN64;
    return join(0, sign | 0x7ff00000);
  }
  if (e) {
    sa |= HIDDEN64;
  } else {
    if (!sa) return join(0, sign);
    sa = normal64(sa, &e);
  }
  if (eb) {
    sb |= HIDDEN64;
  } else {
    if (!sb) return join(0, sign);
    sb = normal64(sb, &eb);
  }
  e += eb - 0x3fe;
  sa <<= 10;
  sb <<= 11;
  // The upper half of a product below 2^127; of the lower one, whether it is zero.
  uint64_t l = product(low(sa), low(sb));
  uint64_t m = product(high(sa), low(sb)) + high(l);
  uint64_t n = product(low(sa), high(sb)) + low(m);
  uint64_t s = product(high(sa), high(sb)) + high(m) + high(n);
  s |= (low(l) | low(n)) != 0;
  if (!(high(s) >> 30)) {
    s <<= 1;
    e--;
  }
  return pack64(sign, e, s);
}

// A lower bound of 2^63 / (d + 1), for a d with its highest bit set; at most ten less than that.
INLINE uint32_t reciprocal(uint32_t d) {
  uint32_t r = (0xffffffffu / ((d >> 16) + 1)) << 15;
  // Newton's step: r (1 + e) for r = (1 - e) / d.
  uint64_t e = (MAGNITUDE64 + 1) - product(r, d) - r;
  return r + (product_high(r, (uint32_t)(e >> 17)) >> 14);
}

// n d modulo 2^64.
INLINE uint64_t times(uint32_t n, uint64_t d) {
  uint32_t l = n * low(d);
  return join(l, mul_high(join(n, low(d)), l) + n * high(d));
}

EXPORT("f64.div") uint64_t f64_div(uint64_t a, uint64_t b) {
  uint32_t sign = (high(a) ^ high(b)) & SIGN;
  int32_t e = (int32_t)exponent64(a), eb = (int32_t)exponent64(b);
  uint64_t n = a & FRACTION64, d = b & FRACTION64;
  if (e == 0x7ff) {
    if (n || eb == 0x7ff) return NAN64;
    return join(0, sign | 0x7ff00000);
  }
  if (eb == 0x7ff) return d ? NAN64 : join(0, sign);
  if (eb) {
    d |= HIDDEN64;
  } else {
    if (!d) {
      if (!(a & MAGNITUDE64)) return NAN64;
      return join(0, sign | 0x7ff00000);
    }
    d = normal64(d, &eb);
  }
  if (e) {
    n |= HIDDEN64;
  } else {
    if (!n) return join(0, sign);
    n = normal64(n, &e);
  }
  e -= eb - 0x3ff;
  n <<= 8;
  d <<= 8;
  // Two digits of 28 bits, neither too large, the first at most four too small: remainders stay below 8 d < 2^64.
  uint32_t r = reciprocal(high(d << 3));
  uint32_t q1 = product_high(high(n << 1), r) >> 1;
  n = (n << 28) - times(q1, d);
  uint32_t q0 = product_high(high(n << 1), r) >> 1;
  n = (n << 28) - times(q0, d);
  uint64_t q = ((uint64_t)q1 << 28) + q0;
  while (n >= d) {
    n -= d;
    q++;
  }
  // The quotient of the significands lies between 1/2 and 2.
  uint64_t s = q << 6 | (n != 0);
  if (!(high(s) >> 30)) {
    s = q << 7 | (n != 0);
    e--;
  }
  return pack64(sign, e, s);
}

// The integer square root of a word with one of its two highest bits set.
INLINE uint32_t root16(uint32_t a) {
  // A chord of the root, at most 6 percent off, and Newton's steps, which are never too small.
  uint32_t r = (a >> 17) + 0x8400;
  r = (r + a / r) >> 1;
  r = (r + a / r) >> 1;
  r = (r + a / r) >> 1;
  if (r > 0xffff) r = 0xffff;
  if (r * r > a) r--;
  return r;
}

// The integer square root of a with one of its two highest bits set, and the remainder.
INLINE uint32_t root32(uint64_t a, uint64_t *rest) {
  uint32_t r = root16(high(a));
  uint32_t left = high(a) - r * r;
  uint32_t q = (left << 15 | low(a) >> 17) / r;
  if (q > 0xffff) q = 0xffff;
  uint32_t s = (r << 16) + q;
  uint64_t square = product(s, s);
  while (square > a) {
    s--;
    square -= (uint64_t)s * 2 + 1;
  }
  *rest = a - square;
  return s;
}

EXPORT("f64.sqrt") uint64_t f64_sqrt(uint64_t a) {
  if (!(a & MAGNITUDE64)) return a;
  if (is_nan64(a) || (int32_t)high(a) < 0) return NAN64;
  int32_t e = (int32_t)exponent64(a);
  if (e == 0x7ff) return a;
  uint64_t s = a & FRACTION64;
  if (e) s |= HIDDEN64; else s = normal64(s, &e);
  // 2^62 or 2^63 times the number, according to the exponent.
  s <<= e & 1 ? 10 : 11;
  uint64_t rest;
  uint32_t r = root32(s, &rest);
  // 24 more bits of the root; the last may be one too large.
  uint32_t q = (uint32_t)((rest << 23) / r);
  uint64_t root = ((uint64_t)r << 24) + q;
  uint64_t left = (rest << 48) - ((uint64_t)r * q << 25) - (uint64_t)q * q;
  if ((int64_t)left < 0) {
    root--;
    left = 1;
  }
  return rounded64(0, (uint32_t)(e + 0x3ff) >> 1, root << 7 | (left != 0));
}

INLINE int below64(uint64_t a, uint64_t b) {
  if ((int32_t)(high(a) | high(b)) >= 0) return a < b && b <= INFINITY64;
  if (is_nan64(a) || is_nan64(b)) return 0;
  if ((int32_t)high(a) >= 0) return 0;
  if ((int32_t)high(b) >= 0) return ((a & MAGNITUDE64) | b) != 0;
  return b < a;
}

INLINE int at_most64(uint64_t a, uint64_t b) {
  if ((int32_t)(high(a) | high(b)) >= 0) return a <= b && b <= INFINITY64;
  if (is_nan64(a) || is_nan64(b)) return 0;
  if ((int32_t)high(b) >= 0) return (int32_t)high(a) < 0 || ((a | b) & MAGNITUDE64) == 0;
  if ((int32_t)high(a) >= 0) return ((b & MAGNITUDE64) | a) == 0;
  return b <= a;
}

INLINE int equal64(uint64_t a, uint64_t b) {
  if (a == b) return !is_nan64(a);
  return ((a | b) & MAGNITUDE64) == 0;
}

EXPORT("f64.eq") int f64_eq(uint64_t a, uint64_t b) { return equal64(a, b); }
EXPORT("f64.ne") int f64_ne(uint64_t a, uint64_t b) { return !equal64(a, b); }
EXPORT("f64.lt") int f64_lt(uint64_t a, uint64_t b) { return below64(a, b); }
EXPORT("f64.gt") int f64_gt(uint64_t a, uint64_t b) { return below64(b, a); }
EXPORT("f64.le") int f64_le(uint64_t a, uint64_t b) { return at_most64(a, b); }
EXPORT("f64.ge") int f64_ge(uint64_t a, uint64_t b) { return at_most64(b, a); }

// Numbers in the order of these integers, -0 below 0.
INLINE int64_t order64(uint64_t a) { return (int64_t)((int32_t)high(a) < 0 ? a ^ MAGNITUDE64 : a); }

EXPORT("f64.min") uint64_t f64_min(uint64_t a, uint64_t b) {
  if (is_nan64(a) || is_nan64(b)) return NAN64;
  return order64(a) < order64(b) ? a : b;
}

EXPORT("f64.max") uint64_t f64_max(uint64_t a, uint64_t b) {
  if (is_nan64(a) || is_nan64(b)) return NAN64;
  return order64(a) < order64(b) ? b : a;
}

// The mask of the bits after the binary point, for numbers from 1 to below 2^52; larger numbers are integers.
INLINE uint64_t part64(uint32_t e) { return FRACTION64 >> (e - 0x3ff); }

INLINE uint64_t whole64(uint64_t a) { return is_nan64(a) ? NAN64 : a; }

EXPORT("f64.trunc") uint64_t f64_trunc(uint64_t a) {
  uint32_t e = exponent64(a);
  if (e >= 0x433) return whole64(a);
  if (e < 0x3ff) return join(0, high(a) & SIGN);
  return a & ~part64(e);
}

INLINE uint64_t away64(uint64_t a, uint32_t sign) {
  uint32_t e = exponent64(a);
  if (e >= 0x433) return whole64(a);
  uint32_t is = high(a) & SIGN;
  if (e < 0x3ff) return join(0, is == sign && (a & MAGNITUDE64) ? is | 0x3ff00000 : is);
  uint64_t part = part64(e);
  if (is == sign) a += part;
  return a & ~part;
}

EXPORT("f64.floor") uint64_t f64_floor(uint64_t a) { return away64(a, SIGN); }
EXPORT("f64.ceil") uint64_t f64_ceil(uint64_t a) { return away64(a, 0); }

EXPORT("f64.nearest") uint64_t f64_nearest(uint64_t a) {
  uint32_t e = exponent64(a);
  if (e >= 0x433) return whole64(a);
  if (e < 0x3ff) {
    uint32_t sign = high(a) & SIGN;
    return join(0, (a & MAGNITUDE64) > 0x3fe0000000000000ull ? sign | 0x3ff00000 : sign);
  }
  uint64_t part = part64(e), half = part >> 1;
  // Half a unit, less the last bit if the whole part is even: its bit is the exponent's lowest if that is 1.
  a += half + ((a & (part + 1)) != 0);
  return a & ~part;
}
