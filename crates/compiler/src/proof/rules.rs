//! The equations: the result of each class of instructions, in terms of the machine's lookups.

use weightware_analysis::Polynomial;
use weightware_isa::{BLOCK, EndToken, Op, Trap};

use super::error::ProofError;
use super::facts::Facts;
use super::{Proof, Verdict};
use crate::machine::columns::{Class, OpColumns, code, op_columns};
use crate::machine::{BIG, BYTE_PUSH, Rom, SHIFT};

/// A case distinction: a lookup, the index of one of its values, and bounds of that value in each
/// case.
type Cases = (&'static str, usize, [[f64; 2]; 2]);

/// The greatest word.
const WORD: f64 = u32::MAX as f64;

/// The top of the stack is 0 or positive.
const TOP: Cases = ("stack.top", 1, [[0.0, 0.0], [1.0, WORD]]);

/// The top of the stack is not negative or is.
const NEGATIVE: Cases = ("top.negative", 0, [[0.0, 0.0], [1.0, 1.0]]);

/// The equation of a class, for readers; if there is no rule, the tests that replace it.
fn equation(class: Class) -> Result<&'static str, &'static str> {
    use Class::*;
    Ok(match class {
        None => "no bytes",
        Immediate | Call | BrIf | BrUnless => "here, the immediate's byte",
        LocalGet | GlobalGet => "local.byte",
        GlobalSet | LocalSet | Pop | Store => "b",
        Add => "a + b + carry",
        Sub => "a - b - borrow",
        Reverse => "byte at top_at - 1 - index",
        Return => "byte of the resume's immediate",
        Select => "byte of third if top is not 0, else of second",
        Join => "byte of second within 4, then b",
        Extend => "b within the size, then 255 times the sign",
        ExtendUnsigned => "b within the size, then 0",
        Abs => "b, or -b - borrow if top is negative",
        WithSign => "a, or -a - borrow if top is negative",
        Eqz => "[top = 0] at byte 0",
        Eqz64 => "[top + lower_top = 0] at byte 0",
        Compare | CompareSigned => "[rise relu(d) + fall relu(-d) + bias >= 1] at byte 0",
        Load => "load.byte unless missed within the size, then 0",
        LoadSigned => "load.byte unless missed within the size, then 255 times its sign",
        And | Or | Xor => return Err("every pair of bytes (`arithmetic::every_byte`)"),
        Shl | Rotl | Rotr | ShrU | ShrS | ShrS64 | ShrU64 | Rotr64 | Rotl64 | Shl64 => {
            return Err("every byte at every place with every count (`arithmetic::every_byte`)");
        }
        Mul | MulHigh | DivDigits => {
            return Err(
                "edge and random operands (`cargo xtask verify`), also far (`cargo xtask far`)",
            );
        }
        Dump => "load.byte unless missed",
        Probe => "[missed <= 1024 (top + immediate + 2^18)] at every byte",
        Number => return Err("every kind of jump, frame and depth (`turns`)"),
        Clz | Ctz | Popcnt => return Err("every byte at every place (`arithmetic::every_byte`)"),
    })
}

/// The case distinction that a class needs.
fn cases(class: Class) -> Option<Cases> {
    match class {
        Class::Select | Class::BrIf | Class::BrUnless => Some(TOP),
        Class::Abs | Class::WithSign => Some(NEGATIVE),
        _ => None,
    }
}

pub(super) fn prove(facts: &mut Facts<'_>, op: Op) -> Result<Proof, ProofError> {
    let columns = op_columns(op);
    let equation = match columns.class {
        // The multiplier outputs the number that the call recorded.
        Class::Return if facts.machine.rom.is_some() => Err("calls of every depth (`rom`)"),
        // There is no lookup: the bytes come from the tables.
        Class::Immediate | Class::Call | Class::BrIf | Class::BrUnless
            if facts.machine.rom.as_ref().is_some_and(Rom::is_specialised) =>
        {
            Err("every instruction, read back from the weights (`rom`)")
        }
        class => equation(class),
    };
    let equation = match equation {
        Ok(equation) => equation,
        Err(instead) => {
            return Ok(Proof {
                op,
                equation: "",
                verdict: Verdict::Tested(instead),
            });
        }
    };
    let verdict = verdict(facts, op, &columns)?;
    facts.leave();
    Ok(Proof {
        op,
        equation,
        verdict,
    })
}

fn verdict(facts: &mut Facts<'_>, op: Op, columns: &OpColumns) -> Result<Verdict, ProofError> {
    let bytes = usize::from(op.spec().bytes);
    let cases = cases(columns.class);
    for index in 0..=bytes {
        for class in facts.classes(index) {
            for case in 0..cases.map_or(1, |_| 2) {
                facts.enter(class, op, index)?;
                if let Some((lookup, part, bounds)) = cases {
                    facts.assume(lookup, part, bounds[case])?;
                }
                // A branch that is not taken has no bytes: its end token is at byte index 0.
                let jumps = match columns.class {
                    Class::BrIf => case == 1,
                    Class::BrUnless => case == 0,
                    _ => true,
                };
                if !jumps && index > 0 {
                    continue;
                }
                let last = if jumps { bytes } else { 0 };
                let problem = differs(facts, op, columns, (index, last), case)?;
                if let Some(problem) = problem {
                    return Ok(Verdict::Wrong(index, problem));
                }
            }
        }
    }
    Ok(Verdict::Proved(bytes + 1))
}

/// The difference from the equations at a byte index, for an instruction whose end token is at
/// index `last`.
fn differs(
    facts: &mut Facts<'_>,
    op: Op,
    columns: &OpColumns,
    (index, last): (usize, usize),
    case: usize,
) -> Result<Option<String>, ProofError> {
    let mut end = trap(facts, op, columns)?;
    if index == last {
        let code = end_code(facts, op, columns, index < usize::from(op.spec().bytes))?;
        end = end.about_plus(1.0, &code);
    }
    let found = facts.end()?;
    if *facts.exact(found) != end {
        let (found, end) = (facts.exact(found), &end);
        return Ok(Some(format!("the end code is {found:?}, not {end:?}")));
    }
    // The unembedding reads a byte together with code 0, or with the code of an output.
    let reads = index < last || matches!(op.spec().end, EndToken::Out | EndToken::Err);
    if !reads {
        return Ok(None);
    }
    if index == 0
        && matches!(columns.class, Class::Compare | Class::CompareSigned)
        && let Some(problem) = comparison(facts, op, columns)?
    {
        return Ok(Some(problem));
    }
    let carry = facts.carry()?;
    if let Some((factor, byte)) = loaded(columns, index as i64) {
        return load(facts, factor, byte);
    }
    if columns.class == Class::Probe {
        return probe(facts);
    }
    let wanted = result(facts, columns, index as i64, case)?;
    let wanted = facts.exact(carry).about_plus(1.0, &wanted);
    let found = facts.result()?;
    let found = facts.exact(found);
    Ok((*found != wanted).then(|| format!("the result is {found:?}, not {wanted:?}")))
}

/// The code of the end token.
fn end_code(
    facts: &mut Facts<'_>,
    op: Op,
    columns: &OpColumns,
    untaken: bool,
) -> Result<Polynomial, ProofError> {
    let code = match op.spec().end {
        EndToken::Commit(commit) if untaken => code::commit(commit.not_taken()),
        EndToken::Commit(commit) => code::commit(commit),
        EndToken::Call => {
            let fourth = facts.named("fourth")?;
            return Ok(Polynomial::constant(code::CALL as f64).about_plus(1.0, facts.exact(fourth)));
        }
        EndToken::Return => {
            let frame = facts.answer("call", 1)?;
            return Ok(
                Polynomial::constant(code::RETURN as f64).about_plus(1.0, facts.exact(frame))
            );
        }
        _ => columns.end,
    };
    Ok(Polynomial::constant(code as f64))
}

/// The term of a trap in the end code: the trap's code, if the excess is positive.
fn trap(facts: &mut Facts<'_>, op: Op, columns: &OpColumns) -> Result<Polynomial, ProofError> {
    let names = |facts: &mut Facts<'_>, names: &[(&str, f64)]| -> Result<Polynomial, ProofError> {
        let mut sum = Polynomial::zero();
        for &(name, factor) in names {
            let dim = facts.named(name)?;
            sum = sum.about_plus(factor, facts.exact(dim));
        }
        Ok(sum)
    };
    // The start of the access relative to the memory's end.
    const PAGE: f64 = 65536.0;
    let start = [("immediate", 1.0), ("fourth", -PAGE), ("grown", -PAGE)];
    let (excess, trap) = match (columns.class, op.spec().end) {
        (Class::Load | Class::LoadSigned, _) => {
            let excess = names(facts, &[start[0], start[1], start[2], ("top", 1.0)])?;
            (
                excess.about_plus(columns.rise as f64, &Polynomial::constant(1.0)),
                Trap::OutOfBounds,
            )
        }
        (Class::Store, _) => {
            let excess = names(facts, &[start[0], start[1], start[2], ("second", 1.0)])?;
            (
                excess.about_plus(columns.bytes as f64, &Polynomial::constant(1.0)),
                Trap::OutOfBounds,
            )
        }
        (Class::Call, _) => {
            let excess = names(facts, &[("frame", 1.0), ("fourth", 1.0)])?;
            let limit = f64::from(weightware_isa::FRAME_LIMIT);
            (
                excess.about_plus(-limit, &Polynomial::constant(1.0)),
                Trap::CallStackExhausted,
            )
        }
        (Class::WithSign, _) => {
            let negative = facts.answer("top.negative", 0)?;
            let excess = names(facts, &[("second", 1.0)])?;
            let excess = excess.about_plus(-(BIG as f64), facts.exact(negative));
            (
                excess.about_plus(-WORD_SIGN, &Polynomial::constant(1.0)),
                Trap::IntegerOverflow,
            )
        }
        _ => return Ok(Polynomial::zero()),
    };
    let below = excess.about_plus(-1.0, &Polynomial::constant(1.0));
    let (above, below) = (facts.relu(excess), facts.relu(below));
    let code = code::trap(trap) as f64;
    Ok(Polynomial::zero()
        .about_plus(code, &above)
        .about_plus(-code, &below))
}

