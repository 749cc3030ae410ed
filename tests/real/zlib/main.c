// Compresses the standard input, expands it again and compares.
#include <stdio.h>
#include <string.h>
#ifndef MZ_VERSION // miniz includes this file
#include "zlib.h"
#endif

int main(void) {
    static unsigned char text[4096], packed[8192], back[4096];
    uLong length = fread(text, 1, sizeof text, stdin);
    uLongf size = sizeof packed, again = sizeof back;
    if (compress2(packed, &size, text, length, 6) != Z_OK)
        return 1;
    if (uncompress(back, &again, packed, size) != Z_OK)
        return 2;
    printf("%lu to %lu, crc %08lx, %s\n", length, size, crc32(0, text, length),
           again == length && memcmp(text, back, length) == 0 ? "same" : "different");
    return 0;
}
