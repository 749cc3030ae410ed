/* Module `math`: wide integers, number theory, and elementary functions of f64 in fixed point. */
#ifndef WEIGHTWARE_MATH_H
#define WEIGHTWARE_MATH_H

#include "../module.h"

/* a b modulo 2^64. */
WEIGHTWARE_FUNCTION("math", mul_u64)
uint64_t math_mul_u64(uint64_t a, uint64_t b);

/* The upper 64 bits of the 128 of a b. */
WEIGHTWARE_FUNCTION("math", mul_high_u64)
uint64_t math_mul_high_u64(uint64_t a, uint64_t b);

/* The upper 64 bits of the signed product a b. */
WEIGHTWARE_FUNCTION("math", mul_high_i64)
int64_t math_mul_high_i64(int64_t a, int64_t b);

/* The quotient a / b, rounded down. Traps if b = 0. */
WEIGHTWARE_FUNCTION("math", div_u64)
uint64_t math_div_u64(uint64_t a, uint64_t b);

/* The remainder of a / b. Traps if b = 0. */
WEIGHTWARE_FUNCTION("math", rem_u64)
uint64_t math_rem_u64(uint64_t a, uint64_t b);

/* The quotient a / b, rounded towards 0. Traps if b = 0 or the quotient is 2^63. */
WEIGHTWARE_FUNCTION("math", div_i64)
int64_t math_div_i64(int64_t a, int64_t b);

/* The remainder of a / b, with the sign of a. Traps if b = 0. */
WEIGHTWARE_FUNCTION("math", rem_i64)
int64_t math_rem_i64(int64_t a, int64_t b);

/* The quotient of high 2^64 + low by d; writes the remainder unless the pointer is NULL. Traps if high >= d. */
WEIGHTWARE_FUNCTION("math", div_wide_u64)
uint64_t math_div_wide_u64(uint64_t high, uint64_t low, uint64_t d, uint64_t *remainder);

/* The square root of n, rounded down. */
WEIGHTWARE_FUNCTION("math", isqrt_u32)
uint32_t math_isqrt_u32(uint32_t n);

/* The square root of n, rounded down. */
WEIGHTWARE_FUNCTION("math", isqrt_u64)
uint32_t math_isqrt_u64(uint64_t n);

/* base^exponent modulo 2^32; 0^0 = 1. */
WEIGHTWARE_FUNCTION("math", ipow_u32)
uint32_t math_ipow_u32(uint32_t base, uint32_t exponent);

/* base^exponent modulo 2^64; 0^0 = 1. */
WEIGHTWARE_FUNCTION("math", ipow_u64)
uint64_t math_ipow_u64(uint64_t base, uint32_t exponent);

/* The greatest common divisor; gcd(0, n) = n. */
WEIGHTWARE_FUNCTION("math", gcd_u32)
uint32_t math_gcd_u32(uint32_t a, uint32_t b);

/* The greatest common divisor; gcd(0, n) = n. */
WEIGHTWARE_FUNCTION("math", gcd_u64)
uint64_t math_gcd_u64(uint64_t a, uint64_t b);

/* The least common multiple; 0 if a or b is 0. */
WEIGHTWARE_FUNCTION("math", lcm_u32)
uint64_t math_lcm_u32(uint32_t a, uint32_t b);

/* The least common multiple; 0 if a or b is 0, or if it is 2^64 or more. */
WEIGHTWARE_FUNCTION("math", lcm_u64)
uint64_t math_lcm_u64(uint64_t a, uint64_t b);

/* a + b modulo m, for a, b < m. */
WEIGHTWARE_FUNCTION("math", add_mod_u32)
uint32_t math_add_mod_u32(uint32_t a, uint32_t b, uint32_t m);

/* a b modulo m. Traps if m = 0. */
WEIGHTWARE_FUNCTION("math", mul_mod_u32)
uint32_t math_mul_mod_u32(uint32_t a, uint32_t b, uint32_t m);

/* base^exponent modulo m. Traps if m = 0. */
WEIGHTWARE_FUNCTION("math", pow_mod_u32)
uint32_t math_pow_mod_u32(uint32_t base, uint32_t exponent, uint32_t m);

/* The b < m with a b = 1 modulo m; 0 if there is none. Traps if m = 0. */
WEIGHTWARE_FUNCTION("math", inverse_mod_u32)
uint32_t math_inverse_mod_u32(uint32_t a, uint32_t m);

