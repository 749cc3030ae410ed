/* Matrices: products and determinants in integers, inverses in fractions, equations and eigenvalues in double, powers modulo a prime. */
#include <math.h>

#include "common.h"

enum { MOST = 12 };

typedef long long integer;

static uint32_t state = 123456789;

/* Bareiss: all quotients are exact. */
static integer determinant(const int *matrix, int n) {
  integer a[MOST][MOST], last = 1;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) a[i][j] = matrix[i * n + j];
  int sign = 1;
  for (int k = 0; k + 1 < n; k++) {
    int pivot = k;
    while (pivot < n && a[pivot][k] == 0) pivot++;
    if (pivot == n) return 0;
    if (pivot != k) {
      integer row[MOST];
      memcpy(row, a[k], sizeof row);
      memcpy(a[k], a[pivot], sizeof row);
      memcpy(a[pivot], row, sizeof row);
      sign = -sign;
    }
    for (int i = k + 1; i < n; i++)
      for (int j = k + 1; j < n; j++) {
        integer number = a[i][j] * a[k][k] - a[i][k] * a[k][j];
        if (number % last) check(false, "an exact quotient");
        a[i][j] = number / last;
      }
    last = a[k][k];
  }
  return sign * a[n - 1][n - 1];
}

static void multiply(int n, int product[n][n], int a[n][n], int b[n][n]) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      int sum = 0;
      for (int k = 0; k < n; k++) sum += a[i][k] * b[k][j];
      product[i][j] = sum;
    }
}

/* Strassen: seven products of halves. */
static void strassen(int n, int product[n][n], int a[n][n], int b[n][n]) {
  if (n <= 2) {
    multiply(n, product, a, b);
    return;
  }
  int h = n / 2, left[h][h], right[h][h], part[7][h][h];
  static const signed char LEFT[7][4] = {{1, 0, 0, 1}, {0, 0, 1, 1}, {1, 0, 0, 0}, {0, 0, 0, 1}, {1, 1, 0, 0}, {-1, 0, 1, 0}, {0, 1, 0, -1}};
  static const signed char RIGHT[7][4] = {{1, 0, 0, 1}, {1, 0, 0, 0}, {0, 1, 0, -1}, {-1, 0, 1, 0}, {0, 0, 0, 1}, {1, 1, 0, 0}, {0, 0, 1, 1}};
  for (int p = 0; p < 7; p++) {
    for (int i = 0; i < h; i++)
      for (int j = 0; j < h; j++) {
        left[i][j] = right[i][j] = 0;
        for (int q = 0; q < 4; q++) {
          left[i][j] += LEFT[p][q] * a[i + q / 2 * h][j + q % 2 * h];
          right[i][j] += RIGHT[p][q] * b[i + q / 2 * h][j + q % 2 * h];
        }
      }
    strassen(h, part[p], left, right);
  }
  for (int i = 0; i < h; i++)
    for (int j = 0; j < h; j++) {
      product[i][j] = part[0][i][j] + part[3][i][j] - part[4][i][j] + part[6][i][j];
      product[i][j + h] = part[2][i][j] + part[4][i][j];
      product[i + h][j] = part[1][i][j] + part[3][i][j];
      product[i + h][j + h] = part[0][i][j] - part[1][i][j] + part[2][i][j] + part[5][i][j];
    }
}

/* Fractions in lowest terms. */
struct fraction {
  integer over, under;
};

static integer divisor(integer a, integer b) {
  while (b) {
    integer rest = a % b;
    a = b;
    b = rest;
  }
  return a < 0 ? -a : a;
}

static struct fraction lowest(integer over, integer under) {
  integer d = divisor(over, under);
  if (under < 0) d = -d;
  return (struct fraction){over / d, under / d};
}

static struct fraction fraction_product(struct fraction a, struct fraction b) { return lowest(a.over * b.over, a.under * b.under); }

static struct fraction fraction_difference(struct fraction a, struct fraction b) {
  return lowest(a.over * b.under - b.over * a.under, a.under * b.under);
}

/* Hilbert's matrix has an inverse of integers. */
static void invert_hilbert(int n) {
  struct fraction a[4][8];
  for (int i = 0; i < n; i++)
    for (int j = 0; j < 2 * n; j++) a[i][j] = j < n ? (struct fraction){1, i + j + 1} : (struct fraction){j - n == i, 1};
  for (int k = 0; k < n; k++) {
    struct fraction by = {a[k][k].under, a[k][k].over};
    for (int j = 0; j < 2 * n; j++) a[k][j] = fraction_product(a[k][j], by);
    for (int i = 0; i < n; i++) {
      struct fraction factor = a[i][k];
      if (i == k || factor.over == 0) continue;
      for (int j = 0; j < 2 * n; j++) a[i][j] = fraction_difference(a[i][j], fraction_product(factor, a[k][j]));
    }
  }
  for (int i = 0; i < n; i++)
    for (int j = n; j < 2 * n; j++) {
      printf("%6lld%c", a[i][j].over, j + 1 < 2 * n ? ' ' : '\n');
      check(a[i][j].under == 1, "Hilbert's inverse is of integers");
    }
  check(a[0][n].over == n * n, "its first element");
}

