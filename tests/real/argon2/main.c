// Prints Argon2id's hash of the standard input, with 32 KiB of memory.
#include <stdio.h>
#include "argon2.h"

int main(void) {
    char password[64], text[128];
    size_t length = fread(password, 1, sizeof password, stdin);
    int code = argon2id_hash_encoded(1, 32, 1, password, length, "saltsalt", 8, 16, text, sizeof text);
    puts(code == ARGON2_OK ? text : argon2_error_message(code));
    return code != ARGON2_OK;
}
