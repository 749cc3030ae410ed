/* A quarter of the sine, and fixed-point numbers. */
#ifndef WEIGHTWARE_DSP_SINES_H
#define WEIGHTWARE_DSP_SINES_H

#include "dsp.h"

/* sin(i pi / 512) in Q31, rounded to nearest, 1 to the greatest below it. */
__attribute__((visibility("hidden"))) extern const int32_t DSP_SINES[257];

/* The sine of i / 1024 of a turn, in Q31. */
WEIGHTWARE_INLINE int32_t sine(uint32_t i) {
    uint32_t within = i & 255;
    int32_t value = DSP_SINES[i & 256 ? 256 - within : within];
    return i & 512 ? -value : value;
}

WEIGHTWARE_INLINE int32_t cosine(uint32_t i) { return sine(i + 256); }

WEIGHTWARE_INLINE int32_t saturate_q15(int32_t value) {
    return value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value;
}

/* A sum of products of Q15, exact for 2^16 of them: sum = high 2^15 + low. Words, since sums of 64 bits take twice as
 * long and clang makes products of 64 bits for them. */
typedef struct {
    int32_t high, low;
} accumulator;

WEIGHTWARE_INLINE void add(accumulator *to, int32_t product) {
    to->high += product >> 15;
    to->low += product & 0x7fff;
}

/* The sum, rounded to Q15. */
WEIGHTWARE_INLINE int32_t rounded(const accumulator *sum) { return sum->high + ((sum->low + (1 << 14)) >> 15); }

#endif
