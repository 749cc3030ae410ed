/* Compression by back-references with hash chains, an adaptive range coder behind it, and all the way back. */
#include "common.h"

enum { MOST = 1600, WINDOW = 4096, SHORTEST = 3, LONGEST = 34, CHAIN = 24, BUCKETS = 1024 };

static unsigned char text[MOST + 64], packed[MOST], unpacked[MOST + 64];

/* A text with repetitions near and far: sentences of a small grammar. */
static size_t write_text(void) {
  static const char *const WHO[] = {"the miller", "a fox", "my uncle", "the queen of the bees", "nobody"};
  static const char *const DOES[] = {"sees", "follows", "has never forgotten", "sings to", "counts"};
  static const char *const WHERE[] = {" in the morning", " beyond the hills", "", ", and then again,", " for a while"};
  uint32_t state = 19650218;
  size_t length = 0;
  while (length < MOST - 100) {
    uint32_t r = next_random(&state);
    length += (size_t)sprintf((char *)text + length, "%s %s %s%s%s", WHO[r % 5], DOES[r / 5 % 5], WHO[r / 25 % 5], WHERE[r / 125 % 5],
                              r / 625 % 4 ? ". " : ".\n");
  }
  return length;
}

/* Bits with adaptive probabilities, carry-less. */
struct coder {
  uint32_t low, range, code;
  unsigned char *at, *end;
};

typedef uint16_t chance;
enum { CHANCE_BITS = 12, ADAPT = 4 };

static void put_bit(struct coder *c, chance *p, unsigned bit) {
  uint32_t bound = (c->range >> CHANCE_BITS) * *p;
  if (bit) {
    c->low += bound;
    c->range -= bound;
    *p = (chance)(*p - (*p >> ADAPT));
  } else {
    c->range = bound;
    *p = (chance)(*p + (((1 << CHANCE_BITS) - *p) >> ADAPT));
  }
  /* The highest byte stands, or the range is cut so that it stands. */
  while ((c->low ^ (c->low + c->range)) < 1u << 24 || c->range < 1u << 16) {
    if ((c->low ^ (c->low + c->range)) >= 1u << 24) c->range = -c->low & 0xffff;
    *c->at++ = (unsigned char)(c->low >> 24);
    c->low <<= 8;
    c->range <<= 8;
  }
}

static unsigned get_bit(struct coder *c, chance *p) {
  uint32_t bound = (c->range >> CHANCE_BITS) * *p;
  unsigned bit = c->code - c->low >= bound;
  if (bit) {
    c->low += bound;
    c->range -= bound;
    *p = (chance)(*p - (*p >> ADAPT));
  } else {
    c->range = bound;
    *p = (chance)(*p + (((1 << CHANCE_BITS) - *p) >> ADAPT));
  }
  while ((c->low ^ (c->low + c->range)) < 1u << 24 || c->range < 1u << 16) {
    if ((c->low ^ (c->low + c->range)) >= 1u << 24) c->range = -c->low & 0xffff;
    c->code = c->code << 8 | (c->at < c->end ? *c->at++ : 0u);
    c->low <<= 8;
    c->range <<= 8;
  }
  return bit;
}

static struct model {
  chance is_match[2], literal[256], length[64], distance[13][2], high[16];
} model;

static void start(void) {
  chance *all = (chance *)&model;
  for (size_t i = 0; i < sizeof model / sizeof *all; i++) all[i] = 1 << (CHANCE_BITS - 1);
}

static void put_tree(struct coder *c, chance *tree, unsigned bits, unsigned value) {
  for (unsigned node = 1; bits-- > 0;) {
    unsigned bit = value >> bits & 1;
    put_bit(c, &tree[node], bit);
    node = 2 * node + bit;
  }
}

static unsigned get_tree(struct coder *c, chance *tree, unsigned bits) {
  unsigned node = 1;
  for (unsigned i = 0; i < bits; i++) node = 2 * node + get_bit(c, &tree[node]);
  return node - (1u << bits);
}

