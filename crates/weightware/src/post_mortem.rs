//! Post-mortem analysis of a trapped run: instruction, address and call stack, by the plain
//! interpreter.

use weightware_isa::{Interpreter, Outcome, Program};

/// The place of a trap: instruction, address and call stack. The plain interpreter finds them after
/// the run, in which it has no part.
///
/// ```
/// use weightware::{PostMortem, Program};
///
/// let program: Program = "{ i32.const 09 00 00 00 i32.load 04 00 00 00 output 00 00 00 00 }".parse()?;
/// let found = PostMortem::of(&program, u64::MAX).expect("a memory of no pages holds nothing");
/// assert_eq!((found.instruction, found.address, found.bytes), (1, Some(13), 4));
/// # Ok::<(), weightware::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostMortem {
    /// The number of the instruction that trapped.
    pub instruction: usize,
    /// The machine's address that the instruction accesses, if it accesses memory.
    pub address: Option<u64>,
    /// The number of bytes that it accesses from there on; 0 if it accesses none.
    pub bytes: u64,
    /// The call stack: the numbers of the calls that have not returned, the innermost first.
    pub callers: Vec<usize>,
}

impl PostMortem {
    /// Whether the plain interpreter executes one of some instructions of a program within a number
    /// of tokens.
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

    /// Runs a program in the plain interpreter, at most `tokens` tokens, and returns the place of
    /// the trap. `None` if the program does not trap by then. It takes less time than a run.
    #[must_use]
    pub fn of(program: &Program, tokens: u64) -> Option<Self> {
        let mut run = Interpreter::new(program);
        let Ok(Some(Outcome::Trapped(_))) = run.run(tokens) else {
            return None;
        };
        let instruction = run.cursor().checked_sub(1)?;
        let executed = program.instruction(instruction)?;
        // On the stack, a store's address lies below its value.
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
            bytes: operand.and(executed.op.access_bytes()).map_or(0, u64::from),
            callers: run.callers().rev().collect(),
        })
    }
}
