/* printf's engine: directives, integers, texts. */
#include "parts.h"

/* Writes bytes that lie `step` apart. Those that do not exist are counted, and not visited. */
static void put_bytes(sink *to, const char *from, uint32_t step, uint32_t count) {
    if (to->length > INT32_MAX) {
        uint32_t before = 0 - to->length;
        if (before > count) before = count;
        to->length += before;
        from += before * step;
        count -= before;
    }
    if (to->length < to->size) {
        uint32_t room = to->size - to->length;
        char *at = to->buffer + to->length, *end = at + (count < room ? count : room);
        for (; at < end; from += step) *at++ = *from;
    }
    to->length += count;
}

void strings_pad(sink *to, char c, int32_t count) {
    if (count > 0) put_bytes(to, &c, 0, (uint32_t)count);
}

/* The next argument of a block, aligned to its size. */
typedef struct {
    const uint8_t *at;
} block;

static uint32_t next_word(block *from) {
    const aliased_u32 *at = (const aliased_u32 *)(((uintptr_t)from->at + 3) & ~(uintptr_t)3);
    from->at = (const uint8_t *)(at + 1);
    return *at;
}

static uint64_t next_long(block *from) {
    const aliased_u64 *at = (const aliased_u64 *)(((uintptr_t)from->at + 7) & ~(uintptr_t)7);
    from->at = (const uint8_t *)(at + 1);
    return *at;
}

WEIGHTWARE_INLINE uint64_t next_of(block *from, uint32_t size) { return size == 8 ? next_long(from) : next_word(from); }

/* Bytes of an integer argument by its length. */
typedef struct {
    uint32_t bytes;
    const char *end;
} length;

static length read_length(const char *at) {
    length read = {4, at + 1};
    switch (*at) {
    case 'h':
        read.bytes = at[1] == 'h' ? 1 : 2;
        read.end += at[1] == 'h';
        break;
    case 'l':
        read.bytes = at[1] == 'l' ? 8 : (uint32_t)sizeof(long);
        read.end += at[1] == 'l';
        break;
    case 'j':
    case 'L':
        read.bytes = 8;
        break;
    case 'z':
    case 't':
        read.bytes = (uint32_t)sizeof(size_t);
        break;
    default:
        read.end = at;
    }
    return read;
}

/* Sign or prefix, zeros up to the precision, digits. */
static void put_integer(sink *to, const directive *by, uint64_t value, const char *prefix, uint32_t base) {
    char digits[24], *end = digits + 24, *first;
    first = strings_write_digits(end, value, base, by->conversion == 'X' ? 'A' : 'a');
    int32_t count = (int32_t)(end - first), zeros = by->precision < 0 ? 1 : by->precision, before = 0;
    /* The alternate form of octal begins with a zero. */
    if (base == 8 && by->flags & ALTERNATE && zeros <= count) zeros = count + 1;
    zeros = zeros > count ? zeros - count : 0;
    while (prefix[before] != 0) before++;
    /* Precisions may be near 2^31. */
    uint32_t length = (uint32_t)before + (uint32_t)zeros + (uint32_t)count;
    int32_t padding = (uint32_t)by->width > length ? by->width - (int32_t)length : 0;
    if (by->flags & ZEROS && by->precision < 0 && !(by->flags & LEFT) && padding > 0) {
        zeros += padding;
        padding = 0;
    }
    if (!(by->flags & LEFT)) strings_pad(to, ' ', padding);
    while (*prefix != 0) put(to, *prefix++);
    strings_pad(to, '0', zeros);
    while (first < end) put(to, *first++);
    if (by->flags & LEFT) strings_pad(to, ' ', padding);
}

static void put_text(sink *to, const directive *by, const char *text, uint32_t step, int32_t count) {
    if (!(by->flags & LEFT)) strings_pad(to, ' ', by->width - count);
    put_bytes(to, text, step, (uint32_t)count);
    if (by->flags & LEFT) strings_pad(to, ' ', by->width - count);
}

/* Wide characters, which lie four bytes apart. Only those of ASCII have a byte without a locale. */
static void put_wide(sink *to, const directive *by, const aliased_u32 *text) {
    int32_t count = 0, most = by->precision < 0 ? INT32_MAX : by->precision;
    for (; count < most && text[count] != 0; count++) {
        if (text[count] > 127) __builtin_trap();
    }
    put_text(to, by, (const char *)text, 4, count);
}

/* Stores the number of bytes so far in an integer. */
static void store_count(const sink *to, uint8_t *at, uint32_t bytes) {
    uint32_t count = to->length + to->skip;
    for (uint32_t i = 0; i < bytes; i++, count >>= 8) at[i] = (uint8_t)count;
}

static void put_signed(sink *to, const directive *by, uint64_t value, uint32_t bytes) {
    int shift = 64 - 8 * (int)bytes;
    int64_t number = (int64_t)(value << shift) >> shift;
    const char *prefix = number < 0 ? "-" : by->flags & PLUS ? "+" : by->flags & SPACE ? " " : "";
    put_integer(to, by, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, prefix, 10);
}

static void put_unsigned(sink *to, const directive *by, uint64_t value, uint32_t bytes) {
    int shift = 64 - 8 * (int)bytes;
    value = value << shift >> shift;
    const char *prefix = "";
    if (value != 0 && by->flags & ALTERNATE) prefix = by->conversion == 'x' ? "0x" : by->conversion == 'X' ? "0X" : "";
    put_integer(to, by, value, prefix, by->conversion == 'o' ? 8 : by->conversion == 'u' ? 10 : 16);
}

