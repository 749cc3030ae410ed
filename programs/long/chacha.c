/* ChaCha20, Poly1305, and both as RFC 8439 puts them together, with its vectors; and the field of X25519. */
#include "common.h"

static uint32_t load(const uint8_t *at) { return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24; }

static void store(uint8_t *at, uint32_t word) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(word >> 8 * i);
}

static uint32_t left(uint32_t x, int by) { return x << by | x >> (32 - by); }

static void quarter(uint32_t *x, int a, int b, int c, int d) {
  x[a] += x[b], x[d] = left(x[d] ^ x[a], 16);
  x[c] += x[d], x[b] = left(x[b] ^ x[c], 12);
  x[a] += x[b], x[d] = left(x[d] ^ x[a], 8);
  x[c] += x[d], x[b] = left(x[b] ^ x[c], 7);
}

static void chacha(const uint8_t *key, const uint8_t *nonce, uint32_t count, uint8_t *out) {
  uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}, x[16];
  for (int i = 0; i < 8; i++) start[4 + i] = load(key + 4 * i);
  start[12] = count;
  for (int i = 0; i < 3; i++) start[13 + i] = load(nonce + 4 * i);
  memcpy(x, start, sizeof x);
  for (int round = 0; round < 20; round += 2) {
    for (int i = 0; i < 4; i++) quarter(x, i, 4 + i, 8 + i, 12 + i);
    for (int i = 0; i < 4; i++) quarter(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
  }
  for (int i = 0; i < 16; i++) store(out + 4 * i, x[i] + start[i]);
}

static void cipher(const uint8_t *key, const uint8_t *nonce, uint32_t count, uint8_t *text, size_t length) {
  uint8_t stream[64];
  for (size_t i = 0; i < length; i++) {
    if (i % 64 == 0) chacha(key, nonce, count++, stream);
    text[i] ^= stream[i % 64];
  }
}

/* Modulo 2^130 - 5, five limbs of 26 bits. */
struct poly {
  uint32_t h[5], r[5];
  uint8_t key[32];
};

static void poly_start(struct poly *p, const uint8_t *key) {
  memset(p->h, 0, sizeof p->h);
  memcpy(p->key, key, 32);
  p->r[0] = load(key) & 0x3ffffff;
  p->r[1] = load(key + 3) >> 2 & 0x3ffff03;
  p->r[2] = load(key + 6) >> 4 & 0x3ffc0ff;
  p->r[3] = load(key + 9) >> 6 & 0x3f03fff;
  p->r[4] = load(key + 12) >> 8 & 0x00fffff;
}

static void poly_block(struct poly *p, const uint8_t *bytes, size_t length) {
  uint8_t block[17] = {0};
  memcpy(block, bytes, length);
  block[length] = 1;
  for (int i = 0; i < 5; i++) {
    uint32_t word = i < 4 ? load(block + 13 * i / 4) : (uint32_t)(block[13] | block[14] << 8 | block[15] << 16 | block[16] << 24);
    p->h[i] += word >> (i < 4 ? 2 * i : 0) & 0x3ffffff;
  }
  uint64_t product[5];
  for (int i = 0; i < 5; i++) {
    product[i] = 0;
    for (int j = 0; j < 5; j++) product[i] += (uint64_t)p->h[j] * (j <= i ? p->r[i - j] : 5 * p->r[5 + i - j]);
  }
  uint64_t carry = 0;
  for (int i = 0; i < 5; i++) {
    carry += product[i];
    p->h[i] = (uint32_t)carry & 0x3ffffff;
    carry >>= 26;
  }
  carry = carry * 5 + p->h[0];
  p->h[0] = (uint32_t)carry & 0x3ffffff;
  p->h[1] += (uint32_t)(carry >> 26);
}

static void poly_blocks(struct poly *p, const uint8_t *bytes, size_t length) {
  for (; length >= 16; bytes += 16, length -= 16) poly_block(p, bytes, 16);
  if (length) poly_block(p, bytes, length);
}

static void poly_end(struct poly *p, uint8_t *tag) {
  uint32_t carry = 0, plus[5];
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 5; i++) {
      p->h[i] += carry;
      carry = p->h[i] >> 26;
      p->h[i] &= 0x3ffffff;
    }
    carry *= 5;
  }
  p->h[0] += carry;
  /* With 5 more, does it reach 2^130? */
  carry = 5;
  for (int i = 0; i < 5; i++) {
    carry += p->h[i];
    plus[i] = carry & 0x3ffffff;
    carry >>= 26;
  }
  if (carry) memcpy(p->h, plus, sizeof plus);
  uint64_t sum = 0;
  for (int i = 0; i < 4; i++) {
    uint32_t word = p->h[i] >> 6 * i | p->h[i + 1] << (26 - 6 * i);
    sum += (uint64_t)word + load(p->key + 16 + 4 * i);
    store(tag + 4 * i, (uint32_t)sum);
    sum >>= 32;
  }
}

