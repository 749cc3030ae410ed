/* What every program imports, and how it prints. */
#ifndef HOST_H
#define HOST_H

__attribute__((import_module("env"), import_name("putchar"))) void host_putchar(int c);
/* The next byte of the input, -1 at its end. */
__attribute__((import_module("env"), import_name("getchar"))) int host_getchar(void);

#define EXPORT(name) __attribute__((export_name(name)))
#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))

/* Prints a literal. The loop is unrolled: a constant and a call a byte are cheaper than walking over a string. */
#define SAY(literal)                                                                                                   \
    do {                                                                                                               \
        _Pragma("clang loop unroll(full)") for (unsigned say_i = 0; say_i + 1 < sizeof(literal); say_i++)              \
            host_putchar((unsigned char)(literal)[say_i]);                                                             \
    } while (0)

/* The compiler knows nothing of the result: keeps it from turning `x + x` into a shift, or a sum into a product. */
INLINE unsigned opaque(unsigned x) {
    __asm__("" : "+r"(x));
    return x;
}

INLINE unsigned twice(unsigned x) { return x + opaque(x); }

/* Prints a text that is seldom needed: few instructions, many steps. */
NOINLINE __attribute__((unused)) void say_text(const char *text) {
    for (; *text != 0; text++) host_putchar((unsigned char)*text);
}

/* Prints n < 100 in decimal, without a division. */
INLINE void say_below_100(unsigned n) {
    unsigned tens = '0';
    while (n >= 10) {
        n = opaque(n - 10);
        tens++;
    }
    if (tens != '0') host_putchar((int)tens);
    host_putchar((int)('0' + n));
}

#endif
