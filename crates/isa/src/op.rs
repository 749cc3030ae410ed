//! The opcode table.

use std::fmt;

/// Why a run ended in a trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trap {
    /// `unreachable` was executed.
    Unreachable,
    /// A memory access lies outside the memory.
    OutOfBounds,
    /// Integer division or remainder by zero.
    DivideByZero,
    /// The quotient does not fit (`i32::MIN / -1`).
    IntegerOverflow,
    /// A table entry outside the table was called.
    UndefinedElement,
    /// A table entry that holds no function was called.
    UninitializedElement,
    /// A table entry of another function type was called.
    IndirectCallType,
    /// The call stack is exhausted.
    CallStackExhausted,
}

impl Trap {
    /// All traps, in the order of their tokens.
    pub const ALL: [Trap; 8] = [
        Trap::Unreachable,
        Trap::OutOfBounds,
        Trap::DivideByZero,
        Trap::IntegerOverflow,
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
            Trap::UndefinedElement => "undefined_element",
            Trap::UninitializedElement => "uninitialized_element",
            Trap::IndirectCallType => "indirect_call_type",
            Trap::CallStackExhausted => "call_stack_exhausted",
        }
    }

    /// The message that WebAssembly's specification tests use for it.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Trap::Unreachable => "unreachable",
            Trap::OutOfBounds => "out of bounds memory access",
            Trap::DivideByZero => "integer divide by zero",
            Trap::IntegerOverflow => "integer overflow",
            Trap::UndefinedElement => "undefined element",
            Trap::UninitializedElement => "uninitialized element",
            Trap::IndirectCallType => "indirect call type mismatch",
            Trap::CallStackExhausted => "call stack exhausted",
        }
    }
}

/// What an ordinary instruction did: `commit(+1,sts=1,bt=0)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Commit {
    /// Change of the operand stack's depth.
    pub delta: i8,
    /// The four bytes before are the new top of the stack.
    pub stored: bool,
    /// The three bytes before are the index of the next instruction.
    pub jumped: bool,
}

impl Commit {
    /// Every commit that the machine can make. A conditional branch ends in one of two that are neighbours here.
    pub const ALL: [Commit; 9] = [
        Commit::new(1, true, false),
        Commit::new(0, true, false),
        Commit::new(-1, true, false),
        Commit::new(-2, true, false),
        Commit::new(-2, false, false),
        Commit::new(0, false, false),
        Commit::new(0, false, true),
        Commit::new(-1, false, false),
        Commit::new(-1, false, true),
    ];

    const fn new(delta: i8, stored: bool, jumped: bool) -> Self {
        Self {
            delta,
            stored,
            jumped,
        }
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.delta > 0 { "+" } else { "" };
        let (delta, stored, jumped) = (self.delta, u8::from(self.stored), u8::from(self.jumped));
        write!(f, "commit({sign}{delta},sts={stored},bt={jumped})")
    }
}

/// The end token of an instruction, up to what depends on operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// A commit.
    Commit(Commit),
    /// `call(N)`: jump to the three bytes before; the frame base rises by N, the fourth immediate byte.
    Call,
    /// `return(N)`: jump to the three bytes before; the frame base falls by the N of the call.
    Return,
    /// `out(XX)`: a byte of output, the low byte of the top of the stack, which is dropped.
    Out,
    /// `loaded`: the end of a data section of the prompt.
    Loaded,
    /// `halt`: the end of the program.
    Halt,
    /// `halt(exit)`: the end of the program; the four bytes before are the exit code.
    Exit,
    /// `trap(NAME)`.
    Trap(Trap),
}

