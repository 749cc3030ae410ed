/* Module `crypto`: digests, message authentication, a stream cipher, a checksum. */
#ifndef WEIGHTWARE_CRYPTO_H
#define WEIGHTWARE_CRYPTO_H

#include "../module.h"

/* The state of a SHA-256 computation, which the caller provides. */
typedef struct {
    uint32_t hash[8];
    uint32_t low, high; /* the length in bytes so far */
    uint8_t block[64];
} crypto_sha256_state;

/* Writes the 32 bytes of SHA-256 of `bytes` to `digest`. */
WEIGHTWARE_FUNCTION("crypto", sha256)
void crypto_sha256(const void *bytes, uint32_t count, uint8_t *digest);

/* Begins a SHA-256 computation in a state of 104 bytes, aligned to 4. */
WEIGHTWARE_FUNCTION("crypto", sha256_begin)
void crypto_sha256_begin(crypto_sha256_state *state);

/* Appends bytes to the message of a SHA-256 computation. */
WEIGHTWARE_FUNCTION("crypto", sha256_update)
void crypto_sha256_update(crypto_sha256_state *state, const void *bytes, uint32_t count);

/* Writes the 32 bytes of the digest, and ends the computation. */
WEIGHTWARE_FUNCTION("crypto", sha256_end)
void crypto_sha256_end(crypto_sha256_state *state, uint8_t *digest);

/* Writes the 32 bytes of HMAC-SHA-256 of `bytes` under a key to `tag`. */
WEIGHTWARE_FUNCTION("crypto", hmac_sha256)
void crypto_hmac_sha256(const void *key, uint32_t key_count, const void *bytes, uint32_t count, uint8_t *tag);

/* HKDF-Extract with SHA-256: writes the 32 bytes of the pseudorandom key. */
WEIGHTWARE_FUNCTION("crypto", hkdf_extract)
void crypto_hkdf_extract(const void *salt, uint32_t salt_count, const void *secret, uint32_t secret_count,
                         uint8_t *key);

/* HKDF-Expand with SHA-256: derives `count` bytes from a key of 32 bytes. Returns 1; or 0, without writing, if `count`
 * exceeds 8160. */
WEIGHTWARE_FUNCTION("crypto", hkdf_expand)
int32_t crypto_hkdf_expand(const uint8_t *key, const void *info, uint32_t info_count, uint8_t *output, uint32_t count);

/* Writes the 64 bytes of a ChaCha20 block: key of 32 bytes, nonce of 12. */
WEIGHTWARE_FUNCTION("crypto", chacha20_block)
void crypto_chacha20_block(const uint8_t *key, uint32_t counter, const uint8_t *nonce, uint8_t *block);

/* Encrypts or decrypts with ChaCha20 from a block counter on; `output` may be `input`. The counter wraps after 2^32
 * blocks. */
WEIGHTWARE_FUNCTION("crypto", chacha20)
void crypto_chacha20(const uint8_t *key, uint32_t counter, const uint8_t *nonce, const uint8_t *input, uint8_t *output,
                     uint32_t count);

/* Writes the 16 bytes of the Poly1305 tag under a one-time key of 32 bytes. */
WEIGHTWARE_FUNCTION("crypto", poly1305)
void crypto_poly1305(const uint8_t *key, const void *bytes, uint32_t count, uint8_t *tag);

/* The CRC-32 (IEEE 802.3, reflected 0xedb88320) of bytes that follow others; `crc` is the one of these, 0 of none. */
WEIGHTWARE_FUNCTION("crypto", crc32)
uint32_t crypto_crc32(uint32_t crc, const void *bytes, uint32_t count);

/* 1 if the bytes are equal, else 0. The executed instructions depend on `count` alone. */
WEIGHTWARE_FUNCTION("crypto", equal)
int32_t crypto_equal(const void *a, const void *b, uint32_t count);

#endif
