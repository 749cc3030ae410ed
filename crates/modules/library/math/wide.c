/* Products in fixed point, and conversion from and to f64. */
#include "wide.h"

uint64_t math_scale(uint64_t a, uint64_t b) {
    uint64_t first = product(high_word(a), (uint32_t)b), second = product((uint32_t)a, high_word(b));
    return product(high_word(a), high_word(b)) + high_word(first) + high_word(second);
}

uint64_t math_scale_word(uint64_t a, uint32_t b) {
    return product(high_word(a), b) + high_word(product((uint32_t)a, b));
}

number math_unpack(uint64_t bits) {
    number x = {bits << 11, (int)(bits >> 52 & 0x7ff) - 1023, bits >> 63 != 0};
    if (x.exponent == -1023) {
        int shift = __builtin_clzll(x.mantissa);
        x.mantissa <<= shift;
        x.exponent = -1022 - shift;
    } else {
        x.mantissa |= SIGN;
    }
    return x;
}

double math_pack(bool is_negative, int exponent, uint64_t mantissa) {
    uint64_t sign = is_negative ? SIGN : 0, kept;
    int biased = exponent + 1023, shift = 11;
    if (biased >= 0x7ff) return from_bits(sign | INFINITE);
    if (biased <= 0) {
        shift = 12 - biased;
        biased = 0;
        if (shift > 64) return from_bits(sign);
        if (shift == 64) return from_bits(sign | (mantissa > SIGN));
    } else {
        mantissa &= ~SIGN;
    }
    kept = mantissa >> shift;
    uint64_t rest = mantissa << (64 - shift);
    /* A carry out of the mantissa is the next exponent, that of the greatest infinity. */
    uint64_t up = rest > SIGN || (rest == SIGN && kept & 1);
    return from_bits(sign | ((uint64_t)biased << 52) + kept + up);
}
