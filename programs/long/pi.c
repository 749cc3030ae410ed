/* Digits of pi by three formulas: the spigot of Rabinowitz and Wagon, Machin's arctangents in fixed point, hexadecimal digits by powers. */
#include "common.h"

static const char KNOWN[] =
    "31415926535897932384626433832795028841971693993751058209749445923078164062862089986280348253421170679"
    "82148086513282306647093844609550582231725359408128";

/* A mixed base of 1/3, 2/5, 3/7, ...: in it pi is 2.2222...; every step multiplies by 10 and carries to the left. */
enum { SPIGOT = 60, CELLS = 10 * SPIGOT / 3 + 2 };

static uint16_t cell[CELLS];

static void spigot(char *digits) {
  int count = 0, held = 0, nines = 0;
  for (int i = 0; i < CELLS; i++) cell[i] = 2;
  for (int step = 0; count + nines < SPIGOT + 1; step++) {
    uint32_t carry = 0;
    for (uint32_t i = CELLS - 1; i > 0; i--) {
      uint32_t all = cell[i] * 10u + carry;
      cell[i] = (uint16_t)(all % (2 * i + 1));
      carry = all / (2 * i + 1) * i;
    }
    uint32_t all = cell[0] * 10u + carry;
    cell[0] = (uint16_t)(all % 10);
    int digit = (int)(all / 10);
    if (digit == 9) {
      nines++;
      continue;
    }
    /* A ten carries over the nines that were held back. */
    int over = digit == 10;
    if (step > 0) digits[count++] = (char)('0' + held + over);
    for (; nines > 0; nines--) digits[count++] = over ? '0' : '9';
    held = over ? 0 : digit;
  }
  digits[count] = '\0';
}

/* pi = 16 arctan(1/5) - 4 arctan(1/239), limbs of four decimal digits, the first in front of the point. */
enum { LIMBS = 16, BASE = 10000 };

typedef uint32_t fixed[LIMBS];

static bool divide(fixed a, uint32_t by) {
  uint32_t rest = 0;
  bool any = false;
  for (int i = 0; i < LIMBS; i++) {
    rest = rest * BASE + a[i];
    a[i] = rest / by;
    rest %= by;
    any |= a[i] != 0;
  }
  return any;
}

static void add_arctangent(fixed sum, uint32_t times, uint32_t x, bool negative) {
  fixed power = {times}, term;
  divide(power, x);
  bool any = true;
  for (uint32_t k = 1; any; k += 2, negative = !negative) {
    memcpy(term, power, sizeof term);
    any = divide(term, k);
    uint32_t carry = 0;
    for (int i = LIMBS - 1; i >= 0; i--) {
      uint32_t limb = negative ? sum[i] + BASE - term[i] - carry : sum[i] + term[i] + carry;
      carry = negative ? limb < BASE : limb >= BASE;
      sum[i] = limb % BASE;
    }
    divide(power, x * x);
  }
}

static void machin(char *digits) {
  fixed sum = {0};
  add_arctangent(sum, 16, 5, false);
  add_arctangent(sum, 4, 239, true);
  digits += sprintf(digits, "%u", (unsigned)sum[0]);
  for (int i = 1; i < LIMBS; i++) digits += sprintf(digits, "%04u", (unsigned)sum[i]);
}

/* The digits behind position n of pi in base 16, after Bailey, Borwein and Plouffe: sums of 16^(n-k) modulo 8k+j, in 2^-32. */
static uint32_t power16(uint32_t n, uint32_t modulus) {
  uint32_t power = 1 % modulus, base = 16 % modulus;
  for (; n; n >>= 1) {
    if (n & 1) power = power * base % modulus;
    base = base * base % modulus;
  }
  return power;
}

static uint32_t series(uint32_t n, uint32_t j) {
  uint32_t sum = 0;
  for (uint32_t k = 0; k <= n; k++) {
    uint32_t modulus = 8 * k + j, rest = power16(n - k, modulus), fraction = 0;
    /* The quotient of 2^32 rest and the modulus, sixteen bits at a time. */
    for (int half = 0; half < 2; half++) {
      rest <<= 16;
      fraction = fraction << 16 | rest / modulus;
      rest %= modulus;
    }
    sum += fraction;
  }
  for (uint32_t k = n + 1, shift = 4; shift < 32; k++, shift += 4) sum += (0xffffffffu / (8 * k + j)) >> shift;
  return sum;
}

static uint32_t hexadecimal(uint32_t n) { return 4 * series(n, 1) - 2 * series(n, 4) - series(n, 5) - series(n, 6); }

int main(void) {
  char digits[SPIGOT + 20];
  spigot(digits);
  printf("spigot: %s\n", digits);
  check(strlen(digits) >= SPIGOT - 4 && strncmp(digits, KNOWN, strlen(digits)) == 0, "spigot");
  machin(digits);
  printf("Machin: %s\n", digits);
  check(strncmp(digits, KNOWN, 4 * LIMBS - 6) == 0, "Machin");
  static const uint32_t HEX[] = {0x243f6a, 0x8885a3, 0x08d313, 0x198a2e, 0x037073};
  printf("base 16:");
  for (uint32_t i = 0; i < LENGTH(HEX); i++) {
    uint32_t word = hexadecimal(6 * i) >> 8;
    printf(" %06x", (unsigned)word);
    check(word == HEX[i], "base 16");
    fprintf(stderr, "%u digits\n", (unsigned)(6 * i + 6));
  }
  putchar('\n');
  return verdict();
}
