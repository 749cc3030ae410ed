/* Module `dsp`: fixed-point signal processing. A sample of Q15 is an int16_t, n / 2^15; one of Q31 an int32_t, n /
 * 2^31. Results are rounded to nearest, halves up, and saturate. A phase is a part of a turn, n / 2^32. */
#ifndef WEIGHTWARE_DSP_H
#define WEIGHTWARE_DSP_H

#include "../module.h"

/* The sine of a phase, in Q15. */
WEIGHTWARE_FUNCTION("dsp", sine_q15)
int32_t dsp_sine_q15(uint32_t phase);

/* The discrete Fourier transform of 2^log2 complex numbers (real and imaginary parts in turn) in place, divided by
 * their number; log2 <= 10. Numbers of magnitude 1 at most saturate nowhere. */
WEIGHTWARE_FUNCTION("dsp", fft_q15)
void dsp_fft_q15(int16_t *data, uint32_t log2);

/* The inverse transform in place, with its division by their number: fft, then ifft, is a division by it. */
WEIGHTWARE_FUNCTION("dsp", ifft_q15)
void dsp_ifft_q15(int16_t *data, uint32_t log2);

/* Like fft_q15, of Q31. */
WEIGHTWARE_FUNCTION("dsp", fft_q31)
void dsp_fft_q31(int32_t *data, uint32_t log2);

/* Like ifft_q15, of Q31. */
WEIGHTWARE_FUNCTION("dsp", ifft_q31)
void dsp_ifft_q31(int32_t *data, uint32_t log2);

/* The DCT-II of n = 2^log2 samples, divided by n; log2 <= 8. O(n^2). */
WEIGHTWARE_FUNCTION("dsp", dct_q15)
void dsp_dct_q15(const int16_t *input, int16_t *output, uint32_t log2);

/* The inverse of dct_q15, the DCT-III. */
WEIGHTWARE_FUNCTION("dsp", idct_q15)
void dsp_idct_q15(const int16_t *input, int16_t *output, uint32_t log2);

/* One frequency of a spectrum, the number that Goertzel's algorithm computes: writes sum x[i] e^(-2 pi j i step /
 * 2^32), real part, then imaginary part, in units of a sample. count <= 32768. */
WEIGHTWARE_FUNCTION("dsp", goertzel_q15)
void dsp_goertzel_q15(const int16_t *samples, uint32_t count, uint32_t step, int32_t *result);

/* Writes a symmetric window of Q15: kind 0 Hann, 1 Hamming, 2 Blackman, others rectangular. */
WEIGHTWARE_FUNCTION("dsp", window_q15)
void dsp_window_q15(uint32_t kind, int16_t *window, uint32_t count);

/* output[i] = a[i] b[i]; the output may be an input. */
WEIGHTWARE_FUNCTION("dsp", multiply_q15)
void dsp_multiply_q15(const int16_t *a, const int16_t *b, int16_t *output, uint32_t count);

/* A filter of finite impulse response: output[i] = sum c[k] input[i + taps - 1 - k]; the input has count + taps - 1
 * samples. */
WEIGHTWARE_FUNCTION("dsp", fir_q15)
void dsp_fir_q15(const int16_t *coefficients, uint32_t taps, const int16_t *input, int16_t *output, uint32_t count);

/* Like fir_q15, of Q31; each product is rounded down to 2^-46. taps <= 32768. */
WEIGHTWARE_FUNCTION("dsp", fir_q31)
void dsp_fir_q31(const int32_t *coefficients, uint32_t taps, const int32_t *input, int32_t *output, uint32_t count);

/* A cascade of second-order sections in place: y = b0 x + b1 x1 + b2 x2 - a1 y1 - a2 y2. Each has 5 coefficients b0 b1
 * b2 a1 a2 of Q14, and a state of 4 samples x1 x2 y1 y2, at first zeros. */
WEIGHTWARE_FUNCTION("dsp", biquad_q15)
void dsp_biquad_q15(const int16_t *coefficients, int16_t *state, uint32_t sections, int16_t *data, uint32_t count);

/* The full convolution: output has a_count + b_count - 1 samples; both counts are positive. */
WEIGHTWARE_FUNCTION("dsp", convolve_q15)
void dsp_convolve_q15(const int16_t *a, uint32_t a_count, const int16_t *b, uint32_t b_count, int16_t *output);

/* Linear interpolation: output[i] is the input at i step / 2^16, and its last sample beyond it; 0 < in_count <= 65535.
 * */
WEIGHTWARE_FUNCTION("dsp", resample_linear_q15)
void dsp_resample_linear_q15(const int16_t *input, uint32_t in_count, uint32_t step, int16_t *output, uint32_t count);

/* Resamples by up / down with a filter of up * taps coefficients: output[m] = sum c[p + k up] input[n + taps - 1 - k],
 * where m down = n up + p. Traps if up = 0. */
WEIGHTWARE_FUNCTION("dsp", resample_q15)
void dsp_resample_q15(const int16_t *coefficients, uint32_t taps, uint32_t up, uint32_t down, const int16_t *input,
                      int16_t *output, uint32_t count);

#endif
