/* Arithmetic modulo m, and primality: Montgomery's products for odd moduli. */
#include "wide.h"

uint32_t math_add_mod_u32(uint32_t a, uint32_t b, uint32_t m) {
    uint32_t sum = a + b;
    return sum < a || sum >= m ? sum - m : sum;
}

uint64_t math_add_mod_u64(uint64_t a, uint64_t b, uint64_t m) {
    uint64_t sum = a + b;
    return sum < a || sum >= m ? sum - m : sum;
}

uint32_t math_mul_mod_u32(uint32_t a, uint32_t b, uint32_t m) {
    if (m == 0) __builtin_trap();
    return (uint32_t)(product(a, b) % m);
}

uint64_t math_mul_mod_u64(uint64_t a, uint64_t b, uint64_t m) {
    if (m == 0) __builtin_trap();
    wide full = multiply(a, b);
    uint64_t rest = full.low;
    if (full.high == 0) return rest % m;
    if (full.high >= m) full.high %= m;
    math_div_wide_u64(full.high, full.low, m, &rest);
    return rest;
}

/* A number a stands for a R modulo the odd m, R = 2^32 or 2^64; `inverse` is 1 / m modulo R.
 * a b / R = (a b - q m) / R for q = a b / m modulo R, whose low halves are equal. */
typedef struct {
    uint32_t m, inverse, one;
} montgomery_u32;

WEIGHTWARE_INLINE uint32_t reduce_u32(uint64_t n, const montgomery_u32 *by) {
    uint32_t high = high_word(n), taken = high_word(product((uint32_t)n * by->inverse, by->m));
    return high - taken + (high < taken ? by->m : 0);
}

static montgomery_u32 montgomery_of_u32(uint32_t m) {
    /* m m = 1 modulo 8; each step of Newton doubles the bits. */
    uint32_t inverse = m;
    for (int bits = 3; bits < 32; bits *= 2) inverse *= 2 - m * inverse;
    montgomery_u32 by = {m, inverse, (0 - m) % m};
    return by;
}

WEIGHTWARE_INLINE uint32_t power_u32(uint32_t base, uint32_t exponent, const montgomery_u32 *by) {
    uint32_t power = by->one;
    for (uint32_t bit = exponent == 0 ? 0 : 1u << (31 - __builtin_clz(exponent)); bit > 0; bit >>= 1) {
        power = reduce_u32(product(power, power), by);
        if (exponent & bit) power = reduce_u32(product(power, base), by);
    }
    return power;
}

uint32_t math_pow_mod_u32(uint32_t base, uint32_t exponent, uint32_t m) {
    if (m == 0) __builtin_trap();
    if (m & 1) {
        montgomery_u32 by = montgomery_of_u32(m);
        uint32_t scaled = math_mul_mod_u32(base, by.one, m);
        return reduce_u32(power_u32(scaled, exponent, &by), &by);
    }
    uint32_t power = 1;
    for (base %= m; exponent > 0; exponent >>= 1) {
        if (exponent & 1) power = math_mul_mod_u32(power, base, m);
        if (exponent > 1) base = math_mul_mod_u32(base, base, m);
    }
    return power;
}

typedef struct {
    uint64_t m, inverse, one;
} montgomery_u64;

static uint64_t multiply_u64(uint64_t a, uint64_t b, const montgomery_u64 *by) {
    wide full = multiply(a, b);
    uint64_t taken = multiply(full.low * by->inverse, by->m).high;
    return full.high - taken + (full.high < taken ? by->m : 0);
}

static montgomery_u64 montgomery_of_u64(uint64_t m) {
    uint64_t inverse = m;
    for (int bits = 3; bits < 64; bits *= 2) inverse *= 2 - m * inverse;
    montgomery_u64 by = {m, inverse, (0 - m) % m};
    return by;
}

static uint64_t power_u64(uint64_t base, uint64_t exponent, const montgomery_u64 *by) {
    uint64_t power = by->one;
    for (uint64_t bit = exponent == 0 ? 0 : (uint64_t)1 << (63 - __builtin_clzll(exponent)); bit > 0; bit >>= 1) {
        power = multiply_u64(power, power, by);
        if (exponent & bit) power = multiply_u64(power, base, by);
    }
    return power;
}

