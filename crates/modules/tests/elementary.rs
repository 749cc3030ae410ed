//! The functions of f64 in `math`: exact ones against Rust, the others against astro-float.

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use astro_float_num::{BigFloat, Consts, RoundingMode, Sign};

use crate::args;
use crate::driver::{Argument, Called, Calls, Target};
use crate::random::Random;

/// Bits of the reference, of which even a sine near a multiple of pi has enough.
const PRECISION: usize = 320;
const ROUNDING: RoundingMode = RoundingMode::ToEven;

/// The greatest error in units in the last place that the page of the module states.
const BOUND: f64 = 0.51;

/// A function of `math` and its reference, of two arguments if it has them.
struct Elementary {
    name: &'static str,
    arguments: usize,
    exact: fn(&BigFloat, &BigFloat, &mut Consts) -> BigFloat,
}

const P: usize = PRECISION;
const R: RoundingMode = ROUNDING;

const ELEMENTARY: [Elementary; 8] = [
    Elementary {
        name: "exp",
        arguments: 1,
        exact: |x, _, c| x.exp(P, R, c),
    },
    Elementary {
        name: "log",
        arguments: 1,
        exact: |x, _, c| x.ln(P, R, c),
    },
    Elementary {
        name: "cbrt",
        arguments: 1,
        exact: |x, _, _| x.cbrt(P, R),
    },
    Elementary {
        name: "sin",
        arguments: 1,
        exact: |x, _, c| x.sin(P, R, c),
    },
    Elementary {
        name: "cos",
        arguments: 1,
        exact: |x, _, c| x.cos(P, R, c),
    },
    Elementary {
        name: "tan",
        arguments: 1,
        exact: |x, _, c| x.tan(P, R, c),
    },
    Elementary {
        name: "pow",
        arguments: 2,
        exact: power,
    },
    Elementary {
        name: "atan2",
        arguments: 2,
        exact: angle,
    },
];

fn power(x: &BigFloat, y: &BigFloat, c: &mut Consts) -> BigFloat {
    let power = x.abs().pow(y, P, R, c);
    let is_odd = y
        .rem(&BigFloat::from_f64(2.0, P))
        .abs()
        .cmp(&BigFloat::from_f64(1.0, P))
        == Some(0);
    if x.is_negative() && is_odd {
        power.neg()
    } else {
        power
    }
}

/// A number exactly. astro-float 0.3 reads subnormal f64 wrongly, so they are read scaled.
fn big(x: f64) -> BigFloat {
    let by = 2f64.powi(if x.is_normal() { 0 } else { 200 });
    BigFloat::from_f64(x * by, P).div(&BigFloat::from_f64(by, P), P, R)
}

/// The arctangent of y / x, from which pi is away if x is negative.
fn angle(y: &BigFloat, x: &BigFloat, c: &mut Consts) -> BigFloat {
    let angle = y.div(x, P, R).atan(P, R, c);
    if !x.is_negative() {
        return angle;
    }
    let pi = c.pi(P, R);
    let pi = if y.is_negative() { pi.neg() } else { pi };
    angle.add(&pi, P, R)
}

/// The exponent of a number's leading bit, and its value divided by that power, from 1 to 2.
fn scaled(number: &BigFloat) -> (i32, f64) {
    let (words, bits, sign, exponent, _) = number.as_raw_parts().expect("a finite number");
    if bits == 0 {
        return (-100_000, 0.0);
    }
    let upper = words.last().copied().unwrap_or(0) as f64 / 2f64.powi(63);
    (exponent - 1, if sign == Sign::Neg { -upper } else { upper })
}

/// The error of a result in units in the last place of the exact one. A result beyond the greatest
/// f64 rounds to infinity from half a unit above it on.
fn error(found: f64, exact: &BigFloat) -> f64 {
    let (exponent, _) = scaled(exact);
    let unit = exponent.max(-1022) - 52;
    let found = match found.is_infinite() {
        // The least number that does not exist, 2^1024, stands for infinity.
        true if exponent >= 1024 => return 0.0,
        true => BigFloat::from_f64(2f64.powi(1023).copysign(found), P).mul(
            &BigFloat::from_f64(2.0, P),
            P,
            R,
        ),
        false => big(found),
    };
    let (exponent, value) = scaled(&found.sub(exact, P, R));
    value.abs() * 2f64.powi((exponent - unit).clamp(-1000, 1000))
}

