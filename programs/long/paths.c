/* Shortest paths: Dijkstra with a heap, Bellman and Ford, Floyd and Warshall, a maze by A* and breadth first; and spanning trees. */
#include <limits.h>

#include "common.h"

enum { NODES = 26, EDGES = 90, FAR = INT_MAX / 4 };

struct edge {
  short to, next;
  int length;
};

static struct edge edges[2 * EDGES];
static short first[NODES];
static int count;
static int between[NODES][NODES];

static void join(int from, int to, int length) {
  edges[count] = (struct edge){(short)to, first[from], length};
  first[from] = (short)count++;
}

static uint32_t state = 1812433253u;

static void make(void) {
  memset(first, -1, sizeof first);
  for (int i = 0; i < NODES; i++)
    for (int j = 0; j < NODES; j++) between[i][j] = i == j ? 0 : FAR;
  for (int i = 0; i < EDGES; i++) {
    int from = i < NODES ? i : (int)(next_random(&state) % NODES), to = i < NODES ? (i + 1) % NODES : (int)(next_random(&state) % NODES);
    int length = 1 + (int)(next_random(&state) % (i < NODES ? 400 : 100));
    if (from == to) continue;
    join(from, to, length);
    join(to, from, length);
    if (length < between[from][to]) between[from][to] = between[to][from] = length;
  }
}

/* A heap of (distance, node). */
struct entry {
  int distance, node;
};

static struct entry heap[4 * EDGES];
static int waiting;

