/* Hash tables: with chains, with open addressing by Robin Hood, with cuckoos, a trie and a skip list; all must hold the same words. */
#include <ctype.h>

#include "common.h"

static const char TEXT[] =
    "It was a bright cold day in spring and the clocks of the harbour were striking as they did on every day at noon. The old keeper "
    "of the light climbed the stairs, all hundred and eight of them, and counted as he climbed. On the last step he stopped, for the "
    "last step was new. Nobody had told him of a new step; nobody ever told him of anything. He sat down on it and looked at the sea, "
    "and the sea, which was old, looked at him as it looked at the clocks, the harbour and the light.";

enum { WORD = 16 };

static uint32_t djb2(const char *word) {
  uint32_t hash = 5381;
  while (*word) hash = hash * 33 + (unsigned char)*word++;
  return hash;
}

static uint32_t fnv(const char *word) { return mix_bytes(SUM, word, strlen(word)); }

static uint32_t murmur(const char *word) {
  uint32_t hash = 0, length = (uint32_t)strlen(word);
  for (uint32_t at = 0; at < length; at += 4) {
    uint32_t k = 0, bytes = length - at < 4 ? length - at : 4;
    for (uint32_t i = 0; i < bytes; i++) k |= (uint32_t)(unsigned char)word[at + i] << 8 * i;
    k *= 0xcc9e2d51;
    k = k << 15 | k >> 17;
    hash ^= k * 0x1b873593;
    if (bytes == 4) hash = (hash << 13 | hash >> 19) * 5 + 0xe6546b64;
  }
  hash ^= length;
  hash = (hash ^ hash >> 16) * 0x85ebca6b;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35;
  return hash ^ hash >> 16;
}

static void *take(size_t size) {
  void *memory = calloc(1, size);
  if (!memory) {
    fprintf(stderr, "out of memory\n");
    exit(1);
  }
  return memory;
}

/* Chains; the table doubles, its entries stay where they are. */
struct entry {
  struct entry *next;
  unsigned count;
  char word[];
};

static struct {
  struct entry **bucket;
  unsigned buckets, entries, resized;
} chains;

static unsigned *in_chains(const char *word, bool make) {
  if (chains.entries >= chains.buckets && make) {
    unsigned more = chains.buckets ? 2 * chains.buckets : 8;
    struct entry **bucket = take(more * sizeof *bucket);
    for (unsigned i = 0; i < chains.buckets; i++)
      for (struct entry *e = chains.bucket[i], *next; e; e = next) {
        next = e->next;
        struct entry **place = &bucket[djb2(e->word) % more];
        e->next = *place;
        *place = e;
      }
    free(chains.bucket);
    chains.bucket = bucket;
    chains.buckets = more;
    chains.resized++;
  }
  if (!chains.buckets) return NULL;
  struct entry **place = &chains.bucket[djb2(word) % chains.buckets];
  for (struct entry *e = *place; e; e = e->next)
    if (strcmp(e->word, word) == 0) return &e->count;
  if (!make) return NULL;
  struct entry *e = take(sizeof *e + strlen(word) + 1);
  strcpy(e->word, word);
  e->next = *place;
  *place = e;
  chains.entries++;
  return &e->count;
}

/* Open addressing: who is farther from home takes the place. */
struct slot {
  char word[WORD];
  unsigned count;
};

enum { SLOTS = 101 };

static struct slot robin[SLOTS];
static unsigned moved;

static unsigned home(const char *word) { return fnv(word) % SLOTS; }

static unsigned *in_robin(const char *word, bool make) {
  unsigned at = home(word);
  for (unsigned far = 0; robin[at].word[0]; far++, at = (at + 1) % SLOTS) {
    if (strcmp(robin[at].word, word) == 0) return &robin[at].count;
    if ((at + SLOTS - home(robin[at].word)) % SLOTS < far) break;
  }
  if (!make) return NULL;
  struct slot coming = {.count = 0};
  strcpy(coming.word, word);
  for (unsigned place = at; ; place = (place + 1) % SLOTS) {
    struct slot here = robin[place];
    if (!here.word[0]) {
      robin[place] = coming;
      return &robin[at].count;
    }
    if (place == at || (place + SLOTS - home(here.word)) % SLOTS < (place + SLOTS - home(coming.word)) % SLOTS) {
      robin[place] = coming;
      coming = here;
      moved++;
    }
  }
}

/* Two homes; who comes throws out who is there. */
enum { NESTS = 128 };

static struct slot nests[2][NESTS];
static unsigned thrown;

static unsigned *in_nests(const char *word, bool make) {
  struct slot *first = &nests[0][fnv(word) % NESTS], *second = &nests[1][murmur(word) % NESTS];
  if (strcmp(first->word, word) == 0) return &first->count;
  if (strcmp(second->word, word) == 0) return &second->count;
  if (!make) return NULL;
  struct slot coming = {.count = 0};
  strcpy(coming.word, word);
  for (int side = 0, tries = 0; tries < 50; side = !side, tries++) {
    struct slot *nest = &nests[side][(side ? murmur : fnv)(coming.word) % NESTS], gone = *nest;
    *nest = coming;
    if (!gone.word[0]) return in_nests(word, false);
    coming = gone;
    thrown++;
  }
  check(false, "a nest for everyone");
  return NULL;
}