static short head[BUCKETS], previous[MOST];

static unsigned hash(const unsigned char *at) { return ((unsigned)at[0] << 6 ^ (unsigned)at[1] << 3 ^ at[2] * 37u) % BUCKETS; }

struct match {
  int length, distance;
};

static struct match longest(int at, int length) {
  struct match best = {0, 0};
  int tries = CHAIN;
  for (int from = head[hash(text + at)]; from >= 0 && at - from < WINDOW && tries-- > 0; from = previous[from]) {
    int same = 0, most = length - at < LONGEST ? length - at : LONGEST;
    while (same < most && text[from + same] == text[at + same]) same++;
    if (same > best.length) best = (struct match){same, at - from};
  }
  return best;
}

static int matches, literals;

static void put_distance(struct coder *c, unsigned distance) {
  unsigned bits = 0;
  while (distance >> (bits + 1)) bits++;
  put_tree(c, model.high, 4, bits);
  for (unsigned bit = bits; bit-- > 0;) put_bit(c, &model.distance[bit][0], distance >> bit & 1);
}

static size_t pack(int length) {
  struct coder c = {.range = 0xffffffffu, .at = packed};
  start();
  memset(head, -1, sizeof head);
  unsigned last = 0;
  for (int at = 0; at < length;) {
    struct match match = at + SHORTEST <= length ? longest(at, length) : (struct match){0, 0};
    bool is_match = match.length >= SHORTEST;
    put_bit(&c, &model.is_match[last], is_match);
    last = is_match;
    if (is_match) {
      matches++;
      put_tree(&c, model.length, 5, (unsigned)(match.length - SHORTEST));
      put_distance(&c, (unsigned)match.distance);
    } else {
      literals++;
      put_tree(&c, model.literal, 8, text[at]);
      match.length = 1;
    }
    for (; match.length > 0; match.length--, at++) {
      previous[at] = head[hash(text + at)];
      head[hash(text + at)] = (short)at;
    }
  }
  for (int i = 0; i < 4; i++, c.low <<= 8) *c.at++ = (unsigned char)(c.low >> 24);
  return (size_t)(c.at - packed);
}

static void unpack(int length, size_t size) {
  struct coder c = {.range = 0xffffffffu, .at = packed, .end = packed + size};
  start();
  for (int i = 0; i < 4; i++) c.code = c.code << 8 | *c.at++;
  unsigned last = 0;
  for (int at = 0; at < length;) {
    last = get_bit(&c, &model.is_match[last]);
    if (!last) {
      unpacked[at++] = (unsigned char)get_tree(&c, model.literal, 8);
      continue;
    }
    int count = (int)get_tree(&c, model.length, 5) + SHORTEST;
    unsigned bits = get_tree(&c, model.high, 4), distance = 1;
    for (unsigned bit = bits; bit-- > 0;) distance = 2 * distance + get_bit(&c, &model.distance[bit][0]);
    if (distance > (unsigned)at) {
      check(false, "a distance reaches before the text");
      return;
    }
    for (; count > 0; count--, at++) unpacked[at] = unpacked[at - (int)distance];
  }
}

int main(void) {
  int length = (int)write_text();
  printf("%.75s...\n", (char *)text);
  size_t size = pack(length);
  printf("%d bytes to %zu, %d.%d %%: %d matches, %d literals, checksum %08x\n", length, size, (int)size * 100 / length,
         (int)size * 1000 / length % 10, matches, literals, (unsigned)mix_bytes(SUM, packed, size));
  fprintf(stderr, "packed\n");
  unpack(length, size);
  check(memcmp(text, unpacked, (size_t)length) == 0, "the text comes back");
  printf("unpacked: checksum %08x\n", (unsigned)mix_bytes(SUM, unpacked, (size_t)length));
  const char *line = (char *)unpacked;
  for (int number = 1; number <= 12 && line; number++, line = strchr(line, '\n')) {
    line += number > 1;
    if (number % 4 == 0) printf("line %d: %.60s\n", number, line);
  }
  return verdict();
}