/// The greatest word without its sign bit.
const WORD_SIGN: f64 = i32::MAX as f64;

/// Checks the form that a comparison looks up: `rise relu(d) + fall relu(-d) + bias`, found at a
/// position below 1 if it is not positive.
///
/// d is `2^36 (second - top + 2^32 (sign of top - sign of second)) + 4 (lower second - lower top)`,
/// which is rounded at most once and so has the right sign.
fn comparison(
    facts: &mut Facts<'_>,
    op: Op,
    columns: &OpColumns,
) -> Result<Option<String>, ProofError> {
    let wide = columns.width == 8;
    let mut d = Polynomial::zero();
    let (word, low) = (2.0_f64.powi(36), 4.0);
    let terms = [("second", word), ("top", -word)].into_iter();
    let lower = [("lower_second", low), ("lower_top", -low)];
    for (name, factor) in terms.chain(lower.into_iter().filter(|_| wide)) {
        let term = facts.named(name)?;
        d = d.about_plus(factor, facts.exact(term));
    }
    if columns.class == Class::CompareSigned {
        let sign = 2.0_f64.powi(68);
        for (lookup, factor) in [("sign.top", sign), ("sign.second", -sign)] {
            let term = facts.answer(lookup, 0)?;
            d = d.about_plus(factor, facts.exact(term));
        }
    }
    let scaled = facts.named("compare")?;
    let scaled = facts.unrounded(facts.exact(scaled));
    let mut left = scaled.terms().len();
    for (factor, sign) in [(columns.rise, 1.0), (columns.fall, -1.0)] {
        if factor == 0 {
            continue;
        }
        let wanted = Polynomial::zero().about_plus(sign, &d);
        let found = scaled.terms().iter().any(|&(monomial, coefficient)| {
            let term = Polynomial::monomial(monomial, 1.0);
            let gate = facts.gate_of(&term);
            gate.is_some_and(|(gate, value)| gate == wanted && coefficient * value == factor as f64)
        });
        if !found {
            return Ok(Some(format!(
                "{factor} relu({sign} d) is no part of {scaled:?}"
            )));
        }
        left -= 1;
    }
    if left > 0 {
        return Ok(Some(format!("{scaled:?} has more terms")));
    }
    Ok(super::decides(op).err())
}

