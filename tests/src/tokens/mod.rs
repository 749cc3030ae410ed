//! The cost of whole programs: trace tokens for each WebAssembly instruction that an engine would
//! execute, for each set of lowering passes.

mod count;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use weightware_frontend::{Input, Options, Pass, Passes, lower};
use weightware_isa::Interpreter;

use crate::host;
use crate::streams::Streams;
use crate::thousands::thousands;

/// The greatest number of trace tokens of a program.
const LIMIT: u64 = 1 << 26;

/// A program and its input.
struct Measured {
    name: &'static str,
    /// The kind of its instructions.
    kind: Kind,
    wasm: Vec<u8>,
    input: Input,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integers,
    Wide,
    Floats,
    Mixed,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Integers => "32-bit integers",
            Kind::Wide => "64-bit integers",
            Kind::Floats => "floating point",
            Kind::Mixed => "all of them",
        }
    }
}

/// Programs of `programs/` with their inputs.
const FILES: &[(&str, &str, Kind)] = &[
    ("hello", "", Kind::Integers),
    ("echo", "abc de", Kind::Integers),
    ("globals", "", Kind::Integers),
    ("calls", "", Kind::Integers),
    ("memory", "", Kind::Integers),
    ("loops", "", Kind::Integers),
    ("fib", "", Kind::Integers),
    ("fibonacci", "10", Kind::Integers),
    ("primes", "", Kind::Integers),
    ("sha256", "abc", Kind::Integers),
    ("matching", "", Kind::Integers),
    (
        "sudoku",
        "8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4..",
        Kind::Integers,
    ),
    ("wasi/library.O2", "", Kind::Mixed),
    ("wasi/library.O0", "", Kind::Mixed),
];

