/* The shortest program that prints a number with a C library. */
#include <stdio.h>

int main(void) {
    printf("%d\n", 12345);
    return 0;
}
