/* The shortest program that says something. */
#include "host.h"

EXPORT("main") int main(void) {
    SAY("Hello, world!\n");
    return 0;
}
