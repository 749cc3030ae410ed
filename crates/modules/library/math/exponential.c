/* exp, log, pow and cbrt by 2^t and log2 x in fixed point: tables of 64 and 46 intervals, then Taylor series. */
#include "constants.h"
#include "wide.h"

/* n / 2^shift for 0 < shift < 128. */
static wide shift_right(wide n, int shift) {
    wide shifted = {0, n.high};
    if (shift < 64) {
        shifted.high = n.high >> shift;
        shifted.low = n.high << (64 - shift) | n.low >> shift;
    } else {
        shifted.low >>= shift - 64;
    }
    return shifted;
}

static wide negate(wide n) {
    wide negative = {~n.high + (n.low == 0), 0 - n.low};
    return negative;
}

/* 2^(scale + s a b 2^exponent), s = -1 or 1, for a = mantissa / 2^63 and b = factor / 2^127 from 1 to 2. */
static double power_of_two(bool is_negative, uint64_t mantissa, wide factor, int exponent, int scale,
                           bool result_sign) {
    if (exponent > 10) return math_pack(result_sign, is_negative ? -2000 : 2000, SIGN);
    if (exponent < -54) return math_pack(result_sign, scale, SIGN);
    /* Of the lower product, 33 bits are lost; 52 or more are shifted out. */
    wide t = multiply(mantissa, factor.high);
    uint64_t lower = product(high_word(mantissa), high_word(factor.low));
    t.low += lower;
    t.high += t.low < lower;
    t = shift_right(t, 62 - exponent);
    if (is_negative) t = negate(t);
    /* t = high + (interval + r / 2^64) / 64 */
    int interval = (int)(t.low >> 58);
    uint64_t r = t.low << 6, sum;
    uint32_t low = EXP2_LOW[3];
    for (int i = 2; i >= 0; i--) low = EXP2_LOW[i] + high_word(product(low, high_word(r)));
    sum = EXP2_HIGH[2] + (product(low, high_word(r)) >> 24);
    for (int i = 1; i >= 0; i--) sum = EXP2_HIGH[i] + math_scale(sum, r);
    sum = math_scale(sum, r);
    uint64_t start = EXP2[interval];
    return math_pack(result_sign, (int)(int64_t)t.high + scale, start + (math_scale(start, sum) >> 6));
}

/* A logarithm: s mantissa 2^(exponent - 127), s = -1 or 1, with 70 right bits or more. */
typedef struct {
    wide mantissa;
    int exponent;
    bool is_negative;
} logarithm;

/* log2 of a positive number other than 1: x = 2^e (1 + r) / inverse, |r| < 2^-6, and
 * ln(1 + r) = r (1 - g), g = r/2 - r^2/3 + r^3/4 - ... */
static logarithm log2_of(number x) {
    logarithm result;
    uint64_t m = x.mantissa >> 11;
    int e = x.exponent, index = (int)(m >> 45);
    /* From 181/128 on, half of the mantissa: it is then from sqrt(1/2) to sqrt(2), nearly. */
    if (index >= 181) {
        e++;
        index >>= 1;
    } else {
        m <<= 1;
    }
    index = (index + 1) / 2 - 45;
    /* r 2^62, exact; then |r| 2^70. */
    int64_t difference = (int64_t)(m * INVERSES[index]) - ((int64_t)1 << 62);
    bool below = difference < 0;
    uint64_t magnitude = below ? 0 - (uint64_t)difference : (uint64_t)difference, r = magnitude << 8, g;
    uint32_t low = LOG_LOW[4];
    for (int i = 3; i >= 0; i--) {
        uint32_t term = high_word(product(low, high_word(r)));
        low = below ? LOG_LOW[i] + term : LOG_LOW[i] - term;
    }
    g = high_word(product(low, high_word(r)));
    for (int i = 4; i >= 0; i--) g = math_scale(below ? LOG_HIGH[i] + g : LOG_HIGH[i] - g, r);
    /* (1 - g) log2 e, 127 bits. */
    wide factor = {LOG2_E_HIGH, LOG2_E_LOW}, less = shift_right(multiply(g, LOG2_E_HIGH), 6);
    if (!below) less = negate(less);
    factor.low += less.low;
    factor.high += less.high + (factor.low < less.low);
    /* log2(1 + r), 125 bits. */
    wide sum = multiply(magnitude, factor.high);
    uint64_t lower = math_scale(magnitude, factor.low);
    sum.low += lower;
    sum.high += sum.low < lower;
    result.is_negative = below;
    int bits = 125;
    if (e != 0 || index != 19) {
        bits = 116;
        sum = shift_right(sum, 9);
        if (below) sum = negate(sum);
        sum.low += LOG2[index][1];
        sum.high += LOG2[index][0] + (sum.low < LOG2[index][1]) + ((uint64_t)(int64_t)e << 52);
        result.is_negative = (int64_t)sum.high < 0;
        if (result.is_negative) sum = negate(sum);
    }
    result.exponent = 127 - bits;
    if (sum.high == 0) {
        sum.high = sum.low;
        sum.low = 0;
        result.exponent -= 64;
    }
    int shift = __builtin_clzll(sum.high);
    if (shift > 0) {
        sum.high = sum.high << shift | sum.low >> (64 - shift);
        sum.low <<= shift;
    }
    result.exponent -= shift;
    result.mantissa = sum;
    return result;
}

