//! The emitter: code with a register cache, which keeps registers of kernels in registers of the
//! processor.
//!
//! The code is x86-64, with AVX for numbers. `rbx` holds the frame, `rdi` the address of the
//! kernel's registers; `rsi` and `rdx` hold the addresses of ids and tables after their first use.
//! A result is computed in `xmm12`, stored, and kept in one of `xmm0` to `xmm9` until it is
//! replaced. `xmm10` and `xmm11` hold its operands; `xmm13` to `xmm15` hold 0, the position and
//! 2^52 after their first use.

use dynasmrt::x64::X64Relocation;
use dynasmrt::{DynamicLabel, DynasmApi, DynasmLabelApi, VecAssembler, dynasm};
use weightware_analysis::QuickMap;

use super::Layout;
use super::abi::{Needs, REFUSED, UNGUARDED, field};
use crate::plan::float::TO_INDEX;
use crate::plan::ir::{Inst, Kernel, Register, TIME};

/// The code of some kernels.
pub(super) struct Assembled {
    pub(super) bytes: Vec<u8>,
    /// The start of each kernel's code, and its needs; `None` for a kernel without code.
    pub(super) kernels: Vec<Option<(usize, Needs)>>,
}

/// Assembles kernels for a layout.
pub(super) fn assemble(kernels: &[&Kernel], layout: &Layout) -> Option<Assembled> {
    let mut code = VecAssembler::new(0);
    let mut pool = Pool::default();
    let mut all = Vec::new();
    for kernel in kernels {
        if !kernel.is_translatable(layout) {
            all.push(None);
            continue;
        }
        dynasm!(code ; .align 16);
        let start = code.offset().0;
        let needs = Emitter::new(&mut code, &mut pool, kernel, layout).kernel();
        all.push(Some((start, needs)));
    }
    pool.emit(&mut code);
    Some(Assembled {
        bytes: code.finalize().ok()?,
        kernels: all,
    })
}

type Code = VecAssembler<X64Relocation>;

/// The pool of constants that code reads.
#[derive(Default)]
struct Pool {
    numbers: Vec<(u64, DynamicLabel)>,
    known: QuickMap<u64, DynamicLabel>,
    /// The mask of all bits except the sign.
    magnitude: Option<DynamicLabel>,
}

impl Pool {
    fn emit(self, code: &mut Code) {
        dynasm!(code ; .align 16);
        if let Some(label) = self.magnitude {
            let bits = i64::MAX as u64;
            dynasm!(code ; =>label ; .u64 bits ; .u64 bits);
        }
        for (bits, label) in self.numbers {
            dynasm!(code ; =>label ; .u64 bits);
        }
    }
}

/// The location of a number.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Xmm(u8),
    /// Memory at an offset from the first register.
    Memory(i32),
    Number(DynamicLabel),
}

/// The number of processor registers, `xmm0` to `xmm9`, that keep registers of kernels.
const KEPT: usize = 10;
/// The processor register of an operand.
pub(super) const WAY: u8 = 10;
/// The processor register of a term of a sum.
pub(super) const TERM: u8 = 11;
pub(super) const RESULT: u8 = 12;
pub(super) const NOTHING: u8 = 13;
pub(super) const LAST: u8 = 14;
const INDEX: u8 = 15;

/// The processor registers that hold a known number already.
#[derive(Default)]
struct Loaded {
    ids: bool,
    tables: bool,
    zero: bool,
    last: bool,
    index: bool,
}

/// The emitter of one kernel's code.
pub(super) struct Emitter<'e> {
    pub(super) code: &'e mut Code,
    pool: &'e mut Pool,
    pub(super) kernel: &'e Kernel,
    pub(super) layout: &'e Layout,
    pub(super) needs: Needs,
    kept: [Option<Register>; KEPT],
    /// The processor register that is replaced next.
    oldest: usize,
    loaded: Loaded,
    /// The steps from which on the interpreter continues.
    left: Vec<(u32, DynamicLabel)>,
    refused: Option<DynamicLabel>,
    unguarded: Option<DynamicLabel>,
}

/// Emits `operation to, a, source` on scalars.
macro_rules! arithmetic {
    ($emitter:ident, $operation:ident $to:expr, $a:expr, $source:expr) => {{
        let (to, a, source): (u8, u8, Source) = ($to, $a, $source);
        let code = &mut *$emitter.code;
        match source {
            Source::Xmm(b) => dynasm!(code ; $operation Rx(to), Rx(a), Rx(b)),
            Source::Memory(at) => dynasm!(code ; $operation Rx(to), Rx(a), QWORD [rdi + at]),
            Source::Number(label) => dynasm!(code ; $operation Rx(to), Rx(a), QWORD [=>label]),
        }
    }};
}
pub(super) use arithmetic;

