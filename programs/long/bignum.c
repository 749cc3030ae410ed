/* Integers of any length: factorials, Fibonacci numbers, digits of e and of square roots; with identities that must hold. */
#include "common.h"

enum { LIMBS = 64, BASE = 1000000000 };

/* Least significant limb first, nine digits each. */
struct big {
  int length;
  uint32_t limb[LIMBS];
};

static void set(struct big *a, uint32_t value) {
  a->length = 0;
  for (; value; value /= BASE) a->limb[a->length++] = value % BASE;
}

static void add(struct big *a, const struct big *b) {
  uint32_t carry = 0;
  for (int i = 0; i < b->length || carry; i++) {
    if (i == a->length) a->limb[a->length++] = 0;
    uint32_t limb = a->limb[i] + carry + (i < b->length ? b->limb[i] : 0);
    carry = limb >= BASE;
    a->limb[i] = carry ? limb - BASE : limb;
  }
}

/* The difference of a greater number and a smaller one. */
static void subtract(struct big *a, const struct big *b) {
  uint32_t borrow = 0;
  for (int i = 0; i < a->length; i++) {
    uint32_t taken = borrow + (i < b->length ? b->limb[i] : 0);
    borrow = a->limb[i] < taken;
    a->limb[i] += (borrow ? BASE : 0) - taken;
  }
  while (a->length && a->limb[a->length - 1] == 0) a->length--;
}

static void scale(struct big *a, uint32_t factor) {
  uint64_t carry = 0;
  for (int i = 0; i < a->length; i++) {
    carry += (uint64_t)a->limb[i] * factor;
    a->limb[i] = (uint32_t)(carry % BASE);
    carry /= BASE;
  }
  for (; carry; carry /= BASE) a->limb[a->length++] = (uint32_t)(carry % BASE);
}

static void multiply(struct big *product, const struct big *a, const struct big *b) {
  product->length = a->length + b->length;
  memset(product->limb, 0, (size_t)product->length * sizeof *product->limb);
  for (int i = 0; i < a->length; i++) {
    uint64_t carry = 0;
    for (int j = 0; j < b->length || carry; j++) {
      carry += product->limb[i + j];
      if (j < b->length) carry += (uint64_t)a->limb[i] * b->limb[j];
      product->limb[i + j] = (uint32_t)(carry % BASE);
      carry /= BASE;
    }
  }
  while (product->length && product->limb[product->length - 1] == 0) product->length--;
}

/* The remainder; the quotient stays. */
static uint32_t divide(struct big *a, uint32_t divisor) {
  uint64_t rest = 0;
  for (int i = a->length; i-- > 0;) {
    rest = rest * BASE + a->limb[i];
    a->limb[i] = (uint32_t)(rest / divisor);
    rest %= divisor;
  }
  while (a->length && a->limb[a->length - 1] == 0) a->length--;
  return (uint32_t)rest;
}

static bool equal(const struct big *a, const struct big *b) {
  return a->length == b->length && memcmp(a->limb, b->limb, (size_t)a->length * sizeof *a->limb) == 0;
}

static void print(const char *name, const struct big *a) {
  printf("%s", name);
  if (a->length == 0) putchar('0');
  for (int i = a->length; i-- > 0;) printf(i + 1 == a->length ? "%u" : "%09u", (unsigned)a->limb[i]);
  putchar('\n');
}

static unsigned digit_sum(struct big a) {
  unsigned sum = 0;
  while (a.length) {
    for (uint32_t rest = divide(&a, 10000); rest; rest /= 10) sum += rest % 10;
  }
  return sum;
}

static struct big a, b, c, d;

static void factorials(void) {
  set(&a, 1);
  for (unsigned n = 1; n <= 60; n++) {
    scale(&a, n);
    if (n % 10 == 0) {
      printf("%u! = ", n);
      print("", &a);
    }
  }
  unsigned sum = digit_sum(a);
  printf("its digits add up to %u\n", sum);
  check(sum % 9 == 0, "the digits of 60! add up to a multiple of 9");
  for (unsigned n = 60; n > 1; n--) check(divide(&a, n) == 0, "a factorial's divisor");
  set(&b, 1);
  check(equal(&a, &b), "60! / 60!");
}

