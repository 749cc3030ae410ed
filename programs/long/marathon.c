/* Rounds of different work on one heap, as many as the argument says: a run as long as one likes. */
#include <inttypes.h>

#include "common.h"

enum { NUMBERS = 1024, SIEVED = 2048, NODES = 256 };

static uint32_t numbers[NUMBERS];
static unsigned char composite[SIEVED];

struct node {
  struct node *left, *right;
  uint32_t key;
};

/* Quicksort, by recursion into both halves. */
static void sort(uint32_t *from, uint32_t *to) {
  if (to - from < 2) return;
  uint32_t pivot = from[(to - from) / 2];
  uint32_t *low = from, *high = to - 1;
  while (low <= high) {
    while (*low < pivot) low++;
    while (*high > pivot) high--;
    if (low > high) break;
    uint32_t kept = *low;
    *low++ = *high;
    *high-- = kept;
  }
  sort(from, high + 1);
  sort(low, to);
}

static uint32_t sorted(uint32_t seed) {
  uint32_t before = 0, after = 0, state = seed | 1;
  for (int i = 0; i < NUMBERS; i++) before += numbers[i] = next_random(&state);
  sort(numbers, numbers + NUMBERS);
  for (int i = 0; i < NUMBERS; i++) after += numbers[i];
  bool ordered = true;
  for (int i = 1; i < NUMBERS; i++) ordered &= numbers[i - 1] <= numbers[i];
  check(ordered && before == after, "sorted numbers");
  return numbers[NUMBERS / 2];
}

static unsigned primes(void) {
  memset(composite, 0, SIEVED);
  unsigned found = 0;
  for (unsigned i = 2; i < SIEVED; i++) {
    if (composite[i]) continue;
    found++;
    for (unsigned j = i * i; j < SIEVED; j += i) composite[j] = 1;
  }
  check(found == 309, "primes below 2048");
  return found;
}

/* A search tree on the heap. The return value is the sum of the keys in order, each times its rank. */
static uint32_t ranked(const struct node *tree, uint32_t *rank) {
  if (!tree) return 0;
  uint32_t left = ranked(tree->left, rank);
  uint32_t own = tree->key * ++*rank;
  return left + own + ranked(tree->right, rank);
}

static void freed(struct node *tree) {
  if (!tree) return;
  freed(tree->left);
  freed(tree->right);
  free(tree);
}

static uint32_t tree(uint32_t seed) {
  struct node *root = NULL;
  uint32_t state = seed | 1;
  for (int i = 0; i < NODES; i++) {
    struct node *node = calloc(1, sizeof *node);
    if (!node) abort();
    node->key = next_random(&state);
    struct node **at = &root;
    while (*at) at = node->key < (*at)->key ? &(*at)->left : &(*at)->right;
    *at = node;
  }
  uint32_t rank = 0, sum = ranked(root, &rank);
  check(rank == NODES, "nodes of a tree");
  freed(root);
  return sum;
}

/* Powers modulo a prime below 2^32, by 64-bit products: Fermat's little theorem. */
static uint32_t power(uint32_t base, uint32_t exponent) {
  const uint64_t prime = 4294967291u;
  uint64_t result = 1, square = base % prime;
  for (; exponent; exponent >>= 1) {
    if (exponent & 1) result = result * square % prime;
    square = square * square % prime;
  }
  return (uint32_t)result;
}

/* The square root of 2 by Newton's method, in double precision. */
static double root(double begin) {
  double x = begin;
  for (int i = 0; i < 8; i++) x = (x + 2 / x) / 2;
  return x;
}

int main(int argc, char **argv) {
  long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
  uint32_t sum = SUM;
  for (long round = 1; round <= rounds; round++) {
    uint32_t seed = mix(sum, (uint32_t)round);
    sum = mix(sum, sorted(seed));
    sum = mix(sum, primes());
    sum = mix(sum, tree(seed));
    check(power(seed | 1, 4294967290u) == 1, "Fermat's little theorem");
    double two = root(1 + seed % 8);
    check(two > 1.41421356 && two < 1.41421357, "root of 2");
    printf("%ld %08" PRIx32 "\n", round, sum);
  }
  return verdict();
}
