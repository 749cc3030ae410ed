/* ChaCha20 and Poly1305 (RFC 8439), CRC-32, comparison in constant time. */
#include "crypto.h"
#include "bytes.h"

#define QUARTER(a, b, c, d)                                                                                            \
    (a += b, d = rotate_left(d ^ a, 16), c += d, b = rotate_left(b ^ c, 12), a += b, d = rotate_left(d ^ a, 8),        \
     c += d, b = rotate_left(b ^ c, 7))

void crypto_chacha20_block(const uint8_t *key, uint32_t counter, const uint8_t *nonce, uint8_t *block) {
    uint32_t x0 = 0x61707865, x1 = 0x3320646e, x2 = 0x79622d32, x3 = 0x6b206574;
    uint32_t x4 = load_little(key), x5 = load_little(key + 4), x6 = load_little(key + 8), x7 = load_little(key + 12);
    uint32_t x8 = load_little(key + 16), x9 = load_little(key + 20), x10 = load_little(key + 24);
    uint32_t x11 = load_little(key + 28), x12 = counter;
    uint32_t x13 = load_little(nonce), x14 = load_little(nonce + 4), x15 = load_little(nonce + 8);
    for (int i = 0; i < 10; i++) {
        QUARTER(x0, x4, x8, x12);
        QUARTER(x1, x5, x9, x13);
        QUARTER(x2, x6, x10, x14);
        QUARTER(x3, x7, x11, x15);
        QUARTER(x0, x5, x10, x15);
        QUARTER(x1, x6, x11, x12);
        QUARTER(x2, x7, x8, x13);
        QUARTER(x3, x4, x9, x14);
    }
    /* The inputs are added where the words are stored; `block` may not be `key`. */
    store_little(block, x0 + 0x61707865);
    store_little(block + 4, x1 + 0x3320646e);
    store_little(block + 8, x2 + 0x79622d32);
    store_little(block + 12, x3 + 0x6b206574);
    store_little(block + 16, x4 + load_little(key));
    store_little(block + 20, x5 + load_little(key + 4));
    store_little(block + 24, x6 + load_little(key + 8));
    store_little(block + 28, x7 + load_little(key + 12));
    store_little(block + 32, x8 + load_little(key + 16));
    store_little(block + 36, x9 + load_little(key + 20));
    store_little(block + 40, x10 + load_little(key + 24));
    store_little(block + 44, x11 + load_little(key + 28));
    store_little(block + 48, x12 + counter);
    store_little(block + 52, x13 + load_little(nonce));
    store_little(block + 56, x14 + load_little(nonce + 4));
    store_little(block + 60, x15 + load_little(nonce + 8));
}

void crypto_chacha20(const uint8_t *key, uint32_t counter, const uint8_t *nonce, const uint8_t *input, uint8_t *output,
                     uint32_t count) {
    uint8_t block[64];
    while (count > 0) {
        crypto_chacha20_block(key, counter++, nonce, block);
        uint32_t taken = count < 64 ? count : 64;
        uint32_t i = 0;
        for (; i + 4 <= taken; i += 4) store_little(output + i, load_little(input + i) ^ load_little(block + i));
        for (; i < taken; i++) output[i] = input[i] ^ block[i];
        input += taken, output += taken, count -= taken;
    }
}

/* Numbers modulo 2^130 - 5 are ten limbs of 13 bits: a sum of five products of limbs fits 32 bits, so no product needs
 * 64. Limb i times limb j with i + j >= 10 counts as 5 times limb i + j - 10. */
static void load_limbs(uint32_t *limbs, const uint8_t *bytes) {
    uint32_t a = load_little(bytes), b = load_little(bytes + 4);
    uint32_t c = load_little(bytes + 8), d = load_little(bytes + 12);
    limbs[0] = a & 0x1fff;
    limbs[1] = a >> 13 & 0x1fff;
    limbs[2] = (a >> 26 | b << 6) & 0x1fff;
    limbs[3] = b >> 7 & 0x1fff;
    limbs[4] = (b >> 20 | c << 12) & 0x1fff;
    limbs[5] = c >> 1 & 0x1fff;
    limbs[6] = c >> 14 & 0x1fff;
    limbs[7] = (c >> 27 | d << 5) & 0x1fff;
    limbs[8] = d >> 8 & 0x1fff;
    limbs[9] = d >> 21;
}

/* sum = (sum + limbs) r, where r has the limbs of r from `factors + 10` on, and 5 times them before. Each limb of the
 * result is less than 2^13 + 2^10. */
