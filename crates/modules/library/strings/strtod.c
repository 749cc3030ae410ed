/* Text to f64: one correctly rounded operation where that suffices (Clinger), else an exact decimal number. */
#include "parts.h"

/* Exact as f64. */
static const double POWERS[23] = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

/* The f64 nearest to mantissa 2^(exponent - 63), ties to even; the mantissa's upper bit is set, its lower one also
 * stands for any part below it. */
static uint64_t pack(uint64_t mantissa, int exponent) {
    int biased = exponent + 1023, shift = 11;
    if (biased >= 0x7ff) return INFINITE;
    if (biased <= 0) {
        shift = 12 - biased;
        biased = 0;
        if (shift > 64) return 0;
        if (shift == 64) return mantissa > SIGN;
    } else {
        mantissa &= ~SIGN;
    }
    uint64_t kept = mantissa >> shift, rest = mantissa << (64 - shift);
    return ((uint64_t)biased << 52) + kept + (rest > SIGN || (rest == SIGN && kept & 1));
}

/* The bits nearest to an exact decimal number other than 0. */
static uint64_t nearest(decimal *n) {
    int exponent = 63;
    uint64_t whole;
    /* 2^55 <= n < 2^64, so that 55 bits and a sticky one decide. */
    for (;;) {
        if (n->first >= POINT - 3) {
            strings_multiply(n, 18);
            exponent -= 18;
        } else if (n->first < POINT - 5) {
            int shift = n->first < POINT - 7 ? 18 : 9;
            strings_divide(n, shift);
            exponent += shift;
        } else {
            uint32_t upper = group_at(n, POINT - 5), middle = group_at(n, POINT - 4) * BASE + group_at(n, POINT - 3);
            uint32_t lower = group_at(n, POINT - 2) * BASE + group_at(n, POINT - 1);
            whole = (uint64_t)middle * 100000000u + lower;
            /* 1844 10^16 < 2^64 < 1845 10^16 */
            uint64_t added = whole + (uint64_t)upper * 10000000000000000u;
            if (upper > 1844 || added < whole) {
                strings_divide(n, 9);
                exponent += 9;
            } else if (added >> 55 == 0) {
                strings_multiply(n, 9);
                exponent -= 9;
            } else {
                whole = added;
                break;
            }
        }
    }
    int zeros = __builtin_clzll(whole);
    return pack(whole << zeros | (n->end > POINT || n->is_more), exponent - zeros);
}

/* An exponent: a sign and digits, after its letter. Returns its end, or the letter if there is none. */
static const char *read_exponent(const char *letter, int32_t *exponent) {
    const char *at = letter + 1;
    bool is_negative = *at == '-';
    int32_t read = 0;
    if (*at == '-' || *at == '+') at++;
    if (*at < '0' || *at > '9') return letter;
    for (; *at >= '0' && *at <= '9'; at++) read = read > 99999 ? read : read * 10 + (*at - '0');
    *exponent += is_negative ? -read : read;
    return at;
}

static uint32_t hexadecimal(char c) {
    if (c >= '0' && c <= '9') return (uint32_t)(c - '0');
    c |= 32;
    return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10 : 16;
}

/* Reads after `0x`; the end stays if there is no digit. */
static uint64_t read_hexadecimal(const char *at, const char **end) {
    uint64_t mantissa = 0;
    int32_t exponent = 63;
    bool is_fraction = false, is_any = false;
    for (;; at++) {
        uint32_t digit = hexadecimal(*at);
        if (*at == '.' && !is_fraction) {
            is_fraction = true;
            continue;
        }
        if (digit > 15) break;
        is_any = true;
        if (mantissa >> 60 == 0) {
            mantissa = mantissa << 4 | digit;
            exponent -= is_fraction ? 4 : 0;
        } else {
            mantissa |= digit != 0;
            exponent += is_fraction ? 0 : 4;
        }
        if (exponent > 1 << 28 || exponent < -(1 << 28)) break;
    }
    if (!is_any) return 0;
    if ((*at | 32) == 'p') at = read_exponent(at, &exponent);
    *end = at;
    if (mantissa == 0) return 0;
    int zeros = __builtin_clzll(mantissa);
    return pack(mantissa << zeros, exponent - zeros);
}

