//! Random modules: lowering never panics, and the lowered programs behave like the modules in
//! wasmi.

use crate::oracle;
use std::fmt::Write as _;

use crate::oracle::Run;
use arbitrary::Unstructured;
use proptest::prelude::*;
use weightware_frontend::{Options, Pass, Passes, lower};
use weightware_isa::{Outcome, Trap};

/// Writes a random module over i32 from random bytes.
struct Writer<'b> {
    bytes: Unstructured<'b>,
    text: String,
    /// Arities of the open labels, innermost last.
    labels: Vec<usize>,
    functions: usize,
    /// The function that is being written. It calls those after it.
    function: usize,
}

const LOCALS: usize = 6;
/// Locals of type `i64`, after those of type `i32`.
const WIDE_LOCALS: usize = 3;

const BINARY: [&str; 21] = [
    "add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr", "eq", "ne",
    "lt_s", "lt_u", "gt_s", "le_u", "ge_s", "div_u", "rem_s", "div_s",
];
const WIDE_BINARY: [&str; 15] = [
    "add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr", "div_u",
    "rem_s", "div_s", "rem_u",
];
const WIDE_UNARY: [&str; 6] = [
    "clz",
    "ctz",
    "popcnt",
    "extend8_s",
    "extend16_s",
    "extend32_s",
];
const WIDE_LOADS: [&str; 7] = [
    "load", "load8_s", "load8_u", "load16_s", "load16_u", "load32_s", "load32_u",
];
const COMPARISONS: [&str; 8] = ["eq", "ne", "lt_s", "lt_u", "gt_s", "le_u", "ge_s", "ge_u"];
/// Without `copysign`, which makes the sign of NaN visible.
const FLOAT_BINARY: [&str; 6] = ["add", "sub", "mul", "div", "min", "max"];
const FLOAT_UNARY: [&str; 7] = ["abs", "neg", "sqrt", "ceil", "floor", "trunc", "nearest"];
const FLOAT_COMPARISONS: [&str; 6] = ["eq", "ne", "lt", "gt", "le", "ge"];
const UNARY: [&str; 6] = ["clz", "ctz", "popcnt", "eqz", "extend8_s", "extend16_s"];
const LOADS: [&str; 5] = ["load", "load8_s", "load8_u", "load16_s", "load16_u"];
const STORES: [&str; 3] = ["store", "store8", "store16"];

