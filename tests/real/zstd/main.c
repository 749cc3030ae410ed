// Compresses the standard input, expands it again and compares.
#include <stdio.h>
#include <string.h>
#include "zstd.h"

int main(void) {
    static char text[4096], packed[8192], back[4096];
    size_t length = fread(text, 1, sizeof text, stdin);
    size_t size = ZSTD_compress(packed, sizeof packed, text, length, 1);
    if (ZSTD_isError(size)) {
        fprintf(stderr, "%s\n", ZSTD_getErrorName(size));
        return 1;
    }
    size_t again = ZSTD_decompress(back, sizeof back, packed, size);
    printf("%zu to %zu, %s\n", length, size,
           again == length && memcmp(text, back, length) == 0 ? "same" : "different");
    return 0;
}
