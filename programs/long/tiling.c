/* Exact covers by Knuth's dancing links: rectangles tiled by pentominoes and dominoes, and Latin squares. */
#include "common.h"

enum { ITEMS = 80, NODES = 2600 };

/* Circular lists both ways; the first nodes are the items' heads, node 0 is the head of all. */
static short left[NODES], right[NODES], up[NODES], down[NODES], item_of[NODES], option_of[NODES];
static short height[ITEMS + 1];
static int nodes, options;
static unsigned found, tried;

static void start(int items) {
  nodes = items + 1;
  options = 0;
  found = tried = 0;
  for (int i = 0; i <= items; i++) {
    left[i] = (short)(i ? i - 1 : items);
    right[i] = (short)(i < items ? i + 1 : 0);
    up[i] = down[i] = item_of[i] = (short)i;
    height[i] = 0;
  }
}

static void add(const int *items, int count) {
  int first = nodes;
  if (nodes + count > NODES) {
    fprintf(stderr, "too many nodes\n");
    exit(1);
  }
  for (int i = 0; i < count; i++, nodes++) {
    int head = items[i];
    item_of[nodes] = (short)head;
    option_of[nodes] = (short)options;
    up[nodes] = up[head];
    down[nodes] = (short)head;
    down[up[head]] = (short)nodes;
    up[head] = (short)nodes;
    height[head]++;
    left[nodes] = (short)(i ? nodes - 1 : first + count - 1);
    right[nodes] = (short)(i + 1 < count ? nodes + 1 : first);
  }
  options++;
}

static void cover(int head) {
  right[left[head]] = right[head];
  left[right[head]] = left[head];
  for (int row = down[head]; row != head; row = down[row])
    for (int node = right[row]; node != row; node = right[node]) {
      down[up[node]] = down[node];
      up[down[node]] = up[node];
      height[item_of[node]]--;
    }
}

static void uncover(int head) {
  for (int row = up[head]; row != head; row = up[row])
    for (int node = left[row]; node != row; node = left[node]) {
      height[item_of[node]]++;
      down[up[node]] = (short)node;
      up[down[node]] = (short)node;
    }
  left[right[head]] = (short)head;
  right[left[head]] = (short)head;
}

static short chosen[40];

static void search(int depth, unsigned most, void (*show)(int)) {
  if (right[0] == 0) {
    if (found++ == 0) show(depth);
    return;
  }
  int best = right[0];
  for (int head = right[best]; head; head = right[head])
    if (height[head] < height[best]) best = head;
  if (!height[best]) return;
  cover(best);
  for (int row = down[best]; row != best && found < most; row = down[row]) {
    tried++;
    chosen[depth] = (short)row;
    for (int node = right[row]; node != row; node = right[node]) cover(item_of[node]);
    search(depth + 1, most, show);
    for (int node = left[row]; node != row; node = left[node]) uncover(item_of[node]);
  }
  uncover(best);
}

/* Pieces as rows of bits, and what they are called. */
static const struct piece {
  char name;
  signed char cells[5][2];
} PIECES[] = {
    {'L', {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {1, 3}}}, {'P', {{0, 0}, {1, 0}, {0, 1}, {1, 1}, {0, 2}}}, {'V', {{0, 0}, {0, 1}, {0, 2}, {1, 2}, {2, 2}}},
};

static int wide, high, pieces;

/* The same places as masks of cells, for a count without links. */
static struct place {
  uint32_t mask;
  int piece;
} places[200];

/* Fills the first empty cell with every piece that is left. */
static unsigned fill(uint32_t filled, unsigned used) {
  uint32_t all = (1u << wide * high) - 1, first = ~filled & (filled + 1);
  if (filled == all) return 1;
  unsigned ways = 0;
  for (int i = 0; i < options; i++)
    if (places[i].mask & first && !(places[i].mask & filled) && !(used >> places[i].piece & 1))
      ways += fill(filled | places[i].mask, used | 1u << places[i].piece);
  return ways;
}

