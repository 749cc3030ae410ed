/* AES with keys of 128, 192 and 256 bits, both ways, in modes ECB, CBC and CTR, with the vectors of FIPS 197 and SP 800-38A; and CMAC. */
#include "common.h"

static uint8_t box[256], inverse[256];

static uint8_t doubled(uint8_t x) { return (uint8_t)(x << 1 ^ (x >> 7) * 0x1b); }

static uint8_t times(uint8_t a, uint8_t b) {
  uint8_t product = 0;
  for (; b; b >>= 1, a = doubled(a))
    if (b & 1) product ^= a;
  return product;
}

/* The box from its definition: inverses in the field of 256, and an affine map; 3 generates all but 0. */
static void make_boxes(void) {
  uint8_t power = 1, opposite = 1;
  do {
    power ^= doubled(power);
    /* Divided by 3. */
    opposite ^= (uint8_t)(opposite << 1);
    opposite ^= (uint8_t)(opposite << 2);
    opposite ^= (uint8_t)(opposite << 4);
    if (opposite & 0x80) opposite ^= 0x09;
    uint8_t x = opposite;
    for (int turn = 1; turn < 5; turn++) x ^= (uint8_t)(opposite << turn | opposite >> (8 - turn));
    box[power] = x ^ 0x63;
  } while (power != 1);
  box[0] = 0x63;
  for (int i = 0; i < 256; i++) inverse[box[i]] = (uint8_t)i;
}

struct key {
  int rounds;
  uint8_t bytes[240];
};

static void expand(struct key *key, const uint8_t *secret, int words) {
  key->rounds = words + 6;
  memcpy(key->bytes, secret, (size_t)(4 * words));
  uint8_t constant = 1;
  for (int i = words; i < 4 * (key->rounds + 1); i++) {
    const uint8_t *last = key->bytes + 4 * (i - 1);
    uint8_t word[4] = {last[0], last[1], last[2], last[3]};
    if (i % words == 0) {
      uint8_t first = word[0];
      word[0] = box[word[1]] ^ constant;
      word[1] = box[word[2]];
      word[2] = box[word[3]];
      word[3] = box[first];
      constant = doubled(constant);
    } else if (words > 6 && i % words == 4) {
      for (int j = 0; j < 4; j++) word[j] = box[word[j]];
    }
    for (int j = 0; j < 4; j++) key->bytes[4 * i + j] = key->bytes[4 * (i - words) + j] ^ word[j];
  }
}

static void add_key(uint8_t *block, const uint8_t *key) {
  for (int i = 0; i < 16; i++) block[i] ^= key[i];
}

static void encrypt(const struct key *key, uint8_t *block) {
  uint8_t moved[16];
  add_key(block, key->bytes);
  for (int round = 1;; round++) {
    for (int i = 0; i < 16; i++) moved[i] = box[block[(5 * i) & 15]];
    if (round == key->rounds) break;
    for (int column = 0; column < 16; column += 4) {
      const uint8_t *m = moved + column;
      uint8_t all = m[0] ^ m[1] ^ m[2] ^ m[3];
      for (int j = 0; j < 4; j++) block[column + j] = m[j] ^ all ^ doubled(m[j] ^ m[(j + 1) & 3]);
    }
    add_key(block, key->bytes + 16 * round);
  }
  memcpy(block, moved, 16);
  add_key(block, key->bytes + 16 * key->rounds);
}

static void decrypt(const struct key *key, uint8_t *block) {
  uint8_t moved[16];
  add_key(block, key->bytes + 16 * key->rounds);
  for (int round = key->rounds - 1;; round--) {
    for (int i = 0; i < 16; i++) moved[(5 * i) & 15] = inverse[block[i]];
    add_key(moved, key->bytes + 16 * round);
    if (round == 0) break;
    for (int column = 0; column < 16; column += 4)
      for (int j = 0; j < 4; j++) {
        const uint8_t *m = moved + column;
        block[column + j] = times(m[j], 14) ^ times(m[(j + 1) & 3], 11) ^ times(m[(j + 2) & 3], 13) ^ times(m[(j + 3) & 3], 9);
      }
  }
  memcpy(block, moved, 16);
}

static void from_hex(uint8_t *bytes, const char *hex) {
  for (; *hex; hex += 2) {
    char digits[3] = {hex[0], hex[1], '\0'};
    *bytes++ = (uint8_t)strtoul(digits, NULL, 16);
  }
}

static void show(const char *name, const uint8_t *bytes, int length) {
  printf("%s ", name);
  for (int i = 0; i < length; i++) printf("%02x", bytes[i]);
  putchar('\n');
}

static bool is(const uint8_t *bytes, const char *hex) {
  uint8_t wanted[64];
  from_hex(wanted, hex);
  return memcmp(bytes, wanted, strlen(hex) / 2) == 0;
}

