/* Algorithms that rearrange the items, for one type of them; then those of `searched.h`, which has the parameters. */

/* Restores the heap of items [0, count) below `root`, where `item` belongs: the hole sinks to a leaf, then the item
 * rises. */
static void NAME(sink)(TYPE *items, uint32_t root, uint32_t count, TYPE item) {
    uint32_t hole = root, child;
    while ((child = 2 * hole + 2) < count) {
        if (KEY(items[child]) < KEY(items[child - 1])) child--;
        items[hole] = items[child];
        hole = child;
    }
    if (child == count) {
        items[hole] = items[child - 1];
        hole = child - 1;
    }
    while (hole > root) {
        uint32_t parent = (hole - 1) / 2;
        if (KEY(items[parent]) >= KEY(item)) break;
        items[hole] = items[parent];
        hole = parent;
    }
    items[hole] = item;
}

static void NAME(heap_sort)(TYPE *items, uint32_t count) {
    for (uint32_t root = count / 2; root-- > 0;) NAME(sink)(items, root, count, items[root]);
    while (count-- > 1) {
        TYPE last = items[count];
        items[count] = items[0];
        NAME(sink)(items, 0, count, last);
    }
}

static void NAME(insertion_sort)(TYPE *items, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        TYPE item = items[i];
        uint32_t at = i;
        for (; at > 0 && KEY(item) < KEY(items[at - 1]); at--) items[at] = items[at - 1];
        if (at != i) items[at] = item;
    }
}

/* Hoare's partition around the median of three: returns s with 0 < s < count, no item before s greater than one from s
 * on. */
static uint32_t NAME(partition)(TYPE *items, uint32_t count) {
    TYPE a = items[0], pivot = items[count / 2], c = items[count - 1];
    if (KEY(c) < KEY(a)) {
        TYPE swapped = a;
        a = c, c = swapped;
    }
    if (KEY(pivot) < KEY(a)) pivot = a;
    if (KEY(c) < KEY(pivot)) pivot = c;
    uint32_t i = 0, j = count - 1;
    for (;;) {
        while (KEY(items[i]) < KEY(pivot)) i++;
        while (KEY(pivot) < KEY(items[j])) j--;
        if (i >= j) break;
        TYPE swapped = items[i];
        items[i++] = items[j];
        items[j--] = swapped;
    }
    /* Items equal to the pivot may lie on both sides. */
    return i;
}

/* Introsort: quicksort, that becomes heapsort after 2 log2 count partitions. */
static void NAME(introsort)(TYPE *items, uint32_t count, int depth) {
    while (count > SHORT) {
        if (depth-- == 0) {
            NAME(heap_sort)(items, count);
            return;
        }
        uint32_t split = NAME(partition)(items, count);
        if (split < count - split) {
            NAME(introsort)(items, split, depth);
            items += split, count -= split;
        } else {
            NAME(introsort)(items + split, count - split, depth);
            count = split;
        }
    }
    NAME(insertion_sort)(items, count);
}

static void NAME(sort)(TYPE *items, uint32_t count) {
    NAME(introsort)(items, count, 2 * (31 - __builtin_clz(count | 1)));
}

static void NAME(select)(TYPE *items, uint32_t count, uint32_t n) {
    int depth = 2 * (31 - __builtin_clz(count | 1));
    while (count > SHORT) {
        if (depth-- == 0) {
            NAME(heap_sort)(items, count);
            return;
        }
        uint32_t split = NAME(partition)(items, count);
        if (n < split) {
            count = split;
        } else {
            items += split, count -= split, n -= split;
        }
    }
    NAME(insertion_sort)(items, count);
}

#include "searched.h"
