//! Proof of values: the byte and the end code that the weights compute are those of the
//! instruction, for every operand.
//!
//! The certificate proves from the weights alone that exactly one token is selected (statement A).
//! This module proves statement B: it is the right token. For each instruction, at each byte index
//! and at the end token, the analysis derives from the weights the polynomial that the unembedding
//! reads, over the values of heads and exact by proven bounds. It is compared with an equation of
//! `rules.rs` over the machine's named lookups:
//!
//! ```text
//! i32.add, byte i:   result = a + b + carry       end = 0
//! i32.load:          result = relu(load.byte - 2^10 missed)
//!                    end    = code(out_of_bounds) (relu(excess) - relu(excess - 1))
//! br_if, top = 0:    end    = code(branch) - 1    at byte 0
//! ```
//!
//! The proof assumes three things. Lookups find what their equations state: their keys and queries
//! are given in the sections of the [machine](crate::machine), their exactness in the certificate.
//! The previous token left the carry that it shows. The arithmetic of bytes is right, which
//! [`arithmetic`] checks case by case. Instructions without a rule are tested instead
//! ([`Verdict::Tested`] says how).

mod error;
mod facts;
mod rules;
#[cfg(test)]
mod tests;
mod unwritten;

use weightware_isa::{Flag, Op, Token, Vocabulary};
use weightware_model::Model;

use crate::machine::columns::op_columns;
use crate::machine::{Extension, Machine, Profile};
use crate::schedule::Schedule;
pub use error::ProofError;
use facts::Facts;
pub use unwritten::{Unwritten, unwritten};

/// The result of the proof for one instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The equation holds at this many byte indices, the end token's included.
    Proved(usize),
    /// There is no equation; the text says which tests replace it.
    Tested(&'static str),
    /// The weights compute something else: the byte index, and the difference.
    Wrong(usize, String),
}

/// An instruction, the equation of its result, and the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The instruction.
    pub op: Op,
    /// The equation of its result bytes.
    pub equation: &'static str,
    /// Whether the weights compute it.
    pub verdict: Verdict,
}

/// Proves the values of all instructions that can be executed, for weights that were assembled for
/// the machine of a profile with its committed schedule. Takes about a second.
///
/// # Errors
/// If the analysis refuses the weights.
pub fn values(profile: Profile, model: &Model) -> Result<Vec<Proof>, ProofError> {
    let machine = Machine::with_profile(profile, &Extension::ALL);
    let schedule = Schedule::parse(&machine.graph, profile.schedule())?;
    let mut facts = Facts::new(&machine, &schedule, model)?;
    let executed = Op::ALL.iter().copied().filter(|&op| is_executed(op));
    executed.map(|op| rules::prove(&mut facts, op)).collect()
}

/// Whether an instruction is ever executed. Others follow an instruction and are read with it, or
/// precede the program's first instruction.
#[must_use]
pub fn is_executed(op: Op) -> bool {
    !matches!(op, Op::Section)
}

/// Checks the arithmetic of bytes on which the equations rest, case by case.
///
/// The token that is selected for a result r, from -256 to 511, is the byte r mod 256, with the
/// flag of a borrow below 0 and of a carry from 256 on. Bytes that are added or subtracted with
/// that flag, from the lowest to the highest, are the sum or difference of the words.
///
/// # Errors
/// The first case that fails.
pub fn arithmetic(machine: &Machine) -> Result<(), String> {
    let vocabulary = Vocabulary::new();
    for result in -256..512_i64 {
        let flag = match result {
            ..0 => Flag::Borrow,
            0..256 => Flag::None,
            _ => Flag::Carry,
        };
        let expected = Token::Byte(result.rem_euclid(256) as u8, flag);
        let best = vocabulary
            .tokens()
            .iter()
            .copied()
            .max_by_key(|&token| machine.logit_at(token, 0, result));
        if best != Some(expected) {
            return Err(format!(
                "for the result {result} {best:?} is picked, not {expected}"
            ));
        }
    }
    for (a, b) in (0..256_i64).flat_map(|a| (0..256).map(move |b| (a, b))) {
        for carry in 0..2 {
            // The carry of this byte is the term that the next byte adds; 256 times it is the
            // amount that this byte leaves out.
            let (sum, difference) = (a + b + carry, a - b - carry);
            let [up, down] = [i64::from(sum >= 256), i64::from(difference < 0)];
            if sum - 256 * up != sum.rem_euclid(256)
                || difference + 256 * down != difference.rem_euclid(256)
            {
                return Err(format!("{a}, {b} with a carry of {carry}"));
            }
        }
    }
    Ok(())
}

/// Whether `[rise relu(d) + fall relu(-d) + bias >= 1]` is the result of a comparison for a d
/// below, at and above 0.
fn decides(op: Op) -> Result<(), String> {
    let columns = op_columns(op);
    // The extreme differences; 64-bit differences are multiples of four.
    for d in [-(1_i128 << 70), -4, 0, 4, 1 << 70] {
        let [rise, fall, bias] = [columns.rise, columns.fall, columns.bias].map(i128::from);
        let decided = rise * d.max(0) + fall * (-d).max(0) + bias >= 1;
        let name = op.spec().name;
        let (_, kind) = name.split_once('.').unwrap_or((name, name));
        let wanted = match kind.split('_').next() {
            Some("eq") => d == 0,
            Some("ne") => d != 0,
            Some("lt") => d < 0,
            Some("gt") => d > 0,
            Some("le") => d <= 0,
            Some("ge") => d >= 0,
            _ => return Err(format!("{name} is no comparison")),
        };
        if decided != wanted {
            return Err(format!("{name} of a difference of {d} is {decided}"));
        }
    }
    Ok(())
}
