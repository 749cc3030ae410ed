//! Where a run that trapped stood, by the plain interpreter.

use weightware_isa::{Interpreter, Outcome, Program};

/// Where a run that trapped stood: what the plain interpreter says after the run, which it has no
/// part in.
///
/// ```
/// use weightware::{PostMortem, Program};
///
/// let program: Program = "{ i32.const 09 00 00 00 i32.load 04 00 00 00 output 00 00 00 00 }".parse()?;
/// let found = PostMortem::of(&program, u64::MAX).expect("a memory of no pages holds nothing");
/// assert_eq!((found.instruction, found.address), (1, Some(13)));
/// # Ok::<(), weightware::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostMortem {
    /// The index of the instruction that trapped.
    pub instruction: usize,
    /// The machine's address that it accesses, if it does.
    pub address: Option<u64>,
    /// The indices of the calls that have not returned, the innermost first.
    pub callers: Vec<usize>,
}

impl PostMortem {
    /// Whether a program executes one of these instructions within this many tokens, by the plain
    /// interpreter.
    #[must_use]
    pub fn executes(program: &Program, tokens: u64, instructions: &[usize]) -> bool {
        let mut run = Interpreter::new(program);
        let mut begins = true;
        for _ in 0..tokens {
            if begins && instructions.contains(&run.cursor()) {
                return true;
            }
            match run.next() {
                Some(Ok(token)) => begins = token.ends_instruction(),
                _ => return false,
            }
        }
        false
    }

    /// Runs the program by the plain interpreter, at most this many tokens; takes less time than a
    /// run. `None` if it has not trapped by then.
    #[must_use]
    pub fn of(program: &Program, tokens: u64) -> Option<Self> {
        let mut run = Interpreter::new(program);
        let Ok(Some(Outcome::Trapped(_))) = run.run(tokens) else {
            return None;
        };
        let instruction = run.cursor().checked_sub(1)?;
        let executed = program.code.get(instruction)?;
        // The address lies below a value that is stored.
        let name = executed.op.spec().name;
        let depth = match (name.contains(".load"), name.contains(".store")) {
            (true, _) => Some(1),
            (_, true) => Some(2),
            _ => None,
        };
        let stack = run.stack();
        let operand = depth.and_then(|depth| stack.get(stack.len().checked_sub(depth)?));
        Some(Self {
            instruction,
            address: operand.map(|value| value.bits() + u64::from(executed.low())),
            callers: run.callers().rev().collect(),
        })
    }
}
