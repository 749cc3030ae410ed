//! How far the token that is said is ahead of the next one, by its logit.

use weightware::{Computer, Token, TokenId};

/// A number and where it was met.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lead {
    /// The number.
    pub by: f64,
    /// The position of the token that was said.
    pub position: u64,
    /// That token.
    pub token: Token,
}

/// The least leads, and the greatest byte behind the last byte of an instruction.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Leads {
    /// Of tokens of bytes, results and output: bytes are neighbours, so that it is 1.
    pub byte: Option<Lead>,
    /// Of all others.
    pub end: Option<Lead>,
    /// What stands in the place of a byte behind an instruction's last byte; the greatest
    /// magnitude. It matters once it is so great that it outweighs the end token's code.
    pub past: Option<Lead>,
    /// The same where the instruction traps before its first byte.
    pub trapped: Option<Lead>,
    /// Tokens that were looked at.
    pub tokens: u64,
}

/// What an end token must lead by: half of what its code weighs, so that bytes behind the last one
/// have not outweighed it by far.
const LEAST_END: f64 = (1_u64 << 29) as f64;

/// What stands behind the last byte: a sum of few bytes, or the column of an end token's code that
/// shares theirs; at any position.
const MOST_PAST: f64 = (1_u64 << 10) as f64;

impl Leads {
    /// Takes in the logits that a token was said by; says which one they are for.
    pub fn note(
        &mut self,
        computer: &Computer,
        logits: &[f64],
        position: u64,
        token: Token,
    ) -> Option<Token> {
        let (best, by) = best(logits)?;
        let lead = Lead {
            by,
            position,
            token,
        };
        self.tokens += 1;
        match token {
            Token::Byte(..) | Token::Out(_) | Token::Err(_) => least(&mut self.byte, lead),
            _ => {
                least(&mut self.end, lead);
                // The logits of tokens of one code differ by their bytes alone.
                let [low, high] =
                    [0, 255].map(|byte| logits[computer.id(Token::Out(byte)).0 as usize]);
                let by = ((high - low + 255.0 * 255.0) / 510.0).abs();
                let past = match token {
                    Token::Trap(_) => &mut self.trapped,
                    _ => &mut self.past,
                };
                greatest(past, Lead { by, ..lead });
            }
        }
        computer.meaning(best)
    }

    /// Those of two runs.
    pub fn join(&mut self, other: Self) {
        let pairs = [(&mut self.byte, other.byte), (&mut self.end, other.end)];
        for (own, other) in pairs {
            other.into_iter().for_each(|lead| least(own, lead));
        }
        let pairs = [
            (&mut self.past, other.past),
            (&mut self.trapped, other.trapped),
        ];
        for (own, other) in pairs {
            other.into_iter().for_each(|lead| greatest(own, lead));
        }
        self.tokens += other.tokens;
    }

    /// Whether bytes lead by 1, ends by far, and nothing great stands behind a last byte.
    #[must_use]
    pub fn suffice(&self) -> bool {
        self.byte.is_none_or(|lead| lead.by == 1.0)
            && self.end.is_none_or(|lead| lead.by >= LEAST_END)
            && self.past.is_none_or(|past| past.by <= MOST_PAST)
    }
}

fn least(least: &mut Option<Lead>, lead: Lead) {
    if least.is_none_or(|least| lead.by < least.by) {
        *least = Some(lead);
    }
}

fn greatest(greatest: &mut Option<Lead>, lead: Lead) {
    if greatest.is_none_or(|greatest| lead.by > greatest.by) {
        *greatest = Some(lead);
    }
}

/// The greatest logit, and how much greater it is than the next.
pub(crate) fn best(logits: &[f64]) -> Option<(TokenId, f64)> {
    let mut best = (0, f64::NEG_INFINITY);
    let mut second = f64::NEG_INFINITY;
    for (&logit, id) in logits.iter().zip(0..) {
        if logit > best.1 {
            (best, second) = ((id, logit), best.1);
        } else if logit > second || logit.is_nan() {
            second = logit;
        }
    }
    let lead = best.1 - second;
    (!lead.is_nan()).then_some((TokenId(best.0), lead))
}
