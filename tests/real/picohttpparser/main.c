// Takes the HTTP request on the standard input apart.
#include <stdio.h>
#include "picohttpparser.h"

int main(void) {
    static char text[4096];
    size_t length = fread(text, 1, sizeof text, stdin);
    const char *method, *path;
    struct phr_header headers[16];
    size_t method_length, path_length, count = 16;
    int minor;
    int size = phr_parse_request(text, length, &method, &method_length, &path, &path_length, &minor, headers, &count, 0);
    printf("%d: %.*s %.*s HTTP/1.%d\n", size, (int)method_length, method, (int)path_length, path, minor);
    for (size_t at = 0; at < count; at++)
        printf("%.*s = %.*s\n", (int)headers[at].name_len, headers[at].name, (int)headers[at].value_len, headers[at].value);
    return 0;
}
