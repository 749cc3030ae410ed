/* The fixed part of a driver: requests from stdin, replies to stdout, memory for the arguments.
 *
 *   W offset count bytes...    writes to the memory
 *   P offset target            writes a pointer to the memory
 *   R offset count             replies with bytes of the memory
 *   C number arguments...      calls a function; replies with its result
 *   T number arguments...      the same, with a mark among the replies before the call and after it
 *   N                          replies with two marks
 *
 * All numbers are little-endian, of 4 bytes; arguments and results of 64 bits have 8. A pointer is an offset into the
 * memory, NOWHERE is NULL, and a callback is its number. */
#include <stdint.h>

#define MEMORY 65536
#define NOWHERE 0xffffffffu

static uint8_t memory[MEMORY] __attribute__((aligned(16)));

#if defined(__wasm__)
__attribute__((import_module("env"), import_name("putchar"))) void host_putchar(int byte);
__attribute__((import_module("env"), import_name("getchar"))) int host_getchar(void);
#define DRIVER_ENTRY __attribute__((export_name("_start"))) void driver_entry(void)
#define DRIVER_DONE return
#else
#include <stdio.h>
#define host_putchar putchar
#define host_getchar getchar
#define DRIVER_ENTRY int main(void)
#define DRIVER_DONE return 0
#endif

static uint32_t get32(void) {
    uint32_t word = 0;
    for (int i = 0; i < 32; i += 8) word |= (uint32_t)(uint8_t)host_getchar() << i;
    return word;
}

static void put32(uint32_t word) {
    for (int i = 0; i < 4; i++, word >>= 8) host_putchar((int)(word & 255));
}

__attribute__((unused)) static uint64_t get64(void) {
    uint64_t low = get32();
    return low | (uint64_t)get32() << 32;
}

__attribute__((unused)) static void put64(uint64_t value) {
    put32((uint32_t)value);
    put32((uint32_t)(value >> 32));
}

__attribute__((unused)) static double get_f64(void) {
    union {
        uint64_t bits;
        double value;
    } both = {get64()};
    return both.value;
}

__attribute__((unused)) static void put_f64(double value) {
    union {
        double value;
        uint64_t bits;
    } both = {value};
    put64(both.bits);
}

__attribute__((unused)) static float get_f32(void) {
    union {
        uint32_t bits;
        float value;
    } both = {get32()};
    return both.value;
}

__attribute__((unused)) static void put_f32(float value) {
    union {
        float value;
        uint32_t bits;
    } both = {value};
    put32(both.bits);
}

static void *at(uint32_t offset) { return offset == NOWHERE ? 0 : memory + offset; }

__attribute__((unused)) static void put_pointer(const void *pointer) {
    put32(pointer == 0 ? NOWHERE : (uint32_t)((const uint8_t *)pointer - memory));
}

/* Callbacks: ascending and descending words, words by their low bytes, bytes, records of three bytes by their first. */
static int compare_words(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}
static int compare_descending(const void *a, const void *b) { return compare_words(b, a); }
static int compare_bytes(const void *a, const void *b) { return *(const uint8_t *)a - *(const uint8_t *)b; }

__attribute__((unused)) static int (*const callbacks[])(const void *, const void *) = {
    compare_words,
    compare_descending,
    compare_bytes,
};

static int is_marked;

/* Between two marks there are the tokens of a call. */
static void mark(void) {
    if (is_marked) host_putchar('|');
}

static void call(uint32_t number);

DRIVER_ENTRY {
    for (;;) {
        int request = host_getchar();
        if (request == 'W') {
            uint32_t offset = get32(), count = get32();
            for (uint32_t i = 0; i < count; i++) memory[offset + i] = (uint8_t)host_getchar();
        } else if (request == 'P') {
            void **pointer = at(get32());
            *pointer = at(get32());
        } else if (request == 'R') {
            uint32_t offset = get32(), count = get32();
            for (uint32_t i = 0; i < count; i++) host_putchar(memory[offset + i]);
        } else if (request == 'C' || request == 'T') {
            is_marked = request == 'T';
            call(get32());
        } else if (request == 'N') {
            is_marked = 1;
            mark();
            mark();
        } else {
            DRIVER_DONE;
        }
    }
}
