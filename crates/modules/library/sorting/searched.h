/* Algorithms that only read the items, for one type of them, TYPE, ascending by KEY(item), a number; NAME(stem) is a
 * function's name. A file defines the three, includes this one, and this one undefines them. */

/* Bottom-up merge sort of indices, of runs of 1, 2, 4, ... */
static void NAME(argsort)(const TYPE *items, uint32_t count, uint32_t *order, uint32_t *buffer) {
    uint32_t *from = order, *to = buffer;
    for (uint32_t i = 0; i < count; i++) order[i] = i;
    for (uint32_t width = 1; width < count; width *= 2) {
        for (uint32_t start = 0; start < count;) {
            uint32_t at = start, left = start, middle = count - start < width ? count : start + width;
            uint32_t right = middle, end = count - middle < width ? count : middle + width;
            while (left < middle && right < end) {
                bool is_right = KEY(items[from[right]]) < KEY(items[from[left]]);
                to[at++] = is_right ? from[right++] : from[left++];
            }
            while (left < middle) to[at++] = from[left++];
            while (right < end) to[at++] = from[right++];
            start = end;
        }
        uint32_t *swapped = from;
        from = to, to = swapped;
    }
    if (from != order) {
        for (uint32_t i = 0; i < count; i++) order[i] = from[i];
    }
}

static uint32_t NAME(lower_bound)(const TYPE *items, uint32_t count, TYPE value) {
    uint32_t low = 0;
    while (count > 0) {
        uint32_t half = count / 2;
        if (KEY(items[low + half]) < KEY(value)) {
            low += half + 1, count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

static uint32_t NAME(upper_bound)(const TYPE *items, uint32_t count, TYPE value) {
    uint32_t low = 0;
    while (count > 0) {
        uint32_t half = count / 2;
        if (KEY(value) < KEY(items[low + half])) {
            count = half;
        } else {
            low += half + 1, count -= half + 1;
        }
    }
    return low;
}

static int32_t NAME(is_sorted)(const TYPE *items, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        if (KEY(items[i]) < KEY(items[i - 1])) return 0;
    }
    return 1;
}

#undef TYPE
#undef KEY
#undef NAME
