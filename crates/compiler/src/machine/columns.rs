//! The embedding of every token: one table from tokens to columns.

use weightware_isa::{BLOCK, Commit, Effect, EndToken, Flag, Op, Token};

use crate::form::{Dim, LinearForm};
use crate::graph::Graph;

/// The class of an opcode, which selects the circuits that serve it. A class is fetched as `(class,
/// class^2)`, a point on a parabola. So one linear form is 0 for one class, or for two neighbours,
/// and at least 1 for all others: see [`Columns::unless`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i64)]
pub(crate) enum Class {
    /// No byte on the trace, and no effect except that of the end token.
    None = 0,
    /// A low number, since its push times its square must be exact: see `divide`.
    DivDigits,
    /// Copies the immediate.
    Immediate,
    Call,
    BrIf,
    BrUnless,
    LocalGet,
    GlobalGet,
    GlobalSet,
    LocalSet,
    /// Copies the top of the stack, and does nothing else.
    Pop,
    Store,
    /// A load of many bytes, which stores them, too.
    Dump,
    Load,
    LoadSigned,
    Compare,
    CompareSigned,
    Eqz,
    Eqz64,
    Add,
    Sub,
    Or,
    Xor,
    And,
    Select,
    Return,
    Shl,
    Rotl,
    Rotr,
    ShrU,
    ShrS,
    ShrS64,
    ShrU64,
    Rotr64,
    Rotl64,
    Shl64,
    Mul,
    MulHigh,
    Abs,
    WithSign,
    /// Copies the bytes of the top of the stack in reverse.
    Reverse,
    Extend,
    ExtendUnsigned,
    Join,
    Clz,
    Ctz,
    Popcnt,
    /// Outputs a number of the machine's state.
    Number,
    /// Outputs whether memory around an address was written.
    Probe,
}

/// The columns that describe an opcode.
pub(crate) struct OpColumns {
    pub(crate) class: Class,
    /// The number of bytes on the trace.
    pub(crate) bytes: i64,
    /// The code of the end token.
    pub(crate) end: i64,
    /// The width of the operands in bytes.
    pub(crate) width: i64,
    /// Comparisons are `[rise * relu(d) + fall * relu(-d) + bias >= 1]` for d = a - b. For loads,
    /// extensions, joins and counts `rise` is the size: the number of bytes before the ones that
    /// are all alike.
    pub(crate) rise: i64,
    pub(crate) fall: i64,
    pub(crate) bias: i64,
}

/// Codes of end tokens. The unembedding selects the token whose code is nearest; bytes have code 0.
///
/// No integer is equally near to two codes: the codes are consecutive except for one gap, whose
/// width is odd.
pub(crate) mod code {
    use weightware_isa::{Commit, Trap};

    pub(crate) const OUT: i64 = 12;
    pub(crate) const HALT: i64 = 13;
    pub(crate) const EXIT: i64 = 14;
    /// The codes 15 to 23 are traps.
    const TRAP: i64 = 15;
    pub(crate) const ERR: i64 = 24;
    pub(crate) const LOADED: i64 = 25;
    pub(crate) const INTERRUPTED: i64 = 26;
    pub(crate) const STEPPING: i64 = 27;
    pub(crate) const CONTINUED: i64 = 28;
    pub(crate) const TURNED: i64 = 29;
    pub(crate) const REFUSED: i64 = 30;
    pub(crate) const SAVING: i64 = 31;
    /// The code of `call(N)` is N + 33, that of `return(N)` is N + 288. Codes 32 and 33 are a gap.
    pub(crate) const CALL: i64 = 33;
    pub(crate) const RETURN: i64 = 288;

    /// The codes 1 to 11. The code of a taken branch is that of the same branch not taken, plus 1.
    pub(crate) fn commit(commit: Commit) -> i64 {
        1 + position(&Commit::ALL, commit)
    }

    /// The code of a trap.
    pub(crate) fn trap(trap: Trap) -> i64 {
        TRAP + position(&Trap::ALL, trap)
    }

    fn position<T: PartialEq + Copy>(all: &[T], one: T) -> i64 {
        all.iter()
            .zip(0..)
            .find(|(other, _)| **other == one)
            .map(|(_, at)| at)
            .expect("ALL has every commit and every trap")
    }
}

