//! The intermediate representation of a function: built by the lowering, rewritten by the passes,
//! encoded once at the end.
//!
//! ```text
//! operators -[lower]-> Builder -> Code -[passes]-> Code -[Encoder]-> instructions of a program
//! ```

mod builder;
mod encoder;
mod inst;
mod label;
mod peephole;

pub(crate) use builder::Builder;
pub(crate) use encoder::Encoder;
pub(crate) use inst::{Access, Code, Inst, InstKind, stack_effect};
pub(crate) use label::{Callee, Label, Origin};

use crate::error::Error;

/// The greatest number of instructions that addresses of three bytes reach, `}` included.
const CODE_LIMIT: usize = (1 << 24) - 1;

/// Refuses a program of more instructions than addresses reach.
fn check_size(instructions: usize) -> Result<(), Error> {
    if instructions <= CODE_LIMIT {
        return Ok(());
    }
    Err(
        Error::too_large("the program has more than 2^24 instructions")
            .remedy("leave out code that is not needed"),
    )
}
