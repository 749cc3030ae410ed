/* Base64, base32 and base16 of RFC 4648 with its vectors, Ascii85, and back; what is malformed is refused. */
#include <ctype.h>

#include "common.h"

struct base {
  const char *name, *alphabet;
  /* Bits of a digit; bytes and digits of a group. */
  unsigned bits, bytes, digits;
};

static const struct base BASES[] = {
    {"base64", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 6, 3, 4},
    {"base64url", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6, 3, 4},
    {"base32", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, 5, 8},
    {"base32hex", "0123456789ABCDEFGHIJKLMNOPQRSTUV", 5, 5, 8},
    {"base16", "0123456789ABCDEF", 4, 1, 2},
};

static size_t encode(const struct base *base, const unsigned char *bytes, size_t length, char *out) {
  char *start = out;
  for (size_t i = 0; i < length; i += base->bytes) {
    uint64_t group = 0;
    unsigned have = 0;
    for (unsigned j = 0; j < base->bytes; j++) {
      group = group << 8 | (i + j < length ? bytes[i + j] : 0);
      have += i + j < length;
    }
    unsigned used = (have * 8 + base->bits - 1) / base->bits;
    for (unsigned j = 0; j < base->digits; j++) {
      unsigned digit = (unsigned)(group >> (base->bits * (base->digits - 1 - j))) & ((1u << base->bits) - 1);
      *out++ = j < used ? base->alphabet[digit] : '=';
    }
  }
  *out = '\0';
  return (size_t)(out - start);
}

/* The number of bytes, or -1. */
static int decode(const struct base *base, const char *text, unsigned char *out) {
  int length = 0;
  size_t digits = strlen(text);
  if (digits % base->digits) return -1;
  for (size_t i = 0; i < digits; i += base->digits) {
    uint64_t group = 0;
    unsigned have = 0;
    for (unsigned j = 0; j < base->digits; j++) {
      char c = text[i + j];
      const char *found = c == '=' ? NULL : strchr(base->alphabet, c);
      if (found) {
        if (have != j) return -1;
        have++;
      } else if (c != '=' || i + base->digits < digits) {
        return -1;
      }
      group = group << base->bits | (uint64_t)(found ? found - base->alphabet : 0);
    }
    unsigned bytes = have * base->bits / 8;
    if ((bytes * 8 + base->bits - 1) / base->bits != have) return -1;
    for (unsigned j = 0; j < base->bytes; j++) {
      unsigned char byte = (unsigned char)(group >> (8 * (base->bytes - 1 - j)));
      if (j < bytes) {
        out[length++] = byte;
      } else if (byte) {
        return -1;
      }
    }
  }
  return length;
}

/* Five digits of base 85 for four bytes; z for four that are zero. */
static size_t encode85(const unsigned char *bytes, size_t length, char *out) {
  char *start = out;
  for (size_t i = 0; i < length; i += 4) {
    uint32_t word = 0;
    unsigned have = 0;
    for (unsigned j = 0; j < 4; j++) {
      word = word << 8 | (i + j < length ? bytes[i + j] : 0u);
      have += i + j < length;
    }
    if (word == 0 && have == 4) {
      *out++ = 'z';
      continue;
    }
    char digits[5];
    for (int j = 5; j-- > 0; word /= 85) digits[j] = (char)('!' + word % 85);
    memcpy(out, digits, have + 1);
    out += have + 1;
  }
  *out = '\0';
  return (size_t)(out - start);
}

static int decode85(const char *text, unsigned char *out) {
  unsigned char *start = out;
  while (*text) {
    if (*text == 'z') {
      memset(out, 0, 4);
      out += 4;
      text++;
      continue;
    }
    uint32_t word = 0;
    unsigned have = 0;
    for (unsigned j = 0; j < 5; j++) {
      word = word * 85 + (*text ? (uint32_t)(*text - '!') : 84);
      if (*text) {
        have++;
        text++;
      }
    }
    for (unsigned j = 0; j + 1 < have; j++) *out++ = (unsigned char)(word >> (24 - 8 * j));
  }
  return (int)(out - start);
}

static const char *const VECTORS[][4] = {
    {"", "", "", ""},
    {"f", "Zg==", "MY======", "66"},
    {"fo", "Zm8=", "MZXQ====", "666F"},
    {"foo", "Zm9v", "MZXW6===", "666F6F"},
    {"foob", "Zm9vYg==", "MZXW6YQ=", "666F6F62"},
    {"fooba", "Zm9vYmE=", "MZXW6YTB", "666F6F6261"},
    {"foobar", "Zm9vYmFy", "MZXW6YTBOI======", "666F6F626172"},
};

static const char *const MALFORMED[] = {"Zg=", "Zg==Zg==", "Z===", "Zh==", "Zm9*", "=Zm9", "Zm=v", "Z"};

int main(void) {
  static unsigned char bytes[270], back[270];
  static char text[700];
  for (size_t v = 0; v < LENGTH(VECTORS); v++) {
    const char *plain = VECTORS[v][0];
    static const int WHICH[] = {0, 2, 4};
    for (int w = 0; w < 3; w++) {
      encode(&BASES[WHICH[w]], (const unsigned char *)plain, strlen(plain), text);
      printf("%-7s %-9s %s\n", plain, BASES[WHICH[w]].name, text);
      check(strcmp(text, VECTORS[v][w + 1]) == 0, "a vector of RFC 4648");
      check(decode(&BASES[WHICH[w]], text, back) == (int)strlen(plain) && memcmp(back, plain, strlen(plain)) == 0, "and back");
    }
  }
  for (size_t i = 0; i < LENGTH(MALFORMED); i++) {
    int length = decode(&BASES[0], MALFORMED[i], back);
    fprintf(stderr, "refused: %s\n", MALFORMED[i]);
    check(length == -1, MALFORMED[i]);
  }
  uint32_t state = 362436069;
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i % 40 < 8 ? 0 : next_random(&state) >> 11);
  for (size_t b = 0; b < LENGTH(BASES); b++)
    for (size_t length = 47; length <= sizeof bytes; length = length * 3 + 7) {
      size_t digits = encode(&BASES[b], bytes, length, text);
      int decoded = decode(&BASES[b], text, back);
      check(decoded == (int)length && memcmp(bytes, back, length) == 0, BASES[b].name);
      printf("%s: %zu bytes, %zu digits, checksum %08x, %.32s\n", BASES[b].name, length, digits, (unsigned)mix_bytes(SUM, text, digits), text);
    }
  for (size_t length = 1; length <= sizeof bytes; length = length * 2 + 1) {
    size_t digits = encode85(bytes, length, text);
    check(decode85(text, back) == (int)length && memcmp(bytes, back, length) == 0, "Ascii85");
    printf("Ascii85: %zu bytes, %zu digits, checksum %08x, %.30s\n", length, digits, (unsigned)mix_bytes(SUM, text, digits), text);
  }
  int letters = 0, figures = 0, others = 0;
  for (const char *c = text; *c; c++) {
    letters += isalpha((unsigned char)*c) != 0;
    figures += isdigit((unsigned char)*c) != 0;
    others += ispunct((unsigned char)*c) != 0;
  }
  printf("%d letters, %d figures, %d others\n", letters, figures, others);
  check(letters + figures + others == (int)strlen(text), "characters that print");
  return verdict();
}
