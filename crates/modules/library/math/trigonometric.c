/* sin, cos and tan after Payne and Hanek's reduction, and atan2, in fixed point. */
#include "constants.h"
#include "wide.h"

/* A part of the circle: (quadrant + s f) pi/2, s = -1 or 1, 0 < f <= 1/2. */
typedef struct {
    uint32_t quadrant;
    bool falls;
    uint64_t square; /* f^2, 64 bits */
    number f;
} angle;

/* x 2/pi modulo 4 for |x| = m 2^q, m of 53 bits. Bits of 2/pi of a weight that makes m's product a multiple of 4 are
 * left out; the next 192 count, so that 75 are right even if x is as near to a multiple of pi/2 as an f64 can be. */
static angle reduce(number x) {
    uint32_t low = (uint32_t)(x.mantissa >> 11), high = (uint32_t)(x.mantissa >> 43);
    int from = x.exponent + 42, shift = from & 31;
    const uint32_t *words = TWO_OVER_PI + (from >> 5);
    uint32_t turned[6], after = 0;
    uint64_t carry = 0;
    for (int i = 5; i >= 0; i--) {
        uint32_t word = shift == 0 ? words[i] : words[i] << shift | words[i + 1] >> (32 - shift);
        uint64_t sum = product(low, word) + carry, second = product(high, after) + (uint32_t)sum;
        turned[i] = (uint32_t)second;
        carry = (uint64_t)high_word(sum) + high_word(second);
        after = word;
    }
    angle result;
    result.quadrant = turned[0] >> 30;
    uint64_t upper = (uint64_t)turned[0] << 34 | (uint64_t)turned[1] << 2 | turned[2] >> 30;
    uint64_t lower = (uint64_t)turned[2] << 34 | (uint64_t)turned[3] << 2 | turned[4] >> 30;
    result.falls = upper >> 63 != 0;
    if (result.falls) {
        result.quadrant++;
        lower = 0 - lower;
        upper = ~upper + (lower == 0);
    }
    result.square = math_scale(upper, upper);
    result.f.exponent = -1;
    result.f.is_negative = result.falls;
    if (upper == 0) {
        upper = lower;
        lower = 0;
        result.f.exponent = -65;
    }
    int zeros = __builtin_clzll(upper);
    result.f.exponent -= zeros;
    result.f.mantissa = zeros == 0 ? upper : upper << zeros | lower >> (64 - zeros);
    return result;
}

/* first[0] - z (first[1] - z (... - z (then[0] - z ...))), `count` and 4 terms; z of 64 bits, `then` as if of 32 less
 * `shift`. */
static uint64_t alternating(const uint64_t *first, int count, const uint32_t *then, int shift, uint64_t z) {
    uint32_t low = then[3];
    for (int i = 2; i >= 0; i--) low = then[i] - high_word(product(low, high_word(z)));
    uint64_t sum = first[count - 1] - (product(low, high_word(z)) >> shift);
    for (int i = count - 2; i >= 0; i--) sum = first[i] - math_scale(sum, z);
    return sum;
}

/* mantissa factor / 2^63 for a factor of 63 bits, from 1 to 2. */
static void multiply_by(number *n, uint64_t factor) {
    n->mantissa = math_scale(n->mantissa, factor);
    if (n->mantissa & SIGN) {
        n->exponent++;
    } else {
        n->mantissa <<= 1;
    }
}

/* The sine of an angle after `quarters` more quadrants. */
static number sine(const angle *of, uint32_t quarters) {
    uint32_t quadrant = of->quadrant + quarters;
    number result = of->f;
    if (quadrant & 1) {
        uint64_t cosine = SIGN - math_scale(alternating(COSINE_HIGH, 5, COSINE_LOW, 21, of->square), of->square);
        result.is_negative = false;
        result.exponent = cosine & SIGN ? 0 : -1;
        result.mantissa = cosine & SIGN ? cosine : cosine << 1;
    } else {
        multiply_by(&result, alternating(SINE_HIGH, 5, SINE_LOW, 19, of->square));
    }
    result.is_negative ^= quadrant >> 1 & 1;
    return result;
}

/* Below this exponent, x^3 / 3 is less than half a unit in the last place of x, and so is x^2 / 2 of 1. */
#define TINY -27

double math_sin(double x) {
    uint64_t bits = bits_of(x), magnitude = bits & ~SIGN;
    if (magnitude >= INFINITE) return from_bits(NOT_A_NUMBER);
    number n = math_unpack(bits | (magnitude == 0));
    if (n.exponent < TINY) return x;
    angle reduced = reduce(n);
    number result = sine(&reduced, 0);
    return math_pack(result.is_negative != n.is_negative, result.exponent, result.mantissa);
}

