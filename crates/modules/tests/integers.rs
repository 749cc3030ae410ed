//! The integers of `math` against Rust's 128-bit arithmetic.

use crate::args;
use crate::driver::{Argument, Called, Calls, NOWHERE, Target, native_and_machine};
use crate::random::Random;

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn power(base: u128, exponent: u64, m: u128) -> u128 {
    // Squares of numbers below 2^64 fit.
    let mut power = 1 % m;
    for bit in (0..64).rev() {
        power = power * power % m;
        if exponent >> bit & 1 == 1 {
            power = power * (base % m) % m;
        }
    }
    power
}

/// By trial division.
fn is_prime(n: u64) -> bool {
    n > 1
        && (2..)
            .take_while(|d| d * d <= n)
            .all(|d| !n.is_multiple_of(d))
}

/// The least exponent whose power reaches n; `None` of 0.
fn ceil_log(base: u128, n: u64) -> Option<i32> {
    let powers = std::iter::successors(Some(1u128), |power| Some(power * base));
    (n > 0).then(|| powers.take_while(|&power| power < u128::from(n)).count() as i32)
}

fn floor_log(base: u32, n: u64) -> i32 {
    n.checked_ilog(u64::from(base)).map_or(-1, |log| log as i32)
}

fn quotients(calls: &mut Calls, random: &mut Random) {
    let (a, b) = (random.wide(), random.wide());
    let [wide_a, wide_b] = [a, b].map(u128::from);
    let [signed_a, signed_b] = [a as i64, b as i64];
    calls.returns("mul_u64", args![a, b], a.wrapping_mul(b));
    calls.returns(
        "mul_high_u64",
        args![a, b],
        ((wide_a * wide_b) >> 64) as u64,
    );
    let product = i128::from(signed_a) * i128::from(signed_b);
    calls.returns("mul_high_i64", args![a, b], (product >> 64) as i64);
    if b == 0 {
        return;
    }
    calls.returns("div_u64", args![a, b], a / b);
    calls.returns("rem_u64", args![a, b], a % b);
    if let Some(quotient) = signed_a.checked_div(signed_b) {
        calls.returns("div_i64", args![a, b], quotient);
    }
    calls.returns("rem_i64", args![a, b], signed_a.wrapping_rem(signed_b));
    let (high, low) = (random.wide() % b, random.wide());
    let dividend = u128::from(high) << 64 | u128::from(low);
    let to = [64, NOWHERE][random.below(2)];
    let quotient = (dividend / wide_b) as u64;
    calls.returns("div_wide_u64", args![high, low, b, to], quotient);
    if to != NOWHERE {
        calls.reads(to, &((dividend % wide_b) as u64).to_le_bytes());
    }
}

fn roots_and_logarithms(calls: &mut Calls, random: &mut Random) {
    let n = match random.below(3) {
        0 => {
            let root = u64::from(random.word());
            (root * root)
                .wrapping_add(random.next() % 3)
                .wrapping_sub(1)
        }
        1 => {
            let ten = 10u64.pow(random.below(20) as u32);
            ten.wrapping_add(random.next() % 3).wrapping_sub(1)
        }
        _ => random.wide(),
    };
    let word = n as u32;
    calls.returns("isqrt_u64", args![n], n.isqrt() as u32);
    calls.returns("isqrt_u32", args![word], word.isqrt());
    calls.returns("floor_log2_u64", args![n], floor_log(2, n));
    calls.returns("floor_log10_u64", args![n], floor_log(10, n));
    calls.returns("ceil_log2_u64", args![n], ceil_log(2, n).unwrap_or(-1));
    calls.returns("ceil_log10_u64", args![n], ceil_log(10, n).unwrap_or(-1));
    let n = u64::from(word);
    calls.returns("floor_log2_u32", args![word], floor_log(2, n));
    calls.returns("floor_log10_u32", args![word], floor_log(10, n));
    calls.returns("ceil_log2_u32", args![word], ceil_log(2, n).unwrap_or(-1));
    calls.returns("ceil_log10_u32", args![word], ceil_log(10, n).unwrap_or(-1));
    let (base, exponent) = (random.wide(), random.word());
    calls.returns(
        "ipow_u64",
        args![base, exponent],
        base.wrapping_pow(exponent),
    );
    calls.returns(
        "ipow_u32",
        args![word, exponent],
        word.wrapping_pow(exponent),
    );
}

fn divisors(calls: &mut Calls, random: &mut Random) {
    let common = random.wide() >> 33;
    let [a, b] = [(); 2].map(|()| match random.below(2) {
        0 => random.wide(),
        _ => common.wrapping_mul(random.wide() >> 36),
    });
    let [wide_a, wide_b] = [a, b].map(u128::from);
    calls.returns("gcd_u64", args![a, b], gcd(wide_a, wide_b) as u64);
    let lcm = if a == 0 || b == 0 {
        0
    } else {
        wide_a / gcd(wide_a, wide_b) * wide_b
    };
    calls.returns("lcm_u64", args![a, b], u64::try_from(lcm).unwrap_or(0));
    let [a, b] = [random.word(), random.word()];
    let [wide_a, wide_b] = [a, b].map(u128::from);
    calls.returns("gcd_u32", args![a, b], gcd(wide_a, wide_b) as u32);
    let lcm = if a == 0 || b == 0 {
        0
    } else {
        wide_a / gcd(wide_a, wide_b) * wide_b
    };
    calls.returns("lcm_u32", args![a, b], lcm as u64);
}

/// An inverse is what it must be, and there is one if and only if the numbers are coprime.
fn inverse(found: u64, a: u64, m: u64) -> Result<(), String> {
    let is_right = match gcd(a.into(), m.into()) {
        1 if m > 1 => found < m && u128::from(found) * u128::from(a) % u128::from(m) == 1,
        _ => found == 0,
    };
    is_right.then_some(()).ok_or(format!("returns {found}"))
}

