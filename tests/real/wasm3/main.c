// Interprets a module of WebAssembly: (func (export "fib") (param i32) (result i32) ...).
#include <stdio.h>
#include "m3_env.h"
#include "wasm3.h"

static const unsigned char module_bytes[] = {
    0, 'a', 's', 'm', 1, 0, 0, 0,
    1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f,
    3, 2, 1, 0,
    7, 7, 1, 3, 'f', 'i', 'b', 0, 0,
    10, 31, 1, 29, 0,
    0x20, 0, 0x41, 2, 0x49, 0x04, 0x40, 0x20, 0, 0x0f, 0x0b,
    0x20, 0, 0x41, 2, 0x6b, 0x10, 0, 0x20, 0, 0x41, 1, 0x6b, 0x10, 0, 0x6a, 0x0f, 0x0b,
};

#define TRY(call)                                                                                  \
    do {                                                                                           \
        M3Result result = (call);                                                                  \
        if (result) {                                                                              \
            fprintf(stderr, "%s: %s\n", #call, result);                                            \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

int main(void) {
    IM3Environment environment = m3_NewEnvironment();
    IM3Runtime runtime = m3_NewRuntime(environment, 4096, NULL);
    IM3Module module;
    IM3Function fib;
    TRY(m3_ParseModule(environment, &module, module_bytes, sizeof module_bytes));
    TRY(m3_LoadModule(runtime, module));
    TRY(m3_FindFunction(&fib, runtime, "fib"));
    const char *arguments[] = {"10"};
    TRY(m3_CallWithArgs(fib, 1, arguments));
    printf("fib %u\n", *(unsigned *)runtime->stack);
    return 0;
}
