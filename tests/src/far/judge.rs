//! Reduction of a failure: the fewest cases that show it, and the first position.

use std::fmt;

use weightware::{Computer, Engine};
use weightware_isa::Instruction;

use super::{Case, Course, Difference, Ends, Setting, run};

/// A failure of a case.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The engine.
    pub engine: Engine,
    /// The setting of the case.
    pub setting: Setting,
    /// The case at the place where it fails; `None` if the run fails between cases.
    pub case: Option<Case>,
    /// The number of preceding cases that the failure needs.
    pub with: usize,
    /// The position at which the case begins.
    pub start: u64,
    /// The first token that differs.
    pub difference: Difference,
    /// The least position at which the case alone fails, to within 64 tokens.
    pub from: Option<u64>,
    /// The last instructions of the case up to the one that fails.
    pub code: Vec<Instruction>,
}

/// The greatest number of instructions to show.
const SHOWN: usize = 12;

/// Reduces a course that fails to the shortest one that still fails.
#[must_use]
pub fn reduce(
    computer: &Computer,
    ends: &Ends,
    engine: Engine,
    course: &Course,
    difference: Difference,
) -> Failure {
    let mut failure = Failure {
        engine,
        setting: course.setting,
        case: None,
        with: course.stops.len(),
        start: difference.position,
        difference,
        from: None,
        code: vec![],
    };
    let begun = course
        .stops
        .partition_point(|stop| stop.start <= failure.difference.position);
    let Some(last) = begun.checked_sub(1) else {
        return failure;
    };
    let stop = &course.stops[last];
    failure.case = Some(stop.case);
    failure.start = stop.start;
    let at = failure.difference.position - stop.start;
    let begun_by = stop.executed.partition_point(|&(_, token)| token <= at);
    let shown = stop.executed[..begun_by].iter().rev().take(SHOWN).rev();
    failure.code = shown
        .map(|&(index, _)| course.program.code[index])
        .collect();
    // The cases are at the same places, except for some tokens less.
    let cases: Vec<Case> = course.stops[..begun]
        .iter()
        .map(|stop| Case {
            position: stop.start,
            ..stop.case
        })
        .collect();
    let mut tried = 1;
    loop {
        let course = Course::new(ends, course.setting, &cases[begun - tried..]);
        if let Err(difference) = run(computer, &course, engine) {
            failure.with = tried - 1;
            failure.start = course.stops.last().map_or(0, |stop| stop.start);
            failure.difference = difference;
            break;
        }
        if tried == begun {
            return failure;
        }
        tried = (2 * tried).min(begun);
    }
    if failure.with == 0 {
        let fails = |position| {
            let case = Case {
                position,
                ..stop.case
            };
            let course = Course::new(ends, course.setting, &[case]);
            let failed = run(computer, &course, engine).is_err();
            failed.then(|| course.stops[0].start)
        };
        // A number that grows with the position fails from some position on.
        let (mut passes, mut from) = (0, failure.start);
        if let Some(start) = fails(0) {
            failure.from = Some(start);
            return failure;
        }
        while from - passes > 64 {
            let middle = passes + (from - passes) / 2;
            match fails(middle) {
                Some(start) => from = start.min(middle),
                None => passes = middle,
            }
        }
        failure.from = Some(from);
    }
    failure
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference {
            position,
            found,
            expected,
        } = &self.difference;
        write!(f, "{}, {}: ", self.engine.name(), self.setting.name)?;
        match &self.case {
            None => write!(f, "before the first case")?,
            Some(case) => write!(
                f,
                "case {}, {}, begun at {}",
                case.number, case.kind, self.start
            )?,
        }
        write!(f, ": position {position} is {found}, not {expected}")?;
        match (self.with, self.from) {
            (0, Some(from)) => write!(f, "; so it is from position {from} on, alone")?,
            (with, _) => write!(f, "; it takes {with} cases before it")?,
        }
        for instruction in &self.code {
            let [a, b, c, d] = instruction.immediate;
            write!(
                f,
                "\n    {} {a:02x} {b:02x} {c:02x} {d:02x}",
                instruction.op
            )?;
        }
        Ok(())
    }
}
