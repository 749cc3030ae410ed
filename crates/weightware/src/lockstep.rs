//! Lockstep: comparison of a trace with the plain interpreter, token by token.

use weightware_isa::{Fault, Interpreter, Program, Token};

/// A comparison of a trace with the plain interpreter, token by token.
///
/// The interpreter sees each token only after the model has generated it, and does not influence
/// the next one.
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

/// The difference between a trace and the plain interpreter at the first token that the interpreter
/// does not confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Divergence {
    /// The interpreter generates another token.
    #[error("{found} where the plain interpreter generates {expected}")]
    Differs {
        /// The interpreter's token.
        expected: Token,
        /// The trace's token.
        found: Token,
    },
    /// The interpreter generates none: the program is invalid here, and later tokens are not
    /// defined.
    #[error("the plain interpreter cannot continue: {0}")]
    Fault(Fault),
}

impl<'p> From<Interpreter<'p>> for Lockstep<'p> {
    /// A comparison with an interpreter, from where it is.
    fn from(interpreter: Interpreter<'p>) -> Self {
        Self {
            interpreter,
            agreed: 0,
            divergence: None,
        }
    }
}

impl<'p> Lockstep<'p> {
    /// A comparison from the beginning of a program's trace.
    #[must_use]
    pub fn new(program: &'p Program) -> Self {
        Self::from(Interpreter::new(program))
    }

    /// Compares the next token of the trace. Tokens after a divergence or after the end are not
    /// compared.
    ///
    /// # Errors
    /// The divergence at this token, or at an earlier one.
    #[inline]
    pub fn feed(&mut self, found: Token) -> Result<(), Divergence> {
        if let Some(divergence) = self.divergence {
            return Err(divergence);
        }
        let divergence = match self.interpreter.next() {
            Some(Ok(expected)) if expected == found => {
                self.agreed += 1;
                if found == Token::Turned {
                    self.interpreter.turn();
                }
                return Ok(());
            }
            Some(Ok(expected)) => Divergence::Differs { expected, found },
            Some(Err(fault)) => Divergence::Fault(fault),
            None => return Ok(()),
        };
        self.divergence = Some(divergence);
        Err(divergence)
    }

    /// The number of tokens that the interpreter has confirmed. If there is a divergence, this is
    /// its index in the trace.
    #[must_use]
    pub fn agreed(&self) -> u64 {
        self.agreed
    }

    /// The divergence of trace and interpreter, if there is one.
    #[must_use]
    pub fn divergence(&self) -> Option<Divergence> {
        self.divergence
    }
}
