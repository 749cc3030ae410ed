/* The Mandelbrot set in fixed point, in double and in float, drawn and counted; its area, and a point's period. */
#include <math.h>

#include "common.h"

enum { WIDE = 64, HIGH = 21, DEEP = 24, SHIFT = 12 };

/* Steps until the square of the modulus exceeds 4. */
static int fixed(int cx, int cy) {
  int x = 0, y = 0, steps = 0;
  for (; steps < DEEP; steps++) {
    int xx = x * x >> SHIFT, yy = y * y >> SHIFT;
    if (xx + yy > 4 << SHIFT) break;
    y = (x * y >> (SHIFT - 1)) + cy;
    x = xx - yy + cx;
  }
  return steps;
}

static int in_double(double cx, double cy, int most) {
  double x = 0, y = 0;
  int steps = 0;
  for (; steps < most; steps++) {
    double xx = x * x, yy = y * y;
    if (xx + yy > 4) break;
    y = 2 * x * y + cy;
    x = xx - yy + cx;
  }
  return steps;
}

static int in_float(float cx, float cy, int most) {
  float x = 0, y = 0;
  int steps = 0;
  for (; steps < most; steps++) {
    float xx = x * x, yy = y * y;
    if (xx + yy > 4) break;
    y = 2 * x * y + cy;
    x = xx - yy + cx;
  }
  return steps;
}

/* How long the cycle is that 0 is drawn into. */
static int period(double cx, double cy) {
  double x = 0, y = 0, slow_x = 0, slow_y = 0;
  for (int step = 1; step <= 40; step++) {
    double next = x * x - y * y + cx;
    y = 2 * x * y + cy;
    x = next;
    if (step == 28) slow_x = x, slow_y = y;
    if (step > 28 && fabs(x - slow_x) + fabs(y - slow_y) < 1e-3) return step - 28;
  }
  return 0;
}

int main(void) {
  unsigned inside = 0, steps = 0;
  uint32_t sum = SUM;
  for (int j = 0; j < HIGH; j++) {
    char line[WIDE + 1];
    for (int i = 0; i < WIDE; i++) {
      int n = fixed((3 * i - 2 * WIDE) * (1 << SHIFT) / WIDE, (2 * j - HIGH + 1) * 5 * (1 << SHIFT) / (4 * HIGH));
      inside += n == DEEP;
      steps += (unsigned)n;
      sum = mix(sum, (uint32_t)n);
      line[i] = n == DEEP ? '#' : " ..,,::;;++"[n < 10 ? n : 10];
    }
    line[WIDE] = '\0';
    puts(line);
  }
  printf("%u of %d inside, %u steps, checksum %08x\n", inside, WIDE * HIGH, steps, (unsigned)sum);
  unsigned area = inside * 3 * 250 / (WIDE * HIGH);
  printf("area about %u.%02u\n", area / 100, area % 100);
  /* The set's is 1.507; who leaves late counts too. */
  check(area > 150 && area < 180, "the area");
  fprintf(stderr, "drawn\n");
  for (int i = 0; i < 12; i++) {
    double x = -1.9 + 0.21 * i, y = 0.4 - 0.05 * i;
    int n = in_double(x, y, 12), m = in_float((float)x, (float)y, 12);
    printf("%+.3f %+.3f: %d\n", x, y, n);
    check(n == m, "float and double");
  }
  check(in_double(0, 0, 12) == 12 && in_double(-2, 0, 12) == 12 && in_double(1, 0, 12) == 3, "known points");
  static const struct {
    double x, y;
    int period;
  } CYCLES[] = {{-0.1, 0.1, 1}, {-1, 0, 2}, {-0.1226, 0.7449, 3}};
  for (size_t i = 0; i < LENGTH(CYCLES); i++) {
    int found = period(CYCLES[i].x, CYCLES[i].y);
    printf("%+.4f %+.4f: period %d\n", CYCLES[i].x, CYCLES[i].y, found);
    check(found == CYCLES[i].period, "a period");
  }
  return verdict();
}
