/* Numbers and their factors: a sieve, trial division, tests of Miller and Rabin, rho of Pollard, totients, sums of divisors, remainders. */
#include <inttypes.h>

#include "common.h"

/* Odd numbers as bits. */
enum { LIMIT = 6000 };

static uint32_t composite[LIMIT / 64 + 1];

static bool is_composite(uint32_t n) { return composite[n / 64] >> n / 2 % 32 & 1; }

static unsigned sieve(void) {
  unsigned primes = 1;
  for (uint32_t n = 3; n < LIMIT; n += 2) {
    if (is_composite(n)) continue;
    primes++;
    for (uint32_t m = n * n; m < LIMIT; m += 2 * n) composite[m / 64] |= 1u << m / 2 % 32;
  }
  return primes;
}

static uint32_t power(uint32_t base, uint32_t exponent, uint32_t modulus) {
  uint64_t all = 1, square = base % modulus;
  for (; exponent; exponent >>= 1) {
    if (exponent & 1) all = all * square % modulus;
    square = square * square % modulus;
  }
  return (uint32_t)all;
}

/* Certain below 2^32 with these bases. */
static bool is_prime(uint32_t n) {
  static const uint32_t BASES[] = {2, 7, 61};
  if (n < 2 || n % 2 == 0) return n == 2;
  int twos = __builtin_ctz(n - 1);
  for (size_t i = 0; i < LENGTH(BASES); i++) {
    if (BASES[i] % n == 0) continue;
    uint64_t x = power(BASES[i], (n - 1) >> twos, n);
    bool witness = x != 1 && x != n - 1;
    for (int square = 1; square < twos && witness; square++) {
      x = x * x % n;
      witness = x != n - 1;
    }
    if (witness) return false;
  }
  return true;
}

static uint32_t gcd(uint32_t a, uint32_t b) {
  while (b) {
    uint32_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* A divisor of an odd composite, by the cycle of Brent; differences are multiplied before a common divisor is asked for. */
static uint32_t rho(uint32_t n) {
  for (uint32_t c = 1;; c++) {
    uint64_t y = 2, x = 2, product = 1;
    uint32_t divisor = 1;
    for (uint32_t length = 1; divisor == 1; length *= 2) {
      x = y;
      for (uint32_t i = 1; i <= length && divisor == 1; i++) {
        y = (y * y + c) % n;
        product = product * (x > y ? x - y : y - x) % n;
        if (i % 16 == 0 || i == length) divisor = gcd((uint32_t)product, n);
      }
    }
    if (divisor < n) return divisor;
  }
}

static int factor(uint32_t n, uint32_t *factors) {
  if (n == 1) return 0;
  if (is_prime(n)) {
    *factors = n;
    return 1;
  }
  uint32_t divisor = 1;
  for (uint32_t small = 2; small < 20 && divisor == 1; small++)
    if (n % small == 0) divisor = small;
  if (divisor == 1) divisor = rho(n);
  int count = factor(divisor, factors);
  return count + factor(n / divisor, factors + count);
}

static int by_size(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* The number whose remainders are these. */
static uint64_t chinese(const uint32_t *remainder, const uint32_t *modulus, int count) {
  uint64_t x = remainder[0], all = modulus[0];
  for (int i = 1; i < count; i++) {
    /* Euclid's algorithm, for the inverse of all that was before. */
    int32_t a = (int32_t)(all % modulus[i]), b = (int32_t)modulus[i], u = 1, v = 0;
    while (b) {
      int32_t quotient = a / b, rest = a - quotient * b, next = u - quotient * v;
      a = b, b = rest, u = v, v = next;
    }
    int32_t difference = (int32_t)(remainder[i] - x % modulus[i]);
    int64_t times = (int64_t)difference * u % (int32_t)modulus[i];
    if (times < 0) times += modulus[i];
    x += all * (uint64_t)times;
    all *= modulus[i];
  }
  return x;
}

int main(void) {
  unsigned primes = sieve();
  printf("%u primes below %d\n", primes, LIMIT);
  check(primes == 783, "pi(6000)");
  unsigned same = 0;
  for (uint32_t n = 3; n < 400; n += 2) same += is_prime(n) == !is_composite(n);
  check(same == 199, "the sieve and the tests");
  fprintf(stderr, "sieve done\n");
  static const uint32_t NUMBERS[] = {720720, 65537, 1234567, 4294967295u, 2147483647, 600851475, 1000003u * 31, 3215031751u, 62615533};
  for (size_t i = 0; i < LENGTH(NUMBERS); i++) {
    uint32_t factors[32], product = 1, totient = NUMBERS[i];
    uint64_t divisors = 1, last = 0, power_sum = 1;
    int count = factor(NUMBERS[i], factors);
    qsort(factors, (size_t)count, sizeof *factors, by_size);
    printf("%" PRIu32 " =", NUMBERS[i]);
    for (int j = 0; j < count; j++) {
      printf("%s%" PRIu32, j ? " * " : " ", factors[j]);
      check(is_prime(factors[j]), "prime factors");
      product *= factors[j];
      if (factors[j] != last) {
        divisors *= power_sum;
        power_sum = 1;
        totient -= totient / factors[j];
      }
      last = factors[j];
      power_sum = power_sum * last + 1;
    }
    divisors *= power_sum;
    printf(", totient %" PRIu32 ", divisors add up to %" PRIu64 "\n", totient, divisors);
    check(product == NUMBERS[i], "the product");
    check(gcd(7, NUMBERS[i]) != 1 || power(7, totient, NUMBERS[i]) == 1, "the theorem of Euler");
  }
  fprintf(stderr, "factors done\n");
  /* Perfect numbers, and the totients' sum over the divisors of n. */
  for (uint32_t n = 2; n < 500; n += 1) {
    uint32_t sum = 1;
    for (uint32_t d = 2; d * d <= n; d++)
      if (n % d == 0) sum += d + (d * d < n ? n / d : 0);
    if (sum == n) printf("%" PRIu32 " is perfect\n", n);
  }
  static const uint32_t MODULI[] = {3, 5, 7, 11, 13, 1009};
  uint64_t wanted = 12345678;
  uint32_t remainders[LENGTH(MODULI)];
  for (size_t i = 0; i < LENGTH(MODULI); i++) remainders[i] = (uint32_t)(wanted % MODULI[i]);
  uint64_t found = chinese(remainders, MODULI, (int)LENGTH(MODULI));
  printf("%" PRIu64 "\n", found);
  check(found == wanted, "the Chinese remainders");
  return verdict();
}
