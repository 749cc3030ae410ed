/* The fast Fourier transform in double, with sines of its own and the library's: a spectrum, a convolution, and back. */
#include <complex.h>
#include <math.h>

#include "common.h"

enum { SIZE = 32 };

struct complex_number {
  double re, im;
};

static struct complex_number signal[SIZE], kernel[SIZE], root[SIZE / 2];

static struct complex_number product(struct complex_number a, struct complex_number b) {
  return (struct complex_number){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* By half angles: exact at the quarters, then square roots alone. */
static void make_roots(void) {
  root[0] = (struct complex_number){1, 0};
  root[SIZE / 4] = (struct complex_number){0, -1};
  for (int step = SIZE / 4; step > 1; step /= 2) {
    double cosine = sqrt((1 + (step == SIZE / 4 ? 0 : root[step].re)) / 2), sine = sqrt(1 - cosine * cosine);
    struct complex_number half = {cosine, -sine};
    for (int i = 0; i < SIZE / 2; i += step) root[i + step / 2] = product(root[i], half);
  }
}

static void transform(struct complex_number *a, bool inverse) {
  for (int i = 0; i < SIZE; i++) {
    int j = 0;
    for (int bit = 1, turned = SIZE / 2; bit < SIZE; bit *= 2, turned /= 2)
      if (i & bit) j |= turned;
    if (i < j) {
      struct complex_number kept = a[i];
      a[i] = a[j];
      a[j] = kept;
    }
  }
  for (int half = 1; half < SIZE; half *= 2)
    for (int start = 0; start < SIZE; start += 2 * half)
      for (int i = 0; i < half; i++) {
        struct complex_number turn = root[i * (SIZE / 2 / half)], *even = &a[start + i], *odd = even + half;
        if (inverse) turn.im = -turn.im;
        struct complex_number turned = half == 1 ? *odd : product(*odd, turn);
        *odd = (struct complex_number){even->re - turned.re, even->im - turned.im};
        *even = (struct complex_number){even->re + turned.re, even->im + turned.im};
      }
  if (inverse)
    for (int i = 0; i < SIZE; i++) {
      a[i].re /= SIZE;
      a[i].im /= SIZE;
    }
}

int main(void) {
  make_roots();
  double worst = 0;
  for (int i = 0; i < SIZE / 2; i += 3) {
    double angle = 2 * acos(-1) * i / SIZE;
    worst = fmax(worst, fmax(fabs(cos(angle) - root[i].re), fabs(sin(angle) + root[i].im)));
  }
  printf("roots are off by less than 1e-15: %s\n", worst < 1e-15 ? "yes" : "no");
  check(worst < 1e-15, "roots");
  /* A square wave on a slope. */
  for (int i = 0; i < SIZE; i++) signal[i].re = (i % 8 < 4 ? 1 : -1) + i / 64.0;
  double energy = 0, spectrum = 0;
  for (int i = 0; i < SIZE; i++) energy += signal[i].re * signal[i].re;
  transform(signal, false);
  for (int i = 0; i <= SIZE / 2; i += 2) printf("%2d: %12.8f %12.8f\n", i, signal[i].re, signal[i].im);
  for (int i = 0; i < SIZE; i++) spectrum += signal[i].re * signal[i].re + signal[i].im * signal[i].im;
  printf("energy %.10f, of the spectrum %.10f\n", energy, spectrum / SIZE);
  check(fabs(energy - spectrum / SIZE) < 1e-12, "the theorem of Parseval");
  fprintf(stderr, "spectrum done\n");
  /* Integers convolve to integers. */
  static const int A[] = {3, 1, 4, 1, 5, 9, 2, 6}, B[] = {2, 7, 1, 8, 2, 8};
  memset(signal, 0, sizeof signal);
  for (size_t i = 0; i < LENGTH(A); i++) signal[i].re = A[i];
  for (size_t i = 0; i < LENGTH(B); i++) kernel[i].re = B[i];
  transform(signal, false);
  transform(kernel, false);
  for (int i = 0; i < SIZE; i++) signal[i] = product(signal[i], kernel[i]);
  transform(signal, true);
  for (size_t i = 0; i < LENGTH(A) + LENGTH(B) - 1; i++) {
    int exact = 0;
    for (size_t j = 0; j <= i; j++)
      if (j < LENGTH(A) && i - j < LENGTH(B)) exact += A[j] * B[i - j];
    check(fabs(signal[i].re - exact) < 1e-12 && fabs(signal[i].im) < 1e-12, "a convolution");
    printf("%ld%c", lround(signal[i].re), i + 2 < LENGTH(A) + LENGTH(B) ? ' ' : '\n');
  }
  double complex unit = cexp(I * acos(-1) / 3);
  printf("%.6f %.6f\n", creal(unit), cimag(unit));
  check(fabs(cabs(unit) - 1) < 1e-15, "a root of unity");
  return verdict();
}