/// The factor and the name of the dimension that a load reads at a byte index; `None` past the size
/// of an unsigned load, where the result is 0.
fn loaded(columns: &OpColumns, index: i64) -> Option<(f64, &'static str)> {
    match columns.class {
        Class::Load | Class::LoadSigned | Class::Dump if index < columns.rise => {
            Some((1.0, "load.byte"))
        }
        Class::LoadSigned => Some((255.0, "load.sign")),
        _ => None,
    }
}

/// Checks that the result is `factor relu(byte - 2^13 missed)`.
///
/// Squares of addresses may be rounded, and so may `missed` and the gate. But if `missed` is 0,
/// nothing is rounded. Otherwise it is at least 1, and the gate is far below 0.
fn load(facts: &mut Facts<'_>, factor: f64, byte: &str) -> Result<Option<String>, ProofError> {
    let [byte, missed, carry] = [facts.named(byte)?, facts.named("missed")?, facts.carry()?];
    let wanted = facts
        .exact(byte)
        .about_plus(-(BYTE_PUSH as f64), facts.exact(missed));
    let found = facts.result()?;
    let found = facts.exact(found).about_plus(-1.0, facts.exact(carry));
    let gate = facts.gate_of(&Polynomial::zero().about_plus(1.0 / factor, &found));
    Ok((gate.as_ref() != Some(&(wanted.clone(), 1.0)))
        .then(|| format!("the gate is {gate:?}, not {wanted:?}")))
}

