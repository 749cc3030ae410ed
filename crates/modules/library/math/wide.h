/* Products of 64-bit integers, and f64 as sign, exponent and mantissa. */
#ifndef WEIGHTWARE_MATH_WIDE_H
#define WEIGHTWARE_MATH_WIDE_H

#include "math.h"

#define INTERNAL __attribute__((visibility("hidden")))

typedef struct {
    uint64_t high, low;
} wide;

WEIGHTWARE_INLINE uint32_t high_word(uint64_t n) { return (uint32_t)(n >> 32); }
WEIGHTWARE_INLINE uint64_t product(uint32_t a, uint32_t b) { return (uint64_t)a * b; }

/* a b, from four products of words. */
WEIGHTWARE_INLINE wide multiply(uint64_t a, uint64_t b) {
    uint64_t low = product((uint32_t)a, (uint32_t)b);
    uint64_t first = product(high_word(a), (uint32_t)b) + high_word(low);
    uint64_t second = product((uint32_t)a, high_word(b)) + (uint32_t)first;
    wide result = {product(high_word(a), high_word(b)) + high_word(first) + high_word(second),
                   second << 32 | (uint32_t)low};
    return result;
}

/* The upper half of a b, at most 2 too small: without the product of the low words. */
INTERNAL uint64_t math_scale(uint64_t a, uint64_t b);

/* The upper half of a b for a word b, shifted: a b / 2^32, at most 1 too small. */
INTERNAL uint64_t math_scale_word(uint64_t a, uint32_t b);

/* |x| = mantissa 2^(exponent - 63) for a finite x other than 0; the mantissa's upper bit is set. */
typedef struct {
    uint64_t mantissa;
    int exponent;
    bool is_negative;
} number;

#define SIGN 0x8000000000000000u
#define INFINITE 0x7ff0000000000000u
#define NOT_A_NUMBER 0x7ff8000000000000u

WEIGHTWARE_INLINE uint64_t bits_of(double x) {
    union {
        double value;
        uint64_t bits;
    } both = {x};
    return both.bits;
}

WEIGHTWARE_INLINE double from_bits(uint64_t bits) {
    union {
        uint64_t bits;
        double value;
    } both = {bits};
    return both.value;
}

/* The parts of a number by its bits; not of 0, infinities and NaN. */
INTERNAL number math_unpack(uint64_t bits);

/* The f64 nearest to a number, ties to even, with subnormals and overflow. The mantissa's upper bit is set. */
INTERNAL double math_pack(bool is_negative, int exponent, uint64_t mantissa);

#endif
