/* Reads n < 48 in decimal, and prints fibonacci(n). */
#include "host.h"

NOINLINE unsigned fibonacci(unsigned n) {
    unsigned a = 0, b = 1;
    for (; n > 0; n--) {
        unsigned next = a + b;
        a = b;
        b = next;
    }
    return a;
}

NOINLINE void say(unsigned n) {
    char digits[10];
    int count = 0;
    do {
        digits[count++] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    while (count > 0) host_putchar(digits[--count]);
}

EXPORT("main") int main(void) {
    unsigned n = 0;
    for (int c = host_getchar(); c >= '0' && c <= '9'; c = host_getchar()) n = 10 * n + (unsigned)(c - '0');
    say(fibonacci(n));
    host_putchar('\n');
    return 0;
}