/* -1 beyond INT32_MAX. */
static const char *read_number(const char *at, int32_t *number) {
    uint32_t read = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint32_t digit = (uint32_t)(*at - '0');
        if (read <= INT32_MAX) read = read > INT32_MAX / 10 ? (uint32_t)INT32_MAX + 1 : read * 10 + digit;
    }
    *number = read > INT32_MAX ? -1 : (int32_t)read;
    return at;
}

/* Flags, width and precision. The width is negative if one of the two is beyond INT32_MAX. */
static const char *read_directive(const char *at, directive *by, block *from) {
    for (;; at++) {
        uint32_t flag = *at == '-'   ? LEFT
                        : *at == '+' ? PLUS
                        : *at == ' ' ? SPACE
                        : *at == '#' ? ALTERNATE
                        : *at == '0' ? ZEROS
                        : *at == '\'' ? GROUPED
                                      : 0;
        if (flag == 0) break;
        by->flags |= flag;
    }
    if (*at == '*') {
        by->width = (int32_t)next_word(from);
        if (by->width < 0) {
            by->flags |= LEFT;
            by->width = by->width == INT32_MIN ? 0 : -by->width;
        }
        at++;
    } else {
        at = read_number(at, &by->width);
    }
    if (*at != '.') return at;
    if (at[1] != '*') {
        at = read_number(at + 1, &by->precision);
        if (by->precision < 0) by->width = -1;
        return at;
    }
    by->precision = (int32_t)next_word(from);
    return at + 2;
}

/* Whether a directive is C's or POSIX's, and not the module's: errno's text, arguments by their position, and long
 * doubles, whose arguments have another size. */
static bool is_foreign(char length, char conversion) {
    switch (conversion) {
    case 'm':
    case '$':
        return true;
    default:
        return length == 'L' && ((conversion | 32) == 'a' || ((conversion | 32) >= 'e' && (conversion | 32) <= 'g'));
    }
}

/* Writes a directive after its `%`; returns its end, or NULL if it is unknown. */
static const char *put_directive(sink *to, const char *at, block *from) {
    directive by = {0, 0, -1, 0};
    at = read_directive(at, &by, from);
    length read = read_length(at);
    by.conversion = *read.end;
    if (is_foreign(*at, by.conversion)) __builtin_trap();
    if (by.width < 0) {
        overflow(to);
        return read.end;
    }
    uint32_t size = read.bytes == 8 ? 8 : 4;
    bool is_wide = *at == 'l' || by.conversion < 'a';
    switch (by.conversion) {
    case 'd':
    case 'i':
        put_signed(to, &by, next_of(from, size), read.bytes);
        break;
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        put_unsigned(to, &by, next_of(from, size), read.bytes);
        break;
    case 'p':
        by.conversion = 'x';
        by.flags |= ALTERNATE;
        put_unsigned(to, &by, next_of(from, sizeof(void *)), sizeof(void *));
        break;
    case 'c':
    case 'C': {
        const uint32_t text[2] = {next_word(from), 0};
        by.precision = -1;
        if (is_wide) {
            put_wide(to, &by, text);
        } else {
            put_text(to, &by, (const char *)text, 1, 1);
        }
        break;
    }
    case 's':
    case 'S': {
        const char *text = (const char *)(uintptr_t)next_of(from, sizeof(void *));
        if (is_wide) {
            put_wide(to, &by, (const aliased_u32 *)text);
            break;
        }
        if (text == NULL) text = "(null)";
        uint32_t most = by.precision < 0 ? INT32_MAX : (uint32_t)by.precision;
        put_text(to, &by, text, 1, (int32_t)strings_strnlen(text, most));
        break;
    }
    case 'n':
        store_count(to, (uint8_t *)(uintptr_t)next_of(from, sizeof(void *)), read.bytes);
        break;
    case '%':
        put(to, '%');
        break;
    case 'a':
    case 'A':
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
        strings_put_f64(to, &by, from_bits(next_long(from)));
        break;
    default:
        return NULL;
    }
    return read.end + 1;
}

int32_t strings_format_from(char *buffer, uint32_t size, uint32_t skip, const char *format, const void *arguments) {
    /* No text is longer than INT32_MAX, so that a length beyond it is one before the bytes that exist. */
    if (skip > INT32_MAX) skip = INT32_MAX;
    sink to = {buffer, size == 0 ? 0 : size > INT32_MAX ? INT32_MAX : size - 1, 0 - skip, skip};
    block from = {arguments};
    while (*format != 0 && to.length + skip <= INT32_MAX) {
        const char *end = *format == '%' ? put_directive(&to, format + 1, &from) : NULL;
        if (end == NULL) {
            put(&to, *format++);
        } else {
            format = end;
        }
    }
    uint32_t length = to.length + skip;
    if (size > 0) buffer[to.length > INT32_MAX ? 0 : to.length < to.size ? to.length : to.size] = 0;
    return length > INT32_MAX ? -1 : (int32_t)length;
}

int32_t strings_format(char *buffer, uint32_t size, const char *format, const void *arguments) {
    return strings_format_from(buffer, size, 0, format, arguments);
}

uint32_t strings_dtoa(double value, char *buffer) {
    directive by = {0, 0, 15, 'g'};
    for (;; by.precision++) {
        sink to = {buffer, 24, 0, 0};
        strings_put_f64(&to, &by, value);
        buffer[to.length] = 0;
        if (by.precision == 17 || value != value || strings_strtod(buffer, NULL) == value) return to.length;
    }
}
