/* Copies the input to the output; the exit code is the number of bytes. */
#include "host.h"

EXPORT("main") int main(void) {
    int count = 0;
    for (int c = host_getchar(); c >= 0; c = host_getchar()) {
        host_putchar(c);
        count++;
    }
    return count;
}
