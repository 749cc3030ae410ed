//! The cost of a turn: tokens that save a program's state, carry it to the next context's prompt,
//! and restore it.

use weightware_compiler::machine::Profile;
use weightware_isa::{Program, Token};

/// The tokens of a program's turn at its first jump. Each block of memory that the program has
/// written by a later turn adds to all of them.
///
/// ```
/// use weightware::{Profile, Program, TurnCost};
///
/// let program: Program = "{ br 00 00 00 00 }".parse()?;
/// assert_eq!(TurnCost::of(&program, &Profile::STOCK), None, "a token program has one context");
/// # Ok::<(), weightware::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TurnCost {
    /// From `interrupted` to `turned`.
    pub saving: u64,
    /// The next context's prompt, preamble included.
    pub prompt: u64,
    /// From there to `continued`.
    pub restoring: u64,
}

impl TurnCost {
    /// The most tokens that are looked at.
    const LIMIT: u64 = 50_000_000;

    /// Counts the tokens in the plain interpreter, with the memory of a profile's machine. `None`
    /// if the program has one context, or does not come to the end of a turn.
    #[must_use]
    pub fn of(program: &Program, profile: &Profile) -> Option<Self> {
        program.turns.as_ref()?;
        let mut run = profile.with_context(1).interpreter(program);
        // Where the line, the turn, the saved part of the trace and the next context begin.
        let [mut line, mut turn, mut saved, mut next] = [0; 4];
        let mut cost = None;
        while run.tokens() < Self::LIMIT {
            let token = run.next()?.ok()?;
            if !token.ends_instruction() {
                continue;
            }
            let tokens = run.tokens();
            match (token, &mut cost) {
                (Token::Interrupted, None) if turn == 0 => turn = line,
                (Token::Saving, None) => saved = line,
                (Token::Turned, None) => {
                    let code = program.preamble_len() + 5 * program.code_in_prompt().len();
                    // `{`, `}` and the line of `ready`.
                    cost = Some(Self {
                        saving: tokens - turn,
                        prompt: code as u64 + 6 + tokens - saved,
                        restoring: 0,
                    });
                    next = tokens;
                    run.turn();
                }
                (Token::Continued, Some(cost)) => {
                    cost.restoring = tokens - next;
                    return Some(*cost);
                }
                _ => {}
            }
            line = tokens;
        }
        None
    }
}
