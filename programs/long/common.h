/* What the programs share: random numbers, a checksum, and checks that count what does not hold. */
#ifndef COMMON_H
#define COMMON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* Marsaglia's xorshift; the state must not be 0. */
static inline uint32_t next_random(uint32_t *state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

/* 32-bit FNV-1a, a word at a time. */
static const uint32_t SUM = 2166136261u;

static inline uint32_t mix(uint32_t sum, uint32_t word) { return (sum ^ word) * 16777619u; }

static inline uint32_t mix_bytes(uint32_t sum, const void *bytes, size_t length) {
  const unsigned char *byte = bytes;
  while (length--) sum = mix(sum, *byte++);
  return sum;
}

static int failures;

static inline void check(bool holds, const char *what) {
  if (holds) return;
  failures++;
  printf("WRONG: %s\n", what);
  fprintf(stderr, "WRONG: %s\n", what);
}

/* The exit code: 0 if everything held. */
static inline int verdict(void) {
  printf(failures ? "%d checks failed\n" : "all checks hold\n", failures);
  return failures != 0;
}

#endif
