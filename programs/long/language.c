/* What C has: all types and their conversions, bit fields, unions, arrays of variable length, function pointers, variable arguments, goto. */
#include <ctype.h>
#include <float.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>

#include "common.h"

_Static_assert(CHAR_BIT == 8 && sizeof(long long) == 8, "a byte has eight bits");

/* Packed and unpacked, and seen as bytes. */
union word {
  uint32_t whole;
  uint8_t bytes[4];
  struct {
    uint32_t low : 5, middle : 11, high : 16;
  };
  struct {
    int32_t sign : 3, other : 29;
  } is_signed;
};

static void unions(void) {
  uint32_t sum = SUM;
  for (uint32_t i = 0; i < 400; i++) {
    union word word = {.whole = i * 2654435761u};
    check((word.low | word.middle << 5 | (uint32_t)word.high << 16) == word.whole, "bit fields");
    check(word.bytes[0] + 256u * word.bytes[1] == (word.whole & 0xffff), "bytes");
    word.middle += 3;
    word.is_signed.sign -= 1;
    word.bytes[3] ^= 0x55;
    sum = mix(sum, word.whole);
    sum = mix(sum, (uint32_t)word.is_signed.sign);
  }
  printf("unions %08x\n", (unsigned)sum);
}

/* Every integer type, at its limits, to and fro. */
#define SHOW(type, format, value)                                          \
  do {                                                                     \
    type x = (type)(value);                                                \
    printf("%-18s " format " %d %d\n", #type, x, x > 0, (int)(x / 3 % 7)); \
  } while (0)

#define NAME_OF(x) \
  _Generic((x), char: "char", signed char: "signed char", unsigned char: "unsigned char", short: "short", int: "int", unsigned: "unsigned", long long: "long long", unsigned long long: "unsigned long long", float: "float", double: "double", char *: "text", default: "another")

static void conversions(void) {
  static const long long VALUES[] = {0, -1, 127, 128, 255, 32768, 65535, 2147483647, -2147483648LL, 4294967295LL, 1099511627776LL, LLONG_MAX, LLONG_MIN};
  for (size_t i = 0; i < LENGTH(VALUES); i++) {
    volatile long long value = VALUES[i];
    SHOW(signed char, "%d", value);
    SHOW(unsigned char, "%u", value);
    SHOW(short, "%d", value);
    SHOW(unsigned short, "%u", value);
    SHOW(int, "%d", value);
    SHOW(unsigned, "%u", value);
    SHOW(unsigned long long, "%llu", value);
    check((long long)(double)(value >> 12) == value >> 12, "through double");
    check((_Bool)value == (value != 0), "truth");
  }
  char c = 'c';
  printf("%s %s %s %s %s %s %s\n", NAME_OF(c), NAME_OF(c + c), NAME_OF((short)1), NAME_OF(1u + 1), NAME_OF(1ll + 1u), NAME_OF(1.0f), NAME_OF(1.0f * 1.0));
  volatile double fraction = 2.99999;
  volatile float narrow = 16777217.0f;
  printf("%d %d %u %lld %.1f %.1f\n", (int)fraction, (int)-fraction, (unsigned)(fraction * 1e9), (long long)(fraction * 1e15), (double)narrow,
         (double)(float)fraction * 3);
  printf("%d %g %d\n", FLT_DIG, DBL_EPSILON, DBL_MAX_EXP);
}

/* Signs of quotients and remainders, shifts and comparisons that mix them. */
static void arithmetic(void) {
  static const int VALUES[] = {7, -7, 3, -3, 1, -1, 100, -100, INT_MAX, INT_MIN + 1};
  uint32_t sum = SUM;
  for (size_t i = 0; i < LENGTH(VALUES); i++)
    for (size_t j = 0; j < LENGTH(VALUES); j++) {
      volatile int a = VALUES[i], b = VALUES[j];
      int quotient = a / b, rest = a % b;
      check((long long)quotient * b + rest == a && abs(rest) < abs(b), "division");
      div_t both = div(a, b);
      check(both.quot == quotient && both.rem == rest, "div");
      sum = mix(sum, (uint32_t)quotient);
      sum = mix(sum, (uint32_t)rest);
      sum = mix(sum, (uint32_t)a / (uint32_t)b ^ (uint32_t)a % (uint32_t)b);
      sum = mix(sum, (uint32_t)((long long)a * b >> 9));
      sum = mix(sum, (uint32_t)a << (b & 31) | (uint32_t)(a >> (b & 31)));
      sum = mix(sum, (uint32_t)((a < b) | ((uint32_t)a < (uint32_t)b) << 1 | (a == b) << 2 | (a && b) << 3 | (!a) << 4));
    }
  printf("arithmetic %08x\n", (unsigned)sum);
}

/* Arrays of variable length, and pointers into them. */
static int pascal(int n) {
  int triangle[n][n];
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++) triangle[i][j] = j == 0 || j == i ? 1 : triangle[i - 1][j - 1] + triangle[i - 1][j];
  int(*row)[n] = &triangle[n - 1], sum = 0;
  for (int *at = *row; at < *row + n; at++) sum += *at;
  check(sum == 1 << (n - 1) && sizeof triangle == (size_t)(n * n) * sizeof(int), "Pascal's triangle");
  return triangle[n - 1][n / 2];
}

/* Variable arguments, passed on. */
static double total(const char *types, va_list arguments) {
  double sum = 0;
  for (; *types; types++) switch (*types) {
      case 'i': sum += va_arg(arguments, int); break;
      case 'l': sum += (double)va_arg(arguments, long long); break;
      case 'd': sum += va_arg(arguments, double); break;
      case 's': sum += (double)strlen(va_arg(arguments, const char *)); break;
      default: break;
    }
  return sum;
}