impl<'e> Emitter<'e> {
    fn new(code: &'e mut Code, pool: &'e mut Pool, kernel: &'e Kernel, layout: &'e Layout) -> Self {
        dynasm!(code
            ; push rbx
            ; mov rbx, rdi
            ; mov rdi, [rbx + field::REGISTERS]
        );
        Self {
            code,
            pool,
            kernel,
            layout,
            needs: Needs::default(),
            kept: [None; KEPT],
            oldest: 0,
            loaded: Loaded::default(),
            left: Vec::new(),
            refused: None,
            unguarded: None,
        }
    }

    /// Ends the code; returns its needs.
    pub(super) fn finish(self) -> Needs {
        let code = self.code;
        if let Some(refused) = self.refused {
            let said = REFUSED as i32;
            dynasm!(code ; =>refused ; mov eax, said ; pop rbx ; ret);
        }
        if let Some(unguarded) = self.unguarded {
            let said = UNGUARDED as i32;
            dynasm!(code ; =>unguarded ; mov eax, said ; pop rbx ; ret);
        }
        for (at, label) in self.left {
            let at = at as i32;
            dynasm!(code
                ; =>label
                ; mov esi, at
                ; mov rdi, rbx
                ; mov rax, [rbx + field::REST]
                ; pop rbx
                ; jmp rax
            );
        }
        self.needs
    }

    /// A label at which the interpreter continues from a step on.
    pub(super) fn leave(&mut self, at: u32) -> DynamicLabel {
        match self.left.last() {
            Some(&(last, label)) if last == at => label,
            _ => {
                let label = self.code.new_dynamic_label();
                self.left.push((at, label));
                label
            }
        }
    }

    /// A label at which code ends because of a bailout.
    pub(super) fn refused(&mut self) -> DynamicLabel {
        let code = &mut *self.code;
        *self.refused.get_or_insert_with(|| code.new_dynamic_label())
    }

    /// A label at which code ends because a guard failed.
    pub(super) fn unguarded(&mut self) -> DynamicLabel {
        let code = &mut *self.code;
        *self
            .unguarded
            .get_or_insert_with(|| code.new_dynamic_label())
    }

    /// Calls a function of the frame for a step; code ends if it bails out.
    pub(super) fn call(&mut self, function: i32, at: u32) {
        let refused = self.refused();
        let at = at as i32;
        dynasm!(self.code
            ; mov rdi, rbx
            ; mov esi, at
            ; call QWORD [rbx + function]
            ; test eax, eax
            ; jne =>refused
        );
        self.called();
    }

    /// Forgets all registers of the processor, after a call.
    pub(super) fn called(&mut self) {
        dynasm!(self.code ; mov rdi, [rbx + field::REGISTERS]);
        self.loaded = Loaded::default();
        self.kept = [None; KEPT];
    }

    /// Stores the result in a register, and keeps it in a processor register.
    pub(super) fn define(&mut self, to: Register) {
        self.forget(to);
        let at = place(to);
        let slot = self.oldest as u8;
        dynasm!(self.code
            ; vmovsd QWORD [rdi + at], Rx(RESULT)
            ; vmovapd Rx(slot), Rx(RESULT)
        );
        self.kept[self.oldest] = Some(to);
        self.oldest = (self.oldest + 1) % KEPT;
    }

    /// Forgets a register, which has changed only in memory.
    pub(super) fn forget(&mut self, register: Register) {
        for kept in &mut self.kept {
            if *kept == Some(register) {
                *kept = None;
            }
        }
    }

    pub(super) fn source(&self, register: Register) -> Source {
        match self.kept.iter().position(|kept| *kept == Some(register)) {
            Some(slot) => Source::Xmm(slot as u8),
            None => Source::Memory(place(register)),
        }
    }

    pub(super) fn number(&mut self, number: f64) -> Source {
        let bits = number.to_bits();
        let Pool { known, numbers, .. } = &mut *self.pool;
        let code = &mut *self.code;
        Source::Number(*known.entry(bits).or_insert_with(|| {
            let label = code.new_dynamic_label();
            numbers.push((bits, label));
            label
        }))
    }

    /// The label of the mask of all bits except the sign, 16 bytes.
    pub(super) fn magnitude(&mut self) -> DynamicLabel {
        let code = &mut *self.code;
        let magnitude = &mut self.pool.magnitude;
        *magnitude.get_or_insert_with(|| code.new_dynamic_label())
    }