impl Writer<'_> {
    fn below(&mut self, end: usize) -> usize {
        self.bytes.int_in_range(0..=end - 1).unwrap_or(0)
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }

    fn put(&mut self, text: &str) {
        self.text += text;
        self.text.push('\n');
    }

    fn constant(&mut self) {
        let value = match self.below(4) {
            0 => self.bytes.arbitrary::<i32>().unwrap_or(0),
            1 => i32::MIN.wrapping_add(self.below(3) as i32 - 1),
            _ => self.below(20) as i32 - 3,
        };
        self.put(&format!("i32.const {value}"));
    }

    /// Pushes a value.
    fn value(&mut self, depth: usize) {
        let choice = if depth == 0 || self.bytes.is_empty() {
            self.below(3)
        } else {
            self.below(20)
        };
        match choice {
            16 => {
                self.wide(depth - 1);
                self.put("i32.wrap_i64");
            }
            17 => {
                self.wide(depth - 1);
                self.wide(depth - 1);
                let op = self.pick(&COMPARISONS);
                self.put(&format!("i64.{op}"));
            }
            18 => {
                let ty = self.pick(&["f32", "f64"]);
                self.float(ty, depth - 1);
                self.float(ty, depth - 1);
                let op = self.pick(&FLOAT_COMPARISONS);
                self.put(&format!("{ty}.{op}"));
            }
            19 => {
                let ty = self.pick(&["f32", "f64"]);
                self.float(ty, depth - 1);
                let op = self.pick(&["trunc_sat", "trunc_sat", "trunc"]);
                let sign = self.pick(&["s", "u"]);
                self.put(&format!("i32.{op}_{ty}_{sign}"));
            }
            0 => self.constant(),
            1 | 2 => {
                let local = self.below(LOCALS);
                self.put(&format!("local.get {local}"));
            }
            3 | 4 => {
                self.value(depth - 1);
                self.value(depth - 1);
                let op = self.pick(&BINARY);
                self.put(&format!("i32.{op}"));
            }
            5 => {
                self.value(depth - 1);
                self.constant();
                let op = self.pick(&BINARY);
                self.put(&format!("i32.{op}"));
            }
            6 => {
                self.value(depth - 1);
                let op = self.pick(&UNARY);
                self.put(&format!("i32.{op}"));
            }
            7 => {
                self.value(depth - 1);
                let (op, offset) = (self.pick(&LOADS), self.below(40));
                if self.below(4) > 0 {
                    self.put("i32.const 0xffff i32.and");
                }
                self.put(&format!("i32.{op} offset={offset}"));
            }
            8 => {
                (0..3).for_each(|_| self.value(depth - 1));
                // wasmi 2.0.0 fuses a comparison with zero and a `select` wrongly; a local between
                // them prevents it.
                self.put("local.set 5 local.get 5 select");
            }
            9 => {
                self.value(depth - 1);
                let local = self.below(LOCALS);
                self.put(&format!("local.tee {local}"));
            }
            10 => self.block("block (result i32)", 1, 1, depth - 1),
            11 => {
                self.value(depth - 1);
                self.put("if (result i32)");
                self.labels.push(1);
                self.statements(depth - 1);
                self.value(depth - 1);
                self.put("else");
                self.statements(depth - 1);
                self.value(depth - 1);
                self.labels.pop();
                self.put("end");
            }
            12 => {
                // Operands below a branch.
                self.value(depth - 1);
                self.value(depth - 1);
                self.branch(depth - 1);
                self.put("i32.sub");
            }
            13 => {
                self.value(depth - 1);
                self.value(depth - 1);
                if self.function + 1 == self.functions {
                    return self.put("i32.xor");
                }
                let callee = self.function + 1 + self.below(self.functions - self.function - 1);
                self.put(&format!("call $f{callee}"));
            }
            14 => self.put("global.get $g"),
            _ => self.put("call $getchar"),
        }
    }

    /// Pushes a value of 64 bits.
    fn wide(&mut self, depth: usize) {
        let choice = if depth == 0 || self.bytes.is_empty() {
            self.below(2)
        } else {
            self.below(10)
        };
        match choice {
            0 => {
                let value = match self.below(3) {
                    0 => self.bytes.arbitrary::<i64>().unwrap_or(0),
                    1 => 1 << self.below(63),
                    _ => self.below(20) as i64 - 3,
                };
                self.put(&format!("i64.const {value}"));
            }
            1 => {
                let local = LOCALS + self.below(WIDE_LOCALS);
                self.put(&format!("local.get {local}"));
            }
            2 | 3 => {
                self.wide(depth - 1);
                self.wide(depth - 1);
                let op = self.pick(&WIDE_BINARY);
                self.put(&format!("i64.{op}"));
            }
            4 => {
                self.wide(depth - 1);
                let op = self.pick(&WIDE_UNARY);
                self.put(&format!("i64.{op}"));
            }
            5 => {
                self.value(depth - 1);
                let op = self.pick(&["extend_i32_s", "extend_i32_u"]);
                self.put(&format!("i64.{op}"));
            }
            6 => {
                self.value(depth - 1);
                let (op, offset) = (self.pick(&WIDE_LOADS), self.below(40));
                self.put(&format!(
                    "i32.const 0xffff i32.and i64.{op} offset={offset}"
                ));
            }
            7 => {
                self.wide(depth - 1);
                let local = LOCALS + self.below(WIDE_LOCALS);
                self.put(&format!("local.tee {local}"));
            }
            8 => {
                self.wide(depth - 1);
                self.wide(depth - 1);
                self.value(depth - 1);
                self.put("local.set 5 local.get 5 select");
            }
            _ => {
                let ty = self.pick(&["f32", "f64"]);
                self.float(ty, depth - 1);
                let sign = self.pick(&["s", "u"]);
                self.put(&format!("i64.trunc_sat_{ty}_{sign}"));
            }
        }
    }

    /// Pushes a number whose bits are not compared: engines differ in those of NaN.
    fn float(&mut self, ty: &str, depth: usize) {
        let choice = if depth == 0 || self.bytes.is_empty() {
            0
        } else {
            self.below(8)
        };
        match choice {
            0 => {
                let value = self.pick(&[
                    "0", "-0", "1", "-2.5", "inf", "1e-40", "3.5e9", "0x1p-126", "1e19",
                ]);
                self.put(&format!("{ty}.const {value}"));
            }
            1..=3 => {
                self.float(ty, depth - 1);
                self.float(ty, depth - 1);
                let op = self.pick(&FLOAT_BINARY);
                self.put(&format!("{ty}.{op}"));
            }
            4 => {
                self.float(ty, depth - 1);
                let op = self.pick(&FLOAT_UNARY);
                self.put(&format!("{ty}.{op}"));
            }
            5 => {
                self.value(depth - 1);
                let sign = self.pick(&["s", "u"]);
                self.put(&format!("{ty}.convert_i32_{sign}"));
            }
            6 => {
                self.wide(depth - 1);
                let sign = self.pick(&["s", "u"]);
                self.put(&format!("{ty}.convert_i64_{sign}"));
            }
            _ if ty == "f32" => {
                self.float("f64", depth - 1);
                self.put("f32.demote_f64");
            }
            _ => {
                self.float("f32", depth - 1);
                self.put("f64.promote_f32");
            }
        }
    }

    fn block(&mut self, head: &str, arity: usize, results: usize, depth: usize) {
        self.put(head);
        self.labels.push(arity);
        self.statements(depth);
        (0..results).for_each(|_| self.value(depth));
        self.labels.pop();
        self.put("end");
    }

    /// A conditional or table branch with the stack as it was after it.
    fn branch(&mut self, depth: usize) {
        let label = self.below(self.labels.len());
        let arity = self.labels[self.labels.len() - 1 - label];
        match self.below(3) {
            0 => {
                (0..arity).for_each(|_| self.value(depth));
                self.value(depth);
                self.put(&format!("br_if {label}"));
                (0..arity).for_each(|_| self.put("drop"));
            }
            1 => {
                self.value(depth);
                self.put("if");
                self.labels.push(0);
                (0..arity).for_each(|_| self.value(depth));
                self.put(&format!("br {}", label + 1));
                self.labels.pop();
                self.put("end");
            }
            _ => {
                self.put("block");
                self.labels.push(0);
                (0..arity).for_each(|_| self.value(depth));
                self.value(depth);
                let alike: Vec<usize> = (0..self.labels.len())
                    .filter(|&label| self.labels[self.labels.len() - 1 - label] == arity)
                    .collect();
                let mut table = String::new();
                for _ in 0..=self.below(5) {
                    let _ = write!(table, "{} ", alike[self.below(alike.len())]);
                }
                self.put(&format!("br_table {table}"));
                self.labels.pop();
                self.put("end");
            }
        }
    }

    fn statements(&mut self, depth: usize) {
        for _ in 0..self.below(4) {
            self.statement(depth);
        }
    }

    fn statement(&mut self, depth: usize) {
        let depth = depth.saturating_sub(1);
        match self.below(12) {
            0 | 1 => {
                self.value(depth);
                let local = self.below(LOCALS);
                self.put(&format!("local.set {local}"));
            }
            2 => {
                self.value(depth);
                self.put("call $putchar");
            }
            3 => {
                self.value(depth);
                self.value(depth);
                let (op, offset) = (self.pick(&STORES), self.below(40));
                self.put(&format!("i32.{op} offset={offset}"));
            }
            9 => {
                self.value(depth);
                self.wide(depth);
                let op = self.pick(&["store", "store8", "store16", "store32"]);
                self.put(&format!("i64.{op}"));
            }
            10 => {
                self.wide(depth);
                let local = LOCALS + self.below(WIDE_LOCALS);
                self.put(&format!("local.set {local}"));
            }
            4 if depth > 0 => self.block("block", 0, 0, depth),
            5 if depth > 0 => self.block("loop", 0, 0, depth),
            6 if depth > 0 => {
                self.value(depth);
                self.block("if", 0, 0, depth);
            }
            7 => self.branch(depth),
            8 => {
                self.value(depth);
                self.put("global.set $g");
            }
            _ => {
                self.value(depth);
                self.put("drop");
            }
        }
    }

    fn module(mut self) -> String {
        self.put(
            r#"(module (import "env" "putchar" (func $putchar (param i32)))
            (import "env" "getchar" (func $getchar (result i32)))
            (memory 1 1) (global $g (mut i32) (i32.const 5)) (data (i32.const 3) "some bytes \ff\80")"#,
        );
        for function in 0..self.functions {
            self.function = function;
            self.put(&format!(
                "(func $f{function} (param i32 i32) (result i32) (local i32 i32 i32 i32 i64 i64 i64)"
            ));
            self.labels = vec![1];
            self.statements(5);
            self.value(5);
            self.put(")");
        }
        self.put("(func (export \"main\") (result i32) (call $f0 (i32.const 1) (i32.const -2))))");
        self.text
    }
}

