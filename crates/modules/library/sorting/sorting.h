/* Module `sorting`: sorting, selection and search in arrays. Items of `f64` have IEEE 754's total order: -NaN, -inf,
 * ..., -0, 0, ..., inf, NaN. */
#ifndef WEIGHTWARE_SORTING_H
#define WEIGHTWARE_SORTING_H

#include "../module.h"

/* Less than, equal to or greater than 0, as the first item comes before, beside or after the second. */
typedef int (*sorting_compare)(const void *, const void *);

/* Sorts in place, ascending. O(count log count), about log2 count frames of stack. */
WEIGHTWARE_FUNCTION("sorting", sort_i32)
void sorting_sort_i32(int32_t *items, uint32_t count);

/* Sorts in place, ascending. */
WEIGHTWARE_FUNCTION("sorting", sort_u32)
void sorting_sort_u32(uint32_t *items, uint32_t count);

/* Sorts in place, ascending. */
WEIGHTWARE_FUNCTION("sorting", sort_i64)
void sorting_sort_i64(int64_t *items, uint32_t count);

/* Sorts in place, ascending by the total order. */
WEIGHTWARE_FUNCTION("sorting", sort_f64)
void sorting_sort_f64(double *items, uint32_t count);

/* Sorts items of `size` bytes in place by a comparison; not stable. O(count log count) comparisons. */
WEIGHTWARE_FUNCTION("sorting", qsort)
void sorting_qsort(void *items, uint32_t count, uint32_t size, int (*compare)(const void *, const void *));

/* Sorts items of `size` bytes by a comparison, stably, with a buffer of count * size bytes. */
WEIGHTWARE_FUNCTION("sorting", merge_sort)
void sorting_merge_sort(void *items, uint32_t count, uint32_t size, void *buffer, int (*compare)(const void *,
                        const void *));

/* Writes to `order` the indices of the items in ascending order, stably; `order` and `buffer` have `count` words. */
WEIGHTWARE_FUNCTION("sorting", argsort_i32)
void sorting_argsort_i32(const int32_t *items, uint32_t count, uint32_t *order, uint32_t *buffer);

/* Like argsort_i32, of unsigned words. */
WEIGHTWARE_FUNCTION("sorting", argsort_u32)
void sorting_argsort_u32(const uint32_t *items, uint32_t count, uint32_t *order, uint32_t *buffer);

/* Like argsort_i32, of 64-bit integers. */
WEIGHTWARE_FUNCTION("sorting", argsort_i64)
void sorting_argsort_i64(const int64_t *items, uint32_t count, uint32_t *order, uint32_t *buffer);

/* Like argsort_i32, by the total order. */
WEIGHTWARE_FUNCTION("sorting", argsort_f64)
void sorting_argsort_f64(const double *items, uint32_t count, uint32_t *order, uint32_t *buffer);

/* The number of leading items less than `value`, in ascending items. O(log count). */
WEIGHTWARE_FUNCTION("sorting", lower_bound_i32)
uint32_t sorting_lower_bound_i32(const int32_t *items, uint32_t count, int32_t value);

/* Like lower_bound_i32, of unsigned words. */
WEIGHTWARE_FUNCTION("sorting", lower_bound_u32)
uint32_t sorting_lower_bound_u32(const uint32_t *items, uint32_t count, uint32_t value);

/* Like lower_bound_i32, of 64-bit integers. */
WEIGHTWARE_FUNCTION("sorting", lower_bound_i64)
uint32_t sorting_lower_bound_i64(const int64_t *items, uint32_t count, int64_t value);

/* Like lower_bound_i32, by the total order. */
WEIGHTWARE_FUNCTION("sorting", lower_bound_f64)
uint32_t sorting_lower_bound_f64(const double *items, uint32_t count, double value);

/* The number of leading items not greater than `value`, in ascending items. O(log count). */
WEIGHTWARE_FUNCTION("sorting", upper_bound_i32)
uint32_t sorting_upper_bound_i32(const int32_t *items, uint32_t count, int32_t value);

/* Like upper_bound_i32, of unsigned words. */
WEIGHTWARE_FUNCTION("sorting", upper_bound_u32)
uint32_t sorting_upper_bound_u32(const uint32_t *items, uint32_t count, uint32_t value);

/* Like upper_bound_i32, of 64-bit integers. */
WEIGHTWARE_FUNCTION("sorting", upper_bound_i64)
uint32_t sorting_upper_bound_i64(const int64_t *items, uint32_t count, int64_t value);

/* Like upper_bound_i32, by the total order. */
WEIGHTWARE_FUNCTION("sorting", upper_bound_f64)
uint32_t sorting_upper_bound_f64(const double *items, uint32_t count, double value);

/* An item equal to the key, or NULL, in items of `size` bytes that ascend by the comparison, whose first argument is
 * the key. */
WEIGHTWARE_FUNCTION("sorting", bsearch)
void *sorting_bsearch(const void *key, const void *items, uint32_t count, uint32_t size, int (*compare)(const void *,
                      const void *));

/* Moves the item of rank `n`, counted from 0, to index n: no item before it is greater, none after it less. Returns it,
 * or 0 if n >= count. O(count) on average, O(count log count) at worst. */
WEIGHTWARE_FUNCTION("sorting", select_i32)
int32_t sorting_select_i32(int32_t *items, uint32_t count, uint32_t n);

/* Like select_i32, of unsigned words. */
WEIGHTWARE_FUNCTION("sorting", select_u32)
uint32_t sorting_select_u32(uint32_t *items, uint32_t count, uint32_t n);

/* Like select_i32, of 64-bit integers. */
WEIGHTWARE_FUNCTION("sorting", select_i64)
int64_t sorting_select_i64(int64_t *items, uint32_t count, uint32_t n);

/* Like select_i32, by the total order. */
WEIGHTWARE_FUNCTION("sorting", select_f64)
double sorting_select_f64(double *items, uint32_t count, uint32_t n);

/* 1 if no item is less than the one before it, else 0. */
WEIGHTWARE_FUNCTION("sorting", is_sorted_i32)
int32_t sorting_is_sorted_i32(const int32_t *items, uint32_t count);

/* Like is_sorted_i32, of unsigned words. */
WEIGHTWARE_FUNCTION("sorting", is_sorted_u32)
int32_t sorting_is_sorted_u32(const uint32_t *items, uint32_t count);

/* Like is_sorted_i32, of 64-bit integers. */
WEIGHTWARE_FUNCTION("sorting", is_sorted_i64)
int32_t sorting_is_sorted_i64(const int64_t *items, uint32_t count);

/* Like is_sorted_i32, by the total order. */
WEIGHTWARE_FUNCTION("sorting", is_sorted_f64)
int32_t sorting_is_sorted_f64(const double *items, uint32_t count);

/* Keeps the first of each run of equal words, and returns how many remain. */
WEIGHTWARE_FUNCTION("sorting", unique_32)
uint32_t sorting_unique_32(uint32_t *items, uint32_t count);

/* Keeps the first of each run of 64-bit items of equal bits, and returns how many remain. */
WEIGHTWARE_FUNCTION("sorting", unique_64)
uint32_t sorting_unique_64(uint64_t *items, uint32_t count);

/* Reverses the order of words. */
WEIGHTWARE_FUNCTION("sorting", reverse_32)
void sorting_reverse_32(uint32_t *items, uint32_t count);

/* Reverses the order of 64-bit items. */
WEIGHTWARE_FUNCTION("sorting", reverse_64)
void sorting_reverse_64(uint64_t *items, uint32_t count);

#endif
