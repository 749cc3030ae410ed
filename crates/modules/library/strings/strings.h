/* Module `strings`: memory and text. The functions of C's <string.h>, <stdlib.h> and <stdio.h> that need no state: no
 * errno, no locale. */
#ifndef WEIGHTWARE_STRINGS_H
#define WEIGHTWARE_STRINGS_H

#include "../module.h"

/* Copies bytes that do not overlap; returns `to`. */
WEIGHTWARE_FUNCTION("strings", memcpy)
void *strings_memcpy(void *to, const void *from, uint32_t count);

/* Copies bytes that may overlap; returns `to`. */
WEIGHTWARE_FUNCTION("strings", memmove)
void *strings_memmove(void *to, const void *from, uint32_t count);

/* Fills bytes; returns `to`. */
WEIGHTWARE_FUNCTION("strings", memset)
void *strings_memset(void *to, int32_t byte, uint32_t count);

/* The difference of the first bytes that differ, 0 if none do. */
WEIGHTWARE_FUNCTION("strings", memcmp)
int32_t strings_memcmp(const void *a, const void *b, uint32_t count);

/* The first of the bytes that is equal to `byte`, or NULL. */
WEIGHTWARE_FUNCTION("strings", memchr)
void *strings_memchr(const void *bytes, int32_t byte, uint32_t count);

/* The number of bytes before the zero. */
WEIGHTWARE_FUNCTION("strings", strlen)
uint32_t strings_strlen(const char *text);

/* The number of bytes before the zero, at most `most`. */
WEIGHTWARE_FUNCTION("strings", strnlen)
uint32_t strings_strnlen(const char *text, uint32_t most);

/* The difference of the first bytes that differ, 0 if none do. */
WEIGHTWARE_FUNCTION("strings", strcmp)
int32_t strings_strcmp(const char *a, const char *b);

/* Like strcmp, of at most `most` bytes. */
WEIGHTWARE_FUNCTION("strings", strncmp)
int32_t strings_strncmp(const char *a, const char *b, uint32_t most);

/* Copies a text; returns `to`. */
WEIGHTWARE_FUNCTION("strings", strcpy)
char *strings_strcpy(char *to, const char *from);

/* Copies at most `most` bytes of a text, and fills the rest of `most` with zeros; returns `to`. */
WEIGHTWARE_FUNCTION("strings", strncpy)
char *strings_strncpy(char *to, const char *from, uint32_t most);

/* Appends a text to another; returns `to`. */
WEIGHTWARE_FUNCTION("strings", strcat)
char *strings_strcat(char *to, const char *from);

/* Appends at most `most` bytes of a text, and a zero; returns `to`. */
WEIGHTWARE_FUNCTION("strings", strncat)
char *strings_strncat(char *to, const char *from, uint32_t most);

/* The first byte of a text that is equal to `byte`, the final zero included, or NULL. */
WEIGHTWARE_FUNCTION("strings", strchr)
char *strings_strchr(const char *text, int32_t byte);

/* The last byte of a text that is equal to `byte`, the final zero included, or NULL. */
WEIGHTWARE_FUNCTION("strings", strrchr)
char *strings_strrchr(const char *text, int32_t byte);

/* The first place of a text within another, or NULL. O(length of both), by the two-way algorithm. */
WEIGHTWARE_FUNCTION("strings", strstr)
char *strings_strstr(const char *text, const char *wanted);

/* The number of leading bytes of a text that are in a set. */
WEIGHTWARE_FUNCTION("strings", strspn)
uint32_t strings_strspn(const char *text, const char *set);

/* The number of leading bytes of a text that are not in a set. */
WEIGHTWARE_FUNCTION("strings", strcspn)
uint32_t strings_strcspn(const char *text, const char *set);

/* The first byte of a text that is in a set, or NULL. */
WEIGHTWARE_FUNCTION("strings", strpbrk)
char *strings_strpbrk(const char *text, const char *set);

