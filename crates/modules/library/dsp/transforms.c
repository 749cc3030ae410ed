/* Fourier and cosine transforms. */
#include "sines.h"

typedef uint32_t __attribute__((may_alias, aligned(2))) complex_q15;
typedef uint64_t __attribute__((may_alias, aligned(4))) complex_q31;

/* A sine of Q31 in Q15, where 1 is 32768, beyond a sample: a rotation by it is exact, and no product overflows. */
WEIGHTWARE_INLINE int32_t to_q15(int32_t value) {
    return value == INT32_MAX ? 32768 : (value + (1 << 15)) >> 16;
}

/* Exchanges each number with the one whose index has the bits reversed. */
#define REVERSE(type, data, count)                                                                                     \
    do {                                                                                                               \
        type *items = (type *)(data);                                                                                  \
        for (uint32_t i = 1, reversed = 0; i < (count); i++) {                                                         \
            uint32_t bit = (count) >> 1;                                                                               \
            for (; reversed & bit; bit >>= 1) reversed ^= bit;                                                         \
            reversed ^= bit;                                                                                           \
            if (i < reversed) {                                                                                        \
                type item = items[i];                                                                                  \
                items[i] = items[reversed];                                                                            \
                items[reversed] = item;                                                                                \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

/* Radix 2, decimation in time. Each stage halves, so that only numbers beyond the unit circle saturate. */
static void transform_q15(int16_t *data, uint32_t log2, bool inverse) {
    uint32_t count = 1u << log2;
    REVERSE(complex_q15, data, count);
    for (uint32_t half = 1, step = 512; half < count; half *= 2, step /= 2) {
        for (uint32_t j = 0; j < half; j++) {
            int32_t real = to_q15(cosine(j * step)), imaginary = to_q15(sine(j * step));
            if (!inverse) imaginary = -imaginary;
            for (uint32_t i = j; i < count; i += 2 * half) {
                int16_t *a = data + 2 * i, *b = a + 2 * half;
                int32_t x = b[0], y = b[1];
                int32_t turned_x = (x * real - y * imaginary) >> 1, turned_y = (x * imaginary + y * real) >> 1;
                int32_t own_x = a[0] * (1 << 14) + (1 << 14), own_y = a[1] * (1 << 14) + (1 << 14);
                a[0] = (int16_t)saturate_q15((own_x + turned_x) >> 15);
                a[1] = (int16_t)saturate_q15((own_y + turned_y) >> 15);
                b[0] = (int16_t)saturate_q15((own_x - turned_x) >> 15);
                b[1] = (int16_t)saturate_q15((own_y - turned_y) >> 15);
            }
        }
    }
}

void dsp_fft_q15(int16_t *data, uint32_t log2) { transform_q15(data, log2, false); }

void dsp_ifft_q15(int16_t *data, uint32_t log2) { transform_q15(data, log2, true); }

static int32_t round_q31(int64_t sum) {
    sum = (sum + (1 << 30)) >> 31;
    return (int32_t)(sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum);
}

static void transform_q31(int32_t *data, uint32_t log2, bool inverse) {
    uint32_t count = 1u << log2;
    REVERSE(complex_q31, data, count);
    for (uint32_t half = 1, step = 512; half < count; half *= 2, step /= 2) {
        for (uint32_t j = 0; j < half; j++) {
            int64_t real = cosine(j * step), imaginary = sine(j * step);
            if (!inverse) imaginary = -imaginary;
            for (uint32_t i = j; i < count; i += 2 * half) {
                int32_t *a = data + 2 * i, *b = a + 2 * half;
                int64_t x = b[0], y = b[1], own_x = (int64_t)a[0] * (1 << 30), own_y = (int64_t)a[1] * (1 << 30);
                int64_t turned_x = (x * real - y * imaginary) >> 1, turned_y = (x * imaginary + y * real) >> 1;
                a[0] = round_q31(own_x + turned_x);
                a[1] = round_q31(own_y + turned_y);
                b[0] = round_q31(own_x - turned_x);
                b[1] = round_q31(own_y - turned_y);
            }
        }
    }
}

void dsp_fft_q31(int32_t *data, uint32_t log2) { transform_q31(data, log2, false); }

void dsp_ifft_q31(int32_t *data, uint32_t log2) { transform_q31(data, log2, true); }

/* cos(pi (2 i + 1) k / (2 n)) in Q15, 1 as 32768. */
WEIGHTWARE_INLINE int32_t basis(uint32_t i, uint32_t k, uint32_t log2) {
    return to_q15(cosine(((2 * i + 1) * k) << (8 - log2)));
}

void dsp_dct_q15(const int16_t *input, int16_t *output, uint32_t log2) {
    uint32_t count = 1u << log2;
    for (uint32_t k = 0; k < count; k++) {
        accumulator sum = {0, 0};
        for (uint32_t i = 0; i < count; i++) add(&sum, input[i] * basis(i, k, log2));
        /* The lower part is less than 2^23: half of a unit, 2^(14 + log2), counts in it. */
        int32_t low = (sum.low + (1 << (14 + log2))) >> 15;
        output[k] = (int16_t)saturate_q15((sum.high + low) >> log2);
    }
}

void dsp_idct_q15(const int16_t *input, int16_t *output, uint32_t log2) {
    uint32_t count = 1u << log2;
    for (uint32_t i = 0; i < count; i++) {
        accumulator sum = {0, 0};
        for (uint32_t k = 1; k < count; k++) add(&sum, input[k] * basis(i, k, log2));
        int32_t twice = 2 * sum.high + ((sum.low + (1 << 13)) >> 14);
        output[i] = (int16_t)saturate_q15(twice + input[0]);
    }
}
