/* Every conversion of printf with its flags, widths and precisions, and scanf, strtol, strtod; against texts that must come of them. */
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>

#include "common.h"

static int tested;

/* Prints, and compares with what must come of it. */
__attribute__((format(printf, 2, 3))) static void is(const char *wanted, const char *format, ...) {
  char text[400];
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(text, sizeof text, format, arguments);
  vprintf(format, again);
  putchar('\n');
  va_end(again);
  va_end(arguments);
  tested++;
  check(strcmp(text, wanted) == 0 && length == (int)strlen(wanted), format);
}

static void integers(void) {
  is("0 7 -7 2147483647 -2147483648", "%d %i %d %d %d", 0, 7, -7, INT_MAX, INT_MIN);
  is("[   42][42   ][00042][  +42][ 42]", "[%5d][%-5d][%05d][%+5d][% d]", 42, 42, 42, 42, 42);
  is("[-0042][  -42][-42  ][  042]", "[%05d][%5d][%-5d][%5.3d]", -42, -42, -42, 42);
  is("[    7][7    ][00007]", "[%*d][%-*d][%.*d]", 5, 7, 5, 7, 5, 7);
  is("[7    ][]", "[%*d][%.0d]", -5, 7, 0);
  is("4294967295 37777777777 ffffffff FFFFFFFF", "%u %o %x %X", UINT_MAX, UINT_MAX, UINT_MAX, UINT_MAX);
  is("0x2a 0X2A 052 0 [  0x2a][0x002a]", "%#x %#X %#o %#x [%#6x][%#06x]", 42, 42, 42, 0, 42, 42);
  is("-1 255 -1 65535", "%hhd %hhu %hd %hu", (signed char)-1, (unsigned char)255, (short)-1, (unsigned short)65535);
  is("-123456789 4000000000", "%ld %lu", -123456789L, 4000000000UL);
  is("-9223372036854775808 9223372036854775807", "%lld %lld", LLONG_MIN, LLONG_MAX);
  is("18446744073709551615 1777777777777777777777 ffffffffffffffff", "%llu %llo %llx", ULLONG_MAX, ULLONG_MAX, ULLONG_MAX);
  is("[ 1000000000000000000][+1000000000000000000]", "[%20lld][%+lld]", 1000000000000000000LL, 1000000000000000000LL);
  is("123 -5 77 99", "%zu %td %jd %" PRIu64, (size_t)123, (ptrdiff_t)-5, (intmax_t)77, (uint64_t)99);
  is("0000000000000000000012 0001", "%022d %04x", 12, 1);
}

static void texts(void) {
  int at = 0;
  is("a b 100% [       end][end       ][  en][]", "%c %c %d%% [%10s][%-10s][%4.2s][%.0s]", 'a', 'b', 100, "end", "end", "end", "end");
  is("[    x][x    ][abc]", "[%5c][%-5c][%.*s]", 'x', 'x', 3, "abcdef");
  printf("12345%n6789\n", &at);
  check(at == 5, "%n");
  is("caf\xc3\xa9 \t|", "caf\xc3\xa9 \t|");
  char small[8];
  int needed = snprintf(small, sizeof small, "%s", "too long for that");
  check(needed == 17 && strcmp(small, "too lon") == 0, "snprintf cuts off");
  check(snprintf(NULL, 0, "%d", 12345) == 5, "snprintf measures");
  void *nothing = NULL;
  check(snprintf(small, sizeof small, "%p", nothing) > 0, "%p");
}

