/* Integers as text. */
#include "parts.h"

/* The magnitude of an integer; `most` is the greatest of its type. */
typedef struct {
    uint64_t magnitude;
    bool is_negative, exceeds;
} integer;

static uint32_t digit_of(char c) {
    if (c >= '0' && c <= '9') return (uint32_t)(c - '0');
    c |= 32;
    return c >= 'a' && c <= 'z' ? (uint32_t)(c - 'a') + 10 : 36;
}

/* Reads an integer; without a digit, the end is the text. */
static integer read(const char *text, char **end, int32_t base) {
    integer result = {0, false, false};
    const char *at = strings_skip_space(text), *last = text;
    if (*at == '+' || *at == '-') result.is_negative = *at++ == '-';
    if ((base == 0 || base == 16) && *at == '0' && (at[1] | 32) == 'x' && digit_of(at[2]) < 16) {
        at += 2;
        base = 16;
    } else if (base == 0) {
        base = *at == '0' ? 8 : 10;
    }
    uint32_t radix = base < 2 || base > 36 ? 0 : (uint32_t)base, word = 0;
    uint32_t room = radix == 0 ? 0 : 0xffffffffu / radix - 1;
    for (uint32_t digit; (digit = digit_of(*at)) < radix; last = ++at) {
        /* As long as it fits, the product is one of words. */
        if (result.magnitude == 0 && word <= room) {
            word = word * radix + digit;
            continue;
        }
        if (result.magnitude == 0) result.magnitude = word;
        uint64_t upper = (result.magnitude >> 32) * radix, lower = (uint64_t)(uint32_t)result.magnitude * radix + digit;
        upper += lower >> 32;
        result.exceeds |= upper >> 32 != 0;
        result.magnitude = upper << 32 | (uint32_t)lower;
    }
    if (result.magnitude == 0) result.magnitude = word;
    if (end != NULL) *end = (char *)(uintptr_t)last;
    return result;
}

static int64_t signed_within(integer n, uint64_t most) {
    most += n.is_negative;
    uint64_t magnitude = n.exceeds || n.magnitude > most ? most : n.magnitude;
    return (int64_t)(n.is_negative ? 0 - magnitude : magnitude);
}

int32_t strings_strtol(const char *text, char **end, int32_t base) {
    return (int32_t)signed_within(read(text, end, base), INT32_MAX);
}

int64_t strings_strtoll(const char *text, char **end, int32_t base) {
    return signed_within(read(text, end, base), INT64_MAX);
}

static uint64_t unsigned_within(integer n, uint64_t most) {
    if (n.exceeds || n.magnitude > most) return most;
    return n.is_negative ? 0 - n.magnitude : n.magnitude;
}

uint32_t strings_strtoul(const char *text, char **end, int32_t base) {
    return (uint32_t)unsigned_within(read(text, end, base), UINT32_MAX);
}

uint64_t strings_strtoull(const char *text, char **end, int32_t base) {
    return unsigned_within(read(text, end, base), UINT64_MAX);
}

/* Writes digits before `end`, at least `least`; returns the first. */
static char *write_word(char *end, uint32_t word, uint32_t base, int32_t least, char letter) {
    for (; word != 0 || least > 0; least--) {
        uint32_t rest = word / base, digit = word - rest * base;
        *--end = (char)(digit < 10 ? '0' + digit : letter + digit - 10);
        word = rest;
    }
    return end;
}

char *strings_write_digits(char *end, uint64_t value, uint32_t base, char letter) {
    /* Powers of the base below 2^32, so that quotients of 64 bits are few. */
    uint32_t power = base;
    int32_t digits = 1;
    if (value >> 32 != 0) {
        for (; power <= 0xffffffffu / base; digits++) power *= base;
        while (value >> 32 != 0) {
            uint64_t rest = value / power;
            end = write_word(end, (uint32_t)value - (uint32_t)rest * power, base, digits, letter);
            value = rest;
        }
    }
    return write_word(end, (uint32_t)value, base, 0, letter);
}

uint32_t strings_ulltoa(uint64_t value, char *buffer, uint32_t base) {
    char digits[64], *end = digits + 64, *first;
    if (base < 2 || base > 36) {
        *buffer = 0;
        return 0;
    }
    first = value == 0 ? end - 1 : strings_write_digits(end, value, base, 'a');
    if (value == 0) *first = '0';
    uint32_t length = (uint32_t)(end - first);
    for (uint32_t i = 0; i < length; i++) buffer[i] = first[i];
    buffer[length] = 0;
    return length;
}

uint32_t strings_lltoa(int64_t value, char *buffer, uint32_t base) {
    if (value >= 0) return strings_ulltoa((uint64_t)value, buffer, base);
    *buffer = '-';
    uint32_t length = strings_ulltoa(0 - (uint64_t)value, buffer + 1, base);
    if (length == 0) *buffer = 0;
    return length + (length > 0);
}

uint32_t strings_utoa(uint32_t value, char *buffer, uint32_t base) { return strings_ulltoa(value, buffer, base); }

uint32_t strings_itoa(int32_t value, char *buffer, uint32_t base) { return strings_lltoa(value, buffer, base); }