uint64_t math_pow_mod_u64(uint64_t base, uint64_t exponent, uint64_t m) {
    if (m == 0) __builtin_trap();
    if (m & 1) {
        montgomery_u64 by = montgomery_of_u64(m);
        uint64_t scaled = math_mul_mod_u64(base, by.one, m);
        return multiply_u64(power_u64(scaled, exponent, &by), 1, &by);
    }
    uint64_t power = 1;
    for (base %= m; exponent > 0; exponent >>= 1) {
        if (exponent & 1) power = math_mul_mod_u64(power, base, m);
        if (exponent > 1) base = math_mul_mod_u64(base, base, m);
    }
    return power;
}

/* Euclid's algorithm; the coefficients of a, modulo m, have alternating signs and magnitudes below m. */
uint32_t math_inverse_mod_u32(uint32_t a, uint32_t m) {
    if (m == 0) __builtin_trap();
    uint32_t high = m, low = a % m, before = 0, coefficient = 1;
    bool is_negative = false;
    while (low > 1) {
        uint32_t q = high / low, rest = high - q * low, next = before + q * coefficient;
        high = low, low = rest;
        before = coefficient, coefficient = next;
        is_negative = !is_negative;
    }
    if (low == 0) return 0;
    return is_negative ? m - coefficient : coefficient;
}

uint64_t math_inverse_mod_u64(uint64_t a, uint64_t m) {
    if (m == 0) __builtin_trap();
    uint64_t high = m, low = a % m, before = 0, coefficient = 1;
    bool is_negative = false;
    while (low > 1) {
        uint64_t q = high / low, rest = high - q * low, next = before + q * coefficient;
        high = low, low = rest;
        before = coefficient, coefficient = next;
        is_negative = !is_negative;
    }
    if (low == 0) return 0;
    return is_negative ? m - coefficient : coefficient;
}

/* Miller and Rabin's test with a base: n - 1 = odd 2^twos. */
static bool passes_u32(uint32_t base, const montgomery_u32 *by) {
    uint32_t last = by->m - 1, twos = (uint32_t)__builtin_ctz(last), minus_one = by->m - by->one;
    uint32_t scaled = math_mul_mod_u32(base, by->one, by->m);
    if (scaled == 0) return true;
    uint32_t power = power_u32(scaled, last >> twos, by);
    if (power == by->one) return true;
    for (;;) {
        if (power == minus_one) return true;
        if (--twos == 0) return false;
        power = reduce_u32(product(power, power), by);
    }
}

int32_t math_is_prime_u32(uint32_t n) {
    static const uint8_t PRIMES[6] = {2, 3, 5, 7, 11, 13};
    for (int i = 0; i < 6; i++) {
        if (n % PRIMES[i] == 0) return n == PRIMES[i];
    }
    if (n < 17 * 17) return n > 1;
    montgomery_u32 by = montgomery_of_u32(n);
    /* Jaeschke: no composite below 4,759,123,141 passes with 2, 7 and 61. */
    return passes_u32(2, &by) && passes_u32(7, &by) && passes_u32(61, &by);
}

static bool passes_u64(uint32_t base, const montgomery_u64 *by) {
    uint64_t last = by->m - 1, minus_one = by->m - by->one;
    int twos = __builtin_ctzll(last);
    uint64_t scaled = math_mul_mod_u64(base, by->one, by->m);
    if (scaled == 0) return true;
    uint64_t power = power_u64(scaled, last >> twos, by);
    if (power == by->one) return true;
    for (;;) {
        if (power == minus_one) return true;
        if (--twos == 0) return false;
        power = multiply_u64(power, power, by);
    }
}

int32_t math_is_prime_u64(uint64_t n) {
    /* Sinclair: no composite below 2^64 passes with all of these. */
    static const uint32_t BASES[7] = {2, 325, 9375, 28178, 450775, 9780504, 1795265022};
    if (high_word(n) == 0) return math_is_prime_u32((uint32_t)n);
    if ((n & 1) == 0) return 0;
    /* 3 5 7 11 13 17 19 23 */
    uint32_t rest = (uint32_t)(n % 111546435u);
    static const uint8_t PRIMES[8] = {3, 5, 7, 11, 13, 17, 19, 23};
    for (int i = 0; i < 8; i++) {
        if (rest % PRIMES[i] == 0) return 0;
    }
    montgomery_u64 by = montgomery_of_u64(n);
    for (int i = 0; i < 7; i++) {
        if (!passes_u64(BASES[i], &by)) return 0;
    }
    return 1;
}
