/* C's own names for functions of the module. The command line links this file before the C library if the model has
 * the module in its weights. All definitions are weak: a program's own come first. */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "strings.h"

#define OWN __attribute__((weak))

OWN void *memcpy(void *restrict to, const void *restrict from, size_t count) { return strings_memcpy(to, from, count); }
OWN void *memmove(void *to, const void *from, size_t count) { return strings_memmove(to, from, count); }
OWN void *memset(void *to, int byte, size_t count) { return strings_memset(to, byte, count); }
OWN int memcmp(const void *a, const void *b, size_t count) { return strings_memcmp(a, b, count); }
OWN void *memchr(const void *bytes, int byte, size_t count) { return strings_memchr(bytes, byte, count); }

OWN size_t strlen(const char *text) { return strings_strlen(text); }
OWN size_t strnlen(const char *text, size_t most) { return strings_strnlen(text, most); }
OWN int strcmp(const char *a, const char *b) { return strings_strcmp(a, b); }
OWN int strncmp(const char *a, const char *b, size_t most) { return strings_strncmp(a, b, most); }
OWN char *strcpy(char *restrict to, const char *restrict from) { return strings_strcpy(to, from); }
OWN char *strncpy(char *restrict to, const char *restrict from, size_t most) { return strings_strncpy(to, from, most); }
OWN char *strcat(char *restrict to, const char *restrict from) { return strings_strcat(to, from); }
OWN char *strncat(char *restrict to, const char *restrict from, size_t most) { return strings_strncat(to, from, most); }
OWN char *strchr(const char *text, int byte) { return strings_strchr(text, byte); }
OWN char *strrchr(const char *text, int byte) { return strings_strrchr(text, byte); }
OWN char *strstr(const char *text, const char *wanted) { return strings_strstr(text, wanted); }
OWN size_t strspn(const char *text, const char *set) { return strings_strspn(text, set); }
OWN size_t strcspn(const char *text, const char *set) { return strings_strcspn(text, set); }
OWN char *strpbrk(const char *text, const char *set) { return strings_strpbrk(text, set); }

OWN double atof(const char *text) { return strings_atof(text); }
OWN int atoi(const char *text) { return strings_strtol(text, NULL, 10); }
OWN long atol(const char *text) { return strings_strtol(text, NULL, 10); }
OWN long long atoll(const char *text) { return strings_strtoll(text, NULL, 10); }

/* A length, or -1 with its errno. */
static int length_of(int length) {
    if (length < 0) errno = EOVERFLOW;
    return length;
}

OWN int vsnprintf(char *restrict buffer, size_t size, const char *restrict format, va_list arguments) {
    return length_of(size > INT32_MAX ? -1 : strings_vsnprintf(buffer, size, format, arguments));
}

OWN int vsprintf(char *restrict buffer, const char *restrict format, va_list arguments) {
    return length_of(strings_vsnprintf(buffer, INT32_MAX, format, arguments));
}

/* A long text, in pieces: the stack holds no more. A function of its own, so that short texts need less stack. */
static __attribute__((noinline)) bool write_long(FILE *to, uint32_t length, const char *format, va_list arguments) {
    char piece[4096];
    for (uint32_t done = 0; done < length;) {
        uint32_t count = length - done < sizeof piece ? length - done : sizeof piece - 1;
        strings_format_from(piece, sizeof piece, done, format, (const void *)arguments);
        if (fwrite(piece, 1, count, to) != count) return false;
        done += count;
    }
    return true;
}

OWN int vfprintf(FILE *restrict to, const char *restrict format, va_list arguments) {
    char buffer[256];
    va_list again;
    va_copy(again, arguments);
    int length = length_of(strings_vsnprintf(buffer, sizeof buffer, format, arguments));
    if (length >= (int)sizeof buffer) {
        if (!write_long(to, (uint32_t)length, format, again)) length = -1;
    } else if (length > 0 && fwrite(buffer, 1, (size_t)length, to) != (size_t)length) {
        length = -1;
    }
    va_end(again);
    return length;
}

OWN int vprintf(const char *restrict format, va_list arguments) { return vfprintf(stdout, format, arguments); }

/* A function with a list of arguments, by the one that takes a va_list. */
#define WITH_ARGUMENTS(call)         \
    va_list arguments;               \
    va_start(arguments, format);     \
    int result = call;               \
    va_end(arguments);               \
    return result

OWN int printf(const char *restrict format, ...) { WITH_ARGUMENTS(vfprintf(stdout, format, arguments)); }
OWN int fprintf(FILE *restrict to, const char *restrict format, ...) { WITH_ARGUMENTS(vfprintf(to, format, arguments)); }
OWN int sprintf(char *restrict buffer, const char *restrict format, ...) {
    WITH_ARGUMENTS(vsprintf(buffer, format, arguments));
}
OWN int snprintf(char *restrict buffer, size_t size, const char *restrict format, ...) {
    WITH_ARGUMENTS(vsnprintf(buffer, size, format, arguments));
}