/// The columns of an opcode.
pub(crate) fn op_columns(op: Op) -> OpColumns {
    let spec = op.spec();
    let class = match op {
        Op::I32Const | Op::I64Const | Op::Br | Op::Save => Class::Immediate,
        Op::Call => Class::Call,
        Op::BrIf => Class::BrIf,
        Op::BrUnless => Class::BrUnless,
        Op::LocalGet | Op::LocalGet64 | Op::LocalGetRaw => Class::LocalGet,
        Op::GlobalGet | Op::GlobalGet64 => Class::GlobalGet,
        Op::GlobalSet | Op::GlobalSet64 => Class::GlobalSet,
        Op::LocalSet | Op::LocalTee | Op::LocalSet64 | Op::LocalTee64 => Class::LocalSet,
        Op::LocalSetRaw => Class::LocalSet,
        Op::Output | Op::OutputErr | Op::Exit | Op::BrStack | Op::MemoryGrown => Class::Pop,
        Op::I32WrapI64 | Op::I64High | Op::Step | Op::Continue => Class::Pop,
        Op::I32Store | Op::I32Store8 | Op::I32Store16 | Op::Section => Class::Store,
        Op::I64Store | Op::I64Store8 | Op::I64Store16 | Op::I64Store32 => Class::Store,
        Op::I32Load | Op::I32Load8U | Op::I32Load16U => Class::Load,
        Op::I64Load | Op::I64Load8U | Op::I64Load16U | Op::I64Load32U => Class::Load,
        Op::Dump => Class::Dump,
        Op::Probe => Class::Probe,
        Op::I32Load8S | Op::I32Load16S => Class::LoadSigned,
        Op::I64Load8S | Op::I64Load16S | Op::I64Load32S => Class::LoadSigned,
        Op::I32Eq | Op::I32Ne | Op::I32LtU | Op::I32GtU | Op::I32LeU | Op::I32GeU => Class::Compare,
        Op::I32LtS | Op::I32GtS | Op::I32LeS | Op::I32GeS => Class::CompareSigned,
        Op::I64Eq | Op::I64Ne | Op::I64LtU | Op::I64GtU | Op::I64LeU | Op::I64GeU => Class::Compare,
        Op::I64LtS | Op::I64GtS | Op::I64LeS | Op::I64GeS => Class::CompareSigned,
        Op::I32Eqz => Class::Eqz,
        Op::I64Eqz => Class::Eqz64,
        Op::I32Add | Op::I64Add => Class::Add,
        Op::I32Sub | Op::I64Sub => Class::Sub,
        Op::I32Or | Op::I64Or => Class::Or,
        Op::I32Xor | Op::I64Xor => Class::Xor,
        Op::I32And | Op::I64And => Class::And,
        Op::I32Shl => Class::Shl,
        Op::I64Shl => Class::Shl64,
        Op::I32Rotl => Class::Rotl,
        Op::I64Rotl => Class::Rotl64,
        Op::I32Rotr => Class::Rotr,
        Op::I64Rotr => Class::Rotr64,
        Op::I32ShrU => Class::ShrU,
        Op::I64ShrU => Class::ShrU64,
        Op::I32ShrS => Class::ShrS,
        Op::I64ShrS => Class::ShrS64,
        Op::I32Mul => Class::Mul,
        Op::I32MulHigh => Class::MulHigh,
        Op::DivDigits => Class::DivDigits,
        Op::DivResult | Op::I32Bswap => Class::Reverse,
        Op::I32Abs | Op::I64Abs => Class::Abs,
        Op::I32WithSign | Op::I64WithSign => Class::WithSign,
        Op::I32Extend8S | Op::I32Extend16S | Op::I64ExtendI32S => Class::Extend,
        Op::I64Extend8S | Op::I64Extend16S | Op::I64Extend32S => Class::Extend,
        Op::I64ExtendI32U => Class::ExtendUnsigned,
        Op::I64Join => Class::Join,
        Op::I32Clz | Op::I64Clz => Class::Clz,
        Op::I32Ctz | Op::I64Ctz => Class::Ctz,
        Op::I32Popcnt | Op::I64Popcnt => Class::Popcnt,
        Op::Select | Op::Select64 => Class::Select,
        Op::Return => Class::Return,
        Op::Interrupt | Op::FrameGet | Op::DepthGet => Class::Number,
        Op::Drop | Op::Resume | Op::I64ConstHigh | Op::Unreachable => Class::None,
        Op::Turn | Op::End | Op::Refuse => Class::None,
        op if matches!(op.spec().end, EndToken::Trap(_)) => Class::None,
        op => unreachable!("{op} has no class"),
    };
    let (rise, fall, bias) = match op {
        Op::I32LtS | Op::I32LtU | Op::I64LtS | Op::I64LtU => (-1, 1, 0),
        Op::I32GtS | Op::I32GtU | Op::I64GtS | Op::I64GtU => (1, -1, 0),
        Op::I32LeS | Op::I32LeU | Op::I64LeS | Op::I64LeU => (-1, 1, 1),
        Op::I32GeS | Op::I32GeU | Op::I64GeS | Op::I64GeU => (1, -1, 1),
        Op::I32Eq | Op::I64Eq => (-1, -1, 1),
        Op::I32Ne | Op::I64Ne => (1, 1, 0),
        Op::I64Clz | Op::I64Ctz | Op::I64Popcnt => (8, 0, 0),
        Op::I32Clz | Op::I32Ctz | Op::I32Popcnt => (4, 0, 0),
        Op::I64Extend32S => (4, 0, 0),
        Op::I64ExtendI32S | Op::I64ExtendI32U | Op::I64Join => (4, 0, 0),
        Op::I32Extend16S | Op::I64Extend16S => (2, 0, 0),
        Op::I32Extend8S | Op::I64Extend8S => (1, 0, 0),
        Op::FrameGet => (0, 0, 1),
        Op::Dump => (BLOCK.into(), 0, 0),
        // One byte, so that all bytes of the result are those of one query.
        Op::Probe => (1, 0, 0),
        op if matches!(class, Class::Load | Class::LoadSigned) => {
            (op.access_bytes().map_or(0, i64::from), 0, 0)
        }
        _ => (0, 0, 0),
    };
    let end = match spec.end {
        EndToken::Commit(commit) => code::commit(commit),
        EndToken::Call => code::CALL,
        EndToken::Return => code::RETURN,
        EndToken::Out => code::OUT,
        EndToken::Err => code::ERR,
        EndToken::Loaded => code::LOADED,
        EndToken::Halt => code::HALT,
        EndToken::Exit => code::EXIT,
        EndToken::Trap(trap) => code::trap(trap),
        EndToken::Interrupted => code::INTERRUPTED,
        EndToken::Stepping => code::STEPPING,
        EndToken::Continued => code::CONTINUED,
        EndToken::Saving => code::SAVING,
        EndToken::Turned => code::TURNED,
        EndToken::Refused => code::REFUSED,
    };
    // The code fetched for `br_unless` is that of a branch not taken; it becomes taken if the top
    // of the stack is zero. The code fetched for `br_if` is that of a taken branch.
    let untaken = i64::from(op == Op::BrUnless);
    OpColumns {
        class,
        bytes: i64::from(spec.bytes).min(MOST_BYTES) - 3 * untaken,
        end: end - untaken,
        width: spec.width.into(),
        rise,
        fall,
        bias,
    }
}