    pub(super) fn load(&mut self, to: u8, source: Source) {
        match source {
            Source::Xmm(from) => dynasm!(self.code ; vmovapd Rx(to), Rx(from)),
            Source::Memory(at) => dynasm!(self.code ; vmovsd Rx(to), QWORD [rdi + at]),
            Source::Number(label) => dynasm!(self.code ; vmovsd Rx(to), QWORD [=>label]),
        }
    }

    /// The processor register that holds a register; loads it into `to` if there is none.
    pub(super) fn loaded(&mut self, register: Register, to: u8) -> u8 {
        match self.source(register) {
            Source::Xmm(at) => at,
            source => {
                self.load(to, source);
                to
            }
        }
    }

    /// Ensures that [`NOTHING`] holds 0.
    pub(super) fn zero(&mut self) {
        if !std::mem::replace(&mut self.loaded.zero, true) {
            dynasm!(self.code ; vxorpd Rx(NOTHING), Rx(NOTHING), Rx(NOTHING));
        }
    }

    /// Ensures that [`LAST`] holds the position.
    pub(super) fn last(&mut self) {
        if !std::mem::replace(&mut self.loaded.last, true) {
            self.load(LAST, Source::Memory(place(TIME)));
        }
    }

    /// Converts an integer to an index in `eax`, like [`whole`](crate::plan::float::whole).
    pub(super) fn index(&mut self, number: u8) {
        if !std::mem::replace(&mut self.loaded.index, true) {
            let source = self.number(TO_INDEX);
            self.load(INDEX, source);
        }
        dynasm!(self.code
            ; vaddsd Rx(TERM), Rx(number), Rx(INDEX)
            ; vmovd eax, Rx(TERM)
        );
    }

    /// Loads the id at a place into `eax`. If there is none, the interpreter continues from step
    /// `at` on.
    pub(super) fn id(&mut self, place: u8, at: u32) {
        self.index(place);
        let leave = self.leave(at);
        if !std::mem::replace(&mut self.loaded.ids, true) {
            dynasm!(self.code ; mov rsi, [rbx + field::IDS]);
        }
        dynasm!(self.code
            ; cmp rax, [rbx + field::COUNT]
            ; jae =>leave
            ; movzx eax, WORD [rsi + rax * 2]
        );
    }

    /// Loads the last token's embedding in a slot. If there is none, the interpreter continues from
    /// step `at` on.
    pub(super) fn embedded(&mut self, to: u8, slot: u16, at: u32) {
        let leave = self.leave(at);
        let (slots, slot) = (self.layout.slots as i32, i32::from(slot));
        dynasm!(self.code
            ; mov rax, [rbx + field::IDS]
            ; mov rcx, [rbx + field::COUNT]
            ; movzx eax, WORD [rax + rcx * 2 - 2]
            ; imul rax, rax, slots
            ; add rax, slot
            ; cmp rax, [rbx + field::EMBEDDED]
            ; jae =>leave
            ; mov rcx, [rbx + field::EMBEDDING]
            ; vmovsd Rx(to), QWORD [rcx + rax * 8]
        );
    }

    /// Loads the entry of a table for the id in `eax`.
    pub(super) fn entry(&mut self, to: u8, table: u32) {
        let at = 8 * table as i32;
        let end = table as usize + (1 << 16);
        self.needs.tables = self.needs.tables.max(end);
        if !std::mem::replace(&mut self.loaded.tables, true) {
            dynasm!(self.code ; mov rdx, [rbx + field::TABLES]);
        }
        dynasm!(self.code ; vmovsd Rx(to), QWORD [rdx + rax * 8 + at]);
    }
}

impl Kernel {
    /// Whether the kernel can be translated: offsets fit into instructions, and beginning a token
    /// changes no register of a guard.
    fn is_translatable(&self, layout: &Layout) -> bool {
        const FAR: u32 = 1 << 27;
        let stays =
            |register: Register| register != TIME && !layout.sums.contains(&usize::from(register));
        let is_near = |op: &Inst| match *op {
            Inst::Load { table, .. } | Inst::LoadNearest { table, .. } => table < FAR,
            Inst::Look { column, .. } => {
                let mut runs = layout.columns[column as usize].runs.iter();
                runs.all(|run| run.start + run.len < FAR as usize)
            }
            _ => true,
        };
        layout.slots < FAR as usize
            && self.guards.iter().all(|&(register, _)| stays(register))
            && self.ops.iter().all(is_near)
            && self.gathered.iter().all(|item| item.table < FAR)
    }
}

/// The offset of a register from the first one.
pub(super) fn place(register: Register) -> i32 {
    8 * i32::from(register)
}