/* F(m + n) = F(m) F(n + 1) + F(m - 1) F(n). */
static void fibonacci(void) {
  struct big last[3];
  set(&a, 0);
  set(&b, 1);
  for (int n = 1; n <= 300; n++) {
    if (n == 149 || n == 150 || n == 151) last[n - 149] = b;
    if (n % 50 == 0) {
      printf("F(%d) = ", n);
      print("", &b);
    }
    if (n < 300) {
      c = b;
      add(&b, &a);
      a = c;
    }
  }
  multiply(&c, &last[1], &last[2]);
  multiply(&d, &last[0], &last[1]);
  add(&c, &d);
  check(equal(&b, &c), "F(300) from F(149), F(150) and F(151)");
  subtract(&c, &a);
  subtract(&b, &a);
  check(equal(&b, &c), "differences");
}

/* The sum of 1/k! in fixed point, a limb in front of the point. */
static void digits_of_e(int limbs) {
  set(&a, 0);
  a.length = limbs + 1;
  memset(a.limb, 0, (size_t)limbs * sizeof *a.limb);
  a.limb[limbs] = 1;
  set(&b, 0);
  for (unsigned k = 1; a.length; k++) {
    add(&b, &a);
    divide(&a, k);
  }
  printf("e = %u.", (unsigned)b.limb[limbs]);
  for (int i = limbs; i-- > 1;) printf("%09u", (unsigned)b.limb[i]);
  putchar('\n');
  static const uint32_t KNOWN[] = {718281828, 459045235, 360287471, 352662497, 757247093, 699959574, 966967627};
  for (int i = 0; i < (int)LENGTH(KNOWN); i++) check(b.limb[limbs - 1 - i] == KNOWN[i], "digits of e");
}

/* Limb by limb, each found by halving its interval: the greatest whose square is not too great. */
static void square_root(uint32_t n, int limbs) {
  set(&a, n);
  memmove(a.limb + 2 * limbs, a.limb, (size_t)a.length * sizeof *a.limb);
  memset(a.limb, 0, (size_t)(2 * limbs) * sizeof *a.limb);
  a.length += 2 * limbs;
  memset(&b, 0, sizeof b);
  b.length = limbs + 1;
  for (int i = limbs; i >= 0; i--) {
    uint32_t low = 0, high = BASE;
    while (high - low > 1) {
      uint32_t middle = low + (high - low) / 2;
      b.limb[i] = middle;
      c = b;
      while (c.length && c.limb[c.length - 1] == 0) c.length--;
      multiply(&d, &c, &c);
      bool over = d.length > a.length;
      if (d.length == a.length) {
        int top = a.length - 1;
        while (top > 0 && d.limb[top] == a.limb[top]) top--;
        over = d.limb[top] > a.limb[top];
      }
      if (over) {
        high = middle;
      } else {
        low = middle;
      }
    }
    b.limb[i] = low;
  }
  printf("the root of %u = %u.", (unsigned)n, (unsigned)b.limb[limbs]);
  for (int i = limbs; i-- > 0;) printf("%09u", (unsigned)b.limb[i]);
  putchar('\n');
}

int main(void) {
  factorials();
  fprintf(stderr, "factorials done\n");
  fibonacci();
  fprintf(stderr, "Fibonacci numbers done\n");
  digits_of_e(10);
  square_root(2, 3);
  check(b.limb[2] == 414213562 && b.limb[1] == 373095048 && b.limb[0] == 801688724, "the root of 2");
  square_root(144, 2);
  check(b.limb[2] == 12 && b.limb[1] == 0 && b.limb[0] == 0, "the root of 144");
  return verdict();
}