/* Digits from `first` on, with a point among them, whose value is theirs times 10^exponent as an integer. */
static uint64_t exact(const char *first, const char *last, int32_t exponent) {
    decimal n;
    int32_t position = 4 * POINT, digits = 0;
    for (const char *at = first; at < last; at++) digits += *at != '.';
    position -= digits + exponent; /* of the first digit, which is not 0 */
    if (position < 4 * (POINT - 78)) return INFINITE;
    if (position > 4 * POINT + 330) return 0;
    n.first = position >> 2;
    n.end = n.first;
    n.limit = GROUPS;
    n.is_more = false;
    for (; first < last; first++) {
        if (*first == '.') continue;
        uint32_t digit = (uint32_t)(*first - '0');
        int i = position >> 2;
        if (i >= GROUPS) {
            n.is_more |= digit != 0;
            continue;
        }
        if (i >= n.end) {
            n.groups[i] = 0;
            n.end = i + 1;
        }
        static const uint16_t PLACES[4] = {1000, 100, 10, 1};
        n.groups[i] = (uint16_t)(n.groups[i] + digit * PLACES[position & 3]);
        position++;
    }
    while (n.end > n.first && n.groups[n.end - 1] == 0) n.end--;
    return nearest(&n);
}

/* Reads digits with a point; the end stays if there is none. */
static uint64_t read_decimal(const char *at, const char **end) {
    const char *first = NULL, *last = NULL;
    uint32_t upper = 0, lower = 0, digits = 0;
    int32_t exponent = 0;
    bool is_fraction = false, is_any = false;
    for (;; at++) {
        if (*at == '.' && !is_fraction) {
            is_fraction = true;
            continue;
        }
        if (*at < '0' || *at > '9') break;
        is_any = true;
        exponent -= is_fraction;
        if (first == NULL && *at == '0') continue;
        if (first == NULL) first = at;
        last = at + 1;
        /* The first 16 digits are two words of 8. */
        uint32_t digit = (uint32_t)(*at - '0');
        if (digits < 8) {
            upper = upper * 10 + digit;
        } else if (digits < 16) {
            lower = lower * 10 + digit;
        }
        digits++;
    }
    if (!is_any) return 0;
    *end = at;
    int32_t scale = 0;
    if ((*at | 32) == 'e') *end = read_exponent(at, &scale);
    if (first == NULL) return 0;
    exponent += scale;
    if (digits <= 16) {
        uint64_t mantissa = upper;
        static const uint32_t TENS[9] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
        if (digits > 8) mantissa = (uint64_t)upper * TENS[digits - 8] + lower;
        if (mantissa >> 53 == 0 && exponent >= -22 && exponent <= 22) {
            double value = (double)(int64_t)mantissa;
            if (exponent < 0) value /= POWERS[-exponent];
            if (exponent > 0) value *= POWERS[exponent];
            return bits_of(value);
        }
    }
    return exact(first, last, exponent);
}

/* Whether a text begins with a word of lower-case letters, in either case. */
static bool begins(const char *text, const char *word) {
    while (*word != 0) {
        if ((*text++ | 32) != *word++) return false;
    }
    return true;
}

static bool is_word(char c) { return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_'; }

double strings_strtod(const char *text, char **end) {
    const char *at = strings_skip_space(text), *last = text;
    bool is_negative = *at == '-';
    uint64_t bits;
    if (*at == '-' || *at == '+') at++;
    if (begins(at, "inf")) {
        bits = INFINITE;
        last = at + (begins(at, "infinity") ? 8 : 3);
    } else if (begins(at, "nan")) {
        bits = 0x7ff8000000000000u;
        last = at + 3;
        if (*last == '(') {
            const char *inside = last + 1;
            while (is_word(*inside)) inside++;
            if (*inside == ')') last = inside + 1;
        }
    } else if (*at == '0' && (at[1] | 32) == 'x') {
        /* Without digits after it, the x is no part of the number. */
        last = at + 1;
        bits = read_hexadecimal(at + 2, &last);
    } else {
        bits = read_decimal(at, &last);
    }
    if (end != NULL) *end = (char *)(uintptr_t)last;
    return from_bits(bits | (is_negative && last != text ? SIGN : 0));
}

double strings_atof(const char *text) { return strings_strtod(text, NULL); }
