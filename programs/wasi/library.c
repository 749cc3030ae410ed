/* What a C program does with a C library: printf, malloc, qsort, function pointers, recursion, switch, long long, double. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b) {
  int x = *(const int *)a, y = *(const int *)b;
  return (x > y) - (x < y);
}

static unsigned fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

static long long gcd(long long a, long long b) { return b ? gcd(b, a % b) : a; }

static int add(int a, int b) { return a + b; }
static int sub(int a, int b) { return a - b; }
static int mul(int a, int b) { return a * b; }

static const char *name(int n) {
  switch (n) {
    case 0: return "zero";
    case 1: return "one";
    case 2: return "two";
    case 3: return "three";
    case 7: return "seven";
    default: return "many";
  }
}

struct point {
  double x, y;
};

int main(int argc, char **argv) {
  int numbers[] = {5, -3, 99, 0, 42, 7, -100};
  qsort(numbers, 7, sizeof *numbers, by_value);
  for (int i = 0; i < 7; i++) printf("%d%c", numbers[i], i < 6 ? ' ' : '\n');
  int (*operations[])(int, int) = {add, sub, mul};
  for (int i = 0; i < 3; i++) printf("%d ", operations[i](12, 5));
  printf("\nfib %u gcd %lld hex %x %08X\n", fib(10), gcd(1071LL << 33, 462LL << 33), 0xbeef, 48879);
  struct point *p = malloc(3 * sizeof *p);
  for (int i = 0; i < 3; i++) {
    p[i].x = i * 0.5;
    p[i].y = 1.0 / (i + 3);
  }
  for (int i = 0; i < 3; i++) printf("%f %.3f %g\n", p[i].x, p[i].y, p[i].x * p[i].y);
  free(p);
  char *s = malloc(32);
  strcpy(s, "hello");
  strcat(s, ", world");
  printf("%lld %llu %.10e\n", -1234567890123456789LL, 18446744073709551615ULL, 6.02214076e23);
  printf("%s %zu %s %s %s\n", s, strlen(s), name(3), name(7), name(8));
  free(s);
  printf("%d arguments\n", argc - 1);
  for (int i = 1; i < argc; i++) printf("%s\n", argv[i]);
  return 3;
}