/// The greatest number of bytes in the column of an opcode. `dump` has more: see `turn`. A data
/// section in the prompt has more, too, but nothing reads their number.
pub(crate) const MOST_BYTES: i64 = 16;

/// Marks a growth of the memory, in a column whose other values are at most [`MOST_BYTES`].
pub(crate) const GROWN: i64 = MOST_BYTES + 1;

/// The embedding's columns, as dimensions of the graph. Bytes and opcodes share columns: columns of
/// opcodes are read only at the current instruction, columns of bytes never at an opcode.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    /// 1 at every token but `<begin>`.
    pub(crate) one: Dim,
    // Columns of bytes.
    /// The value of the byte.
    pub(crate) byte: Dim,
    /// 1 for bytes from 128 on.
    pub(crate) negative: Dim,
    /// +1 with a carry, -1 with a borrow. The circuits add up the next byte in the same dimension.
    pub(crate) result: Dim,
    /// The byte as a shift count: the whole bytes to shift by, `(byte mod 32) / 8`, 2^r and 2^(8 -
    /// r) with `r = byte mod 8`. They use the columns of `rise`, `fall` and `bias`, which are read
    /// only at opcodes.
    pub(crate) quarter: Dim,
    pub(crate) power: Dim,
    pub(crate) coarse: Dim,
    /// The whole bytes of a 64-bit shift, `(byte mod 64) / 8`, in the column of `width`.
    pub(crate) eighth: Dim,
    // Columns of end tokens.
    /// 1 at a token that closes an instruction.
    pub(crate) ends: Dim,
    /// The change of the stack's depth.
    pub(crate) delta: Dim,
    /// The change of the frame base.
    pub(crate) frame_delta: Dim,
    /// 1 at the end of a store or of a data section.
    pub(crate) stores: Dim,
    /// 0 at a token whose preceding bytes are the new top of the stack, 1 at every other token. The
    /// term that clears a key must be exactly 0 and not a difference, beside which 2^-25 t would be
    /// rounded away.
    pub(crate) unstored: Dim,
    /// 1 at a token whose preceding bytes are the index of the next instruction.
    pub(crate) jumped: Dim,
    /// 1 at a token after which an instruction is skipped.
    pub(crate) skips: Dim,
    /// [`GROWN`] at a token whose preceding bytes are the pages by which the memory has grown.
    pub(crate) grown: Dim,
    /// 1 at a token from which on jumps are interrupted, or not: see `turn`.
    pub(crate) marks: Dim,
    /// At such a token, a number greater than any position, less the number of tokens until jumps
    /// are interrupted; 0 if they are not.
    pub(crate) budget: Dim,
    // Columns of opcodes.
    pub(crate) class: Dim,
    pub(crate) class_squared: Dim,
    pub(crate) bytes: Dim,
    pub(crate) end: Dim,
    pub(crate) width: Dim,
    pub(crate) rise: Dim,
    pub(crate) fall: Dim,
    pub(crate) bias: Dim,
}

