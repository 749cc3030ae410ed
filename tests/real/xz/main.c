// Compresses the standard input, expands it again and compares.
#include <stdio.h>
#include <string.h>
#include "lzma.h"

int main(void) {
    static uint8_t text[4096], packed[8192], back[4096];
    size_t length = fread(text, 1, sizeof text, stdin);
    size_t size = 0, from = 0, again = 0;
    uint64_t most = 1 << 26;
    if (lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, text, length, packed, &size, sizeof packed) != LZMA_OK)
        return 1;
    if (lzma_stream_buffer_decode(&most, 0, NULL, packed, &from, size, back, &again, sizeof back) != LZMA_OK)
        return 2;
    printf("%zu to %zu, %s\n", length, size,
           again == length && memcmp(text, back, length) == 0 ? "same" : "different");
    return 0;
}
