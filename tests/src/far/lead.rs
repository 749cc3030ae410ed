//! Leads: the difference between the logit of the chosen token and the next one.

use weightware::{Computer, Token, TokenId};

/// A number and the position at which it occurred.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lead {
    /// The number.
    pub by: f64,
    /// The position of the chosen token.
    pub position: u64,
    /// The chosen token.
    pub token: Token,
}

/// The least leads, and the greatest result after the last byte of an instruction.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Leads {
    /// The least lead of tokens of bytes, results and output. Bytes are neighbours, so it is 1.
    pub byte: Option<Lead>,
    /// The least lead of all other tokens.
    pub end: Option<Lead>,
    /// The greatest magnitude of a result after an instruction's last byte. It matters if it is so
    /// great that it outweighs the end token's code.
    pub past: Option<Lead>,
    /// The greatest magnitude of a result where an instruction traps before its first byte.
    pub trapped: Option<Lead>,
    /// The number of tokens checked.
    pub tokens: u64,
}

/// The least permitted lead of an end token: half the weight of its code. A result after the last
/// byte is then far from outweighing the code.
const LEAST_END: f64 = (1_u64 << 29) as f64;

/// The greatest permitted result after the last byte: a sum of few bytes, or the column of an end
/// token's code, which shares theirs. It does not depend on the position.
const MOST_PAST: f64 = (1_u64 << 10) as f64;

impl Leads {
    /// Adds the logits by which a token was chosen, and returns the token with the greatest.
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
                // The logits of tokens of one code differ only by their bytes.
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

    /// Adds the leads of another run.
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

    /// Whether bytes lead by 1, ends lead by far, and no result after a last byte is great.
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

/// The token of the greatest logit, and its lead over the next.
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
