/* Recursion: fib(7) = 13. */
#include "host.h"

NOINLINE unsigned fib(unsigned n) {
    if (n < 2) return n;
    unsigned previous = fib(n - 1);
    return previous + opaque(fib(n - 2));
}

EXPORT("main") int main(void) {
    SAY("fib(7) = ");
    say_below_100(fib(7));
    SAY("\n");
    return 0;
}
