//! The parts of a token sequence: preamble, program, data sections, the saved end of the trace of
//! the context before, lines of the trace.

use std::fmt;

use weightware::{Program, Token};

/// The positions where parts of prompt and trace begin.
pub(super) struct Layout {
    /// The tokens of the preamble.
    preamble: usize,
    /// Instructions in the prompt.
    instructions: usize,
    /// Where each data section begins.
    sections: Vec<usize>,
    /// Where the line of `ready` begins, or the prompt ends.
    ready: usize,
    /// Where each saved line begins.
    saved: Vec<usize>,
    prompt_tokens: usize,
    /// Where each line of the trace begins, counted from the prompt's end.
    lines: Vec<usize>,
}

/// The part that a position belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Preamble,
    Open,
    /// The index of the instruction, from 0.
    Instruction(usize),
    Close,
    /// The number of the data section, from 0.
    Section(usize),
    /// The line of `ready`, which names the handler.
    Ready,
    /// The number of the line that the context before has saved, from 0.
    Saved(usize),
    /// The number of the line of the trace, from 0.
    Line(usize),
}

/// Tokens of an instruction in the prompt: its opcode and four bytes.
const INSTRUCTION_TOKENS: usize = 5;

/// Tokens of the line of `ready`.
const READY_TOKENS: usize = 4;

/// Where lines begin, and where the last one ends, if the first begins at a position.
fn lines(first: usize, tokens: &[Token]) -> Vec<usize> {
    let ends = tokens.iter().zip(first + 1..);
    let ends = ends.filter_map(|(token, next)| token.ends_instruction().then_some(next));
    std::iter::once(first).chain(ends).collect()
}

impl Layout {
    pub(super) fn new(program: &Program, prompt_tokens: usize, trace: &[Token]) -> Self {
        let preamble = program.preamble_len();
        let instructions = program.code_in_prompt().len();
        let mut next = preamble + 2 + INSTRUCTION_TOKENS * instructions;
        let sections = program.sections.iter().map(|bytes| {
            let start = next;
            next += bytes.len() + 1;
            start
        });
        let sections = sections.collect();
        let saved = program
            .turns
            .as_ref()
            .and_then(|turns| turns.saved.as_deref());
        Self {
            preamble,
            instructions,
            sections,
            ready: next,
            saved: lines(next + READY_TOKENS, saved.unwrap_or_default()),
            prompt_tokens,
            lines: lines(0, trace),
        }
    }

    pub(super) fn part(&self, position: u64) -> Part {
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        let open = self.preamble;
        let close = open + 1 + INSTRUCTION_TOKENS * self.instructions;
        if let Some(at) = position.checked_sub(self.prompt_tokens) {
            Part::Line(self.lines.partition_point(|&start| start <= at) - 1)
        } else if position < open {
            Part::Preamble
        } else if position == open {
            Part::Open
        } else if position < close {
            Part::Instruction((position - open - 1) / INSTRUCTION_TOKENS)
        } else if position == close {
            Part::Close
        } else if position < self.ready {
            Part::Section(self.sections.partition_point(|&start| start <= position) - 1)
        } else if position < self.ready + READY_TOKENS {
            Part::Ready
        } else {
            Part::Saved(self.saved.partition_point(|&start| start <= position) - 1)
        }
    }
}

impl Part {
    /// Its kind in a word.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Preamble => "preamble",
            Self::Open => "open",
            Self::Instruction(_) => "instruction",
            Self::Close => "close",
            Self::Section(_) => "section",
            Self::Ready => "ready",
            Self::Saved(_) => "saved",
            Self::Line(_) => "line",
        }
    }

    pub(super) fn number(self) -> Option<usize> {
        match self {
            Self::Instruction(number)
            | Self::Section(number)
            | Self::Saved(number)
            | Self::Line(number) => Some(number),
            Self::Preamble | Self::Open | Self::Close | Self::Ready => None,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preamble => f.write_str("preamble"),
            Self::Instruction(number) => write!(f, "instruction {number}"),
            Self::Open | Self::Close => f.write_str("program"),
            Self::Section(number) => write!(f, "section {number}"),
            Self::Ready => f.write_str("ready"),
            Self::Saved(number) => write!(f, "saved line {number}"),
            Self::Line(number) => write!(f, "line {number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use weightware::Turns;

    use super::*;

    #[test]
    fn every_position_belongs_to_a_part() {
        let text =
            "{ section 00 04 00 00 section 00 05 00 00 output 00 00 00 00 } 48 49 loaded loaded";
        let program: Program = text.parse().expect("a program");
        let prompt: Vec<Token> = program.full_prompt().collect();
        let trace = [Token::byte(1), Token::Out(1), Token::Out(2), Token::Halt];
        let layout = Layout::new(&program, prompt.len(), &trace);
        for (token, position) in prompt.iter().zip(0_u64..) {
            let part = layout.part(position);
            let fits = match token {
                _ if position < Program::PREAMBLE_LEN as u64 => part == Part::Preamble,
                Token::Open => part == Part::Open,
                Token::Close => part == Part::Close,
                Token::Op(_) => matches!(part, Part::Instruction(_)),
                Token::Loaded => matches!(part, Part::Section(_)),
                _ => part.kind() != "line",
            };
            assert!(fits, "{token} at {position} is {part:?}");
        }
        let end = prompt.len() as u64;
        let last = |back: u64| layout.part(end - back);
        assert_eq!(
            [1, 2, 3, 4, 5, 6, 10, 11].map(last),
            [
                Part::Section(1),
                Part::Section(0),
                Part::Section(0),
                Part::Section(0),
                Part::Close,
                Part::Instruction(2),
                Part::Instruction(2),
                Part::Instruction(1),
            ]
        );
        assert_eq!(
            [0, 1, 2, 3].map(|at| layout.part(end + at)),
            [0, 0, 1, 2].map(Part::Line)
        );
    }

    #[test]
    fn the_prompt_of_a_later_context_has_saved_lines() {
        let program = Program {
            turns: Some(Turns {
                handler: 0,
                saved: Some(vec![
                    Token::byte(1),
                    Token::byte(0),
                    Token::byte(0),
                    Token::Saving,
                    Token::Turned,
                ]),
            }),
            ..Program::default()
        };
        let prompt: Vec<Token> = program.full_prompt().collect();
        let layout = Layout::new(&program, prompt.len(), &[Token::Halt]);
        let end = prompt.len() as u64;
        assert_eq!(
            [10, 9, 6, 5, 2, 1, 0].map(|back| layout.part(end - back)),
            [
                Part::Close,
                Part::Ready,
                Part::Ready,
                Part::Saved(0),
                Part::Saved(0),
                Part::Saved(1),
                Part::Line(0),
            ]
        );
    }
}
