//! The opcode table, from which vocabulary, prompt, interpreter and network derive.

use std::fmt;

/// The first word at which no frame may begin: a call to such a frame traps with
/// [`Trap::CallStackExhausted`]. A frame has at most 255 words, so all words are below 2^14.
pub const FRAME_LIMIT: u32 = (1 << 14) - 256;

/// The reason of a trap, at which a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trap {
    /// `unreachable` was executed.
    Unreachable,
    /// A memory access lies outside the memory.
    OutOfBounds,
    /// An integer was divided by zero.
    DivideByZero,
    /// The quotient does not fit (`i32::MIN / -1`), or a number to convert is too large.
    IntegerOverflow,
    /// NaN was converted to an integer.
    InvalidConversion,
    /// A call used an entry outside the table.
    UndefinedElement,
    /// A call used a table entry that holds no function.
    UninitializedElement,
    /// A call used a table entry of another function type.
    IndirectCallType,
    /// The call stack is exhausted.
    CallStackExhausted,
}

impl Trap {
    /// All traps, in the order of their tokens.
    pub const ALL: [Trap; 9] = [
        Trap::Unreachable,
        Trap::OutOfBounds,
        Trap::DivideByZero,
        Trap::IntegerOverflow,
        Trap::InvalidConversion,
        Trap::UndefinedElement,
        Trap::UninitializedElement,
        Trap::IndirectCallType,
        Trap::CallStackExhausted,
    ];

    /// The name inside the token, `trap(NAME)`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Trap::Unreachable => "unreachable",
            Trap::OutOfBounds => "out_of_bounds",
            Trap::DivideByZero => "divide_by_zero",
            Trap::IntegerOverflow => "integer_overflow",
            Trap::InvalidConversion => "invalid_conversion",
            Trap::UndefinedElement => "undefined_element",
            Trap::UninitializedElement => "uninitialized_element",
            Trap::IndirectCallType => "indirect_call_type",
            Trap::CallStackExhausted => "call_stack_exhausted",
        }
    }

    /// The message that WebAssembly's specification tests use for this trap.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Trap::Unreachable => "unreachable",
            Trap::OutOfBounds => "out of bounds memory access",
            Trap::DivideByZero => "integer divide by zero",
            Trap::IntegerOverflow => "integer overflow",
            Trap::InvalidConversion => "invalid conversion to integer",
            Trap::UndefinedElement => "undefined element",
            Trap::UninitializedElement => "uninitialized element",
            Trap::IndirectCallType => "indirect call type mismatch",
            Trap::CallStackExhausted => "call stack exhausted",
        }
    }
}

/// The effect of an ordinary instruction, as its end token states it: `commit(+1,sts=1,bt=0)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Commit {
    /// The change of the operand stack's depth.
    pub delta: i8,
    /// Whether the bytes before the token are the new top of the stack: four, or the last eight of
    /// a 64-bit value.
    pub stored: bool,
    /// The effect besides that on the stack.
    pub effect: Effect,
}

/// The effect of an instruction besides its change of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// No effect that later instructions can see.
    None,
    /// The three bytes before the token are the index of the next instruction: `bt=1`.
    Jump,
    /// The next instruction is the second half of this one, and already executed: `skip=1`.
    Skip,
    /// The four bytes before the token are the pages by which the memory has grown: `grow=1`.
    Grow,
}

impl Commit {
    /// Every commit that the machine can generate. The two in which a conditional branch can end
    /// are next to each other.
    pub const ALL: [Commit; 11] = [
        Commit::new(1, true, Effect::None),
        Commit::new(0, true, Effect::None),
        Commit::new(-1, true, Effect::None),
        Commit::new(-2, true, Effect::None),
        Commit::new(-2, false, Effect::None),
        Commit::new(0, false, Effect::None),
        Commit::new(0, false, Effect::Jump),
        Commit::new(-1, false, Effect::None),
        Commit::new(-1, false, Effect::Jump),
        Commit::new(1, true, Effect::Skip),
        Commit::new(-1, false, Effect::Grow),
    ];

    const fn new(delta: i8, stored: bool, effect: Effect) -> Self {
        Self {
            delta,
            stored,
            effect,
        }
    }

    /// Whether the three bytes before the token are the index of the next instruction.
    #[must_use]
    pub const fn jumped(self) -> bool {
        matches!(self.effect, Effect::Jump)
    }