fn random_module(bytes: &[u8]) -> String {
    let writer = Writer {
        bytes: Unstructured::new(bytes),
        text: String::new(),
        labels: vec![1],
        functions: 3,
        function: 0,
    };
    writer.module()
}

/// Compares the two runs if both end within their limits.
fn compare(binary: &[u8], input: &[u8], passes: Passes) -> Result<bool, TestCaseError> {
    let Ok(lowered) = lower(binary, &Options::default().with_passes(passes)) else {
        return Ok(false);
    };
    // If a module declares more memory than the machine has, accesses outside the window trap.
    if lowered
        .memory
        .leaves_out(&(0..u64::from(lowered.memory.initial) << 16))
    {
        return Ok(false);
    }
    let Ok(expected) = oracle::wasmi(binary, input, 20_000) else {
        return Ok(false);
    };
    // One unit of fuel is at least one operator; no operator takes more than two thousand tokens.
    let found = oracle::machine(&lowered, input, 40_000_000);
    let exhausts = |run: &Run| run.outcome == Outcome::Trapped(Trap::CallStackExhausted);
    match (expected, found) {
        // Engines differ in the depth to which calls may nest.
        (Some(run), _) | (_, Some(run)) if exhausts(&run) => Ok(false),
        (Some(expected), Some(found)) => {
            prop_assert_eq!(expected.outcome, found.outcome);
            prop_assert!(expected.output == found.output, "the outputs differ");
            Ok(true)
        }
        (Some(expected), None) => {
            let problem = format!(
                "the lowered program does not end, wasmi's {:?}",
                expected.outcome
            );
            Err(TestCaseError::fail(problem))
        }
        // wasmi ran out of fuel.
        (None, _) => Ok(false),
    }
}

