#include <stdio.h>

int main(void) {
    printf("hello from %s\n", "C");
    return 0;
}
