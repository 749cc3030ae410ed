//! The costs of operators that take more than one instruction, in executed instructions and in
//! tokens of the trace: the table of `README.md`, which `BLESS=1` writes.

use std::fmt::Write as _;
use std::fs;

use weightware_frontend::{Options, Pass, Passes, lower};
use weightware_isa::Interpreter;

/// An operator of the table: its operands as constants of the text format, and whether the right
/// one stays a constant.
struct Row {
    operator: &'static str,
    operands: &'static [&'static str],
    constant: bool,
    what: &'static str,
}

const fn row(operator: &'static str, operands: &'static [&'static str], what: &'static str) -> Row {
    Row {
        operator,
        operands,
        constant: false,
        what,
    }
}

const fn by_constant(
    operator: &'static str,
    operands: &'static [&'static str],
    what: &'static str,
) -> Row {
    Row {
        constant: true,
        ..row(operator, operands, what)
    }
}

const ROWS: &[Row] = &[
    row("i32.mul", &["i32 5", "i32 7"], ""),
    row("i32.clz", &["i32 5"], ""),
    row("i32.div_u", &["i32 1000", "i32 7"], ""),
    row("i32.rem_u", &["i32 1000", "i32 7"], ""),
    by_constant("i32.div_u", &["i32 1000", "i32 8"], "by a power of two"),
    by_constant(
        "i32.div_s",
        &["i32 1000", "i32 10"],
        "by a positive constant",
    ),
    by_constant(
        "i32.div_s",
        &["i32 -1000", "i32 10"],
        "of a negative, by a constant",
    ),
    by_constant(
        "i32.rem_s",
        &["i32 1000", "i32 10"],
        "by a positive constant",
    ),
    row("i32.div_s", &["i32 1000", "i32 7"], ""),
    row("i32.div_s", &["i32 -1000", "i32 7"], "of a negative"),
    row("i32.rem_s", &["i32 1000", "i32 7"], ""),
    row("i32.rem_s", &["i32 -1000", "i32 7"], "of a negative"),
    row("i64.add", &["i64 5", "i64 7"], ""),
    row("i64.lt_s", &["i64 5", "i64 7"], ""),
    row("i64.clz", &["i64 5"], ""),
    row("i64.mul", &["i64 0x123456789", "i64 0x987654321"], ""),
    by_constant("i64.mul", &["i64 5", "i64 8"], "by a power of two"),
    row("i64.div_u", &["i64 1000", "i64 10"], "both below 2^32"),
    row(
        "i64.div_u",
        &["i64 0x123456789abcdef", "i64 10"],
        "by less than 2^16",
    ),
    row(
        "i64.div_u",
        &["i64 0x123456789abcdef", "i64 0x12345678"],
        "by less than 2^32",
    ),
    row(
        "i64.div_u",
        &["i64 0x123456789abcdef", "i64 0x123456789"],
        "by more",
    ),
    row(
        "i64.rem_u",
        &["i64 0x123456789abcdef", "i64 10"],
        "by less than 2^16",
    ),
    row("i64.div_s", &["i64 -1000", "i64 10"], "of a negative"),
    row("f32.add", &["f32 1.5", "f32 2.25"], ""),
    row("f32.sub", &["f32 1.1", "f32 0.7"], ""),
    row("f32.mul", &["f32 1.1", "f32 0.7"], ""),
    row("f32.div", &["f32 1.1", "f32 0.7"], ""),
    row("f32.sqrt", &["f32 2"], ""),
    row("f32.lt", &["f32 1.1", "f32 0.7"], ""),
    row("f32.convert_i32_s", &["i32 -7"], ""),
    row("i32.trunc_f32_s", &["f32 -7.5"], ""),
    row("f64.add", &["f64 1.5", "f64 2.25"], ""),
    row("f64.sub", &["f64 1.1", "f64 0.7"], ""),
    row("f64.mul", &["f64 1.1", "f64 0.7"], ""),
    row("f64.div", &["f64 1.1", "f64 0.7"], ""),
    row("f64.sqrt", &["f64 2"], ""),
    row("f64.neg", &["f64 2"], ""),
    row("f64.copysign", &["f64 2", "f64 -1"], ""),
    row("f64.lt", &["f64 1.1", "f64 0.7"], ""),
    row("f64.lt", &["f64 -1.1", "f64 0.7"], "of a negative"),
    row("f64.eq", &["f64 1.1", "f64 0.7"], ""),
    row("f64.min", &["f64 1.1", "f64 0.7"], ""),
    row("f64.floor", &["f64 -7.5"], ""),
    row("f64.nearest", &["f64 -7.5"], ""),
    row("f64.convert_i32_s", &["i32 -7"], ""),
    row("f64.convert_i64_s", &["i64 -7"], ""),
    row("i32.trunc_f64_s", &["f64 -7.5"], ""),
    row("f64.promote_f32", &["f32 1.1"], ""),
    row("f32.demote_f64", &["f64 1.1"], ""),
    row("memory.grow", &["i32 1"], ""),
];

