/* The game of life three ways, which must agree: cells counted, rows added as bits, a set of living cells; and one-dimensional automata. */
#include "common.h"

enum { WIDTH = 32, HEIGHT = 24 };

/* A torus: bit x of row y. */
static uint32_t rows[HEIGHT];

static uint32_t turn(uint32_t row, int by) { return row << by | row >> (WIDTH - by); }

/* Sums of eight bits in three bits, for all cells of a row at once. */
static void by_bits(void) {
  uint32_t old[HEIGHT];
  memcpy(old, rows, sizeof old);
  for (int y = 0; y < HEIGHT; y++) {
    uint32_t above = old[(y + HEIGHT - 1) % HEIGHT], here = old[y], below = old[(y + 1) % HEIGHT];
    uint32_t neighbours[8] = {turn(above, 1), above, turn(above, 31), turn(here, 1), turn(here, 31), turn(below, 1), below, turn(below, 31)};
    uint32_t ones = 0, twos = 0, fours = 0;
    for (int i = 0; i < 8; i++) {
      uint32_t carry = ones & neighbours[i];
      ones ^= neighbours[i];
      fours |= twos & carry;
      twos ^= carry;
    }
    rows[y] = twos & ~fours & (ones | here);
  }
}

static void by_counting(const uint32_t *from, uint32_t *to) {
  for (int y = 0; y < HEIGHT; y++) {
    uint32_t row = 0;
    for (int x = 0; x < WIDTH; x++) {
      int count = 0;
      for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++)
          if (dx || dy) count += (int)(from[(y + dy + HEIGHT) % HEIGHT] >> ((x + dx) & (WIDTH - 1)) & 1);
      if (count == 3 || (count == 2 && from[y] >> x & 1)) row |= 1u << x;
    }
    to[y] = row;
  }
}

/* Living cells as a sorted list of y * WIDTH + x; their neighbours are counted by merging nine shifted lists. */
enum { MOST = 160 };

static int by_list(const short *cells, int count, short *out) {
  static short near[9 * MOST];
  int all = 0, living = 0;
  for (int i = 0; i < count; i++)
    for (int d = 0; d < 9; d++) {
      int y = (cells[i] / WIDTH + d / 3 + HEIGHT - 1) % HEIGHT, x = (cells[i] + d % 3 - 1) & (WIDTH - 1);
      near[all++] = (short)(y * WIDTH + x);
    }
  /* Shell's sort. */
  for (int gap = 121; gap > 0; gap /= 3)
    for (int i = gap; i < all; i++) {
      short taken = near[i];
      int j = i;
      for (; j >= gap && near[j - gap] > taken; j -= gap) near[j] = near[j - gap];
      near[j] = taken;
    }
  for (int i = 0, next; i < all; i = next) {
    for (next = i + 1; next < all && near[next] == near[i]; next++) continue;
    bool lives = false;
    for (int c = 0; c < count && !lives; c++) lives = cells[c] == near[i];
    /* Itself counts among the nine. */
    if (next - i == 3 || (lives && next - i == 4)) out[living++] = near[i];
  }
  return living;
}

static int population(void) {
  int count = 0;
  for (int y = 0; y < HEIGHT; y++) count += __builtin_popcount(rows[y]);
  return count;
}

static void place(int x, int y, const char *const *pattern) {
  for (; *pattern; pattern++, y++)
    for (int i = 0; (*pattern)[i]; i++)
      if ((*pattern)[i] == 'O') rows[y] |= 1u << (x + i);
}

static void show(int generation) {
  printf("generation %d, %d alive\n", generation, population());
  for (int y = 0; y < HEIGHT; y++) {
    char line[WIDTH + 1];
    for (int x = 0; x < WIDTH; x++) line[x] = rows[y] >> x & 1 ? 'O' : '.';
    line[WIDTH] = '\0';
    if (rows[y]) printf("%2d %s\n", y, line);
  }
}

static const char *const PENTOMINO[] = {".OO", "OO.", ".O.", NULL};
static const char *const GLIDER[] = {".O.", "..O", "OOO", NULL};
static const char *const BLINKER[] = {"OOO", NULL};

/* Elementary automata on a ring. */
static void elementary(unsigned rule, int steps) {
  uint32_t row = 1u << 16, sum = SUM;
  for (int step = 0; step < steps; step++) {
    uint32_t next = 0;
    for (int x = 0; x < 32; x++) {
      unsigned three = (row >> ((x + 31) & 31) & 1) << 2 | (row >> x & 1) << 1 | (row >> ((x + 1) & 31) & 1);
      next |= (uint32_t)(rule >> three & 1) << x;
    }
    row = next;
    sum = mix(sum, row);
  }
  printf("rule %u: %08x, checksum %08x\n", rule, (unsigned)row, (unsigned)sum);
}

int main(void) {
  place(1, 1, GLIDER);
  for (int generation = 1; generation <= 4 * WIDTH; generation++) by_bits();
  /* A glider moves by one cell in four generations; WIDTH cells are once around, HEIGHT not. */
  uint32_t glider[HEIGHT];
  memcpy(glider, rows, sizeof glider);
  memset(rows, 0, sizeof rows);
  place(1, 1 + WIDTH - HEIGHT, GLIDER);
  check(memcmp(rows, glider, sizeof rows) == 0, "a glider goes around");
  memset(rows, 0, sizeof rows);
  place(15, 11, PENTOMINO);
  place(3, 3, BLINKER);
  show(0);
  uint32_t sum = SUM;
  for (int generation = 1; generation <= 80; generation++) {
    uint32_t counted[HEIGHT];
    bool looked = generation % 20 == 0;
    if (looked) by_counting(rows, counted);
    by_bits();
    if (looked) {
      check(memcmp(rows, counted, sizeof rows) == 0, "bits and counts");
      fprintf(stderr, "generation %d\n", generation);
    }
    for (int y = 0; y < HEIGHT; y++) sum = mix(sum, rows[y]);
    if (generation % 40 == 0) show(generation);
  }
  printf("checksum %08x\n", (unsigned)sum);
  short cells[2][MOST];
  int count = 0;
  memset(rows, 0, sizeof rows);
  place(15, 11, PENTOMINO);
  for (int i = 0; i < WIDTH * HEIGHT; i++)
    if (rows[i / WIDTH] >> i % WIDTH & 1) cells[0][count++] = (short)i;
  for (int generation = 0; generation < 6; generation++) {
    count = by_list(cells[generation % 2], count, cells[1 - generation % 2]);
    by_bits();
    check(count == population(), "lists and bits");
    for (int i = 0; i < count; i++) {
      short cell = cells[1 - generation % 2][i];
      check(rows[cell / WIDTH] >> cell % WIDTH & 1, "a cell of both");
    }
  }
  printf("%d alive\n", count);
  elementary(30, 40);
  elementary(90, 40);
  elementary(110, 40);
  return verdict();
}