double math_cos(double x) {
    uint64_t magnitude = bits_of(x) & ~SIGN;
    if (magnitude >= INFINITE) return from_bits(NOT_A_NUMBER);
    number n = math_unpack(magnitude | (magnitude == 0));
    if (n.exponent < TINY) return 1;
    angle reduced = reduce(n);
    number result = sine(&reduced, 1);
    return math_pack(result.is_negative, result.exponent, result.mantissa);
}

/* a / b, with all bits of its mantissa right but the last. */
static number quotient(number a, number b) {
    number result = {0, a.exponent - b.exponent, a.is_negative != b.is_negative};
    if (a.mantissa >= b.mantissa) {
        result.mantissa = math_div_wide_u64(a.mantissa >> 1, a.mantissa << 63, b.mantissa, NULL);
    } else {
        result.mantissa = math_div_wide_u64(a.mantissa, 0, b.mantissa, NULL);
        result.exponent--;
    }
    return result;
}

double math_tan(double x) {
    uint64_t bits = bits_of(x), magnitude = bits & ~SIGN;
    if (magnitude >= INFINITE) return from_bits(NOT_A_NUMBER);
    number n = math_unpack(bits | (magnitude == 0));
    if (n.exponent < TINY) return x;
    angle reduced = reduce(n);
    number result = quotient(sine(&reduced, 0), sine(&reduced, 1));
    return math_pack(result.is_negative != n.is_negative, result.exponent, result.mantissa);
}

static number normal(uint64_t value, int exponent) {
    int shift = __builtin_clzll(value);
    number result = {value << shift, exponent - shift, false};
    return result;
}

/* n 2^bits, rounded down, for |n| < 1/2. */
static uint64_t fixed(number n, int bits) {
    int shift = 63 - bits - n.exponent;
    return shift >= 64 ? 0 : n.mantissa >> shift;
}

/* The angle of finite coordinates other than 0, by magnitude. atan t = atan(k/8) + atan((8 t - k) / (8 + k t)). */
static double arctangent(number y, number x) {
    bool is_steep = y.exponent > x.exponent || (y.exponent == x.exponent && y.mantissa > x.mantissa);
    number less = is_steep ? x : y, more = is_steep ? y : x, u;
    int apart = more.exponent - less.exponent;
    uint32_t k = 0;
    bool is_below = false;
    uint64_t sum = 0;
    /* Beyond, the quotient is less than 1/16 already. */
    if (apart <= 4) {
        uint64_t a = less.mantissa >> 11, b = more.mantissa >> 11 << apart;
        uint32_t divisor = (uint32_t)(b >> 28);
        k = ((uint32_t)(a >> 28) * 16 + divisor) / (2 * divisor);
        uint64_t up = a << 3, down = b * k;
        is_below = up < down;
        up = is_below ? down - up : up - down;
        sum = ARCTANGENTS[k];
        less = normal(up | (up == 0), up == 0 ? -200 : 0);
        more = normal((b << 3) + a * k, 0);
    }
    less.is_negative = more.is_negative = false;
    u = quotient(less, more);
    uint64_t square = fixed(u, 64);
    square = math_scale(square, square);
    uint64_t series = alternating(ARCTANGENT_HIGH, 3, ARCTANGENT_LOW, 3, square);
    /* Just below 1, as a factor from 1 to 2 of half the number. */
    u.exponent--;
    multiply_by(&u, (SIGN - math_scale(series, square)) * 2 - 1);
    if (k == 0 && !is_steep && !x.is_negative) return math_pack(y.is_negative, u.exponent, u.mantissa);
    uint64_t small = fixed(u, 64);
    sum = is_below ? sum - small : sum + small;
    int bits = 64;
    if (is_steep || x.is_negative) {
        bits = 62;
        sum >>= 2;
        if (is_steep) sum = HALF_PI - sum;
        if (x.is_negative) sum = PI - sum;
    }
    number result = normal(sum, 63 - bits);
    return math_pack(y.is_negative, result.exponent, result.mantissa);
}

double math_atan2(double y, double x) {
    uint64_t a = bits_of(y), b = bits_of(x), sign = a & SIGN;
    uint64_t up = a & ~SIGN, across = b & ~SIGN;
    bool is_left = b != across;
    if (up > INFINITE || across > INFINITE) return from_bits(NOT_A_NUMBER);
    /* Multiples of pi/4 as f64: pi/2 is a power of two apart from pi and pi/4. */
    if (up == 0 || (across == INFINITE && up != INFINITE)) return from_bits(sign | (is_left ? 0x400921fb54442d18u : 0));
    if (up == INFINITE && across == INFINITE) {
        return from_bits(sign | (is_left ? 0x4002d97c7f3321d2u : 0x3fe921fb54442d18u));
    }
    if (across == 0 || up == INFINITE) return from_bits(sign | 0x3ff921fb54442d18u);
    return arctangent(math_unpack(a), math_unpack(b));
}