fn modular(calls: &mut Calls, random: &mut Random) {
    let (a, b, m) = (random.wide(), random.wide(), random.wide().max(1));
    let wide = u128::from(m);
    let product = u128::from(a) * u128::from(b) % wide;
    calls.returns("mul_mod_u64", args![a, b, m], product as u64);
    let sum = (u128::from(a % m) + u128::from(b % m)) % wide;
    calls.returns("add_mod_u64", args![a % m, b % m, m], sum as u64);
    let exponent = random.wide() >> 32;
    let result = power(a.into(), exponent, wide) as u64;
    calls.returns("pow_mod_u64", args![a, exponent, m], result);
    calls.returns_u64("inverse_mod_u64", args![a, m], move |found| {
        inverse(found, a, m)
    });
    let (a, b, m) = (random.word(), random.word(), random.word().max(1));
    let wide = u128::from(m);
    let product = u128::from(a) * u128::from(b) % wide;
    calls.returns("mul_mod_u32", args![a, b, m], product as u32);
    let sum = (u128::from(a % m) + u128::from(b % m)) % wide;
    calls.returns("add_mod_u32", args![a % m, b % m, m], sum as u32);
    let result = power(a.into(), b.into(), wide) as u32;
    calls.returns("pow_mod_u32", args![a, b, m], result);
    calls.returns_u64("inverse_mod_u32", args![a, m], move |found| {
        inverse(found, a.into(), m.into())
    });
}

pub(crate) fn all(target: Target) -> Called {
    let mut random = Random::new(3);
    let mut calls = Calls::new("math", target);
    for _ in 0..target.cases(3000, 12) {
        for functions in [quotients, roots_and_logarithms, divisors, modular] {
            functions(&mut calls, &mut random);
        }
    }
    calls.run()
}

native_and_machine!(all);

/// Composites that deceive Miller and Rabin's test: the least that pass by the first 1, 2, 3, 4, 5,
/// 6, 7 and 9 primes (OEIS A014233), by 2, 7 and 61 (Jaeschke), and three that pass by two of
/// these. Then Carmichael numbers of many factors (OEIS A006931), (2^16 + 1)^2, and 2^64 - 1.
const COMPOSITES: [u64; 17] = [
    2047,
    1_373_653,
    25_326_001,
    3_215_031_751,
    2_152_302_898_747,
    3_474_749_660_383,
    341_550_071_728_321,
    3_825_123_056_546_413_051,
    4_759_123_141,
    2_284_453,
    916_327,
    79_381,
    825_265,
    5_394_826_801,
    1_436_697_831_295_441,
    4_295_098_369,
    18_446_744_073_709_551_615,
];

/// Primes next to 2^32, 2^63 and 2^64 (OEIS A014234, A014210), a Mersenne prime, and others.
const PRIMES: [u64; 8] = [
    4_294_967_291,
    4_294_967_311,
    9_223_372_036_854_775_783,
    9_223_372_036_854_775_837,
    18_446_744_073_709_551_557,
    2_305_843_009_213_693_951,
    67_280_421_310_721,
    1_000_000_007,
];

#[test]
fn primes() {
    let mut calls = Calls::new("math", Target::Native);
    let mut random = Random::new(4);
    for n in (0..5000).chain((0..300).map(|_| random.next() >> 32)) {
        let expected = i32::from(is_prime(n));
        calls.returns("is_prime_u32", args![n as u32], expected);
        calls.returns("is_prime_u64", args![n], expected);
    }
    for _ in 0..300 {
        let n = random.next() >> 24;
        calls.returns("is_prime_u64", args![n], i32::from(is_prime(n)));
    }
    for n in COMPOSITES {
        calls.returns("is_prime_u64", args![n], 0);
    }
    for n in PRIMES {
        calls.returns("is_prime_u64", args![n], 1);
    }
    for [a, b] in [
        [4_294_967_291u64, 4_294_967_279],
        [3_037_000_493, 3_037_000_493],
    ] {
        calls.returns("is_prime_u64", args![a * b], 0);
    }
    calls.run();
}

#[test]
fn primes_through_the_weights() {
    few_primes(Target::Machine);
}

pub(crate) fn few_primes(target: Target) -> Called {
    let mut calls = Calls::new("math", target);
    for n in [
        0,
        1,
        2,
        221,
        289,
        25_326_001,
        3_215_031_751,
        4_294_967_291u64,
    ] {
        calls.returns("is_prime_u32", args![n as u32], i32::from(is_prime(n)));
    }
    calls.returns("is_prime_u64", args![COMPOSITES[4]], 0);
    calls.returns("is_prime_u64", args![PRIMES[4]], 1);
    calls.run()
}

/// The arguments on which manifests state a trap.
#[test]
fn traps() {
    let cases: [(&str, &[Argument]); 9] = [
        ("div_u64", args![1u64, 0u64]),
        ("rem_u64", args![1u64, 0u64]),
        ("div_i64", args![i64::MIN, -1i64]),
        ("rem_i64", args![1u64, 0u64]),
        ("div_wide_u64", args![5u64, 0u64, 5u64, NOWHERE]),
        ("mul_mod_u32", args![1, 1, 0]),
        ("pow_mod_u64", args![1u64, 1u64, 0u64]),
        ("inverse_mod_u32", args![1, 0]),
        ("mul_mod_u64", args![1u64, 1u64, 0u64]),
    ];
    for target in [Target::Machine, Target::Imported] {
        for (name, arguments) in cases {
            let mut calls = Calls::new("math", target);
            calls.call(name, arguments);
            calls.traps();
        }
    }
}
