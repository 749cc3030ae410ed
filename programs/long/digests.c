/* SHA-1, SHA-256, SHA-512, SHA3-256, CRC-32, Adler-32 and SipHash with published digests, and HMAC of RFC 4231. */
#include <inttypes.h>

#include "common.h"

static uint32_t left(uint32_t x, int by) { return x << by | x >> (32 - by); }
static uint32_t right(uint32_t x, int by) { return x >> by | x << (32 - by); }
static uint64_t right64(uint64_t x, int by) { return x >> by | x << (64 - by); }
static uint64_t left64(uint64_t x, int by) { return by ? x << by | x >> (64 - by) : x; }

/* Fractions of the roots of the first primes, cubic and square; SHA-256 takes the upper halves. */
static const uint64_t K[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
    0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
    0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
    0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
    0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
    0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
    0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
    0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
    0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
    0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};
static const uint64_t START[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static uint32_t load(const uint8_t *at) { return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]; }

static union {
  uint32_t word[8];
  uint64_t wide[25];
} state;

static void start1(void) {
  static const uint32_t FIRST[] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  memcpy(state.word, FIRST, sizeof FIRST);
}

static void block1(const uint8_t *block) {
  uint32_t w[80], *h = state.word, a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
  for (int i = 0; i < 80; i++) w[i] = i < 16 ? load(block + 4 * i) : left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  for (int i = 0; i < 80; i++) {
    uint32_t f = i < 20 ? ((b & c) | (~b & d)) + 0x5a827999 : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1 : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                                                                                              : (b ^ c ^ d) + 0xca62c1d6;
    f += left(a, 5) + e + w[i];
    e = d, d = c, c = left(b, 30), b = a, a = f;
  }
  h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

static void start256(void) {
  for (int i = 0; i < 8; i++) state.word[i] = (uint32_t)(START[i] >> 32);
}

static void block256(const uint8_t *block) {
  uint32_t w[64], s[8];
  for (int i = 0; i < 64; i++)
    w[i] = i < 16 ? load(block + 4 * i)
                  : w[i - 16] + w[i - 7] + (right(w[i - 15], 7) ^ right(w[i - 15], 18) ^ w[i - 15] >> 3) +
                        (right(w[i - 2], 17) ^ right(w[i - 2], 19) ^ w[i - 2] >> 10);
  memcpy(s, state.word, sizeof s);
  for (int i = 0; i < 64; i++) {
    uint32_t t = s[7] + (right(s[4], 6) ^ right(s[4], 11) ^ right(s[4], 25)) + (s[6] ^ (s[4] & (s[5] ^ s[6]))) + (uint32_t)(K[i] >> 32) + w[i];
    uint32_t u = (right(s[0], 2) ^ right(s[0], 13) ^ right(s[0], 22)) + ((s[0] & s[1]) | (s[2] & (s[0] | s[1])));
    memmove(s + 1, s, 7 * sizeof *s);
    s[4] += t;
    s[0] = t + u;
  }
  for (int i = 0; i < 8; i++) state.word[i] += s[i];
}

static void start512(void) { memcpy(state.wide, START, sizeof START); }

static void block512(const uint8_t *block) {
  uint64_t w[80], *h = state.wide, a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], last = h[7];
  for (int i = 0; i < 80; i++)
    w[i] = i < 16 ? (uint64_t)load(block + 8 * i) << 32 | load(block + 8 * i + 4)
                  : w[i - 16] + w[i - 7] + (right64(w[i - 15], 1) ^ right64(w[i - 15], 8) ^ w[i - 15] >> 7) +
                        (right64(w[i - 2], 19) ^ right64(w[i - 2], 61) ^ w[i - 2] >> 6);
  for (int i = 0; i < 80; i++) {
    uint64_t t = last + (right64(e, 14) ^ right64(e, 18) ^ right64(e, 41)) + ((e & f) ^ (~e & g)) + K[i] + w[i];
    uint64_t u = (right64(a, 28) ^ right64(a, 34) ^ right64(a, 39)) + ((a & b) ^ (a & c) ^ (b & c));
    last = g, g = f, f = e, e = d + t, d = c, c = b, b = a, a = t + u;
  }
  h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e, h[5] += f, h[6] += g, h[7] += last;
}

