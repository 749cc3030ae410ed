/* Loads and stores of every width: a bubble sort of bytes, 16-bit stores, signed loads, a sum of words. */
#include "host.h"

static volatile unsigned char bytes[6] = {9, 2, 7, 3, 8, 1};
static volatile int words[3] = {40, -30, 20};
static volatile unsigned short halves[2];
static volatile signed char small[2] = {-5, 12};

EXPORT("main") int main(void) {
    for (volatile unsigned char *end = bytes + 5; end != bytes; end--) {
        for (volatile unsigned char *p = bytes; p != end; p++) {
            unsigned char a = p[0], b = p[1];
            if (a > b) {
                p[0] = b;
                p[1] = a;
            }
        }
    }
    for (volatile unsigned char *p = bytes; p != bytes + 6; p++) host_putchar('0' + *p);
    SAY(" ");
    int sum = 0;
    for (volatile int *p = words; p != words + 3; p++) sum += *p;
    say_below_100((unsigned)sum);
    SAY(" ");
    halves[0] = 0x1234;
    halves[1] = (unsigned short)(halves[0] + 0xf000);
    volatile unsigned char *low = (volatile unsigned char *)halves;
    say_below_100(low[0]);
    SAY(" ");
    say_below_100(low[3]);
    SAY(" ");
    say_below_100((unsigned)(small[0] + small[1]));
    SAY("\n");
    return halves[1] == 0x0234 ? 0 : 1;
}
