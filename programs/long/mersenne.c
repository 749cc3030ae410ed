/* Random numbers: the Mersenne twisters of 32 and 64 bits, xoshiro, PCG, splitmix, with known outputs; and whether dice are fair. */
#include <inttypes.h>

#include "common.h"

/* MT19937. */
enum { N = 624, M = 397 };

static uint32_t state[N];
static int at = N;

static void seed(uint32_t value) {
  state[0] = value;
  for (uint32_t i = 1; i < N; i++) state[i] = 1812433253u * (state[i - 1] ^ state[i - 1] >> 30) + i;
  at = N;
}

static uint32_t twisted(uint32_t high, uint32_t low) {
  uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
  return y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
}

static uint32_t next(void) {
  if (at == N) {
    for (int i = 0; i < N; i++) state[i] = state[(i + M) % N] ^ twisted(state[i], state[(i + 1) % N]);
    at = 0;
  }
  uint32_t y = state[at++];
  y ^= y >> 11;
  y ^= y << 7 & 0x9d2c5680u;
  y ^= y << 15 & 0xefc60000u;
  return y ^ y >> 18;
}

/* MT19937-64. */
enum { N64 = 312, M64 = 156 };

static uint64_t state64[N64];
static int at64 = N64;

static void seed64(uint64_t value) {
  state64[0] = value;
  for (uint64_t i = 1; i < N64; i++) state64[i] = 6364136223846793005u * (state64[i - 1] ^ state64[i - 1] >> 62) + i;
}

static uint64_t next64(void) {
  if (at64 == N64) {
    for (int i = 0; i < N64; i++) {
      uint64_t y = (state64[i] & ~0x7fffffffull) | (state64[(i + 1) % N64] & 0x7fffffffull);
      state64[i] = state64[(i + M64) % N64] ^ y >> 1 ^ (y & 1 ? 0xb5026f5aa96619e9u : 0);
    }
    at64 = 0;
  }
  uint64_t y = state64[at64++];
  y ^= y >> 29 & 0x5555555555555555u;
  y ^= y << 17 & 0x71d67fffeda60000u;
  y ^= y << 37 & 0xfff7eee000000000u;
  return y ^ y >> 43;
}

static uint64_t split_mix(uint64_t *x) {
  uint64_t z = *x += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static uint64_t left(uint64_t x, int by) { return x << by | x >> (64 - by); }

static uint64_t xoshiro(uint64_t s[4]) {
  uint64_t result = left(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = left(s[3], 45);
  return result;
}

struct pcg {
  uint64_t state, step;
};

static uint32_t pcg(struct pcg *p) {
  uint64_t old = p->state;
  p->state = old * 6364136223846793005u + p->step;
  uint32_t mixed = (uint32_t)((old >> 18 ^ old) >> 27), turn = (uint32_t)(old >> 59);
  return mixed >> turn | mixed << (-turn & 31);
}

/* How far counts are from being equal: chi squared in hundredths. */
static unsigned chi_squared(const unsigned *counts, unsigned cells, unsigned total) {
  uint32_t squares = 0;
  for (unsigned i = 0; i < cells; i++) squares += counts[i] * counts[i];
  return squares * cells / (total / 100) - total * 100;
}

int main(void) {
  static const uint32_t FIRST[] = {3499211612u, 581869302u, 3890346734u, 3586334585u, 545404204u};
  seed(5489);
  uint32_t sum = SUM, word = 0;
  unsigned dice[6] = {0}, bits = 0, rising = 0;
  for (unsigned i = 1; i <= 10000; i++) {
    uint32_t last = word;
    word = next();
    if (i <= LENGTH(FIRST)) check(word == FIRST[i - 1], "first outputs of MT19937");
    if (i % 1000 == 0) {
      printf("%5u: %10" PRIu32 "\n", i, word);
      fprintf(stderr, "%u numbers\n", i);
    }
    sum = mix(sum, word);
    if (i <= 6000) dice[word % 6]++;
    bits += word & 1;
    rising += word > last;
  }
  check(word == 4123659995u, "the 10000th output of MT19937");
  unsigned chi = chi_squared(dice, 6, 6000);
  printf("checksum %08" PRIx32 ", %u odd, %u rising, dice %u %u %u %u %u %u, chi squared %u.%02u\n", sum, bits, rising, dice[0], dice[1],
         dice[2], dice[3], dice[4], dice[5], chi / 100, chi % 100);
  check(chi < 2052, "dice");

  static const uint64_t FIRST64[] = {14514284786278117030u, 4620546740167642908u, 13109570281517897720u};
  seed64(5489);
  uint64_t wide = 0, both = 0;
  for (unsigned i = 1; i <= 700; i++) {
    wide = next64();
    both ^= left(wide, (int)(i & 31) + 1);
    if (i <= LENGTH(FIRST64)) check(wide == FIRST64[i - 1], "first outputs of MT19937-64");
  }
  printf("MT19937-64: %" PRIu64 " %016" PRIx64 "\n", wide, both);

  uint64_t x = 1234567;
  static const uint64_t SPLIT[] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u};
  for (size_t i = 0; i < LENGTH(SPLIT); i++) check(split_mix(&x) == SPLIT[i], "splitmix64");
  uint64_t s[4] = {1, 2, 3, 4};
  static const uint64_t XOSHIRO[] = {11520, 0, 1509978240, 1215971899390074240u};
  for (size_t i = 0; i < 200; i++) {
    uint64_t value = xoshiro(s);
    if (i < LENGTH(XOSHIRO)) check(value == XOSHIRO[i], "xoshiro256**");
    if (i % 50 == 49) printf("xoshiro256**: %20" PRIu64 "\n", value);
  }
  struct pcg p = {0, 54u << 1 | 1};
  pcg(&p);
  p.state += 42;
  pcg(&p);
  static const uint32_t PCG[] = {0xa15c02b7, 0x7b47f409, 0xba1d3330, 0x83d2f293, 0xbfa4784b, 0xcbed606e};
  for (size_t i = 0; i < 100; i++) {
    uint32_t value = pcg(&p);
    if (i < LENGTH(PCG)) check(value == PCG[i], "PCG");
    if (i % 25 == 24) printf("PCG: %" PRIu32 ", a card %u, a coin %s\n", value, (unsigned)(value % 52), value & 1 ? "heads" : "tails");
  }
  return verdict();
}