macro_rules! ops {
    ($($(#[doc = $doc:literal])* $op:ident $name:literal $bytes:literal $end:expr;)*) => {
        /// An opcode. The stack effect is written `before -- after`, the top at the right.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Op {
            $($(#[doc = $doc])* $op,)*
        }

        impl Op {
            /// All opcodes, in the order of their tokens.
            pub const ALL: &'static [Op] = &[$(Op::$op,)*];

            /// The table: name, trace bytes, end token.
            #[must_use]
            pub const fn spec(self) -> Spec {
                match self {
                    $(Op::$op => Spec { name: $name, bytes: $bytes, end: $end },)*
                }
            }
        }
    };
}

/// What the table says of an opcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The opcode's token.
    pub name: &'static str,
    /// Bytes on the trace before the end token. A conditional branch has none when it is not taken; a data section
    /// has as many as the prompt gives it.
    pub bytes: u8,
    /// The end token; of a conditional branch, the one when it is taken.
    pub end: End,
}

const fn commit(delta: i8, stored: bool, jumped: bool) -> End {
    End::Commit(Commit::new(delta, stored, jumped))
}
const PUSH: End = commit(1, true, false);
const UNARY: End = commit(0, true, false);
const BINARY: End = commit(-1, true, false);
const POP: End = commit(-1, false, false);
const STORE: End = commit(-2, false, false);

ops! {
    /// ` -- imm`
    I32Const "i32.const" 4 PUSH;
    /// ` -- local[imm]`, addressed from the frame base; imm below 2^24.
    LocalGet "local.get" 4 PUSH;
    /// `a -- `, local\[imm\] := a
    LocalSet "local.set" 4 POP;
    /// `a -- a`, local\[imm\] := a
    LocalTee "local.tee" 4 commit(0, false, false);
    /// ` -- global[imm]`, addressed absolutely in the space of the locals.
    GlobalGet "global.get" 4 PUSH;
    /// `a -- `, global\[imm\] := a
    GlobalSet "global.set" 4 POP;
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
    /// `a b -- a b d`: the bytes of the unsigned quotient `a / b`, the most significant first; traps if b is zero. With
    /// `div.result` behind it the unsigned division, with `i32.bswap`, `i32.mul`, `i32.sub` the remainder.
    DivDigits "div.digits" 4 PUSH;
    /// `a b d -- q`: d with its bytes in reverse.
    DivResult "div.result" 4 commit(-2, true, false);
    /// `a -- `a with its bytes in reverse
    I32Bswap "i32.bswap" 4 UNARY;
    /// `a -- a`, its low byte sign-extended
    I32Extend8S "i32.extend8_s" 4 UNARY;
    /// `a -- a`, its low half sign-extended
    I32Extend16S "i32.extend16_s" 4 UNARY;
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
    /// `p -- mem32[p + offset]`. Of every access the first three immediate bytes are the offset, the fourth the
    /// memory's size in pages of 64 KiB, beyond which it traps.
    I32Load "i32.load" 4 UNARY;
    /// `p -- mem8[p + offset]`, sign-extended
    I32Load8S "i32.load8_s" 4 UNARY;
    /// `p -- mem8[p + offset]`
    I32Load8U "i32.load8_u" 4 UNARY;
    /// `p -- mem16[p + offset]`, sign-extended
    I32Load16S "i32.load16_s" 4 UNARY;
    /// `p -- mem16[p + offset]`
    I32Load16U "i32.load16_u" 4 UNARY;
    /// `p a -- `, mem32\[p + offset\] := a
    I32Store "i32.store" 4 STORE;
    /// `p a -- `, mem8\[p + offset\] := a
    I32Store8 "i32.store8" 1 STORE;
    /// `p a -- `, mem16\[p + offset\] := a
    I32Store16 "i32.store16" 2 STORE;
    /// ` -- `, goes to instruction imm
    Br "br" 3 commit(0, false, true);
    /// `c -- `, goes to instruction imm if c is not zero
    BrIf "br_if" 3 commit(-1, false, true);
    /// `c -- `, goes to instruction imm if c is zero
    BrUnless "br_unless" 3 commit(-1, false, true);
    /// Goes to instruction imm (three bytes); the frame base rises by the fourth byte, the caller's frame size, at
    /// least 1. The next instruction must be `resume`.
    Call "call" 3 End::Call;
    /// Never executed: stands behind a call and holds the index of the instruction after itself, whose bytes `return` copies.
    Resume "resume" 0 End::Halt;
    /// Goes back behind the call that made this frame.
    Return "return" 3 End::Return;
    /// `a -- `
    Drop "drop" 0 POP;
    /// `a b c -- (c != 0 ? a : b)`
    Select "select" 4 commit(-2, true, false);
    /// `a -- `, puts out the low byte of a
    Output "output" 0 End::Out;
    /// `a -- `, ends the run with exit code a
    Exit "exit" 4 End::Exit;
    /// Stands first in a program: the prompt holds bytes for the memory from address imm on.
    Section "section" 255 End::Loaded;
    /// Ends the run.
    Unreachable "unreachable" 0 End::Trap(Trap::Unreachable);
    /// Ends the run, for accesses that are known to lie outside the memory.
    TrapOutOfBounds "trap.out_of_bounds" 0 End::Trap(Trap::OutOfBounds);
    /// Ends the run, from the software of divisions.
    TrapDivideByZero "trap.divide_by_zero" 0 End::Trap(Trap::DivideByZero);
    /// Ends the run, from the software of divisions.
    TrapIntegerOverflow "trap.integer_overflow" 0 End::Trap(Trap::IntegerOverflow);
    /// Ends the run, from the software of indirect calls.
    TrapUndefinedElement "trap.undefined_element" 0 End::Trap(Trap::UndefinedElement);
    /// Ends the run, from the software of indirect calls.
    TrapUninitializedElement "trap.uninitialized_element" 0 End::Trap(Trap::UninitializedElement);
    /// Ends the run, from the software of indirect calls.
    TrapIndirectCallType "trap.indirect_call_type" 0 End::Trap(Trap::IndirectCallType);
    /// Ends the run, where software counts the depth of calls.
    TrapCallStackExhausted "trap.call_stack_exhausted" 0 End::Trap(Trap::CallStackExhausted);
}

impl Op {
    /// The opcode of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Op> {
        Op::ALL.iter().copied().find(|op| op.spec().name == name)
    }

    /// The opcode that ends the run in that trap.
    #[must_use]
    pub fn trap(trap: Trap) -> Op {
        let traps = Op::ALL.iter().copied();
        traps
            .into_iter()
            .find(|op| op.spec().end == End::Trap(trap))
            .expect("every trap has an opcode")
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec().name)
    }
}
