/* Filters, windows, resampling. */
#include "sines.h"

void dsp_goertzel_q15(const int16_t *samples, uint32_t count, uint32_t step, int32_t *result) {
    /* Goertzel's recursion would lose the bits of low frequencies; sines cost as much as its products of 64 bits. */
    accumulator real = {0, 0}, imaginary = {0, 0};
    uint32_t phase = 0;
    for (uint32_t i = 0; i < count; i++, phase += step) {
        int32_t sample = samples[i];
        add(&real, sample * dsp_sine_q15(phase + (1u << 30)));
        add(&imaginary, sample * -dsp_sine_q15(phase));
    }
    result[0] = rounded(&real);
    result[1] = rounded(&imaginary);
}

/* w = a0 - a1 cos x + a2 cos 2x, in Q15. */
static const int32_t WINDOWS[3][3] = {{16384, 16384, 0}, {17695, 15073, 0}, {13763, 16384, 2621}};

void dsp_window_q15(uint32_t kind, int16_t *window, uint32_t count) {
    uint32_t step = count < 2 ? 0 : 0xffffffffu / (count - 1);
    for (uint32_t i = 0; i <= (count - 1) / 2 && i < count; i++) {
        int32_t value = INT16_MAX;
        if (kind < 3 && count > 1) {
            /* The middle is exact. */
            uint32_t phase = 2 * i == count - 1 ? 1u << 31 : i * step;
            const int32_t *a = WINDOWS[kind];
            int32_t first = dsp_sine_q15(phase + (1u << 30)), second = dsp_sine_q15(2 * phase + (1u << 30));
            value = saturate_q15(a[0] + ((a[2] * second - a[1] * first + (1 << 14)) >> 15));
        }
        window[i] = window[count - 1 - i] = (int16_t)value;
    }
}

void dsp_multiply_q15(const int16_t *a, const int16_t *b, int16_t *output, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) output[i] = (int16_t)saturate_q15((a[i] * b[i] + (1 << 14)) >> 15);
}

void dsp_fir_q15(const int16_t *coefficients, uint32_t taps, const int16_t *input, int16_t *output, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        accumulator sum = {0, 0};
        const int16_t *sample = input + i;
        for (uint32_t k = taps; k-- > 0;) add(&sum, coefficients[k] * *sample++);
        output[i] = (int16_t)saturate_q15(rounded(&sum));
    }
}

void dsp_fir_q31(const int32_t *coefficients, uint32_t taps, const int32_t *input, int32_t *output, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        int64_t sum = 1 << 14;
        const int32_t *sample = input + i;
        for (uint32_t k = taps; k-- > 0;) sum += ((int64_t)coefficients[k] * *sample++) >> 16;
        sum >>= 15;
        output[i] = (int32_t)(sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum);
    }
}

void dsp_biquad_q15(const int16_t *coefficients, int16_t *state, uint32_t sections, int16_t *data, uint32_t count) {
    for (uint32_t section = 0; section < sections; section++, coefficients += 5, state += 4) {
        int32_t b0 = coefficients[0], b1 = coefficients[1], b2 = coefficients[2];
        int32_t a1 = -coefficients[3], a2 = -coefficients[4];
        int32_t x1 = state[0], x2 = state[1], y1 = state[2], y2 = state[3];
        for (uint32_t i = 0; i < count; i++) {
            int32_t x = data[i];
            accumulator sum = {0, 0};
            add(&sum, b0 * x);
            add(&sum, b1 * x1);
            add(&sum, b2 * x2);
            add(&sum, a1 * y1);
            add(&sum, a2 * y2);
            /* Q29, one bit less than a product of Q15. */
            int32_t y = saturate_q15(2 * sum.high + ((sum.low + (1 << 13)) >> 14));
            x2 = x1, x1 = x;
            y2 = y1, y1 = y;
            data[i] = (int16_t)y;
        }
        state[0] = (int16_t)x1, state[1] = (int16_t)x2, state[2] = (int16_t)y1, state[3] = (int16_t)y2;
    }
}

void dsp_convolve_q15(const int16_t *a, uint32_t a_count, const int16_t *b, uint32_t b_count, int16_t *output) {
    for (uint32_t i = 0; i < a_count + b_count - 1; i++) {
        uint32_t first = i < b_count ? 0 : i - b_count + 1, end = i < a_count ? i + 1 : a_count;
        accumulator sum = {0, 0};
        for (uint32_t k = first; k < end; k++) add(&sum, a[k] * b[i - k]);
        output[i] = (int16_t)saturate_q15(rounded(&sum));
    }
}

void dsp_resample_linear_q15(const int16_t *input, uint32_t in_count, uint32_t step, int16_t *output, uint32_t count) {
    uint32_t whole = 0, part = 0;
    for (uint32_t i = 0; i < count; i++) {
        int32_t value = input[in_count - 1];
        if (whole < in_count - 1) {
            /* 15 bits of the part: the product with a difference of 17 bits fits a word. */
            value = input[whole] + (((input[whole + 1] - input[whole]) * (int32_t)(part >> 1) + (1 << 14)) >> 15);
        }
        output[i] = (int16_t)value;
        part += step & 0xffff;
        whole += (step >> 16) + (part >> 16);
        part &= 0xffff;
        if (whole >= in_count) whole = in_count;
    }
}

void dsp_resample_q15(const int16_t *coefficients, uint32_t taps, uint32_t up, uint32_t down, const int16_t *input,
                      int16_t *output, uint32_t count) {
    if (up == 0) __builtin_trap();
    uint32_t phase = 0, whole = down / up, part = down % up;
    for (uint32_t i = 0; i < count; i++) {
        accumulator sum = {0, 0};
        const int16_t *sample = input + taps;
        for (uint32_t k = phase; k < taps * up; k += up) add(&sum, coefficients[k] * *--sample);
        output[i] = (int16_t)saturate_q15(rounded(&sum));
        phase += part;
        input += whole;
        if (phase >= up) {
            phase -= up;
            input++;
        }
    }
}
