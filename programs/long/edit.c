/* Distances of texts: Levenshtein's with its script, Damerau's, common subsequences, local alignment, and the bits of Myers. */
#include "common.h"

enum { MOST = 64 };

static int min(int a, int b) { return a < b ? a : b; }
static int max(int a, int b) { return a > b ? a : b; }

static int table[MOST + 1][MOST + 1];

static int levenshtein(const char *a, const char *b) {
  int n = (int)strlen(a), m = (int)strlen(b);
  for (int i = 0; i <= n; i++) table[i][0] = i;
  for (int j = 0; j <= m; j++) table[0][j] = j;
  for (int i = 1; i <= n; i++)
    for (int j = 1; j <= m; j++) table[i][j] = min(table[i - 1][j - 1] + (a[i - 1] != b[j - 1]), 1 + min(table[i - 1][j], table[i][j - 1]));
  return table[n][m];
}

/* From the last table: = keeps, ! replaces, - deletes, + inserts; applied to a it makes b. */
static void script(const char *a, const char *b, char *out, char *made) {
  int i = (int)strlen(a), j = (int)strlen(b), length = 0, making = 0;
  while (i || j) {
    if (i && j && table[i][j] == table[i - 1][j - 1] + (a[i - 1] != b[j - 1])) {
      i--, j--;
      out[length++] = a[i] == b[j] ? '=' : '!';
      made[making++] = a[i] == b[j] ? a[i] : b[j];
    } else if (i && table[i][j] == table[i - 1][j] + 1) {
      i--;
      out[length++] = '-';
    } else {
      j--;
      out[length++] = '+';
      made[making++] = b[j];
    }
  }
  out[length] = made[making] = '\0';
  for (char *end = out + length - 1; out < end; out++, end--) {
    char kept = *out;
    *out = *end, *end = kept;
  }
  for (char *end = made + making - 1; made < end; made++, end--) {
    char kept = *made;
    *made = *end, *end = kept;
  }
}

/* Neighbours may change places too. */
static int damerau(const char *a, const char *b) {
  int n = (int)strlen(a), m = (int)strlen(b);
  levenshtein(a, b);
  for (int i = 1; i <= n; i++)
    for (int j = 1; j <= m; j++) {
      table[i][j] = min(table[i - 1][j - 1] + (a[i - 1] != b[j - 1]), 1 + min(table[i - 1][j], table[i][j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1);
    }
  return table[n][m];
}

/* Hirschberg: in two rows, and by halves. */
static void row_of(const char *a, int n, const char *b, int m, bool backwards, int *row) {
  int last[MOST + 1] = {0};
  for (int i = 1; i <= n; i++) {
    row[0] = 0;
    for (int j = 1; j <= m; j++) {
      bool same = backwards ? a[n - i] == b[m - j] : a[i - 1] == b[j - 1];
      row[j] = same ? last[j - 1] + 1 : max(last[j], row[j - 1]);
    }
    memcpy(last, row, (size_t)(m + 1) * sizeof *row);
  }
  memcpy(row, last, (size_t)(m + 1) * sizeof *row);
}

static char *subsequence(const char *a, int n, const char *b, int m, char *out) {
  if (n == 0 || m == 0) return out;
  if (n == 1) {
    if (memchr(b, *a, (size_t)m)) *out++ = *a;
    return out;
  }
  int head[MOST + 1], tail[MOST + 1], half = n / 2, best = 0;
  row_of(a, half, b, m, false, head);
  row_of(a + half, n - half, b, m, true, tail);
  for (int j = 0; j <= m; j++)
    if (head[j] + tail[m - j] > head[best] + tail[m - best]) best = j;
  out = subsequence(a, half, b, best, out);
  return subsequence(a + half, n - half, b + best, m - best, out);
}

/* Smith and Waterman: the most alike parts. */
static int local(const char *a, const char *b, int *end_a, int *end_b) {
  int n = (int)strlen(a), m = (int)strlen(b), best = 0;
  for (int i = 0; i <= n; i++)
    for (int j = 0; j <= m; j++) {
      table[i][j] = 0;
      if (i == 0 || j == 0) continue;
      int score = table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 2 : -1);
      score = max(score, max(table[i - 1][j], table[i][j - 1]) - 2);
      table[i][j] = max(score, 0);
      if (table[i][j] > best) best = table[*end_a = i][*end_b = j];
    }
  return best;
}

/* A column of the table at a time, its differences as bits: one operation for 64 cells. */
static int by_bits(const char *a, const char *b) {
  uint64_t same[128] = {0}, up = ~0ull, down = 0;
  int n = (int)strlen(a), distance = n;
  if (n == 0) return (int)strlen(b);
  for (int i = 0; i < n; i++) same[(unsigned char)a[i] & 127] |= 1ull << i;
  for (; *b; b++) {
    uint64_t match = same[(unsigned char)*b & 127], vertical = match | down;
    uint64_t across = ((match & up) + up) ^ up;
    uint64_t horizontal = across | match;
    uint64_t more = down | ~(horizontal | up), less = up & horizontal;
    distance += (int)(more >> (n - 1) & 1) - (int)(less >> (n - 1) & 1);
    more = more << 1 | 1;
    less <<= 1;
    up = less | ~(vertical | more);
    down = more & vertical;
  }
  return distance;
}

static const char *const PAIRS[][2] = {
    {"kitten", "sitting"},
    {"intention", "execution"},
    {"quick brown fox", "a quack brawn ox"},
    {"GCATGCGATTACA", "GATTACAGCATG"},
    {"conductor", "cnoduct ro"},
    {"", "nothing"},
    {"to be or not to be", "two bees or knots to beat"},
};

static const int KNOWN[] = {3, 5, -1, -1, -1, 7, -1};

int main(void) {
  for (size_t p = 0; p < LENGTH(PAIRS); p++) {
    const char *a = PAIRS[p][0], *b = PAIRS[p][1];
    char edits[2 * MOST], made[2 * MOST], common[MOST];
    int distance = levenshtein(a, b);
    script(a, b, edits, made);
    check(strcmp(made, b) == 0, "a script makes the other text");
    check(KNOWN[p] < 0 || distance == KNOWN[p], a);
    check(by_bits(a, b) == distance && by_bits(b, a) == distance, "bits");
    int swapped = damerau(a, b);
    check(swapped <= distance && swapped == damerau(b, a), "Damerau's distance");
    *subsequence(a, (int)strlen(a), b, (int)strlen(b), common) = '\0';
    int end_a = 0, end_b = 0, score = local(a, b, &end_a, &end_b);
    printf("\"%s\" to \"%s\": %d, %d with exchanges\n  %s\n  common \"%s\", alike %d up to %d and %d\n", a, b, distance, swapped, edits, common,
           score, end_a, end_b);
    fprintf(stderr, "%s\n", a);
  }
  return verdict();
}