/// A finite argument that is worth a function's while.
fn argument(random: &mut Random, name: &str) -> f64 {
    loop {
        let sign = if random.below(2) == 0 { 1.0 } else { -1.0 };
        let fraction = (random.next() >> 11) as f64 / 2f64.powi(53);
        let x = match (name, random.below(6)) {
            ("exp", 0..=3) => sign * fraction * 760.0,
            ("pow", 0..=2) => sign * (fraction * 40.0).exp2(),
            ("pow", 3) => sign * (fraction * 20.0).floor(),
            ("log", 0..=1) => 1.0 + sign * fraction * 2f64.powi(-(random.below(52) as i32)),
            ("sin" | "cos" | "tan", 0..=1) => sign * fraction * 10.0,
            // Near multiples of pi/2.
            ("sin" | "cos" | "tan", 2) => (fraction * 1e6).floor() * std::f64::consts::FRAC_PI_2,
            ("atan2", 0..=2) => sign * fraction,
            _ => random.f64(),
        };
        if x.is_finite() && x != 0.0 && (name != "log" || x > 0.0) {
            return x;
        }
    }
}

/// Arguments that are known to be hard: the f64 nearest to a multiple of pi/2 (Kahan and McDonald),
/// results next to the limits of f64, and halfway cases.
fn hard(name: &str) -> Vec<[f64; 2]> {
    let one = |items: &[f64]| items.iter().map(|&x| [x, 1.0]).collect();
    match name {
        "sin" | "cos" | "tan" => one(&[
            6_381_956_970_095_103.0 * 2f64.powi(797),
            5_319_372_264_832_671.0 * 2f64.powi(-10),
            f64::MAX,
            1e22,
            2f64.powi(-27),
            2f64.powi(-28),
            5e-324,
            std::f64::consts::PI,
            std::f64::consts::FRAC_PI_4,
        ]),
        "exp" => one(&[
            709.782_712_893_384,
            709.782_712_893_384_1,
            -745.133_219_101_941_1,
            -745.133_219_101_941_2,
            -708.396_418_532_264_1,
            2f64.powi(-54),
            -2f64.powi(-54),
            5e-324,
            1.0,
        ]),
        "log" => one(&[
            f64::MIN_POSITIVE,
            5e-324,
            f64::MAX,
            2.0,
            1.0 + f64::EPSILON,
            1.0 - f64::EPSILON / 2.0,
        ]),
        "cbrt" => one(&[
            8.0,
            27.0,
            -1e-323,
            f64::MAX,
            1.0,
            2f64.powi(-1074),
            0.999_999_999_999_999_9,
        ]),
        "pow" => vec![
            [2.0, 1023.0],
            [2.0, 1024.0],
            [2.0, -1074.0],
            [2.0, -1075.0],
            [3.0, 2.0],
            [10.0, 22.0],
            [1.0 + f64::EPSILON, 4e18],
            [1.0 - f64::EPSILON / 2.0, 6.4e18],
            [-3.0, 33.0],
            [5e-324, 0.5],
            [f64::MAX, 0.999_999_999_999_999_9],
            [0.5, 1074.5],
        ],
        _ => vec![
            [1.0, 1.0],
            [5e-324, 5e-324],
            [5e-324, 1e300],
            [1e300, 5e-324],
            [-1e-310, 3.0],
            [-1e-300, -1.0],
            [1.0, 16.0],
            [1.0, 15.0],
            [2f64.powi(-1074), 2.0],
            [3.0 * 2f64.powi(-1074), 2.0],
        ],
    }
}