impl Columns {
    pub(crate) fn new(graph: &mut Graph) -> Self {
        let [byte, negative] =
            ["token.byte|end", "token.negative|bytes|grown"].map(|name| graph.input(name));
        let [quarter, power, coarse, eighth] = [
            "token.rise|quarter",
            "token.fall|power",
            "token.bias|coarse",
            "token.width|eighth",
        ]
        .map(|name| graph.input(name));
        Self {
            one: graph.one(),
            byte,
            negative,
            result: graph.input("result"),
            ends: graph.input("token.ends"),
            delta: graph.input("token.delta"),
            frame_delta: graph.input("token.frame_delta"),
            stores: graph.input("token.stores"),
            unstored: graph.input("token.unstored"),
            jumped: graph.input("token.jumped"),
            skips: graph.input("token.skips"),
            grown: negative,
            marks: graph.input("token.marks"),
            budget: graph.input("token.budget"),
            class: graph.input("token.class"),
            class_squared: graph.input("token.class^2"),
            bytes: negative,
            end: byte,
            width: eighth,
            quarter,
            power,
            coarse,
            eighth,
            rise: quarter,
            fall: power,
            bias: coarse,
        }
    }

    /// The embedding of a token: dimensions and values, all others zero.
    pub(crate) fn embed(&self, token: Token) -> Vec<(Dim, i64)> {
        if token == Token::Begin {
            return vec![];
        }
        let mut row = vec![(self.one, 1)];
        if !matches!(
            token,
            Token::Commit(Commit { stored: true, .. }) | Token::Interrupted
        ) {
            row.push((self.unstored, 1));
        }
        if token.ends_instruction() {
            row.push((self.ends, 1));
        }
        match token {
            Token::Byte(byte, flag) => {
                let byte = i64::from(byte);
                let carry = match flag {
                    Flag::None => 0,
                    Flag::Carry => 1,
                    Flag::Borrow => -1,
                };
                row.push((self.byte, byte));
                row.extend([(self.negative, byte >> 7), (self.result, carry)]);
                row.extend([(self.quarter, byte % 32 / 8), (self.power, 1 << (byte % 8))]);
                row.extend([
                    (self.coarse, 1 << (8 - byte % 8)),
                    (self.eighth, byte % 64 / 8),
                ]);
            }
            Token::Op(op) => self.embed_op(&op_columns(op), &mut row),
            // Fetched as an instruction when the program reaches its end.
            Token::Close => row.push((self.end, code::HALT)),
            Token::Commit(commit) => {
                row.push((self.delta, commit.delta.into()));
                match commit.effect {
                    Effect::None => {}
                    Effect::Jump => row.push((self.jumped, 1)),
                    Effect::Skip => row.push((self.skips, 1)),
                    Effect::Grow => row.push((self.grown, GROWN)),
                }
                row.push((self.stores, i64::from(commit.delta == -2 && !commit.stored)));
            }
            Token::Call(frame) => row.extend([(self.frame_delta, frame.into()), (self.jumped, 1)]),
            Token::Return(frame) => {
                row.extend([(self.frame_delta, -i64::from(frame)), (self.jumped, 1)])
            }
            Token::Out(_) | Token::Err(_) => row.push((self.delta, -1)),
            Token::Loaded => row.push((self.stores, 1)),
            // It closes a line, and is no instruction.
            Token::Ready => row.extend([(self.skips, -1), (self.marks, 1)]),
            Token::Interrupted => row.extend([(self.delta, 1), (self.marks, 1)]),
            Token::Stepping | Token::Continued => {
                row.extend([(self.delta, -1), (self.jumped, 1), (self.marks, 1)]);
            }
            Token::Saving => row.extend([(self.jumped, 1), (self.marks, 1)]),
            Token::Turned => row.push((self.marks, 1)),
            Token::Begin | Token::Open | Token::Halt | Token::Exit | Token::Trap(_) => {}
            Token::Refused => {}
        }
        row.retain(|&(_, value)| value != 0);
        row
    }

