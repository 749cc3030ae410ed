// Runs the Wren program on the standard input.
#include <stdio.h>
#include "wren.h"

static void write(WrenVM *vm, const char *text) { fputs(text, stdout); }

static void problem(WrenVM *vm, WrenErrorType type, const char *module, int line, const char *text) {
    fprintf(stderr, "%d: %s\n", line, text);
}

int main(void) {
    static char text[1 << 14];
    fread(text, 1, sizeof text - 1, stdin);
    WrenConfiguration configuration;
    wrenInitConfiguration(&configuration);
    configuration.writeFn = write;
    configuration.errorFn = problem;
    WrenVM *vm = wrenNewVM(&configuration);
    WrenInterpretResult result = wrenInterpret(vm, text);
    wrenFreeVM(vm);
    return result;
}
