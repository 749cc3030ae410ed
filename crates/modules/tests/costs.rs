//! The page of costs: sizes of modules, and tokens of typical calls through the weights.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use wasmparser::{Operator, Parser, Payload};
use weightware::Source;
use weightware_modules::Module;

use crate::driver::{Argument, Calls, Target, parameters};
use crate::manifests::compile;
use crate::random::Random;
use crate::{args, bytes};

/// The sizes of a compiled module.
#[derive(Default)]
struct Footprint {
    bytes: usize,
    /// Instructions of WebAssembly.
    instructions: usize,
    /// Instructions of the machine, five tokens of the prompt each.
    lowered: usize,
    /// Bytes of data.
    tables: u32,
    /// Bytes of stack of the deepest calls, without recursion.
    stack: u32,
}

/// A function's own frame, and the functions that it calls.
#[derive(Default)]
struct Frame {
    bytes: u32,
    calls: Vec<u32>,
}

/// The stack of a function and of all that it calls. A recursive call counts once.
fn depth(frames: &[Frame], function: u32, path: &mut Vec<u32>) -> u32 {
    let frame = &frames[function as usize];
    path.push(function);
    let deepest = frame
        .calls
        .iter()
        .filter(|call| !path.contains(call))
        .copied()
        .collect::<Vec<_>>();
    let below = deepest
        .into_iter()
        .map(|call| depth(frames, call, path))
        .max();
    path.pop();
    frame.bytes + below.unwrap_or(0)
}

fn footprint(module: &Module) -> Footprint {
    let wasm = compile(module, &["-DWEIGHTWARE_EXPORT", "-Wl,--strip-all"], "");
    let mut footprint = Footprint {
        bytes: wasm.len(),
        ..Footprint::default()
    };
    let mut frames = vec![];
    for payload in Parser::new(0).parse_all(&wasm) {
        match payload.expect("a valid module") {
            Payload::DataSection(section) => {
                for data in section {
                    footprint.tables += data.expect("data").data.len() as u32;
                }
            }
            Payload::CodeSectionEntry(body) => {
                let operators = body.get_operators_reader().expect("code");
                let operators: Vec<Operator> = operators
                    .into_iter()
                    .map(|o| o.expect("an operator"))
                    .collect();
                footprint.instructions += operators.len();
                let mut frame = Frame::default();
                // clang's prologue: the stack pointer, less the frame.
                if let [
                    Operator::GlobalGet { .. },
                    Operator::I32Const { value },
                    Operator::I32Sub,
                    ..,
                ] = operators[..]
                {
                    frame.bytes = value as u32;
                }
                frame
                    .calls
                    .extend(operators.iter().filter_map(|operator| match operator {
                        Operator::Call { function_index } => Some(*function_index),
                        _ => None,
                    }));
                frames.push(frame);
            }
            _ => {}
        }
    }
    let depths = (0..frames.len() as u32).map(|function| depth(&frames, function, &mut vec![]));
    footprint.stack = depths.max().unwrap_or(0);
    footprint.lowered = lowered(module);
    footprint
}

/// The instructions of a program that calls every function, without those of one that calls none.
fn lowered(module: &Module) -> usize {
    let [all, none] = [true, false].map(|is_all| {
        let chosen = if is_all { &module.functions[..] } else { &[] };
        let calls = chosen.iter().map(|function| {
            let arguments = parameters(&function.signature)
                .into_iter()
                .map(|parameter| match parameter.contains('*') {
                    true => "(void *)pointer",
                    false => "number",
                });
            let arguments: Vec<&str> = arguments.collect();
            format!(
                "    {}_{}({});\n",
                module.name,
                function.name,
                arguments.join(", ")
            )
        });
        let calls: String = calls.collect();
        let source = format!(
            "#include \"{0}/{0}.h\"\nvoid *volatile pointer;\nvolatile unsigned number;\n\
             __attribute__((export_name(\"main\"))) int main(void) {{\n{calls}    return 0;\n}}",
            module.name
        );
        let wasm = compile(module, &["-DWEIGHTWARE_LINK_STATIC"], &source);
        let source = Source::parse(&wasm).expect("a module of the machine");
        source.program(b"").code.len()
    });
    all - none
}

/// The manifests' tables and stacks are enough for what clang makes, and not several times that.
#[test]
fn manifests_state_what_modules_need() {
    for module in Module::all() {
        let footprint = footprint(module);
        for (name, stated, found) in [
            ("tables", module.tables, footprint.tables),
            ("stack", module.stack, footprint.stack),
        ] {
            assert!(
                (found..=2 * found + 256).contains(&stated),
                "{}/module.toml states {name} = {stated}, but it has {found}",
                module.name
            );
        }
    }
}

const A: u32 = 0;
const B: u32 = 16 << 10;
const C: u32 = 32 << 10;
const D: u32 = 48 << 10;