pub(crate) fn elementary(target: Target, count: usize) -> Called {
    let mut random = Random::new(5);
    let mut calls = Calls::new("math", target);
    let constants = Rc::new(RefCell::new(Consts::new().expect("memory")));
    let worst = Rc::new(RefCell::new([0f64; ELEMENTARY.len()]));
    for (at, function) in ELEMENTARY.iter().enumerate() {
        let name = function.name;
        let listed = hard(name).into_iter().take(target.cases(100, 3));
        let drawn = std::iter::repeat_with(|| {
            let first = argument(&mut random, name);
            let second = match (name, random.below(4)) {
                // Powers that do not overflow.
                ("pow", 0..=2) => {
                    let most = 1100.0 / first.abs().log2().abs().max(1e-300);
                    let part = (random.next() >> 11) as f64 / 2f64.powi(52) - 1.0;
                    (most * part).clamp(-1e300, 1e300)
                }
                _ => argument(&mut random, name),
            };
            let second = if name == "pow" && first < 0.0 {
                second.round()
            } else {
                second
            };
            [first, if second == 0.0 { 1.0 } else { second }]
        });
        let cases: Vec<[f64; 2]> = listed.chain(drawn.take(count)).collect();
        for [x, y] in cases {
            let arguments = if function.arguments == 1 {
                args![x].to_vec()
            } else {
                args![x, y].to_vec()
            };
            let (constants, worst) = (constants.clone(), worst.clone());
            calls.returns_f64(name, &arguments, move |found| {
                let [x, y] = [x, y].map(big);
                let exact = (function.exact)(&x, &y, &mut constants.borrow_mut());
                let overflows = exact.is_inf() || found.is_infinite() && scaled(&exact).0 > 1023;
                let underflows = found == 0.0 && (exact.is_zero() || scaled(&exact).0 < -1076);
                let error = match (overflows, underflows) {
                    (true, _) if found.is_infinite() => 0.0,
                    (_, true) => 0.0,
                    _ if found.is_nan() => f64::INFINITY,
                    _ => error(found, &exact),
                };
                let worst = &mut worst.borrow_mut()[at];
                *worst = worst.max(error);
                match error <= BOUND {
                    true => Ok(()),
                    false => Err(format!(
                        "returns {found:e} ({:#x}), an error of {error} ulp",
                        found.to_bits()
                    )),
                }
            });
        }
    }
    let called = calls.run();
    // By `--nocapture`, the figures of the module's page.
    for (function, worst) in ELEMENTARY.iter().zip(worst.borrow().iter()) {
        let _ = writeln!(std::io::stderr(), "{}: {worst:.4} ulp", function.name);
    }
    called
}

#[test]
fn errors_are_bounded() {
    elementary(Target::Native, 1500);
}

#[test]
#[ignore = "takes minutes: cargo test -p weightware-modules -- --ignored"]
fn errors_are_bounded_in_many_cases() {
    elementary(Target::Native, 20_000);
}

#[test]
fn errors_are_bounded_through_the_weights() {
    elementary(Target::Machine, 6);
}

pub(crate) fn exact(target: Target) -> Called {
    let mut random = Random::new(6);
    let mut calls = Calls::new("math", target);
    for _ in 0..target.cases(20_000, 40) {
        let (x, y) = (random.f64(), random.f64());
        returns(&mut calls, "sqrt", args![x], x.sqrt());
        // Squares and their neighbours.
        let root = random.f64() as f32;
        let square = f64::from(root) * f64::from(root);
        let near = f64::from_bits(
            square
                .to_bits()
                .wrapping_add(random.next() % 3)
                .wrapping_sub(1),
        );
        returns(&mut calls, "sqrt", args![near], near.sqrt());
        returns(&mut calls, "floor", args![x], x.floor());
        returns(&mut calls, "ceil", args![x], x.ceil());
        let z = y * (random.below(1000) as f64 - 500.0) / 4.0;
        for (x, y) in [(x, y), (z, y)] {
            returns(&mut calls, "fmod", args![x, y], x % y);
        }
    }
    calls.run()
}

/// A result with these bits, or any NaN.
fn returns(calls: &mut Calls, name: &str, arguments: &[Argument], expected: f64) {
    calls.returns_f64(name, arguments, move |found| {
        let is_right = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
        is_right
            .then_some(())
            .ok_or(format!("returns {found:e}, not {expected:e}"))
    });
}

#[test]
fn exact_functions() {
    exact(Target::Native);
}

#[test]
fn exact_functions_through_the_weights() {
    exact(Target::Machine);
}

/// Zeros, infinities and NaN, by annex F of the C standard, which Rust's functions follow.
#[test]
fn special_values() {
    const SPECIAL: [f64; 14] = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        2.0,
        -2.0,
        3.0,
        -3.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        9_007_199_254_740_993.0,
    ];
    for target in [Target::Native, Target::Machine] {
        let mut calls = Calls::new("math", target);
        for x in SPECIAL {
            let is_special = |result: f64| {
                result.is_nan() || result.is_infinite() || result == 0.0 || result.abs() == 1.0
            };
            let unary = [
                ("exp", x.exp()),
                ("log", x.ln()),
                ("cbrt", x.cbrt()),
                ("sin", x.sin()),
                ("cos", x.cos()),
                ("tan", x.tan()),
            ];
            for (name, expected) in unary {
                if is_special(expected) {
                    returns(&mut calls, name, args![x], expected);
                }
            }
            for y in SPECIAL {
                if is_special(x.powf(y)) {
                    returns(&mut calls, "pow", args![x, y], x.powf(y));
                }
                if [x, y]
                    .iter()
                    .any(|z| *z == 0.0 || z.is_infinite() || z.is_nan())
                {
                    returns(&mut calls, "atan2", args![x, y], x.atan2(y));
                }
                returns(&mut calls, "fmod", args![x, y], x % y);
            }
        }
        calls.run();
    }
}
