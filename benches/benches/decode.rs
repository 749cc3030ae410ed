//! Benches of decoding: a fixed number of tokens from fresh state, by each engine, and the growth
//! of the time per token.
#![allow(missing_docs, reason = "criterion's macros")]

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use weightware::{Computer, Engine, Program};
use weightware_benches::{endless, program};

fn decode(computer: &Computer, program: &Program, engine: Engine, tokens: u64) -> u64 {
    let mut run = computer
        .run(program, engine, Some(tokens))
        .expect("a sound model");
    run.finish();
    run.reader().tokens()
}

fn engines(c: &mut Criterion) {
    let computer = Computer::default();
    let mut group = c.benchmark_group("decode");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5));
    for (name, program) in [
        ("fib", program("fib")),
        ("matching", program("matching")),
        ("loop", endless()),
    ] {
        for (engine, tokens) in [
            (Engine::Jit, 3_000),
            (Engine::Plan, 3_000),
            (Engine::Hull, 3_000),
            (Engine::Hardmax, 500),
            (Engine::Softmax, 500),
        ] {
            group.throughput(Throughput::Elements(tokens));
            group.bench_function(format!("{name}/{}", engine.name()), |b| {
                b.iter(|| decode(&computer, &program, engine, tokens));
            });
        }
    }
    group.finish();
}

fn scaling(c: &mut Criterion) {
    let computer = Computer::default();
    let program = endless();
    for (engine, lengths) in [
        (Engine::Jit, [50_000, 5_000_000]),
        (Engine::Plan, [50_000, 5_000_000]),
        (Engine::Hull, [50_000, 500_000]),
    ] {
        let mut group = c.benchmark_group(format!("decode_scaling/{}", engine.name()));
        group
            .sample_size(10)
            .measurement_time(Duration::from_secs(10));
        for tokens in lengths {
            group.throughput(Throughput::Elements(tokens));
            group.bench_with_input(
                BenchmarkId::from_parameter(format!("n={tokens}")),
                &tokens,
                |b, &tokens| {
                    b.iter(|| decode(&computer, &program, engine, tokens));
                },
            );
        }
        group.finish();
    }
}

criterion_group!(benches, engines, scaling);
criterion_main!(benches);
