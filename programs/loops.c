/* Loops and branches: the Collatz steps of 3 (7 of them), with halves found by trying. */
#include "host.h"

/* n / 2 for an even n. */
NOINLINE unsigned half(unsigned n) {
    unsigned h = 0;
    while (opaque(h) + h != n) h++;
    return h;
}

EXPORT("main") int main(void) {
    unsigned n = 3, steps = 0;
    while (n != 1) {
        n = (n & 1) != 0 ? opaque(twice(n)) + n + 1 : half(n);
        steps++;
    }
    say_below_100(steps);
    SAY(" steps\n");
    return 0;
}
