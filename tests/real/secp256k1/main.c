// Prints the public key of a secret one.
#include <stdio.h>
#include <string.h>
#include "secp256k1.h"
#include "secp256k1_preallocated.h"

int main(void) {
    unsigned char secret[32], text[33];
    size_t length = sizeof text;
    rustsecp256k1_v0_14_pubkey key;
    memset(secret, 7, sizeof secret);
    static long long room[256];
    rustsecp256k1_v0_14_context *context =
        rustsecp256k1_v0_14_context_preallocated_create(room, SECP256K1_CONTEXT_NONE);
    if (!context || !rustsecp256k1_v0_14_ec_pubkey_create(context, &key, secret))
        return 1;
    rustsecp256k1_v0_14_ec_pubkey_serialize(context, text, &length, &key, SECP256K1_EC_COMPRESSED);
    for (size_t at = 0; at < length; at++)
        printf("%02x", text[at]);
    puts("");
    return 0;
}
