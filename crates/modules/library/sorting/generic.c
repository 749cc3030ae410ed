/* Algorithms for items of any size: heapsort, merge sort, binary search; runs and reversal. */
#include "sorting.h"

/* Four bytes at a time where size and place allow it. */
static void copy(uint8_t *to, const uint8_t *from, uint32_t size) {
    if ((((uintptr_t)to | (uintptr_t)from | size) & 3) == 0) {
        for (uint32_t i = 0; i < size; i += 4) *(aliased_u32 *)(to + i) = *(const aliased_u32 *)(from + i);
    } else {
        for (uint32_t i = 0; i < size; i++) to[i] = from[i];
    }
}

static void swap(uint8_t *a, uint8_t *b, uint32_t size) {
    if ((((uintptr_t)a | (uintptr_t)b | size) & 3) == 0) {
        for (uint32_t i = 0; i < size; i += 4) {
            uint32_t word = *(aliased_u32 *)(a + i);
            *(aliased_u32 *)(a + i) = *(aliased_u32 *)(b + i);
            *(aliased_u32 *)(b + i) = word;
        }
    } else {
        for (uint32_t i = 0; i < size; i++) {
            uint8_t byte = a[i];
            a[i] = b[i];
            b[i] = byte;
        }
    }
}

/* Restores the heap of items [0, count) below `root`. Bottom-up: the path of greater children first, which takes one
 * comparison a level; then from its leaf upwards the place of the root's item, which is near the leaf. */
static void sink(uint8_t *items, uint32_t root, uint32_t count, uint32_t size, sorting_compare compare) {
    uint32_t at = root, child;
    while ((child = 2 * at + 1) < count) {
        if (child + 1 < count && compare(items + child * size, items + (child + 1) * size) < 0) child++;
        at = child;
    }
    while (at > root && compare(items + at * size, items + root * size) < 0) at = (at - 1) / 2;
    /* The items on the path move up by one: each is exchanged with the root's, from the top. */
    int levels = __builtin_clz(root + 1) - __builtin_clz(at + 1);
    for (int level = levels - 1; level >= 0; level--) {
        uint32_t next = ((at + 1) >> level) - 1;
        swap(items + ((next - 1) / 2) * size, items + next * size, size);
    }
}

void sorting_qsort(void *items, uint32_t count, uint32_t size, int (*compare)(const void *, const void *)) {
    uint8_t *first = items;
    for (uint32_t root = count / 2; root-- > 0;) sink(first, root, count, size, compare);
    while (count-- > 1) {
        swap(first, first + count * size, size);
        sink(first, 0, count, size, compare);
    }
}

void sorting_merge_sort(void *items, uint32_t count, uint32_t size, void *buffer, int (*compare)(const void *,
                        const void *)) {
    uint8_t *from = items, *to = buffer;
    for (uint32_t width = 1; width < count; width *= 2) {
        uint8_t *at = to;
        for (uint32_t start = 0; start < count;) {
            uint32_t left = start, middle = count - start < width ? count : start + width;
            uint32_t right = middle, end = count - middle < width ? count : middle + width;
            while (left < middle || right < end) {
                bool is_right = left == middle ||
                                (right < end && compare(from + right * size, from + left * size) < 0);
                copy(at, from + (is_right ? right++ : left++) * size, size);
                at += size;
            }
            start = end;
        }
        uint8_t *swapped = from;
        from = to, to = swapped;
    }
    if (from != items) copy(items, from, count * size);
}

void *sorting_bsearch(const void *key, const void *items, uint32_t count, uint32_t size, int (*compare)(const void *,
                      const void *)) {
    const uint8_t *first = items;
    while (count > 0) {
        const uint8_t *middle = first + (count / 2) * size;
        int order = compare(key, middle);
        if (order == 0) return (void *)(uintptr_t)middle;
        if (order > 0) {
            first = middle + size;
            count -= count / 2 + 1;
        } else {
            count /= 2;
        }
    }
    return NULL;
}

uint32_t sorting_unique_32(uint32_t *items, uint32_t count) {
    if (count == 0) return 0;
    uint32_t kept = 1;
    for (uint32_t i = 1; i < count; i++) {
        if (items[i] == items[kept - 1]) continue;
        if (i != kept) items[kept] = items[i];
        kept++;
    }
    return kept;
}

uint32_t sorting_unique_64(uint64_t *items, uint32_t count) {
    if (count == 0) return 0;
    uint32_t kept = 1;
    for (uint32_t i = 1; i < count; i++) {
        if (items[i] == items[kept - 1]) continue;
        if (i != kept) items[kept] = items[i];
        kept++;
    }
    return kept;
}

void sorting_reverse_32(uint32_t *items, uint32_t count) {
    for (uint32_t *last = items + count; items + 1 < last; items++) {
        uint32_t item = *--last;
        *last = *items;
        *items = item;
    }
}

void sorting_reverse_64(uint64_t *items, uint32_t count) {
    for (uint64_t *last = items + count; items + 1 < last; items++) {
        uint64_t item = *--last;
        *last = *items;
        *items = item;
    }
}
