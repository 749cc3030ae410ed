// Prints the SHA-512 of the standard input, and opens a secret box with it inside.
#include <stdio.h>
#include <string.h>
#include "tweetnacl.h"

void randombytes(unsigned char *bytes, unsigned long long count) { memset(bytes, 7, count); }

int main(void) {
    static unsigned char text[1024], boxed[1024], back[1024];
    unsigned char hash[crypto_hash_BYTES], key[32], nonce[24];
    size_t length = fread(text + 32, 1, sizeof text - 32, stdin);
    crypto_hash(hash, text + 32, length);
    for (size_t at = 0; at < 16; at++)
        printf("%02x", hash[at]);
    memcpy(key, hash, sizeof key);
    memcpy(nonce, hash + 32, sizeof nonce);
    crypto_secretbox(boxed, text, length + 32, nonce, key);
    int refused = crypto_secretbox_open(back, boxed, length + 32, nonce, key);
    printf(" %s\n", refused == 0 && memcmp(text, back, length + 32) == 0 ? "opened" : "refused");
    return 0;
}
