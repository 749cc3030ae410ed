// Compresses the standard input, expands it again and compares.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bzlib.h"

void bz_internal_error(int code) { exit(3); }

int main(void) {
    static char text[4096], packed[8192], back[4096];
    unsigned length = fread(text, 1, sizeof text, stdin);
    unsigned size = sizeof packed, again = sizeof back;
    if (BZ2_bzBuffToBuffCompress(packed, &size, text, length, 1, 0, 0) != BZ_OK)
        return 1;
    if (BZ2_bzBuffToBuffDecompress(back, &again, packed, size, 1, 0) != BZ_OK)
        return 2;
    printf("%u to %u, %s\n", length, size,
           again == length && memcmp(text, back, length) == 0 ? "same" : "different");
    return 0;
}