static double add_up(const char *types, ...) {
  va_list arguments;
  va_start(arguments, types);
  double sum = total(types, arguments);
  va_end(arguments);
  return sum;
}

/* A table of functions, chosen by name; and functions that return functions. */
typedef int operation(int, int);

static int plus(int a, int b) { return a + b; }
static int minus(int a, int b) { return a - b; }
static int times(int a, int b) { return a * b; }
static int larger(int a, int b) { return a > b ? a : b; }

static operation *choose(char sign) {
  static const struct {
    char sign;
    operation *does;
  } TABLE[] = {{'+', plus}, {'-', minus}, {'*', times}, {'^', larger}};
  for (size_t i = 0; i < LENGTH(TABLE); i++)
    if (TABLE[i].sign == sign) return TABLE[i].does;
  return NULL;
}

static int fold(operation *does, const int *from, const int *to) {
  int all = *from++;
  while (from < to) all = does(all, *from++);
  return all;
}

/* A loop unrolled in a switch. */
static void copy(char *to, const char *from, int count) {
  int rounds = (count + 3) / 4;
  switch (count % 4) {
    case 0:
      do {
        *to++ = *from++;
        __attribute__((fallthrough));
        case 3: *to++ = *from++; __attribute__((fallthrough));
        case 2: *to++ = *from++; __attribute__((fallthrough));
        case 1: *to++ = *from++;
      } while (--rounds > 0);
  }
}

/* A machine of gotos: words, numbers and the rest are counted. */
static void scan(const char *text, int counts[static 3]) {
between:
  if (!*text) return;
  if (isalpha((unsigned char)*text)) goto word;
  if (isdigit((unsigned char)*text)) goto number;
  if (!isspace((unsigned char)*text)) counts[2]++;
  text++;
  goto between;
word:
  if (isalnum((unsigned char)*++text)) goto word;
  counts[0]++;
  goto between;
number:
  if (isdigit((unsigned char)*++text)) goto number;
  counts[1]++;
  goto between;
}

/* A flexible array, a list through it, and what a function remembers. */
struct text {
  struct text *before;
  size_t length;
  char bytes[];
};

static struct text *push(struct text *before, const char *bytes) {
  struct text *text = malloc(sizeof *text + strlen(bytes) + 1);
  if (!text) exit(1);
  *text = (struct text){.before = before, .length = strlen(bytes)};
  strcpy(text->bytes, bytes);
  return text;
}

static unsigned serial(void) {
  static unsigned last = 41;
  return ++last;
}

struct nested {
  struct {
    int x, y;
  } corner[2];
  const char *name;
  int values[4];
};

static void goodbye(void) { fprintf(stderr, "goodbye\n"); }
static void last_words(void) { printf("called at exit, number %u\n", serial()); }

static int leave(int depth) {
  if (depth == 0) exit(verdict());
  return leave(depth - 1) + 1;
}

int main(int argc, char **argv) {
  atexit(goodbye);
  atexit(last_words);
  printf("%d arguments:", argc - 1);
  for (char **argument = argv + 1; *argument; argument++) printf(" [%s]", *argument);
  putchar('\n');
  check(argc == 4 && strcmp(argv[1], "first") == 0 && atoi(argv[2]) == 22, "arguments");
  check(!getenv("NO_SUCH_VARIABLE"), "getenv");
  unions();
  conversions();
  fprintf(stderr, "%s\n", "conversions done");
  arithmetic();
  for (int n = 1; n <= 12; n++) printf("%d%c", pascal(n), n < 12 ? ' ' : '\n');
  printf("%.3f\n", add_up("ildsi", 3, 5000000000LL, 0.125, "four", -7));
  check(add_up("ildsi", 3, 5000000000LL, 0.125, "four", -7) == 5000000000.125, "variable arguments");
  int numbers[] = {3, [4] = 9, [2] = -4, 8, [7] = 1};
  for (const char *sign = "+-*^"; *sign; sign++) printf("%c %d, ", *sign, fold(choose(*sign), numbers, numbers + LENGTH(numbers)));
  printf("%s\n", choose('?') ? "?" : "none");
  for (int count = 1; count < 20; count++) {
    char copied[32] = {0};
    copy(copied, "abcdefghijklmnopqrstuvwxyz", count);
    check(strlen(copied) == (size_t)count && copied[count - 1] == 'a' + count - 1, "the unrolled loop");
  }
  int counts[3] = {0};
  scan("In 1984, 2 x2 boxes; 66% of them: 3.5 kg (gross)!", counts);
  printf("%d words, %d numbers, %d others\n", counts[0], counts[1], counts[2]);
  struct text *texts = NULL;
  for (int i = 0; i < 20; i++) {
    char word[] = "w0rd";
    word[1] = (char)('a' + i);
    texts = push(texts, i % 3 ? word : "same");
  }
  size_t length = 0;
  uint32_t sum = SUM;
  for (struct text *text = texts, *before; text; text = before) {
    before = text->before;
    length += text->length;
    sum = mix_bytes(sum, text->bytes, text->length);
    free(text);
  }
  printf("%zu bytes of texts, checksum %08x\n", length, (unsigned)sum);
  struct nested nested = {{{1, 2}, {.y = 4}}, "box", {[1] = 5}}, copied = nested;
  copied.corner[1].x = 3;
  printf("%d %d %d %d %s %d at %zu\n", copied.corner[0].x, copied.corner[1].x, nested.corner[1].x, copied.corner[1].y, copied.name, copied.values[1],
         offsetof(struct nested, corner[1].y));
  int i = 5, j = i++, k = (j++, --i, i ^ j);
  printf("%d %d %d %u\n", i, j, k, serial());
  return leave(10);
}