    /// The commit of a conditional branch that is not taken, given the commit of the taken branch.
    #[must_use]
    pub const fn not_taken(self) -> Self {
        Self {
            effect: Effect::None,
            ..self
        }
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.delta > 0 { "+" } else { "" };
        let (delta, stored, jumped) = (self.delta, u8::from(self.stored), u8::from(self.jumped()));
        let more = match self.effect {
            Effect::None | Effect::Jump => "",
            Effect::Skip => ",skip=1",
            Effect::Grow => ",grow=1",
        };
        write!(f, "commit({sign}{delta},sts={stored},bt={jumped}{more})")
    }
}
/// The kind of end token of an instruction, without the parts that depend on operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndToken {
    /// A commit.
    Commit(Commit),
    /// `call(N)`: jumps to the three bytes before the token; the frame base rises by N, the fourth
    /// immediate byte.
    Call,
    /// `return(N)`: jumps to the three bytes before the token; the frame base falls by the N of the
    /// call.
    Return,
    /// `out(XX)`: outputs the low byte of the top of the stack, and drops the top.
    Out,
    /// `err(XX)`: writes the low byte of the top of the stack to the standard error, and drops the
    /// top.
    Err,
    /// `loaded`: the end of a data section of the prompt.
    Loaded,
    /// `halt`: the end of the program.
    Halt,
    /// `halt(exit)`: the end of the program; the four bytes before the token are the exit code.
    Exit,
    /// `trap(NAME)`.
    Trap(Trap),
    /// `interrupted`: the bytes before the token are the new top of the stack, and no jump is
    /// interrupted until the next `stepping` or `continued`.
    Interrupted,
    /// `stepping`: jumps to the three bytes before the token; the next jump is interrupted.
    Stepping,
    /// `continued`: jumps to the three bytes before the token; jumps are interrupted from a number
    /// of tokens on.
    Continued,
    /// `saving`: jumps to the three bytes before the token. The part of the trace from this line on
    /// becomes the end of the next context's prompt.
    Saving,
    /// `turned`: the end of the context; the next one goes on after it.
    Turned,
    /// `refused`: the end of the run, since the program's state does not fit into a context.
    Refused,
}