/// Instructions and tokens of a `main` with a given body.
fn run(globals: &str, body: &str) -> (u64, u64) {
    let text = format!("(module (memory 1 2) {globals} (func (export \"main\") {body}))");
    // A routine with one call site is inlined, which saves a call and a return.
    let options = Options::default().with_passes(Passes::all().without(Pass::Inline));
    let lowered = lower(text.as_bytes(), &options).expect("it lowers");
    let mut run = Interpreter::new(&lowered.program);
    run.run(1 << 20).expect("no fault").expect("it ends");
    (run.executed(), run.tokens())
}

/// Tokens of an instruction that pushes or pops a value of a type.
fn tokens(ty: &str) -> u64 {
    if ty.ends_with("64") { 9 } else { 5 }
}

/// The cost of an operator without the instructions that push its operands. The operands come from
/// globals, whose values the lowering does not know, and the result is written to one.
fn cost(row: &Row) -> (u64, u64) {
    let (ty, name) = row.operator.split_once('.').expect("type and name");
    let compares = ["eqz", "eq", "lt", "lt_s"].contains(&name);
    let result = if compares || ty == "memory" {
        "i32"
    } else {
        ty
    };
    let mut globals = format!("(global $to (mut {result}) ({result}.const 0))");
    let (mut uses, mut gets) = (String::new(), String::new());
    let mut pushed = tokens(result);
    let mut pushes = 1;
    for (index, operand) in row.operands.iter().enumerate() {
        let (ty, value) = operand.split_once(' ').expect("type and value");
        if row.constant && index == 1 {
            let _ = write!(gets, "({ty}.const {value})");
            continue;
        }
        let _ = write!(globals, "(global ${index} (mut {ty}) ({ty}.const {value}))");
        let _ = write!(uses, "(global.set ${index} (global.get ${index}))");
        let _ = write!(gets, "(global.get ${index})");
        pushed += tokens(ty);
        pushes += 1;
    }
    let bare = run(
        &globals,
        &format!("{uses} (global.set $to ({result}.const 1))"),
    );
    let full = run(
        &globals,
        &format!(
            "{uses} (global.set $to ({result}.const 1)) {gets} {} (global.set $to)",
            row.operator
        ),
    );
    (full.0 - bare.0 - pushes, full.1 - bare.1 - pushed)
}

#[test]
fn the_readme_tells_what_operators_cost() {
    let mut table = "| operator | instructions | tokens |\n|---|---|---|\n".to_owned();
    for row in ROWS {
        let (instructions, tokens) = cost(row);
        let what = match row.what {
            "" => String::new(),
            what => format!(" {what}"),
        };
        let _ = writeln!(
            table,
            "| `{}`{what} | {instructions} | {tokens} |",
            row.operator
        );
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = fs::read_to_string(path).expect("there is a README");
    let (begin, end) = ("<!-- costs -->\n", "<!-- end of costs -->");
    let start = readme.find(begin).expect("the table has a beginning") + begin.len();
    let stop = readme.find(end).expect("the table has an end");
    if std::env::var_os("BLESS").is_some() {
        let new = format!("{}{table}{}", &readme[..start], &readme[stop..]);
        fs::write(path, new).expect("the README is written");
    } else {
        assert_eq!(&readme[start..stop], table, "BLESS=1 writes it anew");
    }
}
