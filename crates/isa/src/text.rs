//! The text form of programs: parser, printer and disassembler.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Kind, Place};
use crate::{Immediate, Instruction, Op, Program, Token, Turns, Vocabulary};

/// A word of the text and its place.
#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    place: Place,
}

impl Word<'_> {
    fn error(self, kind: Kind) -> Error {
        Error::new(kind).at_place(self.place).at_token(self.text)
    }

    fn byte(self) -> Option<u8> {
        let digits = self.text.len() == 2 && self.text.bytes().all(|c| c.is_ascii_hexdigit());
        digits
            .then(|| u8::from_str_radix(self.text, 16).ok())
            .flatten()
    }
}

/// The words of a text, without its comments.
fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    text.lines().zip(1..).flat_map(|(line, number)| {
        let code = line.split(['#', ';']).next().unwrap_or_default();
        code.split_whitespace().map(move |word| {
            let start = word.as_ptr().addr() - code.as_ptr().addr();
            let column = code[..start].chars().count() + 1;
            Word {
                text: word,
                place: Place {
                    line: number,
                    column,
                },
            }
        })
    })
}

struct Parser<'a, I> {
    words: I,
    /// The last word read.
    last: Option<Word<'a>>,
    /// The handler's index that the preamble has.
    handler: [u8; 3],
}

impl<'a, I: Iterator<Item = Word<'a>>> Parser<'a, I> {
    fn next(&mut self) -> Option<Word<'a>> {
        let word = self.words.next();
        self.last = word.or(self.last);
        word
    }

    /// The next word; at the end of the text, the error `kind` at the place after the last word.
    fn expect(&mut self, kind: impl FnOnce() -> Kind) -> Result<Word<'a>, Error> {
        self.next()
            .ok_or_else(|| Error::new(kind()).at_place(self.end()))
    }

    /// The place after the last word.
    fn end(&self) -> Place {
        self.last
            .map_or(Place { line: 1, column: 1 }, |Word { text, place }| Place {
                column: place.column + text.chars().count(),
                ..place
            })
    }

    /// Reads `{`, and the preamble if the text begins with it.
    fn open(&mut self, program: &Program) -> Result<(), Error> {
        let mut word = self.expect(|| Kind::NoOpen)?;
        if word.text == Token::Begin.to_string() {
            // A longer preamble has its further table before the handler.
            let start = Program::HANDLER_AT + program.preamble_len() - Program::PREAMBLE_LEN;
            let handler = start..start + 3;
            for (place, wanted) in program.preamble().enumerate().skip(1) {
                let wanted = wanted.to_string();
                word = self.expect(|| Kind::Preamble(wanted.clone()))?;
                if let Some(byte) = word.byte().filter(|_| handler.contains(&place)) {
                    self.handler[place - handler.start] = byte;
                } else if word.text != wanted {
                    return Err(word.error(Kind::Preamble(wanted)));
                }
            }
            word = self.expect(|| Kind::NoOpen)?;
        }
        if word.text == "{" {
            Ok(())
        } else {
            Err(word.error(Kind::NoOpen))
        }
    }

    /// Reads an instruction; `None` at `}`.
    fn instruction(&mut self) -> Result<Option<(Instruction, Word<'a>)>, Error> {
        let word = self.expect(|| Kind::NoClose)?;
        if word.text == "}" {
            return Ok(None);
        }
        let op = Op::by_name(word.text).ok_or_else(|| {
            word.error(match word.byte() {
                Some(_) => Kind::SurplusByte,
                None => Kind::NotAnOpcode(nearest(word.text)),
            })
        })?;
        let mut immediate = [0; 4];
        for (byte, number) in immediate.iter_mut().zip(1..) {
            let missing = || Kind::MissingByte { op, number };
            let word = self.expect(missing)?;
            *byte = word.byte().ok_or_else(|| word.error(missing()))?;
        }
        Ok(Some((Instruction { op, immediate }, word)))
    }

    /// Reads the data section of that number, or the line of `ready`; `None` at the end of the
    /// text.
    fn section(&mut self, number: usize) -> Result<Option<(Vec<u8>, Word<'a>)>, Error> {
        let Some(mut word) = self.next() else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        while !["loaded", "ready"].contains(&word.text) {
            bytes.push(
                word.byte()
                    .ok_or_else(|| word.error(Kind::NotSectionByte))?,
            );
            word = self.expect(|| Kind::OpenSection(number))?;
        }
        Ok(Some((bytes, word)))
    }

    /// Reads the end of the trace of the context before; `None` at the end of the text.
    fn saved(&mut self) -> Result<Option<Vec<Token>>, Error> {
        let Some(mut word) = self.next() else {
            return Ok(None);
        };
        let vocabulary = Vocabulary::new();
        let mut tokens = Vec::new();
        loop {
            let token = vocabulary.parse(&word.text.to_lowercase());
            let token = token.ok_or_else(|| word.error(Kind::Saved))?;
            tokens.push(token);
            if token == Token::Turned {
                break;
            }
            word = self.expect(|| Kind::Saved)?;
        }
        match self.next() {
            None => Ok(Some(tokens)),
            Some(word) => Err(word.error(Kind::Saved)),
        }
    }
}

