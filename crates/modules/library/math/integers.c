/* 64-bit products and quotients, roots, powers, divisors, logarithms. */
#include "wide.h"

uint64_t math_mul_u64(uint64_t a, uint64_t b) { return a * b; }

uint64_t math_mul_high_u64(uint64_t a, uint64_t b) { return multiply(a, b).high; }

int64_t math_mul_high_i64(int64_t a, int64_t b) {
    uint64_t high = multiply((uint64_t)a, (uint64_t)b).high;
    /* A negative factor counts as 2^64 more. */
    if (a < 0) high -= (uint64_t)b;
    if (b < 0) high -= (uint64_t)a;
    return (int64_t)high;
}

uint64_t math_div_u64(uint64_t a, uint64_t b) {
    if (b == 0) __builtin_trap();
    return a / b;
}

uint64_t math_rem_u64(uint64_t a, uint64_t b) {
    if (b == 0) __builtin_trap();
    return a % b;
}

int64_t math_div_i64(int64_t a, int64_t b) {
    if (b == 0 || (b == -1 && a == INT64_MIN)) __builtin_trap();
    return a / b;
}

int64_t math_rem_i64(int64_t a, int64_t b) {
    if (b == 0) __builtin_trap();
    return b == -1 ? 0 : a % b;
}

/* Knuth's algorithm D by digits of 32 bits: the quotient of the upper digit of d is at most 2 too large. */
static uint32_t quotient_digit(uint64_t *rest, uint32_t next, uint64_t d) {
    uint32_t d1 = high_word(d), d0 = (uint32_t)d;
    uint64_t q, r;
    if (high_word(*rest) >= d1) {
        q = 0xffffffff;
        r = *rest - product((uint32_t)q, d1);
    } else {
        q = *rest / d1;
        r = *rest - product((uint32_t)q, d1);
    }
    while (high_word(r) == 0 && product((uint32_t)q, d0) > (r << 32 | next)) {
        q--;
        r += d1;
    }
    *rest = (*rest << 32 | next) - q * d;
    return (uint32_t)q;
}

uint64_t math_div_wide_u64(uint64_t high, uint64_t low, uint64_t d, uint64_t *remainder) {
    if (high >= d) __builtin_trap();
    int shift = __builtin_clzll(d);
    if (shift > 0) {
        d <<= shift;
        high = high << shift | low >> (64 - shift);
        low <<= shift;
    }
    uint64_t q = quotient_digit(&high, high_word(low), d);
    q = q << 32 | quotient_digit(&high, (uint32_t)low, d);
    if (remainder != NULL) *remainder = high >> shift;
    return q;
}

/* Zimmermann's square root with remainder: the root of the upper half, then a quotient by twice that, at most 1 too
 * large. */
uint32_t math_isqrt_u32(uint32_t n) {
    if (n == 0) return 0;
    int shift = __builtin_clz(n) & ~1;
    uint32_t normal = n << shift, root = 0, rest = normal >> 16;
    /* Of 16 bits, digit by digit. */
    for (uint32_t bit = 1 << 14; bit > 0; bit >>= 2) {
        uint32_t tried = root + bit;
        root >>= 1;
        if (rest >= tried) {
            rest -= tried;
            root += bit;
        }
    }
    uint32_t q = (rest << 7 | (normal & 0xffff) >> 9) / root;
    root = (root << 8) + q;
    if (root > 0xffff) root = 0xffff;
    root -= root * root > normal;
    return root >> shift / 2;
}

uint32_t math_isqrt_u64(uint64_t n) {
    if (high_word(n) == 0) return math_isqrt_u32((uint32_t)n);
    int shift = __builtin_clz(high_word(n)) & ~1;
    uint64_t normal = n << shift;
    uint32_t root = math_isqrt_u32(high_word(normal)), rest = high_word(normal) - root * root;
    uint32_t q = (rest << 15 | (uint32_t)normal >> 17) / root;
    if (q > 0xffff) q = 0xffff;
    root = (root << 16) + q;
    root -= product(root, root) > normal;
    return root >> shift / 2;
}

uint32_t math_ipow_u32(uint32_t base, uint32_t exponent) {
    uint32_t power = 1;
    for (; exponent > 0; exponent >>= 1, base *= base) {
        if (exponent & 1) power *= base;
    }
    return power;
}

uint64_t math_ipow_u64(uint64_t base, uint32_t exponent) {
    uint64_t power = 1;
    for (;;) {
        if (exponent & 1) power *= base;
        exponent >>= 1;
        if (exponent == 0) return power;
        base *= base;
    }
}

uint32_t math_gcd_u32(uint32_t a, uint32_t b) {
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Stein's algorithm, until both fit words. */
uint64_t math_gcd_u64(uint64_t a, uint64_t b) {
    if (a == 0) return b;
    if (b == 0) return a;
    int shift = __builtin_ctzll(a | b);
    a >>= __builtin_ctzll(a);
    while (b != 0) {
        b >>= __builtin_ctzll(b);
        if (high_word(a | b) == 0) return (uint64_t)math_gcd_u32((uint32_t)a, (uint32_t)b) << shift;
        if (b < a) {
            uint64_t greater = a;
            a = b;
            b = greater;
        }
        b -= a;
    }
    return a << shift;
}

uint64_t math_lcm_u32(uint32_t a, uint32_t b) {
    if (a == 0 || b == 0) return 0;
    return product(a / math_gcd_u32(a, b), b);
}

uint64_t math_lcm_u64(uint64_t a, uint64_t b) {
    if (a == 0 || b == 0) return 0;
    wide multiple = multiply(a / math_gcd_u64(a, b), b);
    return multiple.high == 0 ? multiple.low : 0;
}

int32_t math_floor_log2_u32(uint32_t n) { return n == 0 ? -1 : 31 - __builtin_clz(n); }

int32_t math_ceil_log2_u32(uint32_t n) { return n <= 1 ? (int32_t)n - 1 : 32 - __builtin_clz(n - 1); }

int32_t math_floor_log2_u64(uint64_t n) { return n == 0 ? -1 : 63 - __builtin_clzll(n); }

int32_t math_ceil_log2_u64(uint64_t n) { return n <= 1 ? (int32_t)n - 1 : 64 - __builtin_clzll(n - 1); }

static const uint64_t POWERS_OF_TEN[20] = {
    1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u, 10000000000u,
    100000000000u, 1000000000000u, 10000000000000u, 100000000000000u, 1000000000000000u,
    10000000000000000u, 100000000000000000u, 1000000000000000000u, 10000000000000000000u,
};

/* 1233 / 4096 is log10 2, nearly: the estimate from n's bits is right or 1 too large. */
int32_t math_floor_log10_u64(uint64_t n) {
    if (n == 0) return -1;
    int32_t estimate = (64 - __builtin_clzll(n)) * 1233 >> 12;
    return estimate - (n < POWERS_OF_TEN[estimate]);
}

int32_t math_ceil_log10_u64(uint64_t n) {
    int32_t floor = math_floor_log10_u64(n);
    return floor + (floor >= 0 && n != POWERS_OF_TEN[floor]);
}

int32_t math_floor_log10_u32(uint32_t n) {
    if (n == 0) return -1;
    int32_t estimate = (32 - __builtin_clz(n)) * 1233 >> 12;
    return estimate - (n < (uint32_t)POWERS_OF_TEN[estimate]);
}

int32_t math_ceil_log10_u32(uint32_t n) {
    int32_t floor = math_floor_log10_u32(n);
    return floor + (floor >= 0 && n != (uint32_t)POWERS_OF_TEN[floor]);
}
