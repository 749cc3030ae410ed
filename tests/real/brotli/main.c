// Compresses the standard input, expands it again and compares.
#include <stdio.h>
#include <string.h>
#include "brotli/decode.h"
#include "brotli/encode.h"

int main(void) {
    static uint8_t text[4096], packed[8192], back[4096];
    size_t length = fread(text, 1, sizeof text, stdin);
    size_t size = sizeof packed, again = sizeof back;
    if (!BrotliEncoderCompress(2, 16, BROTLI_MODE_TEXT, length, text, &size, packed))
        return 1;
    if (BrotliDecoderDecompress(size, packed, &again, back) != BROTLI_DECODER_RESULT_SUCCESS)
        return 2;
    printf("%zu to %zu, %s\n", length, size,
           again == length && memcmp(text, back, length) == 0 ? "same" : "different");
    return 0;
}
