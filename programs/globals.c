/* A stack in linear memory behind the stack pointer, which is a WebAssembly global, and variables of static storage. */
#include "host.h"

static volatile unsigned counter;

NOINLINE void fill(volatile unsigned char *buffer, unsigned first) {
    for (unsigned i = 0; i < 4; i++) {
        buffer[i] = (unsigned char)(first + i);
        counter = counter + 1;
    }
}

/* Its buffer lies on the stack: every level of the recursion moves the stack pointer. */
NOINLINE void level(unsigned depth, unsigned first) {
    volatile unsigned char buffer[4];
    fill(buffer, first);
    if (depth != 0) level(depth - 1, first + 4);
    for (unsigned i = 0; i < 4; i++) host_putchar(buffer[i]);
}

EXPORT("main") int main(void) {
    level(2, 'a');
    SAY(" ");
    say_below_100(counter);
    SAY("\n");
    return 0;
}