/// Loops over one type.
const KERNELS: &[(&str, &str, Kind)] = &[
    (
        "xorshift, 64 bits",
        "(func (export \"main\") (result i32) (local $n i32) (local $x i64)
          (local.set $x (i64.const 88172645463325252)) (local.set $n (i32.const 100))
          (loop $next
            (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 13))))
            (local.set $x (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 7))))
            (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 17))))
            (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
          (i32.and (i32.wrap_i64 (local.get $x)) (i32.const 127)))",
        Kind::Wide,
    ),
    (
        "linear congruences, 64 bits: products",
        "(func (export \"main\") (result i32) (local $n i32) (local $x i64)
          (local.set $n (i32.const 100))
          (loop $next
            (local.set $x (i64.add (i64.mul (local.get $x) (i64.const 6364136223846793005)) (i64.const 1442695040888963407)))
            (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
          (i32.wrap_i64 (i64.shr_u (local.get $x) (i64.const 60))))",
        Kind::Wide,
    ),
    (
        "decimal digits, 64 bits: quotients",
        "(func (export \"main\") (result i32) (local $n i32) (local $x i64) (local $q i64)
          (local.set $x (i64.const 1234567890123456789))
          (loop $next
            (local.set $q (i64.div_u (local.get $x) (i64.const 10)))
            (local.set $n (i32.add (local.get $n)
              (i32.wrap_i64 (i64.sub (local.get $x) (i64.mul (local.get $q) (i64.const 10))))))
            (br_if $next (i32.eqz (i64.eqz (local.tee $x (local.get $q))))))
          (local.get $n))",
        Kind::Wide,
    ),
    (
        "harmonic sum, f32",
        "(func (export \"main\") (result i32) (local $n i32) (local $sum f32)
          (local.set $n (i32.const 20))
          (loop $next
            (local.set $sum (f32.add (local.get $sum) (f32.div (f32.const 1) (f32.convert_i32_s (local.get $n)))))
            (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
          (i32.trunc_f32_s (f32.mul (local.get $sum) (f32.const 10))))",
        Kind::Floats,
    ),
    (
        "logistic map, f64",
        "(func (export \"main\") (result i32) (local $n i32) (local $x f64)
          (local.set $n (i32.const 20)) (local.set $x (f64.const 0.3))
          (loop $next
            (local.set $x (f64.mul (f64.mul (f64.const 3.7) (local.get $x)) (f64.sub (f64.const 1) (local.get $x))))
            (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
          (i32.trunc_f64_s (f64.mul (local.get $x) (f64.const 100))))",
        Kind::Floats,
    ),
    (
        "square roots by Newton, f64",
        "(func (export \"main\") (result i32) (local $n i32) (local $x f64)
          (local.set $n (i32.const 8)) (local.set $x (f64.const 2))
          (loop $next
            (local.set $x (f64.mul (f64.add (local.get $x) (f64.div (f64.const 2) (local.get $x))) (f64.const 0.5)))
            (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
          (i32.trunc_f64_s (f64.mul (local.get $x) (f64.const 100))))",
        Kind::Floats,
    ),
];

fn measured() -> Result<Vec<Measured>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../programs");
    let mut all = vec![];
    for &(name, input, kind) in FILES {
        let path = folder.join(format!("{name}.wasm"));
        let wasm = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let input = Input {
            bytes: input.into(),
            arguments: vec![name.into()],
            ..Input::default()
        };
        all.push(Measured {
            name,
            kind,
            wasm,
            input,
        });
    }
    for &(name, text, kind) in KERNELS {
        let wasm = wat::parse_str(format!("(module {text})")).map_err(|error| error.to_string())?;
        all.push(Measured {
            name,
            kind,
            wasm,
            input: Input::default(),
        });
    }
    Ok(all)
}

impl Measured {
    /// The number of WebAssembly instructions that an engine executes. Checks that the result is
    /// the same with all sets of passes.
    fn executed(&self) -> Result<u64, String> {
        let at = |error| format!("{}: {error}", self.name);
        let (streams, outcome, count) = host::run_to_global(
            &count::counting(&self.wasm).map_err(at)?,
            self.input.clone(),
            count::COUNT,
        )
        .map_err(at)?;
        for passes in [Passes::none(), Passes::all()] {
            let lowered = lower(&self.wasm, &Options::default().with_passes(passes))
                .map_err(|error| at(error.to_string()))?;
            let program = lowered.into_program(self.input.clone());
            let mut run = Interpreter::new(&program);
            let found = run.run(LIMIT).map_err(|fault| at(fault.to_string()))?;
            let written = Streams::new(run.output(), run.stderr());
            if (found, &written) != (Some(outcome), &streams) {
                return Err(at(format!("ends in {found:?} instead of {outcome:?}")));
            }
        }
        Ok(count.cast_unsigned())
    }

    /// The number of tokens of the trace and of instructions of the program, with those passes.
    fn tokens(&self, passes: Passes) -> Result<(u64, usize), String> {
        let lowered = lower(&self.wasm, &Options::default().with_passes(passes));
        let lowered = lowered.map_err(|error| format!("{}: {error}", self.name))?;
        let program = lowered.into_program(self.input.clone());
        let mut run = Interpreter::new(&program);
        match run.run(LIMIT) {
            Ok(Some(_)) => Ok((run.tokens(), program.code.len())),
            Ok(None) => Err(format!("{}: does not end", self.name)),
            Err(fault) => Err(format!("{}: {fault}", self.name)),
        }
    }
}

/// The page, as Markdown.
///
/// # Errors
/// If the result of a program is not that of an independent engine.
pub fn page() -> Result<String, String> {
    let all = measured()?;
    let mut page = "# Tokens of whole programs\n\nWritten by `cargo xtask tokens --bless`; do not edit.\n\n\
        Instructions are WebAssembly's, as an independent engine executes them, `block`, `loop`, `else` and `end` left out. Tokens are those of \
        the trace, calls of software for what the machine lacks included.\n\n\
        | program | works on | instructions | tokens | tokens per instruction |\n|---|---|---|---|---|\n"
        .to_owned();
    for program in &all {
        let executed = program.executed()?;
        let (tokens, _) = program.tokens(Passes::all())?;
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {:.2} |",
            program.name,
            program.kind.name(),
            thousands(executed),
            thousands(tokens),
            tokens as f64 / executed as f64
        );
    }
    page += "\n## Passes\n\nThe savings of the lowering passes, in tokens of the trace: each alone, from what the program takes \
        without any; and what is lost if one is left out of all. Negative: without it there are fewer tokens.\n\n";
    page += &matrix(&all, "no pass", "alone", Passes::none(), Passes::with)?;
    page += "\n";
    page += &matrix(
        &all,
        "all passes",
        "without",
        Passes::all(),
        Passes::without,
    )?;
    Ok(page)
}

/// Tokens with a set of passes, and the difference that each pass makes.
fn matrix(
    all: &[Measured],
    base: &str,
    what: &str,
    passes: Passes,
    change: fn(Passes, Pass) -> Passes,
) -> Result<String, String> {
    let mut table = format!("| program | {base} |");
    for pass in Pass::ALL {
        let _ = write!(table, " {what} `{pass:?}` |");
    }
    table += "\n|---|---|";
    table += &"---|".repeat(Pass::ALL.len());
    table.push('\n');
    for program in all {
        let (tokens, _) = program.tokens(passes)?;
        let _ = write!(table, "| {} | {} |", program.name, thousands(tokens));
        for pass in Pass::ALL {
            let (changed, _) = program.tokens(change(passes, pass))?;
            let saved = tokens.cast_signed() - changed.cast_signed();
            let lost = if what == "alone" { saved } else { -saved };
            let _ = write!(table, " {lost} |");
        }
        table.push('\n');
    }
    Ok(table)
}
