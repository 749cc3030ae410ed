/* Structs sorted by qsort with five comparisons, found again by bsearch, grouped and summed up. */
#include <stddef.h>

#include "common.h"

enum colour { RED, GREEN, BLUE, COLOURS };

struct record {
  char name[12];
  unsigned id;
  short year;
  enum colour colour : 8;
  bool rare : 1;
  unsigned grade : 3;
  long long weight;
};

enum { COUNT = 90 };

static struct record records[COUNT];

static int by_id(const void *a, const void *b) {
  unsigned x = ((const struct record *)a)->id, y = ((const struct record *)b)->id;
  return (x > y) - (x < y);
}

static int by_name(const void *a, const void *b) {
  int order = strcmp(((const struct record *)a)->name, ((const struct record *)b)->name);
  return order ? order : by_id(a, b);
}

static int by_weight_falling(const void *a, const void *b) {
  long long x = ((const struct record *)a)->weight, y = ((const struct record *)b)->weight;
  return x < y ? 1 : x > y ? -1 : by_id(a, b);
}

static int by_colour_and_year(const void *a, const void *b) {
  const struct record *x = a, *y = b;
  if (x->colour != y->colour) return (int)x->colour - (int)y->colour;
  if (x->year != y->year) return x->year - y->year;
  return by_id(a, b);
}

static int by_pointed_grade(const void *a, const void *b) {
  const struct record *x = *(const struct record *const *)a, *y = *(const struct record *const *)b;
  if (x->rare != y->rare) return x->rare ? -1 : 1;
  if (x->grade != y->grade) return (int)y->grade - (int)x->grade;
  return by_id(x, y);
}

static uint32_t sum(void) {
  uint32_t sum = SUM;
  for (const struct record *r = records; r < records + COUNT; r++) {
    sum = mix(sum, r->id);
    sum = mix_bytes(sum, r->name, strlen(r->name));
    sum = mix(sum, (uint32_t)(r->weight >> 7));
  }
  return sum;
}

static void show(const char *order) {
  printf("%s: checksum %08x\n", order, (unsigned)sum());
  for (int i = 0; i < COUNT; i += COUNT / 5) {
    const struct record *r = &records[i];
    printf("  %-11s #%05u %hd %c%c grade %u %+15lld\n", r->name, r->id, r->year, "RGB"[r->colour], r->rare ? '*' : ' ', (unsigned)r->grade,
           r->weight);
  }
}

static void make(void) {
  static const char *const SYLLABLES[] = {"ka", "lo", "mi", "ra", "tu", "ne", "so", "vi"};
  uint32_t state = 88675123;
  for (unsigned i = 0; i < COUNT; i++) {
    struct record *r = &records[i];
    r->id = i * 7919 % 10007;
    r->name[0] = '\0';
    for (unsigned parts = 2 + next_random(&state) % 3; parts > 0; parts--) strcat(r->name, SYLLABLES[next_random(&state) % 8]);
    r->name[0] = (char)(r->name[0] - 'a' + 'A');
    r->year = (short)(1900 + next_random(&state) % 125);
    r->colour = (enum colour)(next_random(&state) % COLOURS);
    r->rare = next_random(&state) % 9 == 0;
    r->grade = next_random(&state) & 7;
    r->weight = ((long long)next_random(&state) << 9) - ((long long)next_random(&state) << 8);
  }
}

int main(void) {
  static const struct {
    const char *name;
    int (*compare)(const void *, const void *);
  } ORDERS[] = {
      {"by name", by_name},
      {"by weight, falling", by_weight_falling},
      {"by colour and year", by_colour_and_year},
      {"by id", by_id},
  };
  make();
  printf("a record has its year at byte %zu, its weight at %zu, and %zu bytes\n", offsetof(struct record, year),
         offsetof(struct record, weight), sizeof(struct record));
  for (size_t order = 0; order < LENGTH(ORDERS); order++) {
    qsort(records, COUNT, sizeof *records, ORDERS[order].compare);
    show(ORDERS[order].name);
    for (int i = 1; i < COUNT; i++) check(ORDERS[order].compare(&records[i - 1], &records[i]) < 0, ORDERS[order].name);
    fprintf(stderr, "sorted %s\n", ORDERS[order].name);
  }
  int found = 0;
  for (unsigned i = 0; i < 2 * COUNT; i++) {
    struct record key = {.id = i * 7919 % 10007};
    const struct record *r = bsearch(&key, records, COUNT, sizeof *records, by_id);
    found += r != NULL;
    check((r != NULL) == (i < COUNT) && (!r || r->id == key.id), "bsearch");
  }
  printf("%d found\n", found);
  const struct record *pointers[COUNT];
  for (int i = 0; i < COUNT; i++) pointers[i] = &records[i];
  qsort(pointers, COUNT, sizeof *pointers, by_pointed_grade);
  for (int i = 0; i < COUNT; i += 13) printf("%s%c", pointers[i]->name, i + 13 < COUNT ? ' ' : '\n');
  long long total[COLOURS] = {0}, all = 0;
  int members[COLOURS] = {0};
  for (int i = 0; i < COUNT; i++) {
    total[records[i].colour] += records[i].weight;
    members[records[i].colour]++;
    all += records[i].weight;
  }
  for (int c = 0; c < COLOURS; c++)
    printf("%s: %d records, %lld in all, %lld on average, %lld left over\n", (const char *[]){"red", "green", "blue"}[c], members[c],
           total[c], total[c] / members[c], total[c] % members[c]);
  check(total[RED] + total[GREEN] + total[BLUE] == all, "sums");
  return verdict();
}