static void seal(const uint8_t *key, const uint8_t *nonce, const uint8_t *extra, size_t extras, uint8_t *text, size_t length, uint8_t *tag) {
  uint8_t first[64], padded[16] = {0};
  struct poly poly;
  chacha(key, nonce, 0, first);
  poly_start(&poly, first);
  cipher(key, nonce, 1, text, length);
  memcpy(padded, extra, extras);
  poly_block(&poly, padded, 16);
  poly_blocks(&poly, text, length / 16 * 16);
  memset(padded, 0, 16);
  memcpy(padded, text + length / 16 * 16, length % 16);
  if (length % 16) poly_block(&poly, padded, 16);
  memset(padded, 0, 16);
  store(padded, (uint32_t)extras);
  store(padded + 8, (uint32_t)length);
  poly_block(&poly, padded, 16);
  poly_end(&poly, tag);
}

static void from_hex(uint8_t *bytes, const char *hex) {
  for (; *hex; hex += 2) {
    char digits[3] = {hex[0], hex[1], '\0'};
    *bytes++ = (uint8_t)strtoul(digits, NULL, 16);
  }
}

static void show(const char *name, const uint8_t *bytes, size_t length) {
  printf("%-10s", name);
  for (size_t i = 0; i < length; i++) printf("%s%02x", i % 32 || !i ? "" : "\n          ", bytes[i]);
  putchar('\n');
}

static bool is(const uint8_t *bytes, const char *hex) {
  uint8_t wanted[128];
  from_hex(wanted, hex);
  return memcmp(bytes, wanted, strlen(hex) / 2) == 0;
}

/* Modulo 2^255 - 19, sixteen limbs of 16 bits, signed on the way. */
typedef int64_t field[16];

static void carry(field a) {
  for (int i = 0; i < 16; i++) {
    int64_t over = a[i] >> 16;
    a[i] -= over * 65536;
    if (i < 15) {
      a[i + 1] += over;
    } else {
      a[0] += 38 * over;
    }
  }
}

static void combine(field sum, const field a, const field b, int sign) {
  for (int i = 0; i < 16; i++) sum[i] = a[i] + sign * b[i];
}

/* Limbs are below 2^18 or so: products are of 32-bit numbers, and their sums need 64 bits. */
static void multiply(field product, const field a, const field b) {
  int64_t all[31] = {0};
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 16; j++) all[i + j] += (int64_t)(int32_t)a[i] * (int32_t)b[j];
  for (int i = 0; i < 15; i++) all[i] += 38 * all[i + 16];
  memcpy(product, all, 16 * sizeof *all);
  carry(product);
  carry(product);
}

int main(void) {
  uint8_t key[32], nonce[12], block[64], tag[16];
  for (int i = 0; i < 32; i++) key[i] = (uint8_t)i;
  from_hex(nonce, "000000090000004a00000000");
  chacha(key, nonce, 1, block);
  show("block", block, 64);
  check(is(block, "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4ed2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"),
        "RFC 8439, 2.3.2");
  uint8_t text[] =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
  size_t length = sizeof text - 1;
  from_hex(nonce, "000000000000004a00000000");
  cipher(key, nonce, 1, text, length);
  show("cipher", text, length);
  check(is(text, "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b357"
                 "1639d624e65152ab8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736"
                 "5af90bbf74a35be6b40b8eedf2785e42874d"),
        "RFC 8439, 2.4.2");
  cipher(key, nonce, 1, text, length);
  printf("%s\n", (char *)text);
  fprintf(stderr, "ChaCha20 done\n");
  struct poly poly;
  uint8_t once[32];
  from_hex(once, "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b");
  poly_start(&poly, once);
  poly_blocks(&poly, (const uint8_t *)"Cryptographic Forum Research Group", 34);
  poly_end(&poly, tag);
  show("Poly1305", tag, 16);
  check(is(tag, "a8061dc1305136c6c22b8baf0c0127a9"), "RFC 8439, 2.5.2");
  uint8_t extra[12];
  for (int i = 0; i < 32; i++) key[i] = (uint8_t)(0x80 + i);
  from_hex(nonce, "070000004041424344454647");
  from_hex(extra, "50515253c0c1c2c3c4c5c6c7");
  seal(key, nonce, extra, sizeof extra, text, length, tag);
  show("sealed", text, length);
  show("tag", tag, 16);
  check(is(text, "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"),
        "RFC 8439, 2.8.2");
  check(is(tag, "1ae10b594f09e26a7e902ecbd0600691"), "its tag");
  fprintf(stderr, "Poly1305 done\n");
  /* Squares of squares of 9, and sums of them. */
  field x = {9}, y = {0x1234, 0x5678, 0x9abc}, z, w;
  for (int i = 0; i < 12; i++) {
    multiply(x, x, x);
    combine(y, y, x, i % 2 ? 1 : -1);
    carry(y);
    multiply(z, x, y);
    multiply(w, y, x);
    check(memcmp(z, w, sizeof z) == 0, "products commute");
  }
  /* (x + y) (x - y) = x x - y y. */
  combine(z, x, y, 1);
  combine(w, x, y, -1);
  multiply(z, z, w);
  multiply(x, x, x);
  multiply(y, y, y);
  combine(w, x, y, -1);
  combine(w, w, z, -1);
  for (int i = 0; i < 4; i++) carry(w);
  bool zero = true;
  for (int i = 0; i < 16; i++) zero &= w[i] == 0;
  bool modulus = w[0] == 0xffed && w[15] == 0x7fff;
  for (int i = 0; i < 16; i++) printf("%04x", (unsigned)(z[15 - i] & 0xffff));
  putchar('\n');
  check(zero || modulus || (w[0] == 0xffda && w[15] == 0xffff), "a difference of squares");
  return verdict();
}
