// Runs the Janet program on the standard input.
#include <stdio.h>
#include "janet.h"

// What a library without files and processes lacks.
int dup(int file) { return -1; }
int umask(int mode) { return 0; }
FILE *tmpfile(void) { return NULL; }
void tzset(void) {}
int chmod(const char *path, int mode) { return -1; }
char *realpath(const char *path, char *real) { return NULL; }

int main(void) {
    static char text[1 << 14];
    size_t length = fread(text, 1, sizeof text - 1, stdin);
    janet_init();
    JanetTable *environment = janet_core_env(NULL);
    int failed = janet_dobytes(environment, (const uint8_t *)text, length, "input", NULL);
    janet_deinit();
    return failed;
}
