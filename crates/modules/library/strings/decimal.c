/* Exact decimal numbers: products and quotients by powers of two, in words. */
#include "parts.h"

static const uint16_t POWERS[5] = {1, 10, 100, 1000, 10000};

static void trim(decimal *n) {
    while (n->first < n->end && n->groups[n->first] == 0) n->first++;
    while (n->first < n->end && n->groups[n->end - 1] == 0) n->end--;
}

void strings_multiply(decimal *n, int shift) {
    uint32_t carry = 0;
    for (int i = n->end; i > n->first || carry != 0;) {
        uint32_t product = (group_at(n, --i) << shift) + carry;
        carry = product / BASE;
        if (i < n->first) n->first = i;
        n->groups[i] = (uint16_t)(product - carry * BASE);
    }
    trim(n);
}

void strings_divide(decimal *n, int shift) {
    uint32_t rest = 0, mask = (1u << shift) - 1;
    for (int i = n->first; i < n->end || rest != 0; i++) {
        if (i >= n->limit) {
            n->is_more = true;
            break;
        }
        uint32_t dividend = rest * BASE + group_at(n, i);
        if (i >= n->end) n->end = i + 1;
        n->groups[i] = (uint16_t)(dividend >> shift);
        rest = dividend & mask;
    }
    trim(n);
}

void strings_set(decimal *n, uint64_t mantissa, int exponent, int limit) {
    uint32_t upper = 0, lower = (uint32_t)mantissa;
    if (mantissa >= 100000000) {
        upper = (uint32_t)(mantissa / 100000000);
        lower = (uint32_t)mantissa - upper * 100000000;
    }
    n->is_more = false;
    n->limit = limit > GROUPS ? GROUPS : limit;
    n->first = POINT - 4;
    n->end = POINT;
    n->groups[POINT - 4] = (uint16_t)(upper / BASE);
    n->groups[POINT - 3] = (uint16_t)(upper % BASE);
    n->groups[POINT - 2] = (uint16_t)(lower / BASE);
    n->groups[POINT - 1] = (uint16_t)(lower % BASE);
    trim(n);
    while (exponent > 0) {
        int shift = exponent < 18 ? exponent : 18;
        strings_multiply(n, shift);
        exponent -= shift;
    }
    while (exponent < 0) {
        int shift = exponent > -18 ? -exponent : 18;
        strings_divide(n, shift);
        exponent += shift;
    }
}

int strings_leading(const decimal *n) {
    uint32_t group = n->groups[n->first];
    int zeros = 0;
    while (group < POWERS[3 - zeros]) zeros++;
    return 4 * n->first + zeros;
}

uint32_t strings_digit(const decimal *n, int position) {
    return group_at(n, position >> 2) / POWERS[3 - (position & 3)] % 10;
}

void strings_round(decimal *n, int position) {
    int i = position >> 2, kept = position & 3;
    if (i >= n->end) return;
    if (n->first == n->end || i < n->first - 1) {
        n->first = n->end;
        return;
    }
    /* The groups of the last digit that stays, and of those that a carry reaches. */
    while (n->first > i - 1) n->groups[--n->first] = 0;
    uint32_t unit = POWERS[4 - kept], group = n->groups[i], rest = group % unit;
    bool is_odd = (kept == 0 ? n->groups[i - 1] : group / unit) & 1;
    bool is_up = rest > unit / 2 || (rest == unit / 2 && (i + 1 < n->end || n->is_more || is_odd));
    n->end = i + 1;
    group = group - rest + (is_up ? unit : 0);
    while (group >= BASE) {
        n->groups[i] = (uint16_t)(group - BASE);
        if (--i < n->first) n->groups[n->first = i] = 0;
        group = n->groups[i] + 1u;
    }
    n->groups[i] = (uint16_t)group;
    trim(n);
}