/// Checks that the result is `relu(1 - missed)`, and that the reach is `1024 (top + immediate +
/// 2^18)`.
fn probe(facts: &mut Facts<'_>) -> Result<Option<String>, ProofError> {
    let block = f64::from(BLOCK);
    let [top, immediate] = [facts.named("top")?, facts.named("immediate")?];
    let wanted = Polynomial::constant(block * SHIFT as f64)
        .about_plus(block, facts.exact(top))
        .about_plus(block, facts.exact(immediate));
    let reach = facts.named("reach")?;
    let reach = facts.unrounded(facts.exact(reach));
    if reach != wanted {
        return Ok(Some(format!("the reach is {reach:?}, not {wanted:?}")));
    }
    let [missed, carry] = [facts.named("missed")?, facts.carry()?];
    let wanted = Polynomial::constant(1.0).about_plus(-1.0, facts.exact(missed));
    let found = facts.result()?;
    let found = facts.exact(found).about_plus(-1.0, facts.exact(carry));
    let gate = facts.gate_of(&found);
    Ok((gate.as_ref() != Some(&(wanted.clone(), 1.0)))
        .then(|| format!("the gate is {gate:?}, not {wanted:?}")))
}

/// The result at a byte index, without the carry.
fn result(
    facts: &mut Facts<'_>,
    columns: &OpColumns,
    index: i64,
    case: usize,
) -> Result<Polynomial, ProofError> {
    let of = |facts: &mut Facts<'_>, answers: &[(&str, f64)]| -> Result<Polynomial, ProofError> {
        let mut sum = Polynomial::zero();
        for &(lookup, factor) in answers {
            let answer = facts.answer(lookup, 0)?;
            sum = sum.about_plus(factor, facts.exact(answer));
        }
        Ok(sum)
    };
    let within = index < columns.rise;
    Ok(match columns.class {
        Class::Immediate | Class::Call | Class::BrIf | Class::BrUnless => {
            of(facts, &[("immediate.here", 1.0)])?
        }
        Class::LocalGet | Class::GlobalGet => of(facts, &[("local.byte", 1.0)])?,
        Class::GlobalSet | Class::LocalSet | Class::Pop | Class::Store => of(facts, &[("b", 1.0)])?,
        Class::Add => of(facts, &[("a", 1.0), ("b", 1.0)])?,
        Class::Sub => of(facts, &[("a", 1.0), ("b", -1.0)])?,
        Class::Reverse => of(facts, &[("reverse", 1.0)])?,
        Class::Return => of(facts, &[("return.byte", 1.0)])?,
        Class::Select if case == 0 => of(facts, &[("select.second", 1.0)])?,
        Class::Select => of(facts, &[("select.third", 1.0)])?,
        Class::Join if within => of(facts, &[("join.low", 1.0)])?,
        Class::Join => of(facts, &[("b", 1.0)])?,
        Class::Extend | Class::ExtendUnsigned if within => of(facts, &[("b", 1.0)])?,
        Class::Extend => of(facts, &[("extend.sign", 255.0)])?,
        Class::ExtendUnsigned => Polynomial::zero(),
        Class::Abs => of(facts, &[("b", if case == 0 { 1.0 } else { -1.0 })])?,
        Class::WithSign => of(facts, &[("a", if case == 1 { -1.0 } else { 1.0 })])?,
        Class::Eqz | Class::Eqz64 if index > 0 => Polynomial::zero(),
        Class::Eqz => {
            let top = facts.named("top")?;
            let zero = Polynomial::constant(1.0).about_plus(-1.0, facts.exact(top));
            facts.relu(zero)
        }
        Class::Eqz64 => {
            let [top, lower] = [facts.named("top")?, facts.named("lower_top")?];
            let zero = Polynomial::constant(1.0).about_plus(-1.0, facts.exact(top));
            let zero = zero.about_plus(-1.0, facts.exact(lower));
            facts.relu(zero)
        }
        Class::Compare | Class::CompareSigned if index > 0 => Polynomial::zero(),
        Class::Compare | Class::CompareSigned => of(facts, &[("compare.decided", 1.0)])?,
        Class::Load | Class::None => Polynomial::zero(),
        class => unreachable!("{class:?} has no rule"),
    })
}