static void start3(void) { memset(&state, 0, sizeof state); }

/* Keccak: constants come from a shift register, places and rotations from one walk over the lanes. */
static void block3(const uint8_t *block) {
  uint64_t *a = state.wide;
  for (int i = 0; i < 136; i++) a[i / 8] ^= (uint64_t)block[i] << i % 8 * 8;
  uint8_t bits = 1;
  for (int round = 0; round < 24; round++) {
    uint64_t column[5], taken = a[1];
    for (int x = 0; x < 5; x++) column[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    for (int i = 0; i < 25; i++) a[i] ^= column[(i + 4) % 5] ^ left64(column[(i + 1) % 5], 1);
    taken = a[1];
    for (int step = 1, x = 1, y = 0; step <= 24; step++) {
      int next = (2 * x + 3 * y) % 5;
      x = y, y = next;
      uint64_t kept = a[x + 5 * y];
      a[x + 5 * y] = left64(taken, step * (step + 1) / 2 % 64);
      taken = kept;
    }
    for (int y = 0; y < 25; y += 5) {
      memcpy(column, a + y, sizeof column);
      for (int x = 0; x < 5; x++) a[y + x] = column[x] ^ (~column[(x + 1) % 5] & column[(x + 2) % 5]);
    }
    for (int j = 0; j < 7; j++) {
      if (bits & 1) a[0] ^= 1ull << ((1 << j) - 1);
      bits = (uint8_t)(bits << 1 ^ (bits >> 7) * 0x71);
    }
  }
}

struct digest {
  const char *name;
  void (*start)(void);
  void (*block)(const uint8_t *);
  /* Bytes of a block, of the length at its end, of the digest, of a word of the state. */
  unsigned size, length, bytes, word;
};

static const struct digest DIGESTS[] = {
    {"SHA-1", start1, block1, 64, 8, 20, 4},
    {"SHA-256", start256, block256, 64, 8, 32, 4},
    {"SHA-512", start512, block512, 128, 16, 64, 8},
    {"SHA3-256", start3, block3, 136, 0, 32, 8},
};

static void digest(const struct digest *d, const uint8_t *text, size_t length, uint8_t *out) {
  uint8_t last[136] = {0};
  size_t at = 0;
  d->start();
  for (; length - at >= d->size; at += d->size) d->block(text + at);
  memcpy(last, text + at, length - at);
  if (d->length) {
    last[length - at] = 0x80;
    if (length - at + 1 + d->length > d->size) {
      d->block(last);
      memset(last, 0, sizeof last);
    }
    for (unsigned i = 0; i < 4; i++) last[d->size - 1 - i] = (uint8_t)(8 * length >> 8 * i);
  } else {
    last[length - at] ^= 0x06;
    last[d->size - 1] ^= 0x80;
  }
  d->block(last);
  for (unsigned i = 0; i < d->bytes; i++) {
    unsigned shift = d->length ? d->word - 1 - i % d->word : i % d->word;
    out[i] = (uint8_t)(d->word == 4 ? state.word[i / 4] >> 8 * shift : state.wide[i / 8] >> 8 * shift);
  }
}

static void to_hex(const uint8_t *bytes, size_t length, char *hex) {
  for (size_t i = 0; i < length; i++, hex += 2) snprintf(hex, 3, "%02x", bytes[i]);
}

static const char *const EMPTY[] = {
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
};

static const char *const ABC[] = {
    "a9993e364706816aba3e25717850c26c9cd0d89d",
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
};

/* Of 448 bits. */
static const char *const LONG[] = {
    "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c33596fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445",
    "41c0dba2a9d6240849100376a8235e2c82e1b9998a999e21db32dd97496d3376",
};

static void hmac(const struct digest *d, const char *key, const char *text, uint8_t *out) {
  uint8_t block[128 + 64];
  for (int outer = 0; outer < 2; outer++) {
    memset(block, outer ? 0x5c : 0x36, d->size);
    for (size_t i = 0; key[i]; i++) block[i] ^= (uint8_t)key[i];
    size_t length = outer ? d->bytes : strlen(text);
    memcpy(block + d->size, outer ? (const char *)out : text, length);
    digest(d, block, d->size + length, out);
  }
}

static uint32_t crc32(const uint8_t *bytes, size_t length) {
  uint32_t table[16], crc = ~0u;
  for (uint32_t i = 0; i < 16; i++) {
    table[i] = i;
    for (int bit = 0; bit < 4; bit++) table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
  }
  for (; length--; bytes++) {
    crc = crc >> 4 ^ table[(crc ^ *bytes) & 15];
    crc = crc >> 4 ^ table[(crc ^ *bytes >> 4) & 15];
  }
  return ~crc;
}

static uint32_t adler32(const uint8_t *bytes, size_t length) {
  uint32_t a = 1, b = 0;
  while (length--) {
    a = (a + *bytes++) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

static void sip_round(uint64_t v[4]) {
  v[0] += v[1], v[1] = left64(v[1], 13) ^ v[0], v[0] = left64(v[0], 32);
  v[2] += v[3], v[3] = left64(v[3], 16) ^ v[2];
  v[0] += v[3], v[3] = left64(v[3], 21) ^ v[0];
  v[2] += v[1], v[1] = left64(v[1], 17) ^ v[2], v[2] = left64(v[2], 32);
}

static uint64_t sip_hash(uint64_t key0, uint64_t key1, const uint8_t *text, unsigned length) {
  uint64_t v[4] = {key0 ^ 0x736f6d6570736575, key1 ^ 0x646f72616e646f6d, key0 ^ 0x6c7967656e657261, key1 ^ 0x7465646279746573};
  for (unsigned at = 0; at <= length; at += 8) {
    uint64_t word = at + 8 > length ? (uint64_t)length << 56 : 0;
    for (unsigned i = 0; i < 8 && at + i < length; i++) word |= (uint64_t)text[at + i] << 8 * i;
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
  }
  v[2] ^= 0xff;
  for (int i = 0; i < 4; i++) sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int main(void) {
  static const char MESSAGE[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  uint8_t out[64], text[150];
  char hex[129];
  for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)(i * i >> 3);
  for (size_t i = 0; i < LENGTH(DIGESTS); i++) {
    const struct digest *d = &DIGESTS[i];
    const char *const wanted[][2] = {{"", EMPTY[i]}, {"abc", ABC[i]}, {MESSAGE, LONG[i]}};
    for (size_t j = 0; j < LENGTH(wanted); j++) {
      digest(d, (const uint8_t *)wanted[j][0], strlen(wanted[j][0]), out);
      to_hex(out, d->bytes, hex);
      check(strcmp(hex, wanted[j][1]) == 0, d->name);
    }
    printf("%s %s\n", d->name, hex);
    digest(d, text, sizeof text, out);
    to_hex(out, d->bytes, hex);
    printf("%s %s\n", d->name, hex);
    fprintf(stderr, "%s done\n", d->name);
  }
  hmac(&DIGESTS[1], "Jefe", "what do ya want for nothing?", out);
  to_hex(out, 32, hex);
  printf("HMAC %s\n", hex);
  check(strcmp(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843") == 0, "RFC 4231");
  uint32_t crc = crc32((const uint8_t *)"123456789", 9), adler = adler32((const uint8_t *)"Wikipedia", 9);
  check(crc == 0xcbf43926, "CRC-32");
  check(adler == 0x11e60398, "Adler-32");
  printf("CRC-32 %08" PRIx32 " %08" PRIx32 ", Adler-32 %08" PRIx32 " %08" PRIx32 "\n", crc, crc32(text, sizeof text), adler,
         adler32(text, sizeof text));
  for (uint8_t i = 0; i < 15; i++) text[i] = i;
  uint64_t sip = sip_hash(0x0706050403020100, 0x0f0e0d0c0b0a0908, text, 15);
  printf("SipHash %016" PRIx64 "\n", sip);
  check(sip == 0xa129ca6149be45e5, "SipHash-2-4");
  return verdict();
}
