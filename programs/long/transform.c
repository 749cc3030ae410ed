/* Transforms of integers modulo a prime: polynomials and long numbers multiplied by them, against products by hand; and Walsh's. */
#include "common.h"

enum { MOST = 256 };

/* 119 * 2^23 + 1; 3 generates all powers. */
static const uint32_t PRIME = 998244353;

/* Montgomery's product a b / 2^32: numbers are kept times 2^32. */
static const uint32_t NEGATIVE_INVERSE = 998244351;

static uint32_t times(uint32_t a, uint32_t b) {
  uint64_t product = (uint64_t)a * b;
  uint32_t low = (uint32_t)product * NEGATIVE_INVERSE;
  uint32_t high = (uint32_t)((product + (uint64_t)low * PRIME) >> 32);
  return high < PRIME ? high : high - PRIME;
}

static uint32_t into(uint32_t a) { return (uint32_t)(((uint64_t)a << 32) % PRIME); }
static uint32_t back(uint32_t a) { return times(a, 1); }
static uint32_t plus(uint32_t a, uint32_t b) { return a + b < PRIME ? a + b : a + b - PRIME; }
static uint32_t minus(uint32_t a, uint32_t b) { return a < b ? a + PRIME - b : a - b; }

static uint32_t power(uint32_t base, uint32_t exponent) {
  uint32_t all = into(1);
  for (; exponent; exponent >>= 1, base = times(base, base))
    if (exponent & 1) all = times(all, base);
  return all;
}

static void transform(uint32_t *a, uint32_t size, bool inverse) {
  for (uint32_t i = 1, j = 0; i < size; i++) {
    uint32_t bit = size / 2;
    for (; j & bit; bit /= 2) j ^= bit;
    j ^= bit;
    if (i < j) {
      uint32_t kept = a[i];
      a[i] = a[j];
      a[j] = kept;
    }
  }
  for (uint32_t half = 1; half < size; half *= 2) {
    uint32_t root = power(into(3), (PRIME - 1) / (2 * half));
    if (inverse) root = power(root, PRIME - 2);
    for (uint32_t start = 0, turn = into(1); start < half; start++, turn = times(turn, root))
      for (uint32_t i = start; i < size; i += 2 * half) {
        uint32_t odd = times(a[i + half], turn);
        a[i + half] = minus(a[i], odd);
        a[i] = plus(a[i], odd);
      }
  }
  if (!inverse) return;
  uint32_t scale = power(into(size), PRIME - 2);
  for (uint32_t i = 0; i < size; i++) a[i] = times(a[i], scale);
}

static uint32_t a[MOST], b[MOST], product[MOST];

static uint32_t sum_of(const uint32_t *words, uint32_t count) {
  uint32_t sum = SUM;
  for (uint32_t i = 0; i < count; i++) sum = mix(sum, words[i]);
  return sum;
}

static void polynomials(uint32_t size) {
  uint32_t state = 521288629;
  for (uint32_t i = 0; i < size; i++) {
    a[i] = i < size / 2 ? into(next_random(&state) % PRIME) : 0;
    b[i] = i < size / 2 ? into(next_random(&state) % PRIME) : 0;
    product[i] = 0;
  }
  for (uint32_t i = 0; i < size / 2; i++)
    for (uint32_t j = 0; j < size / 2; j++) product[i + j] = plus(product[i + j], times(a[i], b[j]));
  transform(a, size, false);
  transform(b, size, false);
  for (uint32_t i = 0; i < size; i++) a[i] = times(a[i], b[i]);
  transform(a, size, true);
  check(memcmp(a, product, size * sizeof *a) == 0, "a product of polynomials");
  printf("%u coefficients: %u ... %u, checksum %08x\n", (unsigned)size, (unsigned)back(a[0]), (unsigned)back(a[size - 2]),
         (unsigned)sum_of(a, size));
}

/* Decimal digits, two a place. */
static void load_digits(uint32_t *places, const char *digits, uint32_t size) {
  memset(places, 0, size * sizeof *places);
  for (size_t length = strlen(digits), i = 0; i < length; i++) places[i / 2] += (uint32_t)(digits[length - 1 - i] - '0') * (i % 2 ? 10 : 1);
  for (uint32_t i = 0; i < size; i++) places[i] = into(places[i]);
}

static void square(char *digits, size_t room) {
  uint32_t size = 1;
  while (size < strlen(digits) + 2) size *= 2;
  load_digits(a, digits, size);
  transform(a, size, false);
  for (uint32_t i = 0; i < size; i++) a[i] = times(a[i], a[i]);
  transform(a, size, true);
  uint32_t carry = 0;
  char reversed[2 * MOST];
  size_t length = 0;
  for (uint32_t i = 0; i < size; i++) {
    carry += back(a[i]);
    reversed[length++] = (char)('0' + carry % 10);
    reversed[length++] = (char)('0' + carry / 10 % 10);
    carry /= 100;
  }
  while (length > 1 && reversed[length - 1] == '0') length--;
  if (length >= room) exit(1);
  for (size_t i = 0; i < length; i++) digits[i] = reversed[length - 1 - i];
  digits[length] = '\0';
}

/* Sums and differences of all halves; done twice, it multiplies by the size. */
static void walsh(int32_t *values, int size) {
  for (int half = 1; half < size; half *= 2)
    for (int i = 0; i < size; i++)
      if (!(i & half)) {
        int32_t x = values[i], y = values[i + half];
        values[i] = x + y;
        values[i + half] = x - y;
      }
}

int main(void) {
  for (uint32_t size = 4; size <= 64; size *= 4) polynomials(size);
  fprintf(stderr, "polynomials done\n");
  char digits[2 * MOST] = "2";
  for (int doubled = 1; doubled <= 256; doubled *= 2) {
    if (doubled > 1) square(digits, sizeof digits);
    if (doubled >= 16) printf("2^%d = %s\n", doubled, digits);
  }
  check(strcmp(digits, "115792089237316195423570985008687907853269984665640564039457584007913129639936") == 0, "2^256");
  strcpy(digits, "1000000000000000000000000000000000000001");
  square(digits, sizeof digits);
  printf("%s\n", digits);
  check(strcmp(digits, "1000000000000000000000000000000000000002000000000000000000000000000000000000001") == 0, "a square");
  int32_t values[128];
  uint32_t state = 362436069;
  for (int i = 0; i < 128; i++) values[i] = (int32_t)(next_random(&state) % 2001) - 1000;
  walsh(values, 128);
  printf("Walsh: %d %d %d %d\n", (int)values[0], (int)values[1], (int)values[64], (int)values[127]);
  walsh(values, 128);
  state = 362436069;
  for (int i = 0; i < 128; i++) check(values[i] == 128 * ((int32_t)(next_random(&state) % 2001) - 1000), "Walsh and back");
  return verdict();
}