/* All places of a piece, turned and mirrored, each once. */
static void add_piece(int piece) {
  uint32_t seen[8];
  int shapes = 0;
  for (int image = 0; image < 8; image++) {
    int cells[5][2], least_x = 9, least_y = 9, most_x = -9, most_y = -9;
    for (int i = 0; i < 5; i++) {
      int x = PIECES[piece].cells[i][0], y = PIECES[piece].cells[i][1];
      if (image & 1) x = -x;
      if (image & 2) y = -y;
      cells[i][0] = image & 4 ? y : x;
      cells[i][1] = image & 4 ? x : y;
      if (cells[i][0] < least_x) least_x = cells[i][0];
      if (cells[i][1] < least_y) least_y = cells[i][1];
      if (cells[i][0] > most_x) most_x = cells[i][0];
      if (cells[i][1] > most_y) most_y = cells[i][1];
    }
    uint32_t shape = 0;
    for (int i = 0; i < 5; i++) shape |= 1u << (5 * (cells[i][1] - least_y) + cells[i][0] - least_x);
    bool known = false;
    for (int i = 0; i < shapes; i++) known |= seen[i] == shape;
    if (known) continue;
    seen[shapes++] = shape;
    for (int y = 0; y + most_y - least_y < high; y++)
      for (int x = 0; x + most_x - least_x < wide; x++) {
        int items[6] = {piece + 1};
        struct place place = {0, piece};
        for (int i = 0; i < 5; i++) {
          int cell = (y + cells[i][1] - least_y) * wide + x + cells[i][0] - least_x;
          items[i + 1] = 1 + pieces + cell;
          place.mask |= 1u << cell;
        }
        places[options] = place;
        add(items, 6);
      }
  }
}

/* Pieces have names; dominoes get letters in the order in which they were put. */
static void show_tiling(int depth) {
  char board[60];
  for (int d = 0; d < depth; d++) {
    char name = (char)('a' + d);
    for (int i = 0, node = chosen[d]; i < 6; i++, node = right[node])
      if (item_of[node] <= pieces) name = PIECES[item_of[node] - 1].name;
    for (int i = 0, node = chosen[d]; i < 6; i++, node = right[node])
      if (item_of[node] > pieces) board[item_of[node] - 1 - pieces] = name;
  }
  for (int y = 0; y < high; y++) printf("%.*s\n", wide, board + y * wide);
}

static void pentominoes(int width, int height_of_board) {
  wide = width, high = height_of_board, pieces = (int)LENGTH(PIECES);
  start(pieces + wide * high);
  for (int p = 0; p < pieces; p++) add_piece(p);
  search(0, ~0u, show_tiling);
  printf("%d x %d: %d options, %u ways, %u tried\n", wide, high, options, found, tried);
  check(found == fill(0, 0), "pentominoes");
}

static void dominoes(int width, int height_of_board, unsigned wanted) {
  wide = width, high = height_of_board, pieces = 0;
  start(wide * high);
  for (int y = 0; y < high; y++)
    for (int x = 0; x < wide; x++) {
      int at = 1 + y * wide + x;
      if (x + 1 < wide) add((int[]){at, at + 1}, 2);
      if (y + 1 < high) add((int[]){at, at + wide}, 2);
    }
  search(0, ~0u, show_tiling);
  printf("%d x %d: %u ways with dominoes, %u tried\n", wide, high, found, tried);
  check(found == wanted, "dominoes");
}

static int order;

static void show_square(int depth) {
  char square[36];
  for (int d = 0; d < depth; d++) square[option_of[chosen[d]] / order] = (char)('1' + option_of[chosen[d]] % order);
  for (int y = 0; y < order; y++) printf("%.*s\n", order, square + y * order);
}

/* Each number once in each row and column. */
static void latin(int n, unsigned wanted) {
  order = n;
  start(3 * n * n);
  for (int y = 0; y < n; y++)
    for (int x = 0; x < n; x++)
      for (int v = 0; v < n; v++) add((int[]){1 + y * n + x, 1 + n * n + y * n + v, 1 + 2 * n * n + x * n + v}, 3);
  search(0, ~0u, show_square);
  printf("%u Latin squares of %d, %u tried\n", found, n, tried);
  check(found == wanted, "Latin squares");
}

int main(void) {
  dominoes(4, 3, 11);
  dominoes(4, 4, 36);
  fprintf(stderr, "dominoes done\n");
  latin(3, 12);
  fprintf(stderr, "Latin squares done\n");
  pentominoes(5, 3);
  return verdict();
}
