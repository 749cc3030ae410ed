/* Huffman's canonical codes, of a text as it is and transformed by Burrows and Wheeler and moved to front; and all the way back. */
#include <math.h>

#include "common.h"

static const char TEXT[] =
    "she sells sea shells by the sea shore; the shells that she sells are sea shells, i'm sure.";

enum { LENGTH_OF_TEXT = sizeof TEXT - 1, SYMBOLS = 128, LONGEST = 15 };

/* A bit stream, the highest bit of a byte first. */
struct bits {
  uint8_t bytes[400];
  int count, at;
};

static void put(struct bits *bits, unsigned value, int count) {
  while (count-- > 0) {
    if (value >> count & 1) bits->bytes[bits->count / 8] |= (uint8_t)(0x80 >> bits->count % 8);
    bits->count++;
  }
}

static unsigned get(struct bits *bits) {
  unsigned bit = bits->bytes[bits->at / 8] >> (7 - bits->at % 8) & 1;
  bits->at++;
  return bit;
}

/* A tree as parents: leaves first; a heap of roots by weight. */
static int weight[2 * SYMBOLS], parent[2 * SYMBOLS], heap[SYMBOLS + 1], size;

static bool lighter(int a, int b) { return weight[a] != weight[b] ? weight[a] < weight[b] : a < b; }

static void push(int node) {
  int at = ++size;
  for (; at > 1 && lighter(node, heap[at / 2]); at /= 2) heap[at] = heap[at / 2];
  heap[at] = node;
}

static int pop(void) {
  int least = heap[1], last = heap[size--], at = 1;
  for (int child; (child = 2 * at) <= size; at = child) {
    if (child < size && lighter(heap[child + 1], heap[child])) child++;
    if (!lighter(heap[child], last)) break;
    heap[at] = heap[child];
  }
  heap[at] = last;
  return least;
}

static void lengths_of(const int *counts, uint8_t *lengths) {
  int nodes = SYMBOLS;
  size = 0;
  memset(lengths, 0, SYMBOLS);
  for (int s = 0; s < SYMBOLS; s++) {
    weight[s] = counts[s];
    if (counts[s]) push(s);
  }
  while (size > 1) {
    int a = pop(), b = pop();
    weight[nodes] = weight[a] + weight[b];
    parent[a] = parent[b] = nodes;
    push(nodes++);
  }
  int root = nodes - 1;
  for (int s = 0; s < SYMBOLS; s++)
    if (counts[s])
      for (int at = s; at != root; at = parent[at]) lengths[s]++;
}

/* Codes of a length are consecutive numbers, in the order of symbols. */
static void codes_of(const uint8_t *lengths, uint16_t *codes) {
  unsigned code = 0;
  for (int length = 1; length <= LONGEST; length++, code <<= 1)
    for (int s = 0; s < SYMBOLS; s++)
      if (lengths[s] == length) codes[s] = (uint16_t)code++;
}

/* Symbols in the order of their codes, and how many have each length. */
struct decoder {
  uint8_t symbols[SYMBOLS], of_length[LONGEST + 1];
};

static void make_decoder(const uint8_t *lengths, struct decoder *decoder) {
  int count = 0;
  memset(decoder, 0, sizeof *decoder);
  for (int length = 1; length <= LONGEST; length++)
    for (int s = 0; s < SYMBOLS; s++)
      if (lengths[s] == length) {
        decoder->symbols[count++] = (uint8_t)s;
        decoder->of_length[length]++;
      }
}

static int decode(struct bits *bits, const struct decoder *decoder) {
  int first = 0, code = 0, before = 0;
  for (int length = 1; length <= LONGEST; length++) {
    int of_length = decoder->of_length[length];
    code = code << 1 | (int)get(bits);
    if (code - first < of_length) return decoder->symbols[before + code - first];
    first = (first + of_length) << 1;
    before += of_length;
  }
  return -1;
}

static void round_trip(const char *name, const uint8_t *symbols, int length) {
  int counts[SYMBOLS] = {0}, longest = 0;
  uint8_t lengths[SYMBOLS];
  uint16_t codes[SYMBOLS];
  static struct bits bits;
  memset(&bits, 0, sizeof bits);
  for (int i = 0; i < length; i++) counts[symbols[i]]++;
  lengths_of(counts, lengths);
  codes_of(lengths, codes);
  unsigned kraft = 0;
  for (int s = 0; s < SYMBOLS; s++) {
    if (lengths[s] > longest) longest = lengths[s];
    if (lengths[s]) kraft += 1u << (LONGEST - lengths[s]);
  }
  check(kraft == 1u << LONGEST, "the inequality of Kraft, an equation here");
  for (int i = 0; i < length; i++) put(&bits, codes[symbols[i]], lengths[symbols[i]]);
  printf("%s: %d symbols, %d bits, longest code %d, checksum %08x\n", name, length, bits.count, longest,
         (unsigned)mix_bytes(SUM, bits.bytes, (size_t)(bits.count + 7) / 8));
  bool same = true;
  struct decoder decoder;
  make_decoder(lengths, &decoder);
  for (int i = 0; i < length; i++) same &= decode(&bits, &decoder) == symbols[i];
  check(same && bits.at == bits.count, "what was coded comes back");
  if (length < 20) return;
  double entropy = 0;
  for (int s = 0; s < SYMBOLS; s++)
    if (counts[s] > 4) entropy -= counts[s] * log2((double)counts[s] / length);
  printf("frequent symbols hold %.3f bits\n", entropy);
  check(entropy < bits.count, "the bound of Shannon");
}

