// Compresses the standard input, expands it again and compares.
#include <stdio.h>
#include <string.h>
#include "lz4.h"

int main(void) {
    static char text[4096], packed[8192], back[4096];
    int length = (int)fread(text, 1, sizeof text, stdin);
    int size = LZ4_compress_default(text, packed, length, sizeof packed);
    int again = LZ4_decompress_safe(packed, back, size, sizeof back);
    printf("%d to %d, %s\n", length, size,
           again == length && memcmp(text, back, length) == 0 ? "same" : "different");
    return 0;
}