static void fractions(void) {
  is("0.000000 1.500000 -2.250000 1000000.000000", "%f %f %f %f", 0.0, 1.5, -2.25, 1e6);
  is("3.142 3 3. [   3.14][3.14   ][0003.14][+3.14]", "%.3f %.0f %#.0f [%7.2f][%-7.2f][%07.2f][%+.2f]", 3.14159, 3.14159, 3.14159, 3.14159, 3.14159,
     3.14159, 3.14159);
  is("0.5 1.5 2.5 -> 0 2 2", "%.1f %.1f %.1f -> %.0f %.0f %.0f", 0.5, 1.5, 2.5, 0.5, 1.5, 2.5);
  is("0.100000000000000005551 9.99 10.00", "%.21f %.2f %.2f", 0.1, 9.994999, 9.995001);
  is("1.000000e+00 1.234568e-05 6.02E+23 -1e+100", "%e %e %.2E %.0e", 1.0, 1.2345678e-5, 6.02214076e23, -1e100);
  is("0 1 100000 1e+06 0.0001 1e-05 1.23457e+08 123.456", "%g %g %g %g %g %g %g %g", 0.0, 1.0, 1e5, 1e6, 1e-4, 1e-5, 123456789.0, 123.456);
  is("1.00000 1.2E+10 123456789 0.333333333333333", "%#g %.2G %.9g %.15g", 1.0, 1.2e10, 123456789.0, 1.0 / 3);
  is("inf -inf INF nan NAN [  inf]", "%f %e %F %g %G [%5.1f]", INFINITY, -INFINITY, INFINITY, NAN, NAN, INFINITY);
  is("-0.0 0x1p+0 0x1.8p+1 0x1.999999999999ap-4 -0X1P-1", "%.1f %a %a %a %A", -0.0, 1.0, 3.0, 0.1, -0.5);
  is("1.7976931348623157e+308 4.9406564584124654e-324", "%.16e %.16e", 1.7976931348623157e308, 5e-324);
  is("123456789012345683968.0", "%.1f", 123456789012345680000.0);
  is("2.5 7 x -3", "%.1f %d %c %lld", 2.5, 7, 'x', -3LL);
}

static void scanning(void) {
  int a, b, c;
  unsigned x, o;
  char word[16], letters[16], one;
  long long wide;
  float f;
  double d;
  int n = sscanf(" 12 -7 0x1F, 777 word:abc123 9000000000000", "%d%d%i, %o %15[^:]:%15[a-c]%d%lld", &a, &b, &c, &o, word, letters, &n, &wide);
  printf("%d: %d %d %d %o %s %s %lld\n", n, a, b, c, o, word, letters, wide);
  check(n == 8 && a == 12 && b == -7 && c == 31 && o == 0777 && wide == 9000000000000LL, "sscanf of integers");
  n = sscanf("3.25 -1e3 ff z", "%f %lf %x %c", &f, &d, &x, &one);
  printf("%d: %.2f %.1f %x %c\n", n, f, d, x, one);
  check(n == 4 && f == 3.25f && d == -1000 && x == 255 && one == 'z', "sscanf of fractions");
  char *end;
  check(strtol("  -0x7fZ", &end, 0) == -127 && *end == 'Z', "strtol");
  check(strtoul("zz", NULL, 36) == 35 * 36 + 35 && strtol("1012", &end, 2) == 5 && *end == '2', "strtoul");
  check(strtoll("9223372036854775808", NULL, 10) == LLONG_MAX, "strtoll at its end");
  static const struct {
    const char *text;
    double value;
  } DOUBLES[] = {{"0.1", 0.1}, {"1e22", 1e22}, {"123456.789e-3", 123.456789}, {"0x1.8p3", 12}, {"2.2250738585072014e-308", 2.2250738585072014e-308}, {"-.5e1x", -5}};
  for (size_t i = 0; i < LENGTH(DOUBLES); i++) {
    d = strtod(DOUBLES[i].text, &end);
    printf("%s is %.17g\n", DOUBLES[i].text, d);
    check(d == DOUBLES[i].value, "strtod");
  }
}

int main(void) {
  integers();
  fprintf(stderr, "%-9s|%+5d|%x\n", "integers", tested, 0xabcu);
  texts();
  fprintf(stderr, "%-9s|%+5d|%o\n", "texts", tested, 0123u);
  fractions();
  fprintf(stderr, "%-9s|%+5d|%.3f\n", "fractions", tested, 0.125);
  scanning();
  printf("%d formats\n", tested);
  return verdict();
}
