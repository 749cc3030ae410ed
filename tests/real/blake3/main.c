// Prints the hash of the standard input.
#include <stdio.h>
#include "blake3.h"

int main(void) {
    static uint8_t text[4096];
    size_t length = fread(text, 1, sizeof text, stdin);
    uint8_t hash[BLAKE3_OUT_LEN];
    blake3_hasher hasher;
    blake3_hasher_init(&hasher);
    blake3_hasher_update(&hasher, text, length);
    blake3_hasher_finalize(&hasher, hash, sizeof hash);
    for (size_t at = 0; at < sizeof hash; at++)
        printf("%02x", hash[at]);
    puts("");
    return 0;
}