/// The opcode whose name is most similar to `name`, if one is similar enough.
fn nearest(name: &str) -> Option<&'static str> {
    let names = Op::ALL.iter().map(|op| op.spec().name);
    let (distance, nearest) = names.map(|other| (edits(name, other), other)).min()?;
    (distance <= 2.max(name.len() / 4)).then_some(nearest)
}

/// The edit distance of Levenshtein: insertions, removals and replacements of characters.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.chars().count()]
}

/// Reads a prompt: `{`, instructions of an opcode and four bytes of two hex digits, `}`, then bytes
/// and `loaded` for each leading `section`. White space separates; `#` and `;` begin comments to
/// the end of the line. The preamble may stand first. The program is [valid](Program::validate).
///
/// ```
/// use weightware_isa::Program;
///
/// let text = "
///     {
///     section    00 04 00 00     ; at address 1024
///     i32.const  00 04 00 00
///     i32.load8_u 01 00 00 01    ; one page of memory
///     output     00 00 00 00
///     }
///     48 49 loaded
/// ";
/// let program: Program = text.parse()?;
/// assert_eq!(program.sections, [b"HI"]);
/// assert_eq!(program.to_string().parse(), Ok(program));
/// # Ok::<(), weightware_isa::Error>(())
/// ```
impl FromStr for Program {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::default().with_prompt(text)
    }
}

impl Program {
    /// The program of a prompt, read as [`FromStr`] reads it. `self` is what the model has of it in
    /// its weights: [`Program::resident`], and the instructions if the prompt has none.
    ///
    /// ```
    /// use weightware_isa::Program;
    ///
    /// let program: Program = "{ section 07 00 00 00 drop 00 00 00 00 } 2a loaded".parse()?;
    /// let program = program.specialised(1);
    /// let weights = Program { sections: vec![], ..program.clone() };
    /// assert_eq!(weights.with_prompt("{ } 2a loaded")?, program);
    /// # Ok::<(), weightware_isa::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the text is no prompt, or the program is not valid.
    pub fn with_prompt(self, text: &str) -> Result<Self, Error> {
        let mut parser = Parser {
            words: words(text),
            last: None,
            handler: [0; 3],
        };
        let mut program = Program {
            sections: vec![],
            turns: None,
            ..self
        };
        let mut places = Vec::new();
        parser.open(&program)?;
        let in_weights = program.resident.as_ref().is_some_and(|part| part.code);
        if !in_weights {
            program.code.clear();
        }
        while let Some((instruction, word)) = parser.instruction()? {
            if in_weights {
                return Err(word.error(Kind::InWeights));
            }
            program.code.push(instruction);
            places.push(word.place);
        }
        while let Some((bytes, end)) = parser.section(program.sections.len())? {
            let index = <[u8; 3]>::try_from(bytes.as_slice())
                .map(|[b0, b1, b2]| u32::from_le_bytes([b0, b1, b2, 0]));
            match (end.text, index, &mut program.turns) {
                ("loaded", _, None) => program.sections.push(bytes),
                ("ready", Ok(handler), turns @ None) => {
                    let saved = parser.saved()?;
                    *turns = Some(Turns { handler, saved });
                }
                _ => return Err(end.error(Kind::Turns)),
            }
        }
        let [b0, b1, b2] = parser.handler;
        let handler = u32::from_le_bytes([b0, b1, b2, 0]);
        if handler != 0
            && program
                .turns
                .as_ref()
                .is_none_or(|turns| turns.handler != handler)
        {
            return Err(Error::new(Kind::Handler { handler }));
        }
        program.validate().map_err(|error| {
            let instruction = error.instruction();
            let place = instruction.and_then(|instruction| places.get(instruction));
            error.at_place(place.copied().unwrap_or_else(|| parser.end()))
        })?;
        Ok(program)
    }
}

