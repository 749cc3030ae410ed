//! Every case of the corpus on every rung. `CASE=name` runs the cases with that in their names.

use std::sync::OnceLock;

use weightware::Profile;
use weightware_tests::{Case, Expected, Ladder, Rung, cases, check_golden};

fn ladder() -> &'static Ladder {
    static LADDER: OnceLock<Ladder> = OnceLock::new();
    LADDER.get_or_init(Ladder::default)
}

fn all_pass(cases: &[Case], check: impl Fn(&Case) -> Result<(), String>) {
    let problems: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            check(case)
                .err()
                .map(|problem| format!("{}: {problem}", case.name))
        })
        .collect();
    let count = problems.len();
    assert!(
        count == 0,
        "{count} of {} cases:\n{}",
        cases.len(),
        problems.join("\n")
    );
}

fn on(rung: Rung, slow: bool) {
    let mut cases = cases();
    cases.retain(|case| case.slow == slow && case.runs_on(rung));
    all_pass(&cases, |case| ladder().check(rung, case));
}

#[test]
fn wasmi() {
    on(Rung::Wasmi, false);
}

#[test]
fn interpreter() {
    on(Rung::Interpreter, false);
}

#[test]
fn passes() {
    let mut cases = cases();
    cases.retain(|case| !case.slow && case.wasm().is_some());
    all_pass(&cases, Ladder::check_passes);
}

#[test]
fn evaluator() {
    on(Rung::Evaluator, false);
}

#[test]
fn softmax() {
    on(Rung::Softmax, false);
}

#[test]
fn hardmax() {
    on(Rung::Hardmax, false);
}

#[test]
fn hull() {
    on(Rung::Hull, false);
}

#[test]
fn plan() {
    on(Rung::Plan, false);
}

#[test]
fn jit() {
    on(Rung::Jit, false);
}

#[test]
fn candle() {
    on(Rung::Candle, false);
}

/// The machine that translates addresses.
#[test]
fn far() {
    let ladder = Ladder::of(Profile::FAR);
    for rung in [Rung::Plan, Rung::Hull] {
        let mut cases = cases();
        cases.retain(|case| !case.slow && case.runs_on(rung));
        all_pass(&cases, |case| ladder.check(rung, case));
    }
}

/// Long programs, in minutes.
#[test]
#[ignore = "takes minutes: cargo test -p weightware-tests -- --ignored"]
fn slow() {
    for rung in Rung::ALL {
        on(rung, true);
    }
}

#[test]
fn texts() {
    let mut cases = cases();
    cases.retain(|case| matches!(case.expected, Expected::Run { .. }));
    all_pass(&cases, Ladder::check_text);
}

#[test]
fn refusals() {
    let mut cases = cases();
    cases.retain(|case| matches!(case.expected, Expected::Refused(_)));
    all_pass(&cases, |case| ladder().check(Rung::Interpreter, case));
}

#[test]
fn golden_traces() {
    all_pass(&cases(), check_golden);
}