    pub(crate) fn embed_op(&self, of_op: &OpColumns, row: &mut Vec<(Dim, i64)>) {
        let &OpColumns {
            class,
            bytes,
            end,
            width,
            rise,
            fall,
            bias,
        } = of_op;
        let class = class as i64;
        row.extend([(self.class, class), (self.class_squared, class * class)]);
        row.extend([(self.bytes, bytes), (self.end, end), (self.width, width)]);
        row.extend([(self.rise, rise), (self.fall, fall), (self.bias, bias)]);
    }
}

/// The code of a token and its byte. The unembedding selects the token whose pair is nearest to the
/// one that the network computed. `None` for tokens that the network never generates.
pub(crate) fn token_code(token: Token) -> Option<(i64, i64)> {
    Some(match token {
        Token::Byte(byte, Flag::None) => (0, i64::from(byte)),
        // The plain sum or difference of two bytes and the carry; the token is its residue mod 256.
        Token::Byte(byte, Flag::Carry) => (0, i64::from(byte) + 256),
        Token::Byte(byte, Flag::Borrow) => (0, i64::from(byte) - 256),
        Token::Commit(commit) => (code::commit(commit), 0),
        Token::Out(byte) => (code::OUT, byte.into()),
        Token::Err(byte) => (code::ERR, byte.into()),
        Token::Call(frame) => (code::CALL + i64::from(frame), 0),
        Token::Return(frame) => (code::RETURN + i64::from(frame), 0),
        Token::Halt => (code::HALT, 0),
        Token::Exit => (code::EXIT, 0),
        Token::Trap(trap) => (code::trap(trap), 0),
        Token::Loaded => (code::LOADED, 0),
        Token::Interrupted => (code::INTERRUPTED, 0),
        Token::Stepping => (code::STEPPING, 0),
        Token::Continued => (code::CONTINUED, 0),
        Token::Saving => (code::SAVING, 0),
        Token::Turned => (code::TURNED, 0),
        Token::Refused => (code::REFUSED, 0),
        Token::Begin | Token::Open | Token::Close | Token::Op(_) | Token::Ready => return None,
    })
}

/// The class of the current instruction, fetched as `(class, class^2)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FetchedClass {
    pub(crate) one: Dim,
    pub(crate) class: Dim,
    pub(crate) class_squared: Dim,
}

impl FetchedClass {
    /// The term that clears a key at every token except those of a class with `index >= from`:
    /// `relu(2^32 unless + from - index)`. It is a neuron, so that it is exactly 0 at live keys. At
    /// other classes it is greater than 2^31, since an index is below 2^27 even in the program's
    /// text: no queried address is far enough away to find such a key.
    pub(crate) fn clear(
        &self,
        graph: &mut Graph,
        name: &str,
        unless: LinearForm,
        from: impl Into<LinearForm>,
        index: Dim,
    ) -> LinearForm {
        let clear = graph.relu(name, unless * (1 << 32) + from.into() - index);
        graph.hold(name, clear).into()
    }

    /// `(k - class)^2`: 0 for class k, at least 1 for any other.
    pub(crate) fn unless(&self, class: Class) -> LinearForm {
        let k = class as i64;
        self.class_squared - self.class * (2 * k) + self.one * (k * k)
    }

    /// `class - k`, for class k.
    pub(crate) fn beyond(&self, class: Class) -> LinearForm {
        self.class - self.one * class as i64
    }

    /// `(k - first)(k - second)`: 0 for two neighbours, at least 2 for any other class.
    pub(crate) fn unless_either(&self, first: Class, second: Class) -> LinearForm {
        let (a, b) = (first as i64, second as i64);
        assert!(b == a + 1, "{first:?} and {second:?} must be neighbours");
        self.class_squared - self.class * (a + b) + self.one * (a * b)
    }
}
