/* The exact functions: square root, floor, ceil, fmod. */
#include "wide.h"

double math_sqrt(double x) {
    uint64_t bits = bits_of(x);
    if (bits << 1 == 0 || bits == INFINITE) return x;
    if (bits > INFINITE) return from_bits(NOT_A_NUMBER);
    number n = math_unpack(bits);
    /* x = 2^e (square / 2^62) for an even e; the root / 2^63 has 64 bits, and may be 2 too large. */
    uint64_t square = n.exponent & 1 ? n.mantissa : n.mantissa >> 1;
    uint32_t first = math_isqrt_u64(square);
    uint64_t rest = square - product(first, first), q = (rest << 31) / first;
    if (high_word(q) != 0) q = 0xffffffff;
    uint64_t root = ((uint64_t)first << 32) + q, kept = root >> 10;
    if ((root & 1023) < 2) {
        wide tried = multiply(kept, kept);
        uint64_t high = square >> 20, low = square << 44;
        if (tried.high > high || (tried.high == high && tried.low > low)) kept--;
    }
    /* No root is halfway between two f64: below the last bit of an odd `kept` there is more. */
    return math_pack(false, n.exponent >> 1, kept << 10 | (kept & 1));
}

/* Rounds the magnitude up if `up`, else down. */
static double to_integer(uint64_t bits, bool up) {
    int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
    if (exponent >= 52) return bits << 1 > INFINITE << 1 ? from_bits(NOT_A_NUMBER) : from_bits(bits);
    if (exponent < 0) {
        uint64_t sign = bits & SIGN;
        return from_bits(up && bits << 1 != 0 ? sign | 0x3ff0000000000000u : sign);
    }
    uint64_t below = 0x000fffffffffffffu >> exponent;
    if (up) bits += below;
    return from_bits(bits & ~below);
}

double math_floor(double x) { return to_integer(bits_of(x), bits_of(x) >> 63 != 0); }

double math_ceil(double x) { return to_integer(bits_of(x), bits_of(x) >> 63 == 0); }

double math_fmod(double x, double y) {
    uint64_t a = bits_of(x), b = bits_of(y) & ~SIGN, magnitude = a & ~SIGN;
    if (magnitude >= INFINITE || b > INFINITE || b == 0) return from_bits(NOT_A_NUMBER);
    if (magnitude < b) return x;
    number dividend = math_unpack(magnitude), divisor = math_unpack(b);
    int left = dividend.exponent - divisor.exponent;
    uint64_t rest = dividend.mantissa >> 11, unit = divisor.mantissa >> 11;
    for (;;) {
        if (rest >= unit) rest -= unit;
        if (rest == 0) return from_bits(a & SIGN);
        if (left == 0) break;
        /* Zeros at once, but at least one place. */
        int shift = __builtin_clzll(rest) - 11;
        if (shift == 0) shift = 1;
        if (shift > left) shift = left;
        rest <<= shift;
        left -= shift;
    }
    int shift = __builtin_clzll(rest);
    return math_pack(a >> 63 != 0, divisor.exponent + 11 - shift, rest << shift);
}