macro_rules! ops {
    ($($(#[doc = $doc:literal])* $op:ident $name:literal $bytes:literal $(/ $width:literal)? $end:expr;)*) => {
        /// An opcode. Stack effects are written `before -- after`, the top at the right.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Op {
            $($(#[doc = $doc])* $op,)*
        }

        impl Op {
            /// All opcodes, in the order of their tokens.
            pub const ALL: &'static [Op] = &[$(Op::$op,)*];

            /// The opcode's row of the table: name, trace bytes, width of the operands, end token.
            #[must_use]
            pub const fn spec(self) -> Spec {
                match self {
                    $(Op::$op => Spec {
                        name: $name,
                        bytes: $bytes,
                        width: { #[allow(unused_mut, unused_assignments)] let mut width = 4; $(width = $width;)? width },
                        end: $end,
                    },)*
                }
            }
        }
    };
}

/// A row of the opcode table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The opcode's token.
    pub name: &'static str,
    /// The number of bytes on the trace before the end token. A conditional branch has none if it
    /// is not taken; a data section has as many as the prompt gives it.
    pub bytes: u16,
    /// The width in bytes of the values that the trace bytes are computed from: 4, or 8 for 64-bit
    /// values. Addresses, conditions and indices of instructions always have 4.
    pub width: u8,
    /// The end token. A conditional branch has this one if it is taken.
    pub end: EndToken,
}

const fn commit(delta: i8, stored: bool, effect: Effect) -> EndToken {
    EndToken::Commit(Commit::new(delta, stored, effect))
}
const PUSH: EndToken = commit(1, true, Effect::None);
const UNARY: EndToken = commit(0, true, Effect::None);
const BINARY: EndToken = commit(-1, true, Effect::None);
const TERNARY: EndToken = commit(-2, true, Effect::None);
const POP: EndToken = commit(-1, false, Effect::None);
const KEEP: EndToken = commit(0, false, Effect::None);
const STORE: EndToken = commit(-2, false, Effect::None);

ops! {
    /// ` -- imm`
    I32Const "i32.const" 4 PUSH;
    /// ` -- imm`, 64 bits: this immediate is the low word, and the immediate of the
    /// `i64.const_high` that must follow is the high word.
    I64Const "i64.const" 8/8 commit(1, true, Effect::Skip);
    /// Never executed: follows `i64.const` and holds the high word.
    I64ConstHigh "i64.const_high" 0 EndToken::Halt;
    /// ` -- local[imm]`, addressed from the frame base; imm below 2^24.
    LocalGet "local.get" 4 PUSH;
    /// `a -- `, local\[imm\] := a
    LocalSet "local.set" 4 POP;
    /// `a -- a`, local\[imm\] := a
    LocalTee "local.tee" 4 KEEP;
    /// ` -- global[imm]`, addressed absolutely in the space of the locals.
    GlobalGet "global.get" 4 PUSH;
    /// `a -- `, global\[imm\] := a
    GlobalSet "global.set" 4 POP;
    /// ` -- local[imm]`, 64 bits. A word holds a value of either width; it must be read with the
    /// width with which it was written.
    LocalGet64 "local.get64" 8/8 PUSH;
    /// `a -- `, local\[imm\] := a, 64 bits
    LocalSet64 "local.set64" 8/8 POP;
    /// `a -- a`, local\[imm\] := a, 64 bits
    LocalTee64 "local.tee64" 8/8 KEEP;
    /// ` -- global[imm]`, 64 bits
    GlobalGet64 "global.get64" 8/8 PUSH;
    /// `a -- `, global\[imm\] := a, 64 bits
    GlobalSet64 "global.set64" 8/8 POP;
    /// `a b -- a + b`
    I32Add "i32.add" 4 BINARY;
    /// `a b -- a - b`
    I32Sub "i32.sub" 4 BINARY;
    /// `a b -- a & b`
    I32And "i32.and" 4 BINARY;
    /// `a b -- a | b`
    I32Or "i32.or" 4 BINARY;
    /// `a b -- a ^ b`
    I32Xor "i32.xor" 4 BINARY;
    /// `a b -- a << (b mod 32)`
    I32Shl "i32.shl" 4 BINARY;
    /// `a b -- a >> (b mod 32)`, the sign shifted in
    I32ShrS "i32.shr_s" 4 BINARY;
    /// `a b -- a >> (b mod 32)`, zeros shifted in
    I32ShrU "i32.shr_u" 4 BINARY;
    /// `a b -- a` rotated left by `b mod 32`
    I32Rotl "i32.rotl" 4 BINARY;
    /// `a b -- a` rotated right by `b mod 32`
    I32Rotr "i32.rotr" 4 BINARY;
    /// `a b -- a * b`
    I32Mul "i32.mul" 4 BINARY;
    /// `p l -- (a * b) >> 32`, unsigned, for the 64-bit value p = a + 2^32 b and l, which must be
    /// `i32.mul` of a and b.
    I32MulHigh "i32.mul_high" 4 BINARY;
    /// `a b -- a b d`: the bytes of the unsigned quotient `a / b`, the most significant first;
    /// traps if b is zero. Followed by `div.result` it is the unsigned division, followed by
    /// `i32.bswap`, `i32.mul`, `i32.sub` the remainder.
    DivDigits "div.digits" 4 PUSH;
    /// `a b d -- q`: d with its bytes reversed.
    DivResult "div.result" 4 TERNARY;
    /// `a -- |a|`, whose bytes are flagged like those of `0 - a` if a is negative
    I32Abs "i32.abs" 4 UNARY;
    /// `a s -- s < 0 ? -a : a`, flagged like `i32.abs`; traps with an integer overflow if s is not
    /// negative and a is: the magnitude a has no positive number.
    I32WithSign "i32.with_sign" 4 BINARY;
    /// `a -- |a|`, 64 bits
    I64Abs "i64.abs" 8/8 UNARY;
    /// `a s -- s < 0 ? -a : a`, 64 bits; traps like `i32.with_sign`
    I64WithSign "i64.with_sign" 8/8 BINARY;
    /// `a -- `a with its bytes reversed
    I32Bswap "i32.bswap" 4 UNARY;
    /// `a -- a`, its low byte sign-extended
    I32Extend8S "i32.extend8_s" 4 UNARY;
    /// `a -- a`, its low half sign-extended
    I32Extend16S "i32.extend16_s" 4 UNARY;
    /// `a -- `the zero bits above the highest one bit. The trace has the counts for the lowest
    /// byte, the lowest two bytes and so on, of which the last is the result, and zeros that make
    /// it a word.
    I32Clz "i32.clz" 7 UNARY;
    /// `a -- `the zero bits below the lowest one bit
    I32Ctz "i32.ctz" 7 UNARY;
    /// `a -- `the one bits
    I32Popcnt "i32.popcnt" 7 UNARY;
    /// `a -- a == 0`
    I32Eqz "i32.eqz" 4 UNARY;
    /// `a b -- a == b`
    I32Eq "i32.eq" 4 BINARY;
    /// `a b -- a != b`
    I32Ne "i32.ne" 4 BINARY;
    /// `a b -- a < b`, signed
    I32LtS "i32.lt_s" 4 BINARY;
    /// `a b -- a < b`, unsigned
    I32LtU "i32.lt_u" 4 BINARY;
    /// `a b -- a > b`, signed
    I32GtS "i32.gt_s" 4 BINARY;
    /// `a b -- a > b`, unsigned
    I32GtU "i32.gt_u" 4 BINARY;
    /// `a b -- a <= b`, signed
    I32LeS "i32.le_s" 4 BINARY;
    /// `a b -- a <= b`, unsigned
    I32LeU "i32.le_u" 4 BINARY;
    /// `a b -- a >= b`, signed
    I32GeS "i32.ge_s" 4 BINARY;
    /// `a b -- a >= b`, unsigned
    I32GeU "i32.ge_u" 4 BINARY;
    /// `a b -- a + b`, 64 bits, like all opcodes of `i64.`
    I64Add "i64.add" 8/8 BINARY;
    /// `a b -- a - b`
    I64Sub "i64.sub" 8/8 BINARY;
    /// `a b -- a & b`
    I64And "i64.and" 8/8 BINARY;
    /// `a b -- a | b`
    I64Or "i64.or" 8/8 BINARY;
    /// `a b -- a ^ b`
    I64Xor "i64.xor" 8/8 BINARY;
    /// `a b -- a << (b mod 64)`
    I64Shl "i64.shl" 8/8 BINARY;
    /// `a b -- a >> (b mod 64)`, the sign shifted in
    I64ShrS "i64.shr_s" 8/8 BINARY;
    /// `a b -- a >> (b mod 64)`, zeros shifted in
    I64ShrU "i64.shr_u" 8/8 BINARY;
    /// `a b -- a` rotated left by `b mod 64`
    I64Rotl "i64.rotl" 8/8 BINARY;
    /// `a b -- a` rotated right by `b mod 64`
    I64Rotr "i64.rotr" 8/8 BINARY;
    /// `a -- a`, its low byte sign-extended
    I64Extend8S "i64.extend8_s" 8/8 UNARY;
    /// `a -- a`, its low half word sign-extended
    I64Extend16S "i64.extend16_s" 8/8 UNARY;
    /// `a -- a`, its low word sign-extended
    I64Extend32S "i64.extend32_s" 8/8 UNARY;
    /// `a -- a`, a 32-bit value sign-extended to 64 bits
    I64ExtendI32S "i64.extend_i32_s" 8/4 UNARY;
    /// `a -- a`, a 32-bit value extended by zeros to 64 bits
    I64ExtendI32U "i64.extend_i32_u" 8/4 UNARY;
    /// `a -- `the low word of a
    I32WrapI64 "i32.wrap_i64" 4/8 UNARY;
    /// `a -- `the high word of a
    I64High "i64.high" 4/4 UNARY;
    /// `l h -- l + 2^32 h`: two 32-bit values become one of 64 bits.
    I64Join "i64.join" 8/8 BINARY;
    /// `a -- `the zero bits above the highest one bit
    I64Clz "i64.clz" 15/8 UNARY;
    /// `a -- `the zero bits below the lowest one bit
    I64Ctz "i64.ctz" 15/8 UNARY;
    /// `a -- `the one bits
    I64Popcnt "i64.popcnt" 15/8 UNARY;
    /// `a -- a == 0`; the result has 32 bits, like those of all comparisons
    I64Eqz "i64.eqz" 4/8 UNARY;
    /// `a b -- a == b`
    I64Eq "i64.eq" 4/8 BINARY;
    /// `a b -- a != b`
    I64Ne "i64.ne" 4/8 BINARY;
    /// `a b -- a < b`, signed
    I64LtS "i64.lt_s" 4/8 BINARY;
    /// `a b -- a < b`, unsigned
    I64LtU "i64.lt_u" 4/8 BINARY;
    /// `a b -- a > b`, signed
    I64GtS "i64.gt_s" 4/8 BINARY;
    /// `a b -- a > b`, unsigned
    I64GtU "i64.gt_u" 4/8 BINARY;
    /// `a b -- a <= b`, signed
    I64LeS "i64.le_s" 4/8 BINARY;
    /// `a b -- a <= b`, unsigned
    I64LeU "i64.le_u" 4/8 BINARY;
    /// `a b -- a >= b`, signed
    I64GeS "i64.ge_s" 4/8 BINARY;
    /// `a b -- a >= b`, unsigned
    I64GeU "i64.ge_u" 4/8 BINARY;
    /// `p -- mem32[p + offset]`. The first three immediate bytes of every access are the offset,
    /// the fourth is the memory's initial size in pages of 64 KiB. An access beyond the initial
    /// size and the growth traps.
    I32Load "i32.load" 4 UNARY;
    /// `p -- mem8[p + offset]`, sign-extended
    I32Load8S "i32.load8_s" 4 UNARY;
    /// `p -- mem8[p + offset]`
    I32Load8U "i32.load8_u" 4 UNARY;
    /// `p -- mem16[p + offset]`, sign-extended
    I32Load16S "i32.load16_s" 4 UNARY;
    /// `p -- mem16[p + offset]`
    I32Load16U "i32.load16_u" 4 UNARY;
    /// `p -- mem64[p + offset]`
    I64Load "i64.load" 8 UNARY;
    /// `p -- mem8[p + offset]`, sign-extended to 64 bits
    I64Load8S "i64.load8_s" 8 UNARY;
    /// `p -- mem8[p + offset]`, 64 bits
    I64Load8U "i64.load8_u" 8 UNARY;
    /// `p -- mem16[p + offset]`, sign-extended to 64 bits
    I64Load16S "i64.load16_s" 8 UNARY;
    /// `p -- mem16[p + offset]`, 64 bits
    I64Load16U "i64.load16_u" 8 UNARY;
    /// `p -- mem32[p + offset]`, sign-extended to 64 bits
    I64Load32S "i64.load32_s" 8 UNARY;
    /// `p -- mem32[p + offset]`, 64 bits
    I64Load32U "i64.load32_u" 8 UNARY;
    /// `p a -- `, mem32\[p + offset\] := a
    I32Store "i32.store" 4 STORE;
    /// `p a -- `, mem8\[p + offset\] := a
    I32Store8 "i32.store8" 1 STORE;
    /// `p a -- `, mem16\[p + offset\] := a
    I32Store16 "i32.store16" 2 STORE;
    /// `p a -- `, mem64\[p + offset\] := a
    I64Store "i64.store" 8/8 STORE;
    /// `p a -- `, mem8\[p + offset\] := a, whose width is 64 bits
    I64Store8 "i64.store8" 1/8 STORE;
    /// `p a -- `, mem16\[p + offset\] := a, whose width is 64 bits
    I64Store16 "i64.store16" 2/8 STORE;
    /// `p a -- `, mem32\[p + offset\] := a, whose width is 64 bits
    I64Store32 "i64.store32" 4/8 STORE;
    /// `n -- `: from now on every access may reach n pages beyond its fourth byte.
    MemoryGrown "memory.grown" 4 commit(-1, false, Effect::Grow);
    /// ` -- `, jumps to instruction imm
    Br "br" 3 commit(0, false, Effect::Jump);
    /// `c -- `, jumps to instruction imm if c is not zero
    BrIf "br_if" 3 commit(-1, false, Effect::Jump);
    /// `c -- `, jumps to instruction imm if c is zero
    BrUnless "br_unless" 3 commit(-1, false, Effect::Jump);
    /// `i -- `, jumps to instruction i, of which three bytes count
    BrStack "br_stack" 3 commit(-1, false, Effect::Jump);
    /// Jumps to instruction imm (three bytes); the frame base rises by the fourth byte, the
    /// caller's frame size, at least 1. The next instruction must be `resume`.
    Call "call" 3 EndToken::Call;
    /// Never executed: follows a call and holds the index of the instruction after itself, whose
    /// bytes `return` copies.
    Resume "resume" 0 EndToken::Halt;
    /// Jumps to the instruction after the call that made this frame, and leaves the frame.
    Return "return" 3 EndToken::Return;
    /// `a -- `
    Drop "drop" 0 POP;
    /// `a b c -- (c != 0 ? a : b)`
    Select "select" 4 TERNARY;
    /// `a b c -- (c != 0 ? a : b)`, a and b of 64 bits, c of 32
    Select64 "select64" 8/8 TERNARY;
    /// `a -- `, outputs the low byte of a
    Output "output" 0 EndToken::Out;
    /// `a -- `, writes the low byte of a to the standard error
    OutputErr "output.err" 0 EndToken::Err;
    /// `a -- `, ends the run with exit code a
    Exit "exit" 4 EndToken::Exit;
    /// Precedes all other instructions of a program: the prompt holds bytes for the memory from
    /// address imm on.
    Section "section" 255 EndToken::Loaded;
    /// ` -- t`: t is the instruction to which the latest jump led, or would have led if it had not
    /// been interrupted. Until the next `step` or `continue`, no jump is interrupted.
    Interrupt "interrupt" 4 EndToken::Interrupted;
    /// ` -- `the frame base
    FrameGet "frame.get" 4 PUSH;
    /// ` -- `the number of operands on the stack
    DepthGet "depth.get" 4/8 PUSH;
    /// ` -- local[imm]`, eight bytes of either width: the bytes of the trace up to the last one of
    /// the word. A word that was never written has those of the nearest word that was, and of the
    /// one written later if two are at equal distance.
    LocalGetRaw "local.get_raw" 8/8 PUSH;
    /// `a -- `, local\[imm\] := a, eight bytes of either width
    LocalSetRaw "local.set_raw" 8/8 POP;
    /// `p p -- p p`, writes the [`BLOCK`](crate::BLOCK) bytes of the memory from p + imm on to the
    /// trace, and to where they are.
    Dump "dump" 1024 EndToken::Loaded;
    /// `p -- q`: all bytes of q are 1 if one of the [`BLOCK`](crate::BLOCK) bytes of the memory
    /// from p + imm - BLOCK / 2 on was written, else 0. See [`Nearest`](crate::Nearest) for
    /// exceptions.
    Probe "probe" 4/4 UNARY;
    /// `i -- `, jumps to instruction i, and interrupts the next jump
    Step "step" 3 EndToken::Stepping;
    /// `i -- `, jumps to instruction i, and lets jumps be interrupted again
    Continue "continue" 3 EndToken::Continued;
    /// Continues at instruction imm. The trace from this line on becomes the end of the next
    /// context's prompt.
    Save "save" 3 EndToken::Saving;
    /// Ends the context. The next one goes on after this instruction.
    Turn "turn" 0 EndToken::Turned;
    /// Ends the run, like `}`.
    End "end" 0 EndToken::Halt;
    /// Ends the run: the state of the program does not fit into a context.
    Refuse "refuse" 0 EndToken::Refused;
    /// Ends the run.
    Unreachable "unreachable" 0 EndToken::Trap(Trap::Unreachable);
    /// Ends the run, for accesses that are known to lie outside the memory.
    TrapOutOfBounds "trap.out_of_bounds" 0 EndToken::Trap(Trap::OutOfBounds);
    /// Ends the run, for divisions that software executes.
    TrapDivideByZero "trap.divide_by_zero" 0 EndToken::Trap(Trap::DivideByZero);
    /// Ends the run, for divisions that software executes.
    TrapIntegerOverflow "trap.integer_overflow" 0 EndToken::Trap(Trap::IntegerOverflow);
    /// Ends the run, for conversions that software executes.
    TrapInvalidConversion "trap.invalid_conversion" 0 EndToken::Trap(Trap::InvalidConversion);
    /// Ends the run, for indirect calls.
    TrapUndefinedElement "trap.undefined_element" 0 EndToken::Trap(Trap::UndefinedElement);
    /// Ends the run, for indirect calls.
    TrapUninitializedElement "trap.uninitialized_element" 0 EndToken::Trap(Trap::UninitializedElement);
    /// Ends the run, for indirect calls.
    TrapIndirectCallType "trap.indirect_call_type" 0 EndToken::Trap(Trap::IndirectCallType);
    /// Ends the run, where software counts the depth of calls.
    TrapCallStackExhausted "trap.call_stack_exhausted" 0 EndToken::Trap(Trap::CallStackExhausted);
}

impl Op {
    /// The opcode with that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Op> {
        Op::ALL.iter().copied().find(|op| op.spec().name == name)
    }

    /// The opcode that ends the run with that trap.
    #[must_use]
    pub fn trap(trap: Trap) -> Op {
        let traps = Op::ALL.iter().copied();
        traps
            .into_iter()
            .find(|op| op.spec().end == EndToken::Trap(trap))
            .expect("every trap has an opcode")
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec().name)
    }
}