double math_exp(double x) {
    uint64_t bits = bits_of(x);
    wide factor = {LOG2_E_HIGH, LOG2_E_LOW};
    if (bits << 1 > INFINITE << 1) return from_bits(NOT_A_NUMBER);
    if (bits << 1 == 0) return 1;
    number n = math_unpack(bits);
    if (n.exponent > 9) return from_bits(n.is_negative ? 0 : INFINITE);
    return power_of_two(n.is_negative, n.mantissa, factor, n.exponent, 0, false);
}

#define ONE 0x3ff0000000000000u

double math_log(double x) {
    uint64_t bits = bits_of(x);
    if (bits << 1 == 0) return from_bits(SIGN | INFINITE);
    if (bits > INFINITE) return from_bits(NOT_A_NUMBER);
    if (bits == INFINITE) return x;
    if (bits == ONE) return 0;
    logarithm result = log2_of(math_unpack(bits));
    uint64_t mantissa = math_scale(result.mantissa.high, LN_2);
    if (!(mantissa & SIGN)) {
        mantissa <<= 1;
        result.exponent--;
    }
    return math_pack(result.is_negative, result.exponent, mantissa);
}

double math_cbrt(double x) {
    uint64_t bits = bits_of(x);
    if (bits << 1 > INFINITE << 1) return from_bits(NOT_A_NUMBER);
    if (bits << 1 == 0 || bits << 1 == INFINITE << 1) return x;
    number n = math_unpack(bits);
    /* x = 2^(3 third) y, 1 <= y < 8 */
    int third = (n.exponent + 3 * 400) / 3 - 400;
    n.exponent -= 3 * third;
    if (n.exponent == 0 && n.mantissa == SIGN) return math_pack(n.is_negative, third, SIGN);
    logarithm log = log2_of(n);
    return power_of_two(false, FOUR_THIRDS, log.mantissa, log.exponent - 2, third, n.is_negative);
}

double math_pow(double x, double y) {
    uint64_t base = bits_of(x), exponent = bits_of(y), magnitude = base & ~SIGN;
    if (exponent << 1 == 0 || base == ONE) return 1;
    if (magnitude > INFINITE || exponent << 1 > INFINITE << 1) return from_bits(NOT_A_NUMBER);
    bool falls = exponent >> 63 != 0;
    if (exponent << 1 == INFINITE << 1) {
        if (magnitude == ONE) return 1;
        return from_bits((magnitude > ONE) != falls ? INFINITE : 0);
    }
    number power = math_unpack(exponent);
    bool is_integer = power.exponent >= 63 || (power.exponent >= 0 && power.mantissa << 1 << power.exponent == 0);
    bool is_odd = is_integer && power.exponent < 63 && power.mantissa >> (63 - power.exponent) & 1;
    bool is_negative = base != magnitude && is_odd;
    uint64_t sign = is_negative ? SIGN : 0;
    if (magnitude == 0 || magnitude == INFINITE) {
        return from_bits(sign | ((magnitude == 0) == falls ? INFINITE : 0));
    }
    if (base != magnitude && !is_integer) return from_bits(NOT_A_NUMBER);
    if (magnitude == ONE) return from_bits(sign | ONE);
    logarithm log = log2_of(math_unpack(magnitude));
    int product = log.exponent + power.exponent;
    return power_of_two(log.is_negative != falls, power.mantissa, log.mantissa, product, 0, is_negative);
}
