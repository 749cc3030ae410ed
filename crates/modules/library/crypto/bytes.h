/* Words in memory of any alignment. */
#ifndef WEIGHTWARE_CRYPTO_BYTES_H
#define WEIGHTWARE_CRYPTO_BYTES_H

#include "../module.h"

typedef uint32_t __attribute__((may_alias, aligned(1))) unaligned_u32;

WEIGHTWARE_INLINE uint32_t load_little(const uint8_t *at) { return *(const unaligned_u32 *)at; }
WEIGHTWARE_INLINE void store_little(uint8_t *at, uint32_t word) { *(unaligned_u32 *)at = word; }
WEIGHTWARE_INLINE uint32_t rotate_left(uint32_t word, int count) { return word << count | word >> (32 - count); }
WEIGHTWARE_INLINE uint32_t rotate_right(uint32_t word, int count) { return word >> count | word << (32 - count); }
WEIGHTWARE_INLINE uint32_t swap_bytes(uint32_t word) {
    return rotate_left(word, 8) & 0x00ff00ffu | rotate_right(word, 8) & 0xff00ff00u;
}

#endif
