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

/* A sum of products of Q15, rounded to Q15. */
WEIGHTWARE_INLINE int16_t round_q30(int64_t sum) {
    sum = (sum + (1 << 14)) >> 15;
    return (int16_t)(sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum);
}

#endif
