/* f64 as text: exact decimal numbers, rounded once; hexadecimal numbers from the bits. */
#include "parts.h"

/* A number about to be written: sign, digits, point, more digits, exponent. */
typedef struct {
    decimal n;
    int first;          /* the position of the first digit */
    int32_t whole;      /* digits before the point */
    int32_t fraction;   /* digits after it */
    bool has_exponent;
    int32_t exponent;
} layout;

static int32_t exponent_length(int32_t exponent) { return exponent > 99 || exponent < -99 ? 5 : 4; }

static void put_exponent(sink *to, char letter, int32_t exponent, int32_t least) {
    char digits[4];
    int32_t count = 0;
    put(to, letter);
    put(to, exponent < 0 ? '-' : '+');
    for (uint32_t rest = (uint32_t)(exponent < 0 ? -exponent : exponent); rest > 0 || count < least; rest /= 10) {
        digits[count++] = (char)('0' + rest % 10);
    }
    while (count > 0) put(to, digits[--count]);
}

/* Rounds to scientific notation with `fraction` digits. */
static void scientific(layout *l, int32_t fraction) {
    bool is_zero = l->n.first == l->n.end;
    int leading = is_zero ? 4 * POINT - 1 : strings_leading(&l->n);
    if (!is_zero && fraction < 4 * GROUPS) {
        strings_round(&l->n, leading + fraction + 1);
        leading = strings_leading(&l->n);
    }
    l->first = leading;
    l->exponent = 4 * POINT - 1 - leading;
    l->whole = 1;
    l->fraction = fraction;
    l->has_exponent = true;
}

static void fixed(layout *l, int32_t fraction) {
    if (fraction < 4 * GROUPS) strings_round(&l->n, 4 * POINT + fraction);
    l->first = 4 * POINT - 1;
    if (l->n.first < POINT && l->n.first < l->n.end) {
        int leading = strings_leading(&l->n);
        if (leading < l->first) l->first = leading;
    }
    l->whole = 4 * POINT - l->first;
    l->fraction = fraction;
    l->has_exponent = false;
}

/* Significant digits: scientific notation for exponents below -4 or beyond the precision. */
static void general(layout *l, int32_t precision, bool keeps_zeros) {
    if (precision == 0) precision = 1;
    /* Up to four zeros come before the digits, and their number must fit. */
    if (precision > INT32_MAX - 8) precision = INT32_MAX - 8;
    scientific(l, precision - 1);
    if (l->exponent >= -4 && l->exponent < precision) {
        /* It is rounded already. */
        int32_t exponent = l->exponent;
        fixed(l, precision - 1 - exponent);
    }
    if (keeps_zeros) return;
    /* The last digit that is not 0, or the last before the point. */
    int last = 4 * l->n.end, point = l->first + l->whole;
    int32_t within = last > point ? last - point : 0;
    if (l->fraction > within) l->fraction = within;
    while (l->fraction > 0 && strings_digit(&l->n, point + l->fraction - 1) == 0) l->fraction--;
}

/* The group after which a number's digits count only as more than none. The number is mantissa 2^exponent; the digits
 * that a conversion writes, and one more, are before it. */
static int last_group(char conversion, int32_t precision, int exponent) {
    if (precision > 4 * GROUPS) return GROUPS;
    /* 1233 / 4096 is log10 2, nearly: the mantissa, at least 1, makes the first digit's position no greater than this.
     * */
    int zeros = conversion == 'f' || exponent > 0 ? 0 : (-exponent * 1234 >> 12) + 1;
    return POINT + (zeros + precision) / 4 + 2;
}