static void multiply_sum(uint32_t *sum, const uint32_t *limbs, const uint32_t *factors) {
    uint32_t s0 = sum[0] + limbs[0], s1 = sum[1] + limbs[1], s2 = sum[2] + limbs[2], s3 = sum[3] + limbs[3];
    uint32_t s4 = sum[4] + limbs[4], s5 = sum[5] + limbs[5], s6 = sum[6] + limbs[6], s7 = sum[7] + limbs[7];
    uint32_t s8 = sum[8] + limbs[8], s9 = sum[9] + limbs[9], carry = 0;
    for (int i = 0; i < 10; i++) {
        /* A term is less than 2^14.2 2^15.4: five and a carry fit. The first five give up their upper bits. */
        const uint32_t *f = factors + 10 + i;
        uint32_t low = carry + s0 * f[0] + s1 * f[-1] + s2 * f[-2] + s3 * f[-3] + s4 * f[-4];
        carry = low >> 13;
        low = (low & 0x1fff) + s5 * f[-5] + s6 * f[-6] + s7 * f[-7] + s8 * f[-8] + s9 * f[-9];
        carry += low >> 13;
        sum[i] = low & 0x1fff;
    }
    carry = sum[0] + 5 * carry;
    sum[0] = carry & 0x1fff;
    sum[1] += carry >> 13;
}

void crypto_poly1305(const uint8_t *key, const void *bytes, uint32_t count, uint8_t *tag) {
    uint32_t factors[20], sum[10], limbs[10];
    uint8_t block[16];
    const uint8_t *from = bytes;
    for (int i = 0; i < 16; i++) block[i] = key[i] & (i % 4 == 3 ? 15 : i % 4 == 0 && i > 0 ? 252 : 255);
    load_limbs(factors + 10, block);
    for (int i = 0; i < 10; i++) {
        factors[i] = 5 * factors[10 + i];
        sum[i] = 0;
    }
    while (count > 0) {
        if (count >= 16) {
            load_limbs(limbs, from);
            limbs[9] |= 1 << 11;
            from += 16, count -= 16;
        } else {
            for (uint32_t i = 0; i < 16; i++) block[i] = i < count ? from[i] : i == count;
            load_limbs(limbs, block);
            count = 0;
        }
        multiply_sum(sum, limbs, factors);
    }
    /* Carries through all limbs, twice: the first sweep may leave limb 0 above 13 bits. */
    uint32_t carry = 0;
    for (int sweep = 0; sweep < 2; sweep++) {
        for (int i = 0; i < 10; i++) {
            carry += sum[i];
            sum[i] = carry & 0x1fff;
            carry >>= 13;
        }
        carry *= 5;
    }
    sum[0] += carry;
    /* sum + 5 - 2^130, if that is not negative. */
    carry = 5;
    for (int i = 0; i < 10; i++) {
        carry += sum[i];
        limbs[i] = carry & 0x1fff;
        carry >>= 13;
    }
    uint32_t reduced = 0 - carry;
    for (int i = 0; i < 10; i++) sum[i] = sum[i] & ~reduced | limbs[i] & reduced;
    uint32_t words[4] = {
        sum[0] | sum[1] << 13 | sum[2] << 26,
        sum[2] >> 6 | sum[3] << 7 | sum[4] << 20,
        sum[4] >> 12 | sum[5] << 1 | sum[6] << 14 | sum[7] << 27,
        sum[7] >> 5 | sum[8] << 8 | sum[9] << 21,
    };
    carry = 0;
    for (int i = 0; i < 4; i++) {
        uint32_t word = words[i] + carry;
        carry = word < carry;
        uint32_t added = word + load_little(key + 16 + 4 * i);
        carry += added < word;
        store_little(tag + 4 * i, added);
    }
}

/* Remainders of 4-bit values. */
static const uint32_t REMAINDERS[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

uint32_t crypto_crc32(uint32_t crc, const void *bytes, uint32_t count) {
    const uint8_t *from = bytes;
    crc = ~crc;
    for (; count > 0; count--) {
        crc ^= *from++;
        crc = crc >> 4 ^ REMAINDERS[crc & 15];
        crc = crc >> 4 ^ REMAINDERS[crc & 15];
    }
    return ~crc;
}

int32_t crypto_equal(const void *a, const void *b, uint32_t count) {
    const volatile uint8_t *x = a, *y = b;
    uint32_t different = 0;
    for (uint32_t i = 0; i < count; i++) different |= x[i] ^ y[i];
    return (int32_t)((different - 1) >> 31);
}
