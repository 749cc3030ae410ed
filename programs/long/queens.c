/* All placements of n queens that do not attack one another, by bit masks, and by arrays with symmetry for the small boards. */
#include "common.h"

enum { MOST = 8 };

static const unsigned KNOWN[] = {1, 1, 0, 0, 2, 10, 4, 40, 92};
static const unsigned DISTINCT[] = {1, 1, 0, 0, 1, 2, 1, 6, 12};

static unsigned visited;

/* Rows below are free; columns and diagonals that are attacked are set. */
static unsigned count(unsigned all, unsigned columns, unsigned left, unsigned right) {
  visited++;
  if (columns == all) return 1;
  unsigned found = 0;
  for (unsigned open = all & ~(columns | left | right); open; open &= open - 1) {
    unsigned queen = open & -open;
    found += count(all, columns | queen, (left | queen) << 1, (right | queen) >> 1);
  }
  return found;
}

struct board {
  int size;
  signed char column[MOST];
};

static void turn(const struct board *from, struct board *to) {
  to->size = from->size;
  for (int row = 0; row < from->size; row++) to->column[from->column[row]] = (signed char)(from->size - 1 - row);
}

static void mirror(const struct board *from, struct board *to) {
  to->size = from->size;
  for (int row = 0; row < from->size; row++) to->column[row] = (signed char)(from->size - 1 - from->column[row]);
}

/* Whether no turned or mirrored board comes earlier in the order of columns. */
static bool is_first(const struct board *board) {
  struct board turned = *board, other;
  for (int image = 0; image < 8; image++) {
    if (memcmp(turned.column, board->column, (size_t)board->size) < 0) return false;
    if (image == 3) {
      mirror(board, &other);
    } else {
      turn(&turned, &other);
    }
    turned = other;
  }
  return true;
}

static bool attacked(const struct board *board, int row, int column) {
  for (int above = 0; above < row; above++) {
    int apart = board->column[above] - column;
    if (apart == 0 || abs(apart) == row - above) return true;
  }
  return false;
}

static unsigned solutions, distinct;
static uint32_t sum;

static void place(struct board *board, int row) {
  if (row == board->size) {
    solutions++;
    sum = mix_bytes(sum, board->column, (size_t)board->size);
    if (!is_first(board)) return;
    distinct++;
    for (int i = 0; i < board->size; i++) printf("%c%d", 'a' + board->column[i], i + 1);
    putchar('\n');
    return;
  }
  for (int column = 0; column < board->size; column++) {
    if (attacked(board, row, column)) continue;
    board->column[row] = (signed char)column;
    place(board, row + 1);
  }
}

int main(void) {
  for (unsigned n = 1; n <= MOST; n++) {
    visited = 0;
    unsigned found = count((1u << n) - 1, 0, 0, 0);
    printf("%u queens: %u placements, %u boards, %u.%02u boards for each\n", n, found, visited, visited / (found ? found : 1),
           visited % (found ? found : 1) * 100 / (found ? found : 1));
    check(found == KNOWN[n], "placements");
    fprintf(stderr, "%u done\n", n);
  }
  for (int n = 4; n <= 7; n++) {
    struct board board = {.size = n};
    solutions = distinct = 0;
    sum = SUM;
    place(&board, 0);
    printf("%d queens: %u placements, %u but for symmetry, checksum %08x\n", n, solutions, distinct, (unsigned)sum);
    check(solutions == KNOWN[n] && distinct == DISTINCT[n], "boards");
  }
  return verdict();
}