static void push(int distance, int node) {
  int at = waiting++;
  for (; at > 0 && heap[(at - 1) / 2].distance > distance; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
  heap[at] = (struct entry){distance, node};
}

static struct entry pop(void) {
  struct entry least = heap[0], last = heap[--waiting];
  int at = 0;
  for (int child; (child = 2 * at + 1) < waiting; at = child) {
    if (child + 1 < waiting && heap[child + 1].distance < heap[child].distance) child++;
    if (heap[child].distance >= last.distance) break;
    heap[at] = heap[child];
  }
  heap[at] = last;
  return least;
}

static void dijkstra(int from, int *distance, int *via) {
  for (int i = 0; i < NODES; i++) distance[i] = FAR, via[i] = -1;
  waiting = 0;
  distance[from] = 0;
  push(0, from);
  while (waiting) {
    struct entry entry = pop();
    if (entry.distance > distance[entry.node]) continue;
    for (int e = first[entry.node]; e >= 0; e = edges[e].next) {
      int longer = entry.distance + edges[e].length;
      if (longer >= distance[edges[e].to]) continue;
      distance[edges[e].to] = longer;
      via[edges[e].to] = entry.node;
      push(longer, edges[e].to);
    }
  }
}

static int bellman(int from, int *distance) {
  int rounds = 0;
  for (int i = 0; i < NODES; i++) distance[i] = FAR;
  distance[from] = 0;
  for (bool shorter = true; shorter; rounds++) {
    shorter = false;
    for (int node = 0; node < NODES; node++)
      for (int e = first[node]; e >= 0; e = edges[e].next)
        if (distance[node] + edges[e].length < distance[edges[e].to]) {
          distance[edges[e].to] = distance[node] + edges[e].length;
          shorter = true;
        }
  }
  return rounds;
}

static void floyd(void) {
  for (int k = 0; k < NODES; k++)
    for (int i = 0; i < NODES; i++) {
      int half = between[i][k];
      if (half == FAR) continue;
      for (int j = 0; j < NODES; j++)
        if (half + between[k][j] < between[i][j]) between[i][j] = half + between[k][j];
    }
}

static void show_path(const int *via, int to) {
  if (via[to] >= 0) show_path(via, via[to]);
  printf("%c", 'A' + to);
}

/* Kruskal's tree, by sets that are joined. */
static int representative(int *parent, int node) {
  while (parent[node] != node) node = parent[node] = parent[parent[node]];
  return node;
}

static int by_length(const void *a, const void *b) {
  const struct edge *x = &edges[*(const short *)a], *y = &edges[*(const short *)b];
  return x->length != y->length ? x->length - y->length : *(const short *)a - *(const short *)b;
}

static int spanning(void) {
  short order[2 * EDGES];
  int parent[NODES], total = 0, taken = 0;
  for (int i = 0; i < NODES; i++) parent[i] = i;
  for (int e = 0; e < count; e++) order[e] = (short)e;
  qsort(order, (size_t)count, sizeof *order, by_length);
  for (int i = 0; i < count && taken < NODES - 1; i++) {
    /* Edges come in pairs. */
    const struct edge *edge = &edges[order[i]], *other = &edges[order[i] ^ 1];
    int a = representative(parent, edge->to), b = representative(parent, other->to);
    if (a == b) continue;
    parent[a] = b;
    total += edge->length;
    taken++;
  }
  return taken == NODES - 1 ? total : -1;
}

/* Prim's, without a heap. */
static int spanning_again(void) {
  int nearest[NODES], total = 0;
  bool inside[NODES] = {false};
  for (int i = 0; i < NODES; i++) nearest[i] = i ? FAR : 0;
  for (int step = 0; step < NODES; step++) {
    int best = -1;
    for (int i = 0; i < NODES; i++)
      if (!inside[i] && (best < 0 || nearest[i] < nearest[best])) best = i;
    inside[best] = true;
    total += nearest[best];
    for (int e = first[best]; e >= 0; e = edges[e].next)
      if (edges[e].length < nearest[edges[e].to]) nearest[edges[e].to] = edges[e].length;
  }
  return total;
}

/* A maze, carved by walks; walls are '#'. */
enum { WIDE = 41, HIGH = 15 };

static char maze[HIGH][WIDE + 1];

static void carve(void) {
  short stack[WIDE * HIGH / 4 + 1];
  int top = 0;
  memset(maze, '#', sizeof maze);
  for (int y = 0; y < HIGH; y++) maze[y][WIDE] = '\0';
  maze[1][1] = ' ';
  stack[top++] = WIDE + 1;
  while (top) {
    static const signed char DX[] = {2, 0, -2, 0}, DY[] = {0, 2, 0, -2};
    int x = stack[top - 1] % WIDE, y = stack[top - 1] / WIDE, turn = (int)(next_random(&state) >> 7 & 3), tries = 0;
    for (; tries < 4; tries++, turn = (turn + 1) & 3) {
      int nx = x + DX[turn], ny = y + DY[turn];
      if (nx <= 0 || ny <= 0 || nx >= WIDE || ny >= HIGH || maze[ny][nx] == ' ') continue;
      maze[ny][nx] = maze[(y + ny) / 2][(x + nx) / 2] = ' ';
      stack[top++] = (short)(ny * WIDE + nx);
      break;
    }
    if (tries == 4) top--;
  }
}

static int manhattan(int at) { return WIDE - 2 - at % WIDE + HIGH - 2 - at / WIDE; }

/* The length of the way from corner to corner; how many places were looked at. */
static int search(bool towards, int *looked) {
  static short distance[WIDE * HIGH];
  memset(distance, -1, sizeof distance);
  waiting = 0;
  distance[WIDE + 1] = 0;
  push(0, WIDE + 1);
  for (*looked = 0; waiting;) {
    int at = pop().node;
    ++*looked;
    if (at == (HIGH - 1) * WIDE - 2) return distance[at];
    static const signed char STEP[] = {1, WIDE, -1, -WIDE};
    for (int i = 0; i < 4; i++) {
      int next = at + STEP[i];
      if (maze[next / WIDE][next % WIDE] == '#' || distance[next] >= 0) continue;
      distance[next] = (short)(distance[at] + 1);
      push(distance[next] + (towards ? manhattan(next) : 0), next);
    }
  }
  return -1;
}

int main(void) {
  int distance[NODES], via[NODES], again[NODES], rounds = 0;
  make();
  printf("%d nodes, %d edges\n", NODES, count / 2);
  floyd();
  fprintf(stderr, "Floyd and Warshall done\n");
  int longest = 0, from = 0, to = 0;
  for (int i = 0; i < NODES; i++)
    for (int j = 0; j < NODES; j++)
      if (between[i][j] > longest) longest = between[from = i][to = j];
  printf("the farthest are %c and %c, %d\n", 'A' + from, 'A' + to, longest);
  for (int i = 0; i < NODES; i += 3) {
    dijkstra(i, distance, via);
    rounds += bellman(i, again);
    check(memcmp(distance, again, sizeof distance) == 0, "Dijkstra, and Bellman and Ford");
    check(memcmp(distance, between[i], sizeof distance) == 0, "Dijkstra, and Floyd and Warshall");
    int end = (i + 13) % NODES;
    printf("%3d ", distance[end]);
    show_path(via, end);
    putchar('\n');
  }
  printf("%d rounds\n", rounds);
  int tree = spanning();
  printf("a tree of length %d\n", tree);
  check(tree == spanning_again(), "trees");
  carve();
  for (int y = 0; y < HIGH; y++) puts(maze[y]);
  int looked, looked_towards, steps = search(false, &looked), steps_towards = search(true, &looked_towards);
  printf("%d steps, %d places looked at, %d by A*\n", steps, looked, looked_towards);
  check(steps > 0 && steps == steps_towards, "ways through the maze");
  return verdict();
}
