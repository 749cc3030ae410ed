/* Texts that end with a zero. */
#include "strings.h"

uint32_t strings_strlen(const char *text) {
    const char *end = text;
    while (*end != 0) end++;
    return (uint32_t)(end - text);
}

uint32_t strings_strnlen(const char *text, uint32_t most) {
    uint32_t length = 0;
    while (length < most && text[length] != 0) length++;
    return length;
}

int32_t strings_strcmp(const char *a, const char *b) {
    for (; *a != 0 && *a == *b; a++) b++;
    return (uint8_t)*a - (uint8_t)*b;
}

int32_t strings_strncmp(const char *a, const char *b, uint32_t most) {
    for (; most > 0; most--, a++, b++) {
        if (*a != *b) return (uint8_t)*a - (uint8_t)*b;
        if (*a == 0) return 0;
    }
    return 0;
}

char *strings_strcpy(char *to, const char *from) {
    char *at = to;
    while ((*at = *from++) != 0) at++;
    return to;
}

char *strings_strncpy(char *to, const char *from, uint32_t most) {
    char *at = to;
    for (; most > 0 && *from != 0; most--) *at++ = *from++;
    for (; most > 0; most--) *at++ = 0;
    return to;
}

char *strings_strcat(char *to, const char *from) {
    strings_strcpy(to + strings_strlen(to), from);
    return to;
}

char *strings_strncat(char *to, const char *from, uint32_t most) {
    char *at = to + strings_strlen(to);
    for (; most > 0 && *from != 0; most--) *at++ = *from++;
    *at = 0;
    return to;
}

char *strings_strchr(const char *text, int32_t byte) {
    for (; *text != (char)byte; text++) {
        if (*text == 0) return NULL;
    }
    return (char *)(uintptr_t)text;
}

char *strings_strrchr(const char *text, int32_t byte) {
    const char *found = NULL;
    for (;; text++) {
        if (*text == (char)byte) found = text;
        if (*text == 0) return (char *)(uintptr_t)found;
    }
}

/* The start of the maximal suffix of a text, by its order or the reverse one, and the suffix's period. */
static uint32_t maximal_suffix(const char *text, uint32_t length, bool reverse, uint32_t *period) {
    uint32_t start = 0, next = 1, matched = 0;
    *period = 1;
    while (next + matched < length) {
        uint8_t a = (uint8_t)text[next + matched], b = (uint8_t)text[start + matched];
        if (a == b) {
            if (++matched == *period) {
                next += matched;
                matched = 0;
            }
        } else if ((a < b) != reverse) {
            next += matched + 1;
            matched = 0;
            *period = next - start;
        } else {
            start = next++;
            matched = 0;
            *period = 1;
        }
    }
    return start;
}

/* Crochemore and Perrin's two-way algorithm: the wanted text is split where its local period is its period. */
char *strings_strstr(const char *text, const char *wanted) {
    uint32_t count = strings_strlen(wanted), period, other, known = 0;
    if (count == 0) return (char *)(uintptr_t)text;
    text = strings_strchr(text, *wanted);
    if (text == NULL || count == 1) return (char *)(uintptr_t)text;
    uint32_t split = maximal_suffix(wanted, count, false, &period);
    uint32_t reverse = maximal_suffix(wanted, count, true, &other);
    if (reverse > split) {
        split = reverse;
        period = other;
    }
    bool repeats = true;
    for (uint32_t i = 0; i < split && repeats; i++) repeats = i + period < count && wanted[i] == wanted[i + period];
    if (!repeats) period = (split > count - split ? split : count - split) + 1;
    /* The text's bytes before `end` are not zero. */
    const char *end = text;
    for (;;) {
        while ((uint32_t)(end - text) < count) {
            if (*end++ == 0) return NULL;
        }
        uint32_t at = split > known ? split : known;
        while (at < count && wanted[at] == text[at]) at++;
        if (at < count) {
            text += at - split + 1;
            known = 0;
        } else {
            at = split;
            while (at > known && wanted[at - 1] == text[at - 1]) at--;
            if (at <= known) return (char *)(uintptr_t)text;
            text += period;
            known = repeats ? count - period : 0;
        }
    }
}

uint32_t strings_strspn(const char *text, const char *set) {
    uint32_t count = 0;
    while (text[count] != 0 && strings_strchr(set, text[count]) != NULL) count++;
    return count;
}

uint32_t strings_strcspn(const char *text, const char *set) {
    uint32_t count = 0;
    while (text[count] != 0 && strings_strchr(set, text[count]) == NULL) count++;
    return count;
}

char *strings_strpbrk(const char *text, const char *set) {
    text += strings_strcspn(text, set);
    return *text == 0 ? NULL : (char *)(uintptr_t)text;
}