static void put_decimal(sink *to, const directive *by, char sign, uint64_t bits) {
    layout l;
    bool is_large = by->conversion < 'a', keeps_point = by->flags & ALTERNATE;
    int exponent = (int)(bits >> 52 & 0x7ff);
    uint64_t mantissa = bits & 0x000fffffffffffffu;
    int32_t precision = by->precision < 0 ? 6 : by->precision;
    if (exponent > 0) {
        mantissa |= 0x0010000000000000u;
    } else {
        exponent = 1;
    }
    if (mantissa != 0) {
        /* Trailing zeros would only be divided. */
        int zeros = __builtin_ctzll(mantissa);
        mantissa >>= zeros;
        exponent += zeros;
    }
    exponent = mantissa == 0 ? 0 : exponent - 1075;
    strings_set(&l.n, mantissa, exponent, last_group(by->conversion | 32, precision, exponent));
    switch (by->conversion | 32) {
    case 'e':
        scientific(&l, precision);
        break;
    case 'f':
        fixed(&l, precision);
        break;
    default:
        general(&l, precision, keeps_point);
    }
    bool has_point = l.fraction > 0 || keeps_point;
    int32_t count = (sign != 0) + l.whole + has_point + (l.has_exponent ? exponent_length(l.exponent) : 0);
    /* Widths and precisions may be near 2^31. */
    int64_t left = (int64_t)by->width - count - l.fraction;
    int32_t padding = left > 0 ? (int32_t)left : 0;
    bool fills = by->flags & ZEROS && !(by->flags & LEFT);
    if (!(by->flags & LEFT) && !fills) strings_pad(to, ' ', padding);
    if (sign != 0) put(to, sign);
    if (fills) strings_pad(to, '0', padding);
    for (int i = 0; i < l.whole; i++) put(to, (char)('0' + strings_digit(&l.n, l.first + i)));
    if (has_point) put(to, '.');
    int point = l.first + l.whole;
    for (int32_t i = 0; i < l.fraction; i++) {
        if (point + i >= 4 * l.n.end) {
            strings_pad(to, '0', l.fraction - i);
            break;
        }
        put(to, (char)('0' + strings_digit(&l.n, point + i)));
    }
    if (l.has_exponent) put_exponent(to, is_large ? 'E' : 'e', l.exponent, 2);
    if (by->flags & LEFT) strings_pad(to, ' ', padding);
}

/* Hexadecimal digits of the mantissa, the exponent in decimal. */
static void put_hexadecimal(sink *to, const directive *by, char sign, uint64_t bits) {
    bool is_large = by->conversion == 'A';
    int exponent = (int)(bits >> 52 & 0x7ff);
    uint64_t mantissa = bits & 0x000fffffffffffffu;
    int32_t digits = 13, precision = by->precision;
    if (exponent > 0) {
        mantissa |= 0x0010000000000000u;
    } else {
        exponent = mantissa == 0 ? 1023 : 1;
    }
    exponent -= 1023;
    if (precision < 0) {
        while (digits > 0 && (mantissa & 15) == 0) {
            mantissa >>= 4;
            digits--;
        }
    } else if (precision < digits) {
        int shift = 4 * (digits - precision);
        uint64_t half = (uint64_t)1 << (shift - 1), rest = mantissa & (2 * half - 1);
        mantissa >>= shift;
        mantissa += rest > half || (rest == half && mantissa & 1);
        digits = precision;
    }
    if (precision < digits) precision = digits;
    bool has_point = precision > 0 || by->flags & ALTERNATE;
    int32_t magnitude = exponent < 0 ? -exponent : exponent;
    int32_t length = magnitude > 999 ? 6 : magnitude > 99 ? 5 : magnitude > 9 ? 4 : 3;
    int64_t left = (int64_t)by->width - (sign != 0) - 3 - has_point - precision - length;
    int32_t padding = left > 0 ? (int32_t)left : 0;
    bool fills = by->flags & ZEROS && !(by->flags & LEFT);
    if (!(by->flags & LEFT) && !fills) strings_pad(to, ' ', padding);
    if (sign != 0) put(to, sign);
    put(to, '0');
    put(to, is_large ? 'X' : 'x');
    if (fills) strings_pad(to, '0', padding);
    for (int32_t i = digits; i >= 0; i--) {
        uint32_t digit = (uint32_t)(mantissa >> 4 * i) & 15;
        put(to, (char)(digit < 10 ? '0' + digit : (is_large ? 'A' : 'a') + digit - 10));
        if (i == digits && has_point) put(to, '.');
    }
    strings_pad(to, '0', precision - digits);
    put_exponent(to, is_large ? 'P' : 'p', exponent, 1);
    if (by->flags & LEFT) strings_pad(to, ' ', padding);
}

void strings_put_f64(sink *to, const directive *by, double value) {
    uint64_t bits = bits_of(value), magnitude = bits & ~SIGN;
    char sign = magnitude != bits ? '-' : by->flags & PLUS ? '+' : by->flags & SPACE ? ' ' : 0;
    if (magnitude >= INFINITE) {
        bool is_large = by->conversion < 'a';
        const char *text = magnitude > INFINITE ? is_large ? "NAN" : "nan" : is_large ? "INF" : "inf";
        int32_t padding = by->width - 3 - (sign != 0);
        if (!(by->flags & LEFT)) strings_pad(to, ' ', padding);
        if (sign != 0) put(to, sign);
        for (int i = 0; i < 3; i++) put(to, text[i]);
        if (by->flags & LEFT) strings_pad(to, ' ', padding);
        return;
    }
    if (by->precision > INT32_MAX - 8 && by->flags & ALTERNATE && (by->conversion | 32) == 'g') {
        overflow(to);
    } else if ((by->conversion | 32) == 'a') {
        put_hexadecimal(to, by, sign, magnitude);
    } else {
        put_decimal(to, by, sign, magnitude);
    }
}