impl fmt::Display for Instruction {
    /// Writes the instruction's tokens: `i32.const 03 00 00 00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [b0, b1, b2, b3] = self.immediate;
        write!(f, "{} {b0:02x} {b1:02x} {b2:02x} {b3:02x}", self.op)
    }
}

impl fmt::Display for Program {
    /// Writes the prompt without the preamble on one line; with `{:#}`, each instruction and each
    /// data section on a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = None;
        for token in self.prompt() {
            let breaks = matches!(token, Token::Op(_) | Token::Close)
                || matches!(
                    before,
                    Some(Token::Close | Token::Loaded | Token::Ready | Token::Saving)
                );
            match before {
                None => {}
                Some(_) if breaks && f.alternate() => f.write_str("\n")?,
                Some(_) => f.write_str(" ")?,
            }
            write!(f, "{token}")?;
            before = Some(token);
        }
        Ok(())
    }
}

impl Program {
    /// The program in readable form: a line `index: opcode immediate` for each instruction, in
    /// decimal.
    ///
    /// ```
    /// use weightware_isa::{Instruction, Op, Program};
    ///
    /// let program = Program {
    ///     code: vec![
    ///         Instruction::new(Op::I32Const, u32::MAX),
    ///         Instruction::with_byte(Op::I32Load, 8, 2),
    ///         Instruction::new(Op::Drop, 0),
    ///     ],
    ///     ..Program::default()
    /// };
    /// let lines = "0: i32.const -1\n1: i32.load offset 8 pages 2\n2: drop\n3: }\n";
    /// assert_eq!(program.disassemble().to_string(), lines);
    /// ```
    #[must_use]
    pub fn disassemble(&self) -> Disassembly<'_> {
        Disassembly { program: self }
    }
}

/// A program in readable form, from [`Program::disassemble`].
#[derive(Debug, Clone, Copy)]
pub struct Disassembly<'a> {
    program: &'a Program,
}

impl Instruction {
    /// The instruction in readable form, as in a [disassembly](Program::disassemble).
    #[must_use]
    pub fn readable(self) -> String {
        let (op, low, fourth) = (self.op, self.low(), self.immediate[3]);
        match op.immediate_kind() {
            Immediate::Unused => op.to_string(),
            Immediate::Word => format!("{op} {}", self.immediate() as i32),
            Immediate::Index | Immediate::Target => format!("{op} {low}"),
            Immediate::Access => format!("{op} offset {low} pages {fourth}"),
            Immediate::Call => format!("{op} {low} frame {fourth}"),
        }
    }
}

impl fmt::Display for Disassembly<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = &self.program.code;
        for (index, instruction) in code.iter().enumerate() {
            writeln!(f, "{index}: {}", instruction.readable())?;
        }
        writeln!(f, "{}: }}", code.len())
    }
}
