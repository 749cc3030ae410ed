/* The primes below the number in the input (1000 if there is none), by trial division; then their number and their
   product modulo 2^32. */
#include "host.h"

NOINLINE void say(unsigned n) {
    if (n >= 10) say(n / 10);
    host_putchar('0' + (int)(n % 10));
}

NOINLINE int is_prime(unsigned n) {
    if (n < 4) return n >= 2;
    if (n % 2 == 0 || n % 3 == 0) return 0;
    for (unsigned d = 5; d * d <= n; d += 6)
        if (n % d == 0 || n % (d + 2) == 0) return 0;
    return 1;
}

EXPORT("main") int main(void) {
    unsigned limit = 0;
    for (int c = host_getchar(); c >= '0' && c <= '9'; c = host_getchar()) limit = limit * 10 + (unsigned)(c - '0');
    if (limit == 0) limit = 1000;
    unsigned count = 0, product = 1;
    for (unsigned n = 2; n < limit; n++) {
        if (!is_prime(n)) continue;
        say(n);
        host_putchar(' ');
        product *= n;
        count++;
    }
    SAY("\n");
    say(count);
    SAY(" primes, product modulo 2^32: ");
    say(product);
    SAY("\n");
    return 0;
}