/* Rotations in order. */
static int compare_rotations(const void *a, const void *b) {
  int i = *(const short *)a, j = *(const short *)b;
  for (int n = 0; n < LENGTH_OF_TEXT; n++, i++, j++) {
    if (i == LENGTH_OF_TEXT) i = 0;
    if (j == LENGTH_OF_TEXT) j = 0;
    if (TEXT[i] != TEXT[j]) return TEXT[i] - TEXT[j];
  }
  return 0;
}

static int burrows_wheeler(uint8_t *last) {
  static short rotation[LENGTH_OF_TEXT];
  int whole = 0;
  for (int i = 0; i < LENGTH_OF_TEXT; i++) rotation[i] = (short)i;
  qsort(rotation, LENGTH_OF_TEXT, sizeof *rotation, compare_rotations);
  for (int i = 0; i < LENGTH_OF_TEXT; i++) {
    last[i] = (uint8_t)TEXT[(rotation[i] + LENGTH_OF_TEXT - 1) % LENGTH_OF_TEXT];
    if (rotation[i] == 0) whole = i;
  }
  return whole;
}

static void undo(const uint8_t *last, int whole, char *text) {
  short next[LENGTH_OF_TEXT];
  int start[SYMBOLS + 1] = {0};
  for (int i = 0; i < LENGTH_OF_TEXT; i++) start[last[i] + 1]++;
  for (int s = 0; s < SYMBOLS; s++) start[s + 1] += start[s];
  for (int i = 0; i < LENGTH_OF_TEXT; i++) next[start[last[i]]++] = (short)i;
  int at = next[whole];
  for (int i = 0; i < LENGTH_OF_TEXT; i++, at = next[at]) text[i] = (char)last[at];
  text[LENGTH_OF_TEXT] = '\0';
}

static void to_front(uint8_t *symbols, int length, bool back) {
  uint8_t order[SYMBOLS];
  for (int s = 0; s < SYMBOLS; s++) order[s] = (uint8_t)s;
  for (int i = 0; i < length; i++) {
    int at = back ? symbols[i] : 0;
    if (!back)
      while (order[at] != symbols[i]) at++;
    uint8_t symbol = order[at];
    memmove(order + 1, order, (size_t)at);
    order[0] = symbol;
    symbols[i] = back ? symbol : (uint8_t)at;
  }
}

int main(void) {
  uint8_t symbols[LENGTH_OF_TEXT];
  char text[LENGTH_OF_TEXT + 1];
  memcpy(symbols, TEXT, sizeof symbols);
  round_trip("plain", symbols, LENGTH_OF_TEXT);
  fprintf(stderr, "plain done\n");
  int whole = burrows_wheeler(symbols);
  printf("%.*s...\n", 60, (char *)symbols);
  uint8_t last[LENGTH_OF_TEXT];
  memcpy(last, symbols, sizeof last);
  to_front(symbols, LENGTH_OF_TEXT, false);
  int zeros = 0;
  for (int i = 0; i < LENGTH_OF_TEXT; i++) zeros += symbols[i] == 0;
  printf("row %d, %d zeros of %d\n", whole, zeros, LENGTH_OF_TEXT);
  round_trip("moved to front", symbols, LENGTH_OF_TEXT);
  to_front(symbols, LENGTH_OF_TEXT, true);
  check(memcmp(symbols, last, sizeof last) == 0, "moved to front and back");
  undo(symbols, whole, text);
  check(strcmp(text, TEXT) == 0, "Burrows and Wheeler, and back");
  /* Fibonacci weights make the deepest trees. */
  uint8_t deep[60];
  int length = 0, a = 1, b = 1;
  for (uint8_t s = 'a'; length + a <= (int)sizeof deep; s++) {
    for (int i = 0; i < a; i++) deep[length++] = s;
    int next = a + b;
    a = b, b = next;
  }
  round_trip("Fibonacci", deep, length);
  return verdict();
}
