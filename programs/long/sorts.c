/* Nine ways to sort numbers that are random, sorted, reversed or few: each must order them and keep them all. */
#include "common.h"

enum { MOST = 160 };

typedef int32_t item;

static unsigned compared, moved;

static bool less(item a, item b) {
  compared++;
  return a < b;
}

static void swap(item *a, item *b) {
  item kept = *a;
  *a = *b;
  *b = kept;
  moved += 2;
}

static void bubble(item *items, int count) {
  for (bool sorted = false; !sorted; count--) {
    sorted = true;
    for (int i = 1; i < count; i++)
      if (less(items[i], items[i - 1])) {
        swap(&items[i], &items[i - 1]);
        sorted = false;
      }
  }
}

static void selection(item *items, int count) {
  for (int i = 0; i + 1 < count; i++) {
    int least = i;
    for (int j = i + 1; j < count; j++)
      if (less(items[j], items[least])) least = j;
    if (least != i) swap(&items[i], &items[least]);
  }
}

static void insertion_by(item *items, int count, int gap) {
  for (int i = gap; i < count; i++) {
    item taken = items[i];
    int j = i;
    for (; j >= gap && less(taken, items[j - gap]); j -= gap) {
      items[j] = items[j - gap];
      moved++;
    }
    items[j] = taken;
    moved++;
  }
}

static void insertion(item *items, int count) { insertion_by(items, count, 1); }

/* Gaps of Ciura. */
static void shell(item *items, int count) {
  static const int GAPS[] = {57, 23, 10, 4, 1};
  for (size_t i = 0; i < LENGTH(GAPS); i++) insertion_by(items, count, GAPS[i]);
}

static void sink(item *heap, int count, int root) {
  for (int child; (child = 2 * root + 1) < count; root = child) {
    if (child + 1 < count && less(heap[child], heap[child + 1])) child++;
    if (!less(heap[root], heap[child])) return;
    swap(&heap[root], &heap[child]);
  }
}

static void heap(item *items, int count) {
  for (int root = count / 2; root-- > 0;) sink(items, count, root);
  while (count-- > 1) {
    swap(&items[0], &items[count]);
    sink(items, count, 0);
  }
}

/* The median of three as pivot; Hoare's partition. */
static void quick(item *items, int count) {
  if (count < 2) return;
  item a = items[0], b = items[count / 2], c = items[count - 1];
  item pivot = less(a, b) ? (less(b, c) ? b : less(a, c) ? c : a) : (less(a, c) ? a : less(b, c) ? c : b);
  int i = 0, j = count - 1;
  for (;; i++, j--) {
    while (less(items[i], pivot)) i++;
    while (less(pivot, items[j])) j--;
    if (i >= j) break;
    swap(&items[i], &items[j]);
  }
  quick(items, i);
  quick(items + i, count - i);
}

/* From the bottom, runs of doubling length, to and fro between two arrays. */
static void merge(item *items, int count) {
  item other[MOST];
  item *from = items, *to = other;
  for (int run = 1; run < count; run *= 2) {
    for (int start = 0; start < count; start += 2 * run) {
      int middle = start + run < count ? start + run : count;
      int end = start + 2 * run < count ? start + 2 * run : count;
      for (int i = start, j = middle, k = start; k < end; k++, moved++)
        to[k] = i < middle && (j == end || !less(from[j], from[i])) ? from[i++] : from[j++];
    }
    item *kept = from;
    from = to;
    to = kept;
  }
  if (from != items) memcpy(items, from, (size_t)count * sizeof *items);
}

/* A digit of a byte at a time; the sign is turned for the order. */
static void radix(item *items, int count) {
  item other[MOST];
  item *from = items, *to = other;
  for (int shift = 0; shift < 32; shift += 8) {
    unsigned short start[257] = {0};
    for (int i = 0; i < count; i++) start[(((uint32_t)from[i] ^ 0x80000000u) >> shift & 255) + 1]++;
    for (int digit = 0; digit < 256; digit++) start[digit + 1] = (unsigned short)(start[digit + 1] + start[digit]);
    for (int i = 0; i < count; i++, moved++) to[start[((uint32_t)from[i] ^ 0x80000000u) >> shift & 255]++] = from[i];
    item *kept = from;
    from = to;
    to = kept;
  }
}

/* Batcher's odd-even merge: what it compares does not depend on the numbers. */
static void network(item *items, int count) {
  int half = 1;
  while (2 * half < count) half *= 2;
  for (int p = half; p > 0; p /= 2)
    for (int q = half, r = 0, d = p;; d = q - p, q /= 2, r = p) {
      for (int i = 0; i < count - d; i++)
        if ((i & p) == r && less(items[i + d], items[i])) swap(&items[i], &items[i + d]);
      if (q == p) break;
    }
}

static const struct {
  const char *name;
  void (*sort)(item *, int);
  int most;
} SORTS[] = {
    {"bubble", bubble, 32},  {"selection", selection, 48}, {"insertion", insertion, 48}, {"shell", shell, 96},   {"heap", heap, 80},
    {"quick", quick, MOST}, {"merge", merge, MOST},       {"radix", radix, MOST},      {"network", network, 64},
};

enum kind { RANDOM, SORTED, REVERSED, FEW, KINDS };

static const char *const KIND[] = {[RANDOM] = "random", [SORTED] = "sorted", [REVERSED] = "reversed", [FEW] = "few values"};

static void fill(item *items, int count, enum kind kind) {
  uint32_t state = 2463534242u + (uint32_t)kind;
  for (int i = 0; i < count; i++) switch (kind) {
      case RANDOM: items[i] = (item)next_random(&state) / 7; break;
      case SORTED: items[i] = 1000003 * (i - count / 2); break;
      case REVERSED: items[i] = 1000003 * (count / 2 - i); break;
      default: items[i] = (item)(next_random(&state) % 5) - 2;
    }
}

int main(void) {
  for (size_t s = 0; s < LENGTH(SORTS); s++)
    for (int kind = 0; kind < KINDS; kind++) {
      item items[MOST];
      int count = kind == RANDOM ? SORTS[s].most : SORTS[s].most / 2 + kind;
      fill(items, count, (enum kind)kind);
      uint32_t before = 0, after = 0, ordered = SUM;
      for (int i = 0; i < count; i++) before += (uint32_t)items[i] * (uint32_t)items[i];
      compared = moved = 0;
      SORTS[s].sort(items, count);
      for (int i = 0; i < count; i++) {
        after += (uint32_t)items[i] * (uint32_t)items[i];
        ordered = mix(ordered, (uint32_t)items[i]);
        check(i == 0 || items[i - 1] <= items[i], SORTS[s].name);
      }
      check(before == after, "the numbers are the same");
      printf("%-9s %10s %4d: %5u compared, %5u moved, %d to %d, median %d, checksum %08x\n", SORTS[s].name, KIND[kind], count, compared,
             moved, (int)items[0], (int)items[count - 1], (int)items[count / 2], (unsigned)ordered);
    }
  return verdict();
}
