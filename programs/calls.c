/* Calls with arguments and results, mutual recursion, locals that a callee must find zeroed. */
#include "host.h"

NOINLINE int odd(unsigned n);

NOINLINE int even(unsigned n) { return n == 0 ? 1 : odd(n - 1); }

NOINLINE int odd(unsigned n) { return n == 0 ? 0 : even(n - 1); }

NOINLINE unsigned add3(unsigned a, unsigned b, unsigned c) { return opaque(a) + opaque(b) + opaque(c); }

/* Counts in a local that begins at zero in every call. */
NOINLINE unsigned count_to(unsigned n) {
    unsigned count = 0;
    while (n != 0) {
        count = opaque(count + 1);
        n = opaque(n - 1);
    }
    return count;
}

EXPORT("main") int main(void) {
    host_putchar('0' + even(6));
    host_putchar('0' + odd(6));
    host_putchar('0' + even(5));
    host_putchar('0' + odd(5));
    SAY(" ");
    say_below_100(add3(1, add3(2, 3, 4), add3(5, 6, 7)));
    SAY(" ");
    say_below_100(count_to(3) + count_to(4));
    SAY("\n");
    return 7;
}