/// All passes, one alone, or some.
fn passes() -> impl Strategy<Value = Passes> {
    prop_oneof![
        Just(Passes::all()),
        prop::sample::select(&Pass::ALL).prop_map(|pass| Passes::none().with(pass)),
        prop::sample::subsequence(&Pass::ALL, 0..=Pass::ALL.len()).prop_map(Passes::from_iter),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn programs_do_what_wasmi_does(
        bytes in prop::collection::vec(any::<u8>(), 0..1500),
        input in prop::collection::vec(any::<u8>(), 0..5),
        passes in passes(),
    ) {
        let text = random_module(&bytes);
        let binary = wat::parse_str(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(lower(&binary, &Options::default()).is_ok());
        if let Err(error) = compare(&binary, &input, passes) {
            return Err(TestCaseError::fail(format!("{error}\n{passes:?}\n{text}")));
        }
    }

    #[test]
    fn modules_of_a_fuzzer_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 1..3000),
        passes in passes(),
    ) {
        let shape = wat::parse_str("(module (func (export \"main\") (result i32) unreachable))").expect("a module");
        let config = wasm_smith::Config {
            exports: Some(shape),
            canonicalize_nans: true,
            max_imports: 0,
            min_funcs: 1,
            max_memories: 1,
            memory64_enabled: false,
            custom_page_sizes_enabled: false,
            simd_enabled: false,
            gc_enabled: false,
            threads_enabled: false,
            exceptions_enabled: false,
            ..wasm_smith::Config::default()
        };
        let module = wasm_smith::Module::new(config, &mut Unstructured::new(&bytes));
        if let Ok(module) = module {
            compare(&module.to_bytes(), b"", passes)?;
        }
    }

    #[test]
    fn damaged_binaries_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let mut binary = wat::parse_str(random_module(&bytes)).expect("a module");
        for (index, byte) in damage {
            let index = index.index(binary.len());
            binary[index] = byte;
        }
        if cuts {
            binary.truncate(cut.index(binary.len()));
        }
        let _ = lower(&binary, &Options::default());
    }
}
