//! The plain interpreter beside a run.

use weightware_isa::{Fault, Interpreter, Program, Token};

/// The plain interpreter beside a run: it is shown each token once the model has put it out, and
/// has no say in the next one.
///
/// ```
/// use weightware::{Lockstep, Divergence, Program, Token};
///
/// let program: Program = "{ i32.const 03 00 00 00 output 00 00 00 00 }".parse()?;
/// let mut lockstep = Lockstep::new(&program);
/// assert_eq!(lockstep.feed(Token::byte(3)), Ok(()));
/// let (expected, found) = (Token::byte(0), Token::byte(1));
/// assert_eq!(lockstep.feed(found), Err(Divergence::Differs { expected, found }));
/// assert_eq!(lockstep.agreed(), 1);
/// # Ok::<(), weightware::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Lockstep<'p> {
    interpreter: Interpreter<'p>,
    agreed: u64,
    divergence: Option<Divergence>,
}

/// How a trace left the plain interpreter, at the first token that it does not confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Divergence {
    /// It says another token.
    #[error("{found} where the plain interpreter says {expected}")]
    Differs {
        /// The interpreter's token.
        expected: Token,
        /// That of the trace.
        found: Token,
    },
    /// It says none: the program does what no valid program does, and what follows is not defined.
    #[error("the plain interpreter cannot go on: {0}")]
    Fault(Fault),
}

impl<'p> Lockstep<'p> {
    /// At the beginning of a program's trace.
    #[must_use]
    pub fn new(program: &'p Program) -> Self {
        Self {
            interpreter: Interpreter::new(program),
            agreed: 0,
            divergence: None,
        }
    }

    /// Shows it the next token of the trace. Behind a divergence, and behind the end, nothing is
    /// looked at.
    ///
    /// # Errors
    /// The divergence, from that token on.
    #[inline]
    pub fn feed(&mut self, found: Token) -> Result<(), Divergence> {
        if let Some(divergence) = self.divergence {
            return Err(divergence);
        }
        let divergence = match self.interpreter.next() {
            Some(Ok(expected)) if expected == found => {
                self.agreed += 1;
                return Ok(());
            }
            Some(Ok(expected)) => Divergence::Differs { expected, found },
            Some(Err(fault)) => Divergence::Fault(fault),
            None => return Ok(()),
        };
        self.divergence = Some(divergence);
        Err(divergence)
    }

    /// How many tokens it has confirmed: the index of the one at which it and the trace part, if
    /// they do.
    #[must_use]
    pub fn agreed(&self) -> u64 {
        self.agreed
    }

    /// How it and the trace parted, if they did.
    #[must_use]
    pub fn divergence(&self) -> Option<Divergence> {
        self.divergence
    }
}
