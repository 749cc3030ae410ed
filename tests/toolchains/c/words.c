// Counts the words of the standard input.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *text;
    int count;
} Word;

static int by_text(const void *left, const void *right) {
    return strcmp(((const Word *)left)->text, ((const Word *)right)->text);
}

int main(void) {
    Word *words = NULL;
    size_t length = 0, room = 0;
    char text[64];
    while (scanf("%63s", text) == 1) {
        size_t at = 0;
        while (at < length && strcmp(words[at].text, text) != 0)
            at++;
        if (at == length) {
            if (length == room) {
                room = room ? 2 * room : 4;
                words = realloc(words, room * sizeof *words);
                if (!words)
                    return 1;
            }
            words[length].text = strdup(text);
            words[length++].count = 0;
        }
        words[at].count++;
    }
    qsort(words, length, sizeof *words, by_text);
    for (size_t at = 0; at < length; at++)
        printf("%s %d\n", words[at].text, words[at].count);
    return 0;
}
