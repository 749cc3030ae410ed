//! `dsp` against sums in f64, within bounds in units of the last place, or exactly in i64.

use std::f64::consts::TAU;

use crate::driver::{Called, Calls, Target, native_and_machine};
use crate::random::Random;
use crate::{args, bytes};

const A: u32 = 0;
const B: u32 = 16 << 10;
const OUT: u32 = 32 << 10;
const STATE: u32 = 60 << 10;

/// Samples: noise, a tone, extremes, or an impulse.
fn samples(random: &mut Random, count: usize) -> Vec<i16> {
    let kind = random.below(4);
    let (phase, step) = (random.below(100) as f64, random.below(1000) as f64 / 1000.0);
    let sample = |i: usize, random: &mut Random| match kind {
        0 => random.next() as i16,
        1 => (32_767.0 * (phase + step * i as f64).sin()) as i16,
        2 => [i16::MIN, i16::MAX][random.below(2)],
        _ => i16::from(i == 0) * i16::MIN,
    };
    (0..count).map(|i| sample(i, random)).collect()
}

fn saturate(value: i64) -> i16 {
    value.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// A sum of products of Q15, rounded to nearest, halves up.
fn round(sum: i64) -> i16 {
    saturate((sum + (1 << 14)).div_euclid(1 << 15))
}

fn product(a: i16, b: i16) -> i64 {
    i64::from(a) * i64::from(b)
}

/// Reads numbers of `size` bytes; each must be within `bound` of what is expected.
fn near(calls: &mut Calls, offset: u32, size: usize, expected: Vec<f64>, bound: f64) {
    calls.reads_with(offset, size * expected.len(), move |found| {
        for (at, (number, expected)) in found.chunks(size).zip(&expected).enumerate() {
            let number = match number {
                [a, b] => f64::from(i16::from_le_bytes([*a, *b])),
                _ => f64::from(i32::from_le_bytes(number.try_into().expect("four bytes"))),
            };
            if (number - expected).abs() > bound {
                return Err(format!("number {at} is {number}, not {expected}"));
            }
        }
        Ok(())
    });
}

/// The transform divided by its length, and its limits.
fn transformed(input: &[f64], sign: f64, most: f64) -> Vec<f64> {
    let count = input.len() / 2;
    let turns: Vec<(f64, f64)> = (0..count)
        .map(|i| (TAU * i as f64 / count as f64).sin_cos())
        .collect();
    let mut output = vec![];
    for k in 0..count {
        let (mut real, mut imaginary) = (0.0, 0.0);
        for (i, pair) in input.chunks(2).enumerate() {
            let (sin, cos) = turns[i * k % count];
            real += pair[0] * cos - sign * pair[1] * sin;
            imaginary += pair[1] * cos + sign * pair[0] * sin;
        }
        output.extend([real, imaginary].map(|part| (part / count as f64).clamp(-most - 1.0, most)));
    }
    output
}

/// The bound of an error in units of the last place, for each stage: half a unit by its rounding,
/// and half the error of a root of unity, whose parts are rounded, times the magnitude of a number.
const STAGE: f64 = 0.86;

/// Complex samples within the unit circle: real ones, or both parts less than sqrt(1/2).
fn complex(random: &mut Random, count: usize) -> Vec<i16> {
    let is_real = random.below(2) == 0;
    let samples = samples(random, count).into_iter().enumerate();
    let part = |(i, sample): (usize, i16)| match is_real {
        true => sample * i16::from(i % 2 == 0),
        false => ((i32::from(sample) * 23_169) >> 15) as i16,
    };
    samples.map(part).collect()
}

fn fourier(calls: &mut Calls, random: &mut Random, log2: u32) {
    let count = 2usize << log2;
    let bound = STAGE * f64::from(log2) + 1e-3;
    for (name, sign) in [("fft_q15", -1.0), ("ifft_q15", 1.0)] {
        let input = complex(random, count);
        calls.write(A, &bytes!(input));
        calls.call(name, args![A, log2]);
        let input: Vec<f64> = input.into_iter().map(f64::from).collect();
        near(calls, A, 2, transformed(&input, sign, 32_767.0), bound);
    }
    for (name, sign) in [("fft_q31", -1.0), ("ifft_q31", 1.0)] {
        let input: Vec<i32> = complex(random, count)
            .iter()
            .map(|&s| (i32::from(s) << 16) | (0x1234 * i32::from(s != 0)))
            .collect();
        calls.write(A, &bytes!(input));
        calls.call(name, args![A, log2]);
        let input: Vec<f64> = input.into_iter().map(f64::from).collect();
        near(
            calls,
            A,
            4,
            transformed(&input, sign, f64::from(i32::MAX)),
            bound,
        );
    }
}

fn cosines(calls: &mut Calls, random: &mut Random, log2: u32) {
    let log2 = log2.min(8);
    let count = 1usize << log2;
    let input = samples(random, count);
    calls.write(A, &bytes!(input));
    let basis = |i: usize, k: usize| (TAU * ((2 * i + 1) * k) as f64 / (4 * count) as f64).cos();
    let sum = |term: &dyn Fn(usize) -> f64| (0..count).map(term).sum::<f64>();
    calls.call("dct_q15", args![A, OUT, log2]);
    let forward = (0..count).map(|k| sum(&|i| f64::from(input[i]) * basis(i, k)) / count as f64);
    near(
        calls,
        OUT,
        2,
        forward.map(|x| x.min(32_767.0)).collect(),
        1.5,
    );
    // Coefficients that fall, as those of signals do.
    let falling: Vec<i16> = input
        .iter()
        .enumerate()
        .map(|(k, &x)| x / (2 * k as i16 + 2).max(2))
        .collect();
    calls.write(B, &bytes!(falling));
    calls.call("idct_q15", args![B, OUT, log2]);
    let inverse = (0..count).map(|i| {
        let rest = sum(&|k| {
            if k == 0 {
                0.0
            } else {
                f64::from(falling[k]) * basis(i, k)
            }
        });
        (f64::from(falling[0]) + 2.0 * rest).clamp(-32_768.0, 32_767.0)
    });
    let inverse: Vec<f64> = inverse.collect();
    // Each product's error is that of the basis, half of 2^-15.
    let bound = 1.0 + falling.iter().map(|&x| f64::from(x).abs()).sum::<f64>() / 32_768.0;
    near(calls, OUT, 2, inverse, bound);
}

fn tones(calls: &mut Calls, random: &mut Random, log2: u32) {
    let count = random.below(2 << log2);
    let (input, step) = (samples(random, count), random.next() as u32);
    calls.write(A, &bytes!(input));
    let turn = |i: usize| TAU * f64::from((i as u32).wrapping_mul(step)) / 2f64.powi(32);
    let parts = [f64::cos as fn(f64) -> f64, |x| -x.sin()].map(|part| {
        let terms = input
            .iter()
            .enumerate()
            .map(|(i, &x)| f64::from(x) * part(turn(i)));
        terms.sum::<f64>()
    });
    calls.call("goertzel_q15", args![A, count as u32, step, OUT]);
    // The error of a sine is less than a unit, 2^-15.
    let bound = 1.0 + input.iter().map(|&x| f64::from(x).abs()).sum::<f64>() / 32_768.0;
    near(calls, OUT, 4, parts.to_vec(), bound);
    let phase = random.next() as u32;
    let sine = 32_768.0 * (TAU * f64::from(phase) / 2f64.powi(32)).sin();
    calls.returns_u64("sine_q15", args![phase], move |found| {
        let found = f64::from(found as u32 as i32);
        let is_near = (found - sine).abs() <= 1.0;
        is_near
            .then_some(())
            .ok_or(format!("returns {found}, not {sine}"))
    });
}

fn windows(calls: &mut Calls, random: &mut Random, log2: u32) {
    let count = random.below(2 << log2);
    for (kind, a) in [
        [0.5, 0.5, 0.0],
        [0.54, 0.46, 0.0],
        [0.42, 0.5, 0.08],
        [1.0, 0.0, 0.0],
    ]
    .into_iter()
    .enumerate()
    {
        calls.write(OUT, &vec![0xff; 2 * count + 2]);
        calls.call("window_q15", args![kind as u32, OUT, count as u32]);
        let window = (0..count).map(|i| match count {
            1 => 32_767.0,
            _ => {
                let x = TAU * i as f64 / (count - 1) as f64;
                (32_768.0 * (a[0] - a[1] * x.cos() + a[2] * (2.0 * x).cos())).min(32_767.0)
            }
        });
        near(calls, OUT, 2, window.chain([-1.0]).collect(), 2.5);
    }
}

fn filters(calls: &mut Calls, random: &mut Random, log2: u32) {
    let (taps, count) = (1 + random.below(20), random.below(1 << log2));
    let (coefficients, input) = (samples(random, taps), samples(random, count + taps - 1));
    let expected: Vec<i16> = (0..count)
        .map(|i| {
            round(
                (0..taps)
                    .map(|k| product(coefficients[k], input[i + taps - 1 - k]))
                    .sum(),
            )
        })
        .collect();
    calls.write(A, &bytes!(coefficients));
    calls.write(B, &bytes!(input));
    calls.call("fir_q15", args![A, taps as u32, B, OUT, count as u32]);
    calls.reads(OUT, &bytes!(expected));

    let [wide_coefficients, wide_input] = [&coefficients, &input].map(|s| {
        s.iter()
            .map(|&s| i32::from(s) << 16 | random.below(65_536) as i32)
            .collect::<Vec<_>>()
    });
    let exact = (0..count).map(|i| {
        let terms = (0..taps)
            .map(|k| f64::from(wide_coefficients[k]) * f64::from(wide_input[i + taps - 1 - k]));
        (terms.sum::<f64>() / 2f64.powi(31)).clamp(f64::from(i32::MIN), f64::from(i32::MAX))
    });
    let exact: Vec<f64> = exact.collect();
    calls.write(A, &bytes!(wide_coefficients));
    calls.write(B, &bytes!(wide_input));
    calls.call("fir_q31", args![A, taps as u32, B, OUT, count as u32]);
    near(calls, OUT, 4, exact, 0.5 + taps as f64 / 32_768.0 + 1e-3);

    let (a, b) = (samples(random, taps), samples(random, count + 1));
    let convolved: Vec<i16> = (0..taps + count)
        .map(|i| {
            let pairs = (0..taps).filter_map(|k| Some((k, b.get(i.checked_sub(k)?)?)));
            round(pairs.map(|(k, &b)| product(a[k], b)).sum())
        })
        .collect();
    calls.write(A, &bytes!(a));
    calls.write(B, &bytes!(b));
    calls.call(
        "convolve_q15",
        args![A, taps as u32, B, count as u32 + 1, OUT],
    );
    calls.reads(OUT, &bytes!(convolved));
    let products: Vec<i16> = a
        .iter()
        .zip(&b)
        .map(|(&a, &b)| round(product(a, b)))
        .collect();
    calls.call("multiply_q15", args![A, B, A, products.len() as u32]);
    calls.reads(A, &bytes!(products));
}

/// A section of second order, by its equation.
fn section(c: &[i16], state: &mut [i16], x: i16) -> i16 {
    let sum = product(c[0], x) + product(c[1], state[0]) + product(c[2], state[1])
        - product(c[3], state[2])
        - product(c[4], state[3]);
    let y = saturate((sum + (1 << 13)).div_euclid(1 << 14));
    state.copy_from_slice(&[x, state[0], y, state[2]]);
    y
}

fn sections(calls: &mut Calls, random: &mut Random, log2: u32) {
    let (count, sections) = (random.below(1 << log2), 1 + random.below(3));
    let coefficients = samples(random, 5 * sections);
    let (mut state, mut data) = (samples(random, 4 * sections), samples(random, count));
    calls.write(A, &bytes!(coefficients));
    calls.write(STATE, &bytes!(state));
    calls.write(B, &bytes!(data));
    calls.call(
        "biquad_q15",
        args![A, STATE, sections as u32, B, count as u32],
    );
    for (c, state) in coefficients.chunks(5).zip(state.chunks_mut(4)) {
        data.iter_mut().for_each(|x| *x = section(c, state, *x));
    }
    calls.reads(B, &bytes!(data));
    calls.reads(STATE, &bytes!(state));
}

fn resampling(calls: &mut Calls, random: &mut Random, log2: u32) {
    let (in_count, count) = (1 + random.below(1 << log2), random.below(1 << log2));
    let (input, step) = (samples(random, in_count), random.below(1 << 18) as u32);
    calls.write(A, &bytes!(input));
    calls.call(
        "resample_linear_q15",
        args![A, in_count as u32, step, OUT, count as u32],
    );
    let value = |i: usize| {
        let position = i as f64 * f64::from(step) / 65_536.0;
        let at = position as usize;
        let first = f64::from(*input.get(at).unwrap_or(&input[in_count - 1]));
        let second = input.get(at + 1).map_or(first, |&s| s.into());
        first + (second - first) * position.fract()
    };
    // Half a unit, and the last bit of the place between samples that differ by up to 2 units.
    near(calls, OUT, 2, (0..count).map(value).collect(), 1.6);

    let (taps, up, down) = (
        1 + random.below(8),
        1 + random.below(7),
        1 + random.below(9),
    );
    let coefficients = samples(random, taps * up);
    let input = samples(random, taps + count * down / up + 1);
    let expected: Vec<i16> = (0..count)
        .map(|m| {
            let (n, phase) = (m * down / up, m * down % up);
            round(
                (0..taps)
                    .map(|k| product(coefficients[phase + k * up], input[n + taps - 1 - k]))
                    .sum(),
            )
        })
        .collect();
    calls.write(A, &bytes!(coefficients));
    calls.write(B, &bytes!(input));
    let arguments = args![A, taps as u32, up as u32, down as u32, B, OUT, count as u32];
    calls.call("resample_q15", arguments);
    calls.reads(OUT, &bytes!(expected));
}

pub(crate) fn all(target: Target) -> Called {
    let mut random = Random::new(13);
    let mut calls = Calls::new("dsp", target);
    let functions = [
        fourier, cosines, tones, windows, filters, sections, resampling,
    ];
    for log2 in 0..target.cases(11, 5) as u32 {
        for _ in 0..target.cases(12, 1) {
            for function in functions {
                function(&mut calls, &mut random, log2);
            }
        }
    }
    calls.run()
}

native_and_machine!(all);
