/* Parts of the module that its other files use. */
#ifndef WEIGHTWARE_STRINGS_PARTS_H
#define WEIGHTWARE_STRINGS_PARTS_H

#include "strings.h"

#define INTERNAL __attribute__((visibility("hidden")))

#define SIGN 0x8000000000000000u
#define INFINITE 0x7ff0000000000000u

WEIGHTWARE_INLINE uint64_t bits_of(double x) {
    union {
        double value;
        uint64_t bits;
    } both = {x};
    return both.bits;
}

WEIGHTWARE_INLINE double from_bits(uint64_t bits) {
    union {
        uint64_t bits;
        double value;
    } both = {bits};
    return both.value;
}

WEIGHTWARE_INLINE const char *strings_skip_space(const char *text) {
    while (*text == ' ' || (*text >= '\t' && *text <= '\r')) text++;
    return text;
}

/* Writes the digits of a number before `end`, none of 0; returns the first. Digits from 10 on begin with `letter`. */
INTERNAL char *strings_write_digits(char *end, uint64_t value, uint32_t base, char letter);

/* Groups of four decimal digits: group POINT - 1 has the units. Whole f64 fit, and half of the least one. */
enum { POINT = 80, GROUPS = 352, BASE = 10000 };

/* An exact decimal number: groups outside first <= i < end are 0, and need not be initialised. */
typedef struct {
    int first, end;
    int limit;    /* groups from this one on are not kept; at most GROUPS */
    bool is_more; /* nonzero digits are lost there */
    uint16_t groups[GROUPS];
} decimal;

WEIGHTWARE_INLINE uint32_t group_at(const decimal *n, int i) { return i < n->first || i >= n->end ? 0 : n->groups[i]; }

/* Multiplies by 2^shift, shift <= 18. */
INTERNAL void strings_multiply(decimal *n, int shift);

/* Divides by 2^shift, shift <= 18. */
INTERNAL void strings_divide(decimal *n, int shift);

/* mantissa 2^exponent, for a mantissa below 10^16, in groups below a limit. */
INTERNAL void strings_set(decimal *n, uint64_t mantissa, int exponent, int limit);

/* Rounds to the digits before `position`, ties to even; digit 4 i is the first of group i. */
INTERNAL void strings_round(decimal *n, int position);

/* The position of the first digit that is not 0; the number is not 0. */
INTERNAL int strings_leading(const decimal *n);

/* The digit of a position. */
INTERNAL uint32_t strings_digit(const decimal *n, int position);

/* A text that is being written, of which only `size` bytes from `skip` on exist. `length` counts from there, so it
 * begins with -skip. */
typedef struct {
    char *buffer;
    uint32_t size, length, skip;
} sink;

WEIGHTWARE_INLINE void put(sink *to, char c) {
    if (to->length < to->size) to->buffer[to->length] = c;
    to->length++;
}

enum { LEFT = 1, PLUS = 2, SPACE = 4, ALTERNATE = 8, ZEROS = 16, GROUPED = 32 };

/* A directive of printf. */
typedef struct {
    uint32_t flags;
    int32_t width, precision; /* the precision is negative if there is none */
    char conversion;
} directive;

/* Writes a byte several times. Takes no time for bytes that do not exist. */
INTERNAL void strings_pad(sink *to, char c, int32_t count);

/* Makes the text longer than its length can be told. */
WEIGHTWARE_INLINE void overflow(sink *to) { to->length = (uint32_t)INT32_MAX + 1 - to->skip; }

/* Writes a number by a directive of f64. */
INTERNAL void strings_put_f64(sink *to, const directive *by, double value);

#endif
