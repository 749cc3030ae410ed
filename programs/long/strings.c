/* Texts searched by Knuth, Morris and Pratt, by Boyer and Moore, by Rabin and Karp, by suffixes in order; and all of the library's string.h. */
#include <ctype.h>

#include "common.h"

static const char TEXT[] =
    "abracadabra, said the wizard; abracadabra, said the parrot. the wizard said: a parrot that says abracadabra is a "
    "wizard's parrot, or the parrot is the wizard.";

enum { LENGTH_OF_TEXT = sizeof TEXT - 1 };

static unsigned compared;

static bool same(char a, char b) {
  compared++;
  return a == b;
}

static int naive(const char *pattern, int m, int *first) {
  int found = 0;
  for (int i = 0; i + m <= LENGTH_OF_TEXT; i++) {
    int j = 0;
    while (j < m && same(TEXT[i + j], pattern[j])) j++;
    if (j == m && found++ == 0) *first = i;
  }
  return found;
}

static int morris(const char *pattern, int m, int *first) {
  int border[32] = {-1}, found = 0;
  for (int i = 0, j = -1; i < m; border[++i] = ++j)
    while (j >= 0 && !same(pattern[i], pattern[j])) j = border[j];
  for (int i = 0, j = 0; i < LENGTH_OF_TEXT; i++) {
    while (j >= 0 && !same(TEXT[i], pattern[j])) j = border[j];
    if (++j == m) {
      if (found++ == 0) *first = i + 1 - m;
      j = border[j];
    }
  }
  return found;
}

/* The rule of bad characters, as Horspool has it. */
static int moore(const char *pattern, int m, int *first) {
  uint8_t shift[128];
  int found = 0;
  memset(shift, m, sizeof shift);
  for (int j = 0; j + 1 < m; j++) shift[(unsigned char)pattern[j]] = (uint8_t)(m - 1 - j);
  for (int i = 0; i + m <= LENGTH_OF_TEXT; i += shift[(unsigned char)TEXT[i + m - 1]]) {
    int j = m;
    while (j > 0 && same(TEXT[i + j - 1], pattern[j - 1])) j--;
    if (j == 0 && found++ == 0) *first = i;
  }
  return found;
}

static int rabin(const char *pattern, int m, int *first) {
  enum { BASE = 257, MODULUS = 65521 };
  uint32_t wanted = 0, hash = 0, top = 1;
  int found = 0;
  for (int j = 0; j < m; j++) {
    wanted = (wanted * BASE + (unsigned char)pattern[j]) % MODULUS;
    hash = (hash * BASE + (unsigned char)TEXT[j]) % MODULUS;
    if (j) top = top * BASE % MODULUS;
  }
  for (int i = 0; i + m <= LENGTH_OF_TEXT; i++) {
    if (hash == wanted) {
      int j = 0;
      while (j < m && same(TEXT[i + j], pattern[j])) j++;
      if (j == m && found++ == 0) *first = i;
    }
    hash = ((hash + MODULUS - (unsigned char)TEXT[i] * top % MODULUS) * BASE + (unsigned char)TEXT[i + m]) % MODULUS;
  }
  return found;
}

/* Suffixes in order, doubled prefixes at a time. */
static short suffix[LENGTH_OF_TEXT];
static int rank[LENGTH_OF_TEXT], width;

static int key(int at) { return at + width < LENGTH_OF_TEXT ? rank[at + width] : -1; }

static int by_rank(const void *a, const void *b) {
  int i = *(const short *)a, j = *(const short *)b;
  return rank[i] != rank[j] ? rank[i] - rank[j] : key(i) - key(j);
}

static void sort_suffixes(void) {
  for (int i = 0; i < LENGTH_OF_TEXT; i++) {
    suffix[i] = (short)i;
    rank[i] = TEXT[i];
  }
  for (width = 1;; width *= 2) {
    int next[LENGTH_OF_TEXT];
    qsort(suffix, LENGTH_OF_TEXT, sizeof *suffix, by_rank);
    next[suffix[0]] = 0;
    for (int i = 1; i < LENGTH_OF_TEXT; i++) next[suffix[i]] = next[suffix[i - 1]] + (by_rank(&suffix[i - 1], &suffix[i]) < 0);
    memcpy(rank, next, sizeof rank);
    if (rank[suffix[LENGTH_OF_TEXT - 1]] == LENGTH_OF_TEXT - 1) return;
  }
}