/// A call of the page: a description, what it finds in memory, its name and its arguments.
struct Call {
    described: &'static str,
    memory: Vec<(u32, Vec<u8>)>,
    name: &'static str,
    arguments: Vec<Argument>,
}

macro_rules! calls {
    ($($described:literal: $name:ident($($argument:expr),*) $(with $($at:ident = $bytes:expr),+)?;)*) => {
        vec![$(Call {
            described: $described,
            memory: vec![$($(($at, $bytes.to_vec())),+)?],
            name: stringify!($name),
            arguments: args![$($argument),*].to_vec(),
        }),*]
    };
}

fn typical(module: &str) -> Vec<Call> {
    let mut random = Random::new(14);
    let words: Vec<u32> = (0..100).map(|_| random.next() as u32).collect();
    let words = bytes!(words);
    let wide: Vec<u64> = (0..100).map(|_| random.next()).collect();
    let wide = bytes!(wide);
    let numbers: Vec<f64> = (0..100).map(|_| random.below(1000) as f64 / 8.0).collect();
    let numbers = bytes!(numbers);
    let ascending = bytes!((0..100u32).collect::<Vec<_>>());
    match module {
        "math" => calls! {
            "2^63 - 25 times 3^40": mul_u64(9_223_372_036_854_775_783u64, 12_157_665_459_056_928_801u64);
            "upper half of the same": mul_high_u64(9_223_372_036_854_775_783u64, 12_157_665_459_056_928_801u64);
            "2^63 - 25 by 10^9": div_u64(9_223_372_036_854_775_783u64, 1_000_000_000u64);
            "10^18": isqrt_u64(1_000_000_000_000_000_000u64);
            "832040 and 514229": gcd_u32(832_040, 514_229);
            "3^1000000006 modulo 10^9 + 7": pow_mod_u32(3, 1_000_000_006, 1_000_000_007);
            "2^32 - 5": is_prime_u32(4_294_967_291u32);
            "2^64 - 59": is_prime_u64(18_446_744_073_709_551_557u64);
            "2": sqrt(2.0);
            "1.5": exp(1.5);
            "1.5": log(1.5);
            "1.5^2.5": pow(1.5, 2.5);
            "2": cbrt(2.0);
            "1.5": sin(1.5);
            "1.5": cos(1.5);
            "1.5": tan(1.5);
            "(2, 1)": atan2(1.0, 2.0);
            "1.5": floor(1.5);
            "10 by 0.3": fmod(10.0, 0.3);
        },
        "sorting" => calls! {
            "100 random words": sort_i32(A, 100) with A = words;
            "100 random words": sort_i64(A, 100) with A = wide;
            "100 numbers": sort_f64(A, 100) with A = numbers;
            "100 random words, by a callback": qsort(A, 100, 4, 0) with A = words;
            "100 random words, by a callback": merge_sort(A, 100, 4, B, 0) with A = words;
            "100 random words": argsort_i32(A, 100, B, C) with A = words;
            "in 100 words": lower_bound_i32(A, 100, 70) with A = ascending;
            "the median of 100 words": select_i32(A, 100, 50) with A = words;
        },
        "crypto" => calls! {
            "0 bytes, one block": sha256(A, 0, B);
            "1000 bytes": sha256(A, 1000, B);
            "key of 32 bytes, 100 bytes": hmac_sha256(A, 32, B, 100, C);
            "a block": chacha20_block(A, 1, B, C);
            "1000 bytes": chacha20(A, 1, B, C, C, 1000);
            "1000 bytes": poly1305(A, B, 1000, C);
            "1000 bytes": crc32(0, A, 1000);
            "32 bytes": equal(A, B, 32);
        },
        "dsp" => calls! {
            "64 complex numbers": fft_q15(A, 6) with A = words;
            "256 complex numbers": fft_q15(A, 8) with A = words;
            "64 complex numbers": fft_q31(A, 6) with A = words;
            "8 samples": dct_q15(A, B, 3) with A = words;
            "100 samples": goertzel_q15(A, 100, 123_456_789, B) with A = words;
            "a Hann window of 64": window_q15(0, A, 64);
            "100 samples, 16 taps": fir_q15(A, 16, B, C, 100);
            "100 samples, 2 sections": biquad_q15(A, B, 2, C, 100);
            "100 samples at 2/3": resample_linear_q15(A, 100, 98_304, B, 60);
        },
        "strings" => calls! {
            "1000 bytes": memcpy(A, B, 1000);
            "1000 bytes": memset(A, 1, 1000);
            "13 bytes": strlen(A) with A = b"thirteen byte\0";
            "in 44 bytes": strstr(A, B) with A = b"the quick brown fox jumps over the lazy dog.\0", B = b"lazy\0";
            "\"-12345\"": strtol(A, C, 10) with A = b"-12345\0";
            "-12345": itoa(-12_345, A, 10);
            "\"2.99792\"": strtod(A, C) with A = b"3.14159\0";
            "\"6.02214076e23\"": strtod(A, C) with A = b"6.02214076e23\0";
            "0.1": dtoa(0.1, A);
            "\"%d\" of 12345": format(D, 100, A, B) with A = b"%d\0", B = 12_345u32.to_le_bytes();
            "\"%.2f\" of 2.99792": format(D, 100, A, B) with A = b"%.2f\0", B = 2.99792f64.to_le_bytes();
            "\"%g\" of 1e-300": format(D, 100, A, B) with A = b"%g\0", B = 1e-300f64.to_le_bytes();
        },
        "graph" => {
            // A grid of 8 by 8, with arcs right and down: a compressed list, and lists of ends.
            let arcs: Vec<(u32, u32)> = (0..64u32)
                .flat_map(|v| {
                    [
                        (v % 8 < 7).then_some((v, v + 1)),
                        (v < 56).then_some((v, v + 8)),
                    ]
                })
                .flatten()
                .collect();
            let offsets = bytes!(
                (0..=64)
                    .map(|v| arcs.iter().filter(|arc| arc.0 < v).count() as u32)
                    .collect::<Vec<_>>()
            );
            let heads = bytes!(arcs.iter().map(|arc| arc.1).collect::<Vec<_>>());
            let tails = bytes!(arcs.iter().map(|arc| arc.0).collect::<Vec<_>>());
            let weights = bytes!(
                arcs.iter()
                    .map(|arc| 1 + (arc.0 * 7 + arc.1 * 13) % 9)
                    .collect::<Vec<_>>()
            );
            let costs = bytes!((0..100u32).map(|i| i * i * 7 % 101).collect::<Vec<_>>());
            let count = arcs.len() as u32;
            calls! {
                "grid of 8 x 8, 112 arcs": bfs(64, A, B, 0, C, C + 1024, C + 2048) with A = offsets, B = heads;
                "the same": dijkstra(64, A, B, D, 0, C, C + 1024, C + 2048) with A = offsets, B = heads, D = weights;
                "the same": bellman_ford(64, A, B, D, 0, C, C + 1024) with A = offsets, B = heads, D = weights;
                "the same": topological_order(64, A, B, C, C + 1024) with A = offsets, B = heads;
                "the same": strong_components(64, A, B, C, C + 1024) with A = offsets, B = heads;
                "the same, to itself": matching(64, 64, A, B, C, C + 1024, C + 2048) with A = offsets, B = heads;
                "10 x 10": assignment(10, A, B, C) with A = costs;
                "the grid, from corner to corner": max_flow(64, count, A, B, D, 0, 63, C, C + 1024) with A = tails, B = heads, D = weights;
            }
        }
        _ => vec![],
    }
}