/* A trie: children by letter. */
struct node {
  struct node *sibling, *child;
  unsigned count;
  char letter;
};

static struct node trie;
static unsigned nodes;

static unsigned *in_trie(const char *word, bool make) {
  struct node *at = &trie;
  for (; *word; word++) {
    struct node **next = &at->child;
    while (*next && (*next)->letter < *word) next = &(*next)->sibling;
    if (!*next || (*next)->letter != *word) {
      if (!make) return NULL;
      struct node *made = take(sizeof *made);
      *made = (struct node){.letter = *word, .sibling = *next};
      *next = made;
      nodes++;
    }
    at = *next;
  }
  return make || at->count ? &at->count : NULL;
}

/* In order, with what is on the way. */
static unsigned walk(const struct node *at, char *word, int length, bool show) {
  unsigned words = at->count != 0;
  word[length] = '\0';
  if (at->count > 2 && show) printf("%s %u, ", word, at->count);
  for (const struct node *child = at->child; child; child = child->sibling) {
    word[length] = child->letter;
    words += walk(child, word, length + 1, show);
  }
  return words;
}

/* A skip list. */
enum { LEVELS = 6 };

struct skip {
  char word[WORD];
  unsigned count;
  struct skip *next[LEVELS];
};

static struct skip list;
static uint32_t state = 2654435769u;

static unsigned *in_list(const char *word, bool make) {
  struct skip *before[LEVELS], *at = &list;
  for (int level = LEVELS - 1; level >= 0; level--) {
    while (at->next[level] && strcmp(at->next[level]->word, word) < 0) at = at->next[level];
    before[level] = at;
  }
  if (at->next[0] && strcmp(at->next[0]->word, word) == 0) return &at->next[0]->count;
  if (!make) return NULL;
  struct skip *made = take(sizeof *made);
  strcpy(made->word, word);
  int levels = 1;
  while (levels < LEVELS && next_random(&state) & 1) levels++;
  for (int level = 0; level < levels; level++) {
    made->next[level] = before[level]->next[level];
    before[level]->next[level] = made;
  }
  return &made->count;
}

static const struct {
  const char *name;
  unsigned *(*find)(const char *, bool);
} TABLES[] = {{"chains", in_chains}, {"robin", in_robin}, {"nests", in_nests}, {"trie", in_trie}, {"list", in_list}};

/* Calls for every word in lower case. */
static unsigned each(void (*with)(const char *)) {
  unsigned words = 0;
  for (const char *at = TEXT; *at;) {
    char word[WORD];
    size_t length = 0;
    while (isalpha((unsigned char)*at)) {
      if (length + 1 < WORD) word[length++] = (char)tolower((unsigned char)*at);
      at++;
    }
    word[length] = '\0';
    if (length) with(word);
    words += length != 0;
    at += *at != '\0';
  }
  return words;
}

static void insert(const char *word) {
  for (size_t t = 0; t < LENGTH(TABLES); t++) ++*TABLES[t].find(word, true);
}

static uint32_t sum = SUM;

static void compare(const char *word) {
  unsigned *first = TABLES[0].find(word, false);
  for (size_t t = 1; t < LENGTH(TABLES); t++) {
    unsigned *other = TABLES[t].find(word, false);
    check(first && other && *first == *other, TABLES[t].name);
  }
  if (first) sum = mix(sum, *first);
}

static int by_word(const void *a, const void *b) { return strcmp((*(struct entry *const *)a)->word, (*(struct entry *const *)b)->word); }

int main(void) {
  check(fnv("foobar") == 0xbf9cf968, "FNV-1a");
  check(murmur("hello") == 0x248bfa47 && murmur("test") == 0xba6bd213, "MurmurHash3");
  unsigned words = each(insert);
  each(compare);
  printf("%u words, %u different, checksum %08x\n", words, chains.entries, (unsigned)sum);
  printf("%u buckets after %u sizes, %u moved by Robin Hood, %u thrown out, %u nodes\n", chains.buckets, chains.resized, moved, thrown, nodes);
  static const char *const ABSENT[] = {"sun", "ligh", "lights", "ab", "zz"};
  for (size_t i = 0; i < LENGTH(ABSENT); i++)
    for (size_t t = 0; t < LENGTH(TABLES); t++) check(!TABLES[t].find(ABSENT[i], false), ABSENT[i]);
  fprintf(stderr, "all tables filled\n");
  char word[WORD + 1];
  unsigned in_order = walk(&trie, word, 0, true);
  printf("%u in all\n", in_order);
  check(in_order == chains.entries, "words of the trie");
  const struct entry **sorted = take(chains.entries * sizeof *sorted);
  unsigned count = 0, fullest = 0;
  for (unsigned i = 0; i < chains.buckets; i++) {
    unsigned here = 0;
    for (const struct entry *e = chains.bucket[i]; e; e = e->next, here++) sorted[count++] = e;
    if (here > fullest) fullest = here;
  }
  qsort(sorted, count, sizeof *sorted, by_word);
  unsigned at = 0;
  for (const struct skip *s = list.next[0]; s; s = s->next[0], at++) check(at < count && strcmp(s->word, sorted[at]->word) == 0, "order");
  printf("the fullest bucket has %u of %u: %s ... %s\n", fullest, count, sorted[0]->word, sorted[count - 1]->word);
  free(sorted);
  return verdict();
}
