/* The C library of the host, in place of functions of `strings`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int32_t oracle_strtol(const char *text, char **end, int32_t base) {
    long long n = strtoll(text, end, base);
    return (int32_t)(n > INT32_MAX ? INT32_MAX : n < INT32_MIN ? INT32_MIN : n);
}

/* A minus sign negates modulo 2^32 what is below it. */
static uint32_t oracle_strtoul(const char *text, char **end, int32_t base) {
    const char *sign = text + strspn(text, " \t\n\v\f\r");
    errno = 0;
    unsigned long long n = strtoull(text, end, base);
    if (errno == ERANGE) return UINT32_MAX;
    if (*sign == '-') return 0 - n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static double oracle_strtod(const char *text, char **end) { return strtod(text, end); }

static uint32_t oracle_dtoa(double value, char *buffer) {
    for (int precision = 15;; precision++) {
        int length = sprintf(buffer, "%.*g", precision, value);
        if (precision == 17 || value != value || strtod(buffer, NULL) == value) return (uint32_t)length;
    }
}

static const uint8_t *oracle_block;

static uint64_t oracle_next(uint32_t size) {
    uint64_t value = 0;
    oracle_block += -(uintptr_t)oracle_block & (size - 1);
    memcpy(&value, oracle_block, size);
    oracle_block += size;
    return value;
}

/* Stores a count as `%n` of a length does. */
static void oracle_count(void *at, const char *length, size_t count) {
    if (strcmp(length, "hh") == 0) {
        *(signed char *)at = (signed char)count;
    } else if (strcmp(length, "h") == 0) {
        *(short *)at = (short)count;
    } else if (*length == 0) {
        *(int *)at = (int)count;
    } else {
        size_t bytes = *length == 'j' || strcmp(length, "ll") == 0 ? 8 : sizeof(long);
        memcpy(at, &(uint64_t){count}, bytes);
    }
}

static char oracle_whole[1 << 16];

/* Each directive by a call of snprintf of its own; `*` becomes a number. */
static size_t oracle_print(const char *format, const void *arguments) {
    char *whole = oracle_whole;
    size_t length = 0;
    oracle_block = arguments;
    while (*format != 0) {
        char one[256], *to = one;
        if (*format != '%') {
            whole[length++] = *format++;
            continue;
        }
        *to++ = *format++;
        while (strchr("-+ #0'123456789.*hljztL", *format) != NULL) {
            if (*format == '*') {
                int32_t number = (int32_t)oracle_next(4);
                /* A negative precision counts as none. */
                if (number < 0 && to[-1] == '.') {
                    to--;
                } else {
                    to += sprintf(to, "%d", number);
                }
            } else {
                *to++ = *format;
            }
            format++;
        }
        int is_long = strpbrk(format - (format[-1] == '%' ? 0 : 1), "jztlL") == format - 1;
        char conversion = *format++;
        *to = 0;
        if (conversion == 'n') {
            oracle_count((void *)oracle_next(sizeof(void *)), one + 1, length);
            continue;
        }
        *to++ = conversion;
        *to = 0;
        char *end = whole + length;
        size_t left = sizeof oracle_whole - length;
        if (strchr("aAeEfFgG", conversion) != NULL) {
            uint64_t bits = oracle_next(8);
            double value;
            memcpy(&value, &bits, 8);
            length += (size_t)snprintf(end, left, one, value);
        } else if (strchr("sSp", conversion) != NULL) {
            length += (size_t)snprintf(end, left, one, (char *)oracle_next(sizeof(char *)));
        } else if (conversion == '%') {
            whole[length++] = '%';
        } else if (is_long && conversion != 'c') {
            length += (size_t)snprintf(end, left, one, oracle_next(8));
        } else {
            length += (size_t)snprintf(end, left, one, (uint32_t)oracle_next(4));
        }
    }
    return length;
}

static int32_t oracle_format_from(char *buffer, uint32_t size, uint32_t skip, const char *format,
                                  const void *arguments) {
    size_t length = oracle_print(format, arguments);
    if (size > 0) {
        size_t left = length < skip ? 0 : length - skip, kept = left < size ? left : size - 1;
        memcpy(buffer, oracle_whole + skip, kept);
        buffer[kept] = 0;
    }
    return (int32_t)length;
}

static int32_t oracle_format(char *buffer, uint32_t size, const char *format, const void *arguments) {
    return oracle_format_from(buffer, size, 0, format, arguments);
}

#define strings_strtol oracle_strtol
#define strings_strtoul oracle_strtoul
#define strings_strtoll strtoll
#define strings_strtoull strtoull
#define strings_strtod oracle_strtod
#define strings_dtoa oracle_dtoa
#define strings_format oracle_format
#define strings_format_from oracle_format_from