fn page() -> String {
    let mut page = "# Costs

Written by `BLESS=1 cargo test -p weightware-modules --test it costs -- --ignored`, with clang 14;
do not edit.

## Sizes

A module by itself, stripped. The machine's instructions are those of a program \
that calls
every function, with software for 64-bit products and floating point; each is five tokens of the
prompt.

| module | functions | bytes | instructions of WebAssembly | instructions of the machine | tables, bytes | stack, bytes |
|---|---|---|---|---|---|---|
"
    .to_owned();
    for module in Module::all() {
        let f = footprint(module);
        let (name, functions) = (&module.name, module.functions.len());
        let _ = writeln!(
            page,
            "| [{name}](library/{name}) | {functions} | {} | {} | {} | {} | {} |",
            f.bytes, f.instructions, f.lowered, f.tables, f.stack
        );
    }
    page += "
## Calls

Tokens of calls through the weights. The call itself is counted, its arguments are not.

| call | of | tokens |
|---|---|---|
";
    for module in Module::all() {
        let name = &module.name;
        let typical = typical(name);
        assert!(!typical.is_empty(), "{name} has typical calls");
        let mut calls = Calls::new(name, Target::Machine);
        calls.is_measured = true;
        for call in &typical {
            for (offset, bytes) in &call.memory {
                calls.write(*offset, bytes);
            }
            calls.call(call.name, &call.arguments);
        }
        let tokens = calls.tokens();
        assert_eq!(
            tokens.len(),
            typical.len(),
            "{name}: a result has the byte of a mark"
        );
        for (call, tokens) in typical.iter().zip(tokens) {
            let _ = writeln!(
                page,
                "| `{name}.{}` | {} | {tokens} |",
                call.name, call.described
            );
        }
    }
    page
}

#[test]
#[ignore = "the figures are those of clang 14: cargo test -p weightware-modules -- --ignored"]
fn the_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("COSTS.md");
    let found = page();
    if env::var_os("BLESS").is_some() {
        fs::write(&path, &found).expect("written");
    }
    let page = fs::read_to_string(&path).expect("COSTS.md");
    assert!(
        page == found,
        "COSTS.md is outdated; bless it, and read the difference"
    );
}