/* Gauss with the greatest pivot. */
static void solve(int n) {
  double a[6][7], x[6];
  for (int i = 0; i < n; i++) {
    a[i][n] = 0;
    for (int j = 0; j < n; j++) {
      a[i][j] = (int)(next_random(&state) % 19) - 9;
      a[i][n] += a[i][j] * (j + 1);
    }
  }
  for (int k = 0; k < n; k++) {
    int pivot = k;
    for (int i = k + 1; i < n; i++)
      if (fabs(a[i][k]) > fabs(a[pivot][k])) pivot = i;
    for (int j = k; j <= n; j++) {
      double kept = a[k][j];
      a[k][j] = a[pivot][j];
      a[pivot][j] = kept;
    }
    for (int i = k + 1; i < n; i++) {
      double factor = a[i][k] / a[k][k];
      for (int j = k; j <= n; j++) a[i][j] -= factor * a[k][j];
    }
  }
  for (int i = n - 1; i >= 0; i--) {
    x[i] = a[i][n];
    for (int j = i + 1; j < n; j++) x[i] -= a[i][j] * x[j];
    x[i] /= a[i][i];
  }
  for (int i = 0; i < n; i++) {
    printf("x%d = %.9f%s", i + 1, x[i], i + 1 < n ? ", " : "\n");
    check(fabs(x[i] - (i + 1)) < 1e-12, "a solution");
  }
}

/* The greatest eigenvalue of a path's matrix, by powers: 2 cos(pi / 5). */
static void eigenvalue(void) {
  double v[4] = {1, 1, 1, 1}, value = 0;
  for (int step = 0; step < 12; step++) {
    double w[4] = {v[1], v[0] + v[2], v[1] + v[3], v[2]}, norm = 0;
    for (int i = 0; i < 4; i++) norm = fmax(norm, w[i]);
    for (int i = 0; i < 4; i++) v[i] = w[i] / norm;
    value = norm;
  }
  printf("eigenvalue %.10f\n", value);
  check(fabs(value - (1 + sqrt(5)) / 2) < 1e-4, "the golden ratio");
}

/* Powers of {{1, 1}, {1, 0}} are Fibonacci numbers. */
static uint32_t fibonacci(uint32_t n, uint32_t modulus) {
  uint32_t a = 1, b = 0, p = 1, q = 1, r = 0;
  for (; n; n >>= 1) {
    if (n & 1) {
      uint32_t kept = a;
      a = (a * p + b * q) % modulus;
      b = (kept * q + b * r) % modulus;
    }
    uint32_t kept = p;
    p = (p * p + q * q) % modulus;
    q = (q * (kept + r)) % modulus;
    r = (p + modulus - q) % modulus;
  }
  return b;
}

int main(void) {
  int a[8][8], b[8][8], fast[8][8], slow[8][8];
  for (int i = 0; i < 64; i++) {
    a[i / 8][i % 8] = (int)(next_random(&state) % 201) - 100;
    b[i / 8][i % 8] = (int)(next_random(&state) % 201) - 100;
  }
  multiply(8, slow, a, b);
  strassen(8, fast, a, b);
  check(memcmp(slow, fast, sizeof slow) == 0, "Strassen's product");
  for (int i = 0; i < 8; i += 7)
    for (int j = 0; j < 8; j++) printf("%7d%c", slow[i][j], j < 7 ? ' ' : '\n');
  fprintf(stderr, "products done\n");
  for (int n = 2; n <= 6; n += 2) {
    int x[MOST * MOST], y[MOST * MOST], xy[MOST * MOST];
    for (int i = 0; i < n * n; i++) {
      x[i] = (int)(next_random(&state) % 9) - 4;
      y[i] = (int)(next_random(&state) % 9) - 4;
    }
    multiply(n, (int(*)[n])xy, (int(*)[n])x, (int(*)[n])y);
    integer of_x = determinant(x, n), of_y = determinant(y, n), of_xy = determinant(xy, n);
    printf("%d x %d: %lld * %lld = %lld\n", n, n, of_x, of_y, of_xy);
    check(of_x * of_y == of_xy, "the determinant of a product");
  }
  fprintf(stderr, "determinants done\n");
  invert_hilbert(3);
  invert_hilbert(4);
  solve(6);
  eigenvalue();
  for (uint32_t n = 10; n <= 10000000; n *= 100) printf("F(%u) mod 9973 = %u\n", (unsigned)n, (unsigned)fibonacci(n, 9973));
  check(fibonacci(30, 9973) == 832040 % 9973, "F(30)");
  return verdict();
}