/* FIPS 197, appendix C. */
static const struct {
  const char *key, *cipher;
} FIPS[] = {
    {"000102030405060708090a0b0c0d0e0f", "69c4e0d86a7b0430d8cdb78070b4c55a"},
    {"000102030405060708090a0b0c0d0e0f1011121314151617", "dda97ca4864cdfe06eaf70a0ec0d7191"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "8ea2b7ca516745bfeafc49904b496089"},
};

/* SP 800-38A, appendix F. */
static const char PLAIN[] =
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

static struct key key;
static uint8_t text[64], chain[16];

static void start(const char *secret, const char *vector) {
  uint8_t bytes[32];
  from_hex(bytes, secret);
  expand(&key, bytes, (int)strlen(secret) / 8);
  from_hex(chain, vector);
  from_hex(text, PLAIN);
}

static void modes(void) {
  static const char VECTOR[] = "000102030405060708090a0b0c0d0e0f";
  start("2b7e151628aed2a6abf7158809cf4f3c", VECTOR);
  for (int i = 0; i < 64; i += 16) {
    add_key(text + i, chain);
    encrypt(&key, text + i);
    memcpy(chain, text + i, 16);
  }
  show("CBC", text, 64);
  check(is(text, "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b273bed6b8e3c1743b7116e69e22229516"
                 "3ff1caa1681fac09120eca307586e1a7"),
        "CBC");
  for (int i = 48; i >= 0; i -= 16) {
    decrypt(&key, text + i);
    if (i) {
      add_key(text + i, text + i - 16);
    } else {
      from_hex(chain, VECTOR);
      add_key(text, chain);
    }
  }
  check(is(text, PLAIN), "CBC and back");
  start("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  for (int i = 0; i < 64; i += 16) {
    uint8_t stream[16];
    memcpy(stream, chain, 16);
    encrypt(&key, stream);
    add_key(text + i, stream);
    for (int j = 15; j >= 0 && ++chain[j] == 0; j--) continue;
  }
  show("CTR", text, 64);
  check(is(text, "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988d"
                 "dfc9c58db67aada613c2dd08457941a6"),
        "CTR");
}

/* CMAC of SP 800-38B: the last block is blinded by a doubled secret. */
static void cmac(int length, const char *wanted) {
  uint8_t subkey[16] = {0}, sum[16] = {0};
  start("2b7e151628aed2a6abf7158809cf4f3c", "00000000000000000000000000000000");
  encrypt(&key, subkey);
  bool whole = length > 0 && length % 16 == 0;
  for (int times = whole ? 1 : 2; times > 0; times--) {
    bool over = subkey[0] >> 7;
    for (int i = 0; i < 16; i++) subkey[i] = (uint8_t)(subkey[i] << 1 | (i < 15 ? subkey[i + 1] >> 7 : 0));
    if (over) subkey[15] ^= 0x87;
  }
  int at = 0;
  for (; length - at > 16; at += 16) {
    add_key(sum, text + at);
    encrypt(&key, sum);
  }
  for (int i = 0; at + i < length; i++) sum[i] ^= text[at + i];
  if (!whole) sum[length - at] ^= 0x80;
  add_key(sum, subkey);
  encrypt(&key, sum);
  show("CMAC", sum, 16);
  check(is(sum, wanted), "CMAC");
}

int main(void) {
  make_boxes();
  check(box[0x53] == 0xed && inverse[0xed] == 0x53, "boxes");
  for (size_t i = 0; i < LENGTH(FIPS); i++) {
    uint8_t secret[32], block[16];
    from_hex(secret, FIPS[i].key);
    from_hex(block, "00112233445566778899aabbccddeeff");
    expand(&key, secret, (int)strlen(FIPS[i].key) / 8);
    encrypt(&key, block);
    show("ECB", block, 16);
    check(is(block, FIPS[i].cipher), "FIPS 197");
    decrypt(&key, block);
    check(is(block, "00112233445566778899aabbccddeeff"), "and back");
    fprintf(stderr, "%d rounds\n", key.rounds);
  }
  modes();
  cmac(0, "bb1d6929e95937287fa37d129b756746");
  cmac(16, "070a16b46b4d4144f79bdd9dd04a287c");
  cmac(40, "dfa66747de9ae63030ca32611497c827");
  cmac(64, "51f0bebf7e3b9d92fc49741779363cfe");
  /* Each cipher text is the next plain text. */
  uint8_t block[16] = {0};
  for (int i = 1; i <= 4; i++) {
    encrypt(&key, block);
    if (i % 2 == 0) show("chained", block, 16);
  }
  for (int i = 0; i < 4; i++) decrypt(&key, block);
  check(is(block, "00000000000000000000000000000000"), "four times and back");
  return verdict();
}
