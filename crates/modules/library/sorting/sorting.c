/* Introsort, bottom-up merge sort and binary search for numbers. */
#include "sorting.h"

/* Arrays up to this length are sorted by insertion. */
#define SHORT 12

#define TYPE int32_t
#define KEY(item) (item)
#define NAME(stem) stem##_i32
#include "sorted.h"

#define TYPE uint32_t
#define KEY(item) (item)
#define NAME(stem) stem##_u32
#include "sorted.h"

#define TYPE aliased_i64
#define KEY(item) (item)
#define NAME(stem) stem##_i64
#include "sorted.h"

/* A number's bits, so that integers compare as IEEE 754's total order; an involution. */
WEIGHTWARE_INLINE int64_t ordered(int64_t bits) { return bits ^ (int64_t)((uint64_t)(bits >> 63) >> 1); }

/* Floating point is software, integers are not: f64 are sorted as integers, and compared as such. */
static void order_bits(aliased_i64 *items, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        int64_t bits = items[i];
        if (bits < 0) items[i] = ordered(bits);
    }
}

WEIGHTWARE_INLINE int64_t bits_of(double value) {
    union {
        double value;
        int64_t bits;
    } both = {value};
    return both.bits;
}

#define DEFINE(type, name)                                                                                               \
    void sorting_sort_##name(type *items, uint32_t count) { sort_##name(items, count); }                               \
    void sorting_argsort_##name(const type *items, uint32_t count, uint32_t *order, uint32_t *buffer) {                \
        argsort_##name(items, count, order, buffer);                                                                   \
    }                                                                                                                  \
    uint32_t sorting_lower_bound_##name(const type *items, uint32_t count, type value) {                               \
        return lower_bound_##name(items, count, value);                                                                \
    }                                                                                                                  \
    uint32_t sorting_upper_bound_##name(const type *items, uint32_t count, type value) {                               \
        return upper_bound_##name(items, count, value);                                                                \
    }                                                                                                                  \
    type sorting_select_##name(type *items, uint32_t count, uint32_t n) {                                              \
        if (n >= count) return 0;                                                                                      \
        select_##name(items, count, n);                                                                                \
        return items[n];                                                                                               \
    }                                                                                                                  \
    int32_t sorting_is_sorted_##name(const type *items, uint32_t count) { return is_sorted_##name(items, count); }

DEFINE(int32_t, i32)
DEFINE(uint32_t, u32)
DEFINE(int64_t, i64)

void sorting_sort_f64(double *items, uint32_t count) {
    aliased_i64 *bits = (aliased_i64 *)items;
    order_bits(bits, count);
    sort_i64(bits, count);
    order_bits(bits, count);
}

double sorting_select_f64(double *items, uint32_t count, uint32_t n) {
    aliased_i64 *bits = (aliased_i64 *)items;
    if (n >= count) return 0;
    order_bits(bits, count);
    select_i64(bits, count, n);
    order_bits(bits, count);
    return items[n];
}

/* Algorithms that may not write to the items compare the keys of their bits. */
#define TYPE aliased_i64
#define KEY(item) ordered(item)
#define NAME(stem) stem##_bits
#include "searched.h"

void sorting_argsort_f64(const double *items, uint32_t count, uint32_t *order, uint32_t *buffer) {
    argsort_bits((const aliased_i64 *)items, count, order, buffer);
}

uint32_t sorting_lower_bound_f64(const double *items, uint32_t count, double value) {
    return lower_bound_bits((const aliased_i64 *)items, count, bits_of(value));
}

uint32_t sorting_upper_bound_f64(const double *items, uint32_t count, double value) {
    return upper_bound_bits((const aliased_i64 *)items, count, bits_of(value));
}

int32_t sorting_is_sorted_f64(const double *items, uint32_t count) {
    return is_sorted_bits((const aliased_i64 *)items, count);
}