/* a + b modulo m, for a, b < m. */
WEIGHTWARE_FUNCTION("math", add_mod_u64)
uint64_t math_add_mod_u64(uint64_t a, uint64_t b, uint64_t m);

/* a b modulo m. Traps if m = 0. */
WEIGHTWARE_FUNCTION("math", mul_mod_u64)
uint64_t math_mul_mod_u64(uint64_t a, uint64_t b, uint64_t m);

/* base^exponent modulo m. Traps if m = 0. */
WEIGHTWARE_FUNCTION("math", pow_mod_u64)
uint64_t math_pow_mod_u64(uint64_t base, uint64_t exponent, uint64_t m);

/* The b < m with a b = 1 modulo m; 0 if there is none. Traps if m = 0. */
WEIGHTWARE_FUNCTION("math", inverse_mod_u64)
uint64_t math_inverse_mod_u64(uint64_t a, uint64_t m);

/* 1 if n is prime, else 0. */
WEIGHTWARE_FUNCTION("math", is_prime_u32)
int32_t math_is_prime_u32(uint32_t n);

/* 1 if n is prime, else 0. */
WEIGHTWARE_FUNCTION("math", is_prime_u64)
int32_t math_is_prime_u64(uint64_t n);

/* The logarithm of n to base 2, rounded down; -1 of 0. */
WEIGHTWARE_FUNCTION("math", floor_log2_u32)
int32_t math_floor_log2_u32(uint32_t n);

/* The logarithm of n to base 2, rounded up; -1 of 0. */
WEIGHTWARE_FUNCTION("math", ceil_log2_u32)
int32_t math_ceil_log2_u32(uint32_t n);

/* The logarithm of n to base 10, rounded down; -1 of 0. */
WEIGHTWARE_FUNCTION("math", floor_log10_u32)
int32_t math_floor_log10_u32(uint32_t n);

/* The logarithm of n to base 10, rounded up; -1 of 0. */
WEIGHTWARE_FUNCTION("math", ceil_log10_u32)
int32_t math_ceil_log10_u32(uint32_t n);

/* The logarithm of n to base 2, rounded down; -1 of 0. */
WEIGHTWARE_FUNCTION("math", floor_log2_u64)
int32_t math_floor_log2_u64(uint64_t n);

/* The logarithm of n to base 2, rounded up; -1 of 0. */
WEIGHTWARE_FUNCTION("math", ceil_log2_u64)
int32_t math_ceil_log2_u64(uint64_t n);

/* The logarithm of n to base 10, rounded down; -1 of 0. */
WEIGHTWARE_FUNCTION("math", floor_log10_u64)
int32_t math_floor_log10_u64(uint64_t n);

/* The logarithm of n to base 10, rounded up; -1 of 0. */
WEIGHTWARE_FUNCTION("math", ceil_log10_u64)
int32_t math_ceil_log10_u64(uint64_t n);

/* The square root, correctly rounded. */
WEIGHTWARE_FUNCTION("math", sqrt)
double math_sqrt(double x);

/* The greatest integer not above x. */
WEIGHTWARE_FUNCTION("math", floor)
double math_floor(double x);

/* The least integer not below x. */
WEIGHTWARE_FUNCTION("math", ceil)
double math_ceil(double x);

/* The remainder of x / y, whose quotient is rounded towards 0: exact, with the sign of x. */
WEIGHTWARE_FUNCTION("math", fmod)
double math_fmod(double x, double y);

/* e^x. */
WEIGHTWARE_FUNCTION("math", exp)
double math_exp(double x);

/* The natural logarithm. */
WEIGHTWARE_FUNCTION("math", log)
double math_log(double x);

/* x^y. */
WEIGHTWARE_FUNCTION("math", pow)
double math_pow(double x, double y);

/* The cube root. */
WEIGHTWARE_FUNCTION("math", cbrt)
double math_cbrt(double x);

/* The sine of x radians, for x of any magnitude. */
WEIGHTWARE_FUNCTION("math", sin)
double math_sin(double x);

/* The cosine of x radians, for x of any magnitude. */
WEIGHTWARE_FUNCTION("math", cos)
double math_cos(double x);

/* The tangent of x radians, for x of any magnitude. */
WEIGHTWARE_FUNCTION("math", tan)
double math_tan(double x);

/* The angle of the point (x, y), from -pi to pi. */
WEIGHTWARE_FUNCTION("math", atan2)
double math_atan2(double y, double x);

#endif
