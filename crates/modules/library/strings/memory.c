/* Bytes in memory, eight at a time where there are eight. */
#include "strings.h"

typedef uint64_t __attribute__((may_alias, aligned(1))) unaligned_u64;

/* Ascending: right also if `to` is below `from`, since eight bytes are read before they are written. */
static void copy_up(uint8_t *to, const uint8_t *from, uint32_t count) {
    for (; count >= 8; count -= 8, to += 8, from += 8) *(unaligned_u64 *)to = *(const unaligned_u64 *)from;
    for (; count > 0; count--) *to++ = *from++;
}

static void copy_down(uint8_t *to, const uint8_t *from, uint32_t count) {
    while (count >= 8) {
        count -= 8;
        *(unaligned_u64 *)(to + count) = *(const unaligned_u64 *)(from + count);
    }
    while (count > 0) {
        count--;
        to[count] = from[count];
    }
}

void *strings_memcpy(void *to, const void *from, uint32_t count) {
    copy_up(to, from, count);
    return to;
}

void *strings_memmove(void *to, const void *from, uint32_t count) {
    if ((uintptr_t)to - (uintptr_t)from >= count) {
        copy_up(to, from, count);
    } else {
        copy_down(to, from, count);
    }
    return to;
}

void *strings_memset(void *to, int32_t byte, uint32_t count) {
    uint8_t *at = to;
    uint32_t word = (uint32_t)(uint8_t)byte * 0x01010101u;
    uint64_t eight = (uint64_t)word << 32 | word;
    for (; count >= 8; count -= 8, at += 8) *(unaligned_u64 *)at = eight;
    for (; count > 0; count--) *at++ = (uint8_t)byte;
    return to;
}

int32_t strings_memcmp(const void *a, const void *b, uint32_t count) {
    const uint8_t *x = a, *y = b;
    for (; count >= 8; count -= 8, x += 8, y += 8) {
        if (*(const unaligned_u64 *)x != *(const unaligned_u64 *)y) break;
    }
    for (; count > 0; count--, x++, y++) {
        if (*x != *y) return *x - *y;
    }
    return 0;
}

void *strings_memchr(const void *bytes, int32_t byte, uint32_t count) {
    const uint8_t *at = bytes;
    for (; count > 0; count--, at++) {
        if (*at == (uint8_t)byte) return (void *)(uintptr_t)at;
    }
    return NULL;
}