static int by_suffixes(const char *pattern, int m, int *first) {
  int low = 0, high = LENGTH_OF_TEXT;
  while (low < high) {
    int middle = (low + high) / 2;
    compared += (unsigned)m;
    if (strncmp(TEXT + suffix[middle], pattern, (size_t)m) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  int found = 0;
  for (; low < LENGTH_OF_TEXT && strncmp(TEXT + suffix[low], pattern, (size_t)m) == 0; low++, found++)
    if (!found || suffix[low] < *first) *first = suffix[low];
  return found;
}

static const struct {
  const char *name;
  int (*search)(const char *, int, int *);
} SEARCHES[] = {{"naive", naive}, {"morris", morris}, {"moore", moore}, {"rabin", rabin}, {"suffixes", by_suffixes}};

/* The longest part that occurs twice. */
static void longest_repeated(void) {
  int best = 0, at = 0;
  for (int i = 1; i < LENGTH_OF_TEXT; i++) {
    int length = 0;
    while (TEXT[suffix[i - 1] + length] && TEXT[suffix[i - 1] + length] == TEXT[suffix[i] + length]) length++;
    if (length > best) best = length, at = suffix[i];
  }
  printf("twice: \"%.*s\"\n", best, TEXT + at);
  check(best == 22, "the longest repeated part");
}

/* The longest palindrome, by Manacher. */
static void palindrome(const char *text) {
  int n = (int)strlen(text), radius[64] = {0}, centre = 0, right = 0, best = 0;
  for (int i = 1; i < 2 * n; i++) {
    int mirror = 2 * centre - i, r = i < right ? (radius[mirror] < right - i ? radius[mirror] : right - i) : 0;
    while (i - r - 1 >= 0 && i + r + 1 <= 2 * n && ((i + r + 1) % 2 == 0 || text[(i - r - 1) / 2] == text[(i + r + 1) / 2])) r++;
    radius[i] = r;
    if (i + r > right) centre = i, right = i + r;
    if (r > radius[best]) best = i;
  }
  printf("%s: \"%.*s\"\n", text, radius[best], text + (best - radius[best]) / 2);
}

static void library(void) {
  char words[sizeof TEXT], line[80] = "";
  int count = 0;
  strcpy(words, TEXT);
  for (char *word = strtok(words, " ,.;:"); word; word = strtok(NULL, " ,.;:"), count++)
    if (strpbrk(word, "z'")) strncat(strcat(line, line[0] ? "-" : ""), word, 6);
  printf("%d words, %s\n", count, line);
  check(count == 26, "strtok");
  for (char *c = line; *c; c++) *c = (char)(c == line || c[-1] == '-' ? toupper((unsigned char)*c) : *c);
  char *dash = strrchr(line, '-');
  printf("%s %zu %zu %s\n", line, strspn(line, "Wizard"), strcspn(line, "-"), dash ? dash + 1 : "none");
  check(strcmp("apple", "apples") < 0 && strcmp("b", "a") > 0 && strncmp("apple", "apply", 4) == 0 && memcmp("\xff", "\x01", 1) > 0, "order");
  check(strstr(TEXT, "parrot that") == TEXT + 79 && !strstr(TEXT, "parrots") && memchr(TEXT, ';', 40) == TEXT + 28, "strstr and memchr");
  char moved[] = "0123456789";
  memmove(moved + 2, moved, 6);
  memmove(moved, moved + 1, 4);
  memset(moved + 8, '*', 2);
  puts(moved);
  check(strcmp(moved, "10122345**") == 0, "memmove");
}

int main(void) {
  static const char *const PATTERNS[] = {"abracadabra", "parrot", "the wizard", "said the", "a", "parakeet", "wizard."};
  sort_suffixes();
  fprintf(stderr, "suffixes sorted\n");
  for (size_t p = 0; p < LENGTH(PATTERNS); p++) {
    int wanted = 0, first_wanted = -1;
    printf("\"%s\"", PATTERNS[p]);
    for (size_t s = 0; s < LENGTH(SEARCHES); s++) {
      int first = -1;
      compared = 0;
      int found = SEARCHES[s].search(PATTERNS[p], (int)strlen(PATTERNS[p]), &first);
      if (s == 0) wanted = found, first_wanted = first;
      check(found == wanted && first == first_wanted, SEARCHES[s].name);
      printf(", %s %u", SEARCHES[s].name, compared);
    }
    printf(": %d, first %d\n", wanted, first_wanted);
  }
  longest_repeated();
  palindrome("abacabadabacaba");
  palindrome("forgeeksskeegfor");
  palindrome("neveroddoreven!");
  library();
  return verdict();
}
