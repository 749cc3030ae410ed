/* SHA-256 (FIPS 180-4), HMAC (RFC 2104) and HKDF (RFC 5869). */
#include "bytes.h"
#include "crypto.h"

static const uint32_t ROUNDS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static const uint32_t INITIAL[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* A round, with the names of the state rotated instead of its words. `both` is b ^ c, and becomes a ^ b. */
#define ROUND(a, b, c, d, e, f, g, h, i)                                                                               \
    do {                                                                                                               \
        uint32_t sum = h + (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) + (g ^ (e & (f ^ g))) +    \
                       rounds[i] + words[i];                                                                           \
        uint32_t next = a ^ b;                                                                                         \
        d += sum;                                                                                                      \
        h = sum + (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) + (b ^ (both & next));              \
        both = next;                                                                                                   \
    } while (0)

static void compress(uint32_t *hash, const uint8_t *block) {
    uint32_t schedule[64], *words = schedule;
    const uint32_t *rounds = ROUNDS;
    uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3];
    uint32_t e = hash[4], f = hash[5], g = hash[6], h = hash[7], both = b ^ c;
    for (; words < schedule + 16; block += 4) *words++ = swap_bytes(load_little(block));
    for (; words < schedule + 64; words++) {
        uint32_t x = words[-15], y = words[-2];
        words[0] = words[-16] + words[-7] + (rotate_right(x, 7) ^ rotate_right(x, 18) ^ x >> 3) +
                   (rotate_right(y, 17) ^ rotate_right(y, 19) ^ y >> 10);
    }
    for (words = schedule; words < schedule + 64; words += 8, rounds += 8) {
        ROUND(a, b, c, d, e, f, g, h, 0);
        ROUND(h, a, b, c, d, e, f, g, 1);
        ROUND(g, h, a, b, c, d, e, f, 2);
        ROUND(f, g, h, a, b, c, d, e, 3);
        ROUND(e, f, g, h, a, b, c, d, 4);
        ROUND(d, e, f, g, h, a, b, c, 5);
        ROUND(c, d, e, f, g, h, a, b, 6);
        ROUND(b, c, d, e, f, g, h, a, 7);
    }
    hash[0] += a, hash[1] += b, hash[2] += c, hash[3] += d;
    hash[4] += e, hash[5] += f, hash[6] += g, hash[7] += h;
}

void crypto_sha256_begin(crypto_sha256_state *state) {
    for (int i = 0; i < 8; i++) state->hash[i] = INITIAL[i];
    state->low = state->high = 0;
}

void crypto_sha256_update(crypto_sha256_state *state, const void *bytes, uint32_t count) {
    const uint8_t *from = bytes;
    uint32_t filled = state->low & 63;
    state->low += count;
    state->high += state->low < count;
    while (count > 0) {
        if (filled == 0 && count >= 64) {
            compress(state->hash, from);
            from += 64, count -= 64;
            continue;
        }
        state->block[filled++] = *from++;
        count--;
        if (filled == 64) {
            compress(state->hash, state->block);
            filled = 0;
        }
    }
}

void crypto_sha256_end(crypto_sha256_state *state, uint8_t *digest) {
    uint32_t filled = state->low & 63;
    state->block[filled++] = 0x80;
    if (filled > 56) {
        while (filled < 64) state->block[filled++] = 0;
        compress(state->hash, state->block);
        filled = 0;
    }
    while (filled < 56) state->block[filled++] = 0;
    store_little(state->block + 56, swap_bytes(state->high << 3 | state->low >> 29));
    store_little(state->block + 60, swap_bytes(state->low << 3));
    compress(state->hash, state->block);
    for (int i = 0; i < 8; i++) store_little(digest + 4 * i, swap_bytes(state->hash[i]));
}

void crypto_sha256(const void *bytes, uint32_t count, uint8_t *digest) {
    crypto_sha256_state state;
    crypto_sha256_begin(&state);
    crypto_sha256_update(&state, bytes, count);
    crypto_sha256_end(&state, digest);
}

/* A key's block, with the padding of the inner (0x36) or outer (0x5c) digest. */
static void begin_padded(crypto_sha256_state *state, const uint8_t *block, uint8_t padding) {
    uint8_t padded[64];
    for (int i = 0; i < 64; i++) padded[i] = block[i] ^ padding;
    crypto_sha256_begin(state);
    crypto_sha256_update(state, padded, 64);
}

static void key_block(const void *key, uint32_t key_count, uint8_t *block) {
    for (int i = 0; i < 64; i++) block[i] = 0;
    if (key_count > 64) {
        crypto_sha256(key, key_count, block);
    } else {
        for (uint32_t i = 0; i < key_count; i++) block[i] = ((const uint8_t *)key)[i];
    }
}

static void end_outer(crypto_sha256_state *state, const uint8_t *block, uint8_t *tag) {
    uint8_t inner[32];
    crypto_sha256_end(state, inner);
    begin_padded(state, block, 0x5c);
    crypto_sha256_update(state, inner, 32);
    crypto_sha256_end(state, tag);
}

void crypto_hmac_sha256(const void *key, uint32_t key_count, const void *bytes, uint32_t count, uint8_t *tag) {
    crypto_sha256_state state;
    uint8_t block[64];
    key_block(key, key_count, block);
    begin_padded(&state, block, 0x36);
    crypto_sha256_update(&state, bytes, count);
    end_outer(&state, block, tag);
}

void crypto_hkdf_extract(const void *salt, uint32_t salt_count, const void *secret, uint32_t secret_count,
                         uint8_t *key) {
    crypto_hmac_sha256(salt, salt_count, secret, secret_count, key);
}

int32_t crypto_hkdf_expand(const uint8_t *key, const void *info, uint32_t info_count, uint8_t *output, uint32_t count) {
    crypto_sha256_state state;
    uint8_t block[64], tag[32];
    if (count > 255 * 32) return 0;
    key_block(key, 32, block);
    for (uint8_t number = 1; count > 0; number++) {
        begin_padded(&state, block, 0x36);
        if (number > 1) crypto_sha256_update(&state, tag, 32);
        crypto_sha256_update(&state, info, info_count);
        crypto_sha256_update(&state, &number, 1);
        end_outer(&state, block, tag);
        uint32_t taken = count < 32 ? count : 32;
        for (uint32_t i = 0; i < taken; i++) *output++ = tag[i];
        count -= taken;
    }
    return 1;
}
