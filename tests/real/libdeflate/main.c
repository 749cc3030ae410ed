// Compresses the standard input, expands it again and compares.
#include <stdio.h>
#include <string.h>
#include "libdeflate.h"

int main(void) {
    static char text[4096], packed[8192], back[4096];
    size_t length = fread(text, 1, sizeof text, stdin), again = 0;
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(1);
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    if (!compressor || !decompressor)
        return 1;
    size_t size = libdeflate_gzip_compress(compressor, text, length, packed, sizeof packed);
    if (libdeflate_gzip_decompress(decompressor, packed, size, back, sizeof back, &again))
        return 2;
    printf("%zu to %zu, %s\n", length, size,
           again == length && memcmp(text, back, length) == 0 ? "same" : "different");
    return 0;
}