/* Reads an integer of a base from 2 to 36, or 0 for C's prefixes; writes its end unless `end` is NULL. Beyond the
 * type's limits the result is the limit. */
WEIGHTWARE_FUNCTION("strings", strtol)
int32_t strings_strtol(const char *text, char **end, int32_t base);

/* Like strtol, unsigned: a minus sign negates modulo 2^32. */
WEIGHTWARE_FUNCTION("strings", strtoul)
uint32_t strings_strtoul(const char *text, char **end, int32_t base);

/* Like strtol, of 64 bits. */
WEIGHTWARE_FUNCTION("strings", strtoll)
int64_t strings_strtoll(const char *text, char **end, int32_t base);

/* Like strtoul, of 64 bits. */
WEIGHTWARE_FUNCTION("strings", strtoull)
uint64_t strings_strtoull(const char *text, char **end, int32_t base);

/* Reads a number, decimal or hexadecimal, infinity or NaN, correctly rounded; writes its end unless `end` is NULL. */
WEIGHTWARE_FUNCTION("strings", strtod)
double strings_strtod(const char *text, char **end);

/* strtod without an end. */
WEIGHTWARE_FUNCTION("strings", atof)
double strings_atof(const char *text);

/* Writes an integer in a base from 2 to 36, with a zero after it; returns the length, 33 at most. */
WEIGHTWARE_FUNCTION("strings", itoa)
uint32_t strings_itoa(int32_t value, char *buffer, uint32_t base);

/* Like itoa, unsigned. */
WEIGHTWARE_FUNCTION("strings", utoa)
uint32_t strings_utoa(uint32_t value, char *buffer, uint32_t base);

/* Like itoa, of 64 bits; the length is 65 at most. */
WEIGHTWARE_FUNCTION("strings", lltoa)
uint32_t strings_lltoa(int64_t value, char *buffer, uint32_t base);

/* Like lltoa, unsigned. */
WEIGHTWARE_FUNCTION("strings", ulltoa)
uint32_t strings_ulltoa(uint64_t value, char *buffer, uint32_t base);

/* Writes a number so that strtod reads it back: the first of %.15g, %.16g and %.17g that does, with a zero after it;
 * returns the length, 24 at most. */
WEIGHTWARE_FUNCTION("strings", dtoa)
uint32_t strings_dtoa(double value, char *buffer);

/* Writes by a format of printf, at most `size` bytes with the zero; returns the length without that limit, or -1 if it
 * is beyond 2^31 - 1. The arguments are a block as of C's va_list in WebAssembly: each aligned to its size of 4 or 8
 * bytes. Directives: flags -+ #0', width, precision, lengths hh h l ll j z t L, conversions d i u o x X c s C S p n e
 * E f F g G a A %. Wide characters beyond ASCII, long doubles, `%m` and arguments by position trap; a directive that C
 * lacks is written as it is. */
WEIGHTWARE_FUNCTION("strings", format)
int32_t strings_format(char *buffer, uint32_t size, const char *format, const void *arguments);

/* Like format, of the text without its first `skip` bytes: so a long text is written in pieces. Returns the length of
 * the whole text; bytes before and after the piece take nearly no time. */
WEIGHTWARE_FUNCTION("strings", format_from)
int32_t strings_format_from(char *buffer, uint32_t size, uint32_t skip, const char *format, const void *arguments);

#ifdef __wasm__
/* In WebAssembly, va_list is a pointer to such a block. */
static inline __attribute__((unused)) int strings_vsnprintf(char *buffer, uint32_t size, const char *format,
                            __builtin_va_list arguments) {
    return strings_format(buffer, size, format, (const void *)arguments);
}

static inline __attribute__((unused, format(printf, 3, 4))) int strings_snprintf(char *buffer, uint32_t size,
                            const char *format, ...) {
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    int length = strings_vsnprintf(buffer, size, format, arguments);
    __builtin_va_end(arguments);
    return length;
}
#endif

#endif
