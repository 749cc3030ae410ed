// Compresses the standard input, expands it again and compares.
#include <stdio.h>
#include <string.h>
#include "miniz.h"

int main(void) {
    static unsigned char text[4096], packed[8192], back[4096];
    mz_ulong length = fread(text, 1, sizeof text, stdin);
    mz_ulong size = sizeof packed, again = sizeof back;
    if (mz_compress2(packed, &size, text, length, 6) != MZ_OK)
        return 1;
    if (mz_uncompress(back, &again, packed, size) != MZ_OK)
        return 2;
    printf("%lu to %lu, %s\n", length, size,
           again == length && memcmp(text, back, length) == 0 ? "same" : "different");
    return 0;
}
