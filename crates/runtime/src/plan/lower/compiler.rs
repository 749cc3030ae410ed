//! Demand-driven compiler of one kernel, from polynomials and atoms to instructions.

use weightware_analysis::{Analysis, Atom, Bailout, PolyId, QuickMap, QuickSet, Scope};

use crate::plan::ir::{Inst, Kernel, ONE, Output, Product, Register, RegisterLayout, Span, ZERO};
use crate::plan::lower::available::Available;

pub(crate) type Result<T> = std::result::Result<T, Bailout>;

/// A destination of a token's keys and values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Store {
    Sum(u32),
    Stream(u32),
    Group(u32),
    Hull(u32),
}

/// The values that a kernel has computed so far, by register.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) atoms: QuickMap<Atom, Register>,
    pub(crate) forms: QuickMap<PolyId, Register>,
    /// Registers of linear forms, by the form without its constant, and the constant.
    pub(crate) bases: QuickMap<PolyId, (Register, f64)>,
    /// The places of reads whose places have no register: a register and a constant to add.
    pub(crate) recalled: QuickMap<Atom, (Register, f64)>,
    /// The stores to which this token's keys and values are appended already.
    pub(crate) given: QuickSet<Store>,
    pub(crate) next: Register,
}

impl Known {
    /// No values; `next` is the first free register.
    pub(crate) fn new(next: Register) -> Self {
        Self {
            next,
            ..Self::default()
        }
    }
}

/// The state of lowering one kernel.
pub(crate) struct Compiler<'c> {
    pub(crate) analysis: &'c mut Analysis,
    pub(crate) scope: &'c mut Scope,
    pub(crate) known: Known,
    /// The y of each group's highest key so far, if only that key can win.
    pub(crate) heights: &'c [f64],
    pub(crate) constants: &'c mut Constants,
    pub(crate) kernel: Kernel,
    /// The values that the kernel of the token before computed.
    pub(crate) carried: Option<&'c Known>,
    /// The groups that the token changes.
    pub(crate) touched: QuickSet<u32>,
    pub(crate) available: Available,
}

/// The constants of all kernels, in registers from the last one down, and the register layout.
#[derive(Debug, Default)]
pub(crate) struct Constants {
    pub(crate) values: Vec<f64>,
    known: QuickMap<u64, usize>,
    pub(crate) layout: RegisterLayout,
    /// For each combination of bounds of the columns that the unembedding reads, the token that
    /// wins for all numbers within them.
    pub(crate) certain: QuickMap<Box<[[u64; 2]]>, Option<u32>>,
    /// The groups of which a kernel leaves out keys that are not proved to lie [`FAR`] below the
    /// parabola.
    ///
    /// [`FAR`]: crate::key_box::FAR
    pub(crate) omits_near: QuickSet<u32>,
}

impl Constants {
    /// No constants yet, for a register layout.
    pub(crate) fn new(layout: RegisterLayout) -> Self {
        Self {
            layout,
            ..Self::default()
        }
    }

    /// The number that a register always holds; `None` for `one` and `zero`, which have names.
    pub(crate) fn value(&self, register: Register) -> Option<f64> {
        self.values
            .get(usize::from(Register::MAX - register))
            .copied()
    }

    /// Whether a register holds a constant.
    pub(crate) fn holds(&self, register: Register) -> bool {
        let from_last = usize::from(Register::MAX - register);
        register == ONE || register == ZERO || from_last < self.values.len()
    }

    pub(crate) fn register(&mut self, value: f64) -> Result<Register> {
        let at = *self.known.entry(value.to_bits()).or_insert_with(|| {
            self.values.push(value);
            self.values.len() - 1
        });
        // The other half of the registers is reserved for kernels.
        if at < usize::from(Register::MAX) / 2 {
            Ok(Register::MAX - at as Register)
        } else {
            Err(Bailout::Model)
        }
    }
}

impl<'c> Compiler<'c> {
    pub(crate) fn new(
        analysis: &'c mut Analysis,
        scope: &'c mut Scope,
        known: Known,
        heights: &'c [f64],
        constants: &'c mut Constants,
    ) -> Self {
        Self {
            analysis,
            scope,
            known,
            heights,
            constants,
            kernel: Kernel {
                ops: vec![],
                products: vec![],
                quads: vec![],
                gathered: vec![],
                registers: vec![],
                output: Output::None,
                guards: vec![],
            },
            carried: None,
            touched: QuickSet::default(),
            available: Available::default(),
        }
    }

    pub(crate) fn finish(self) -> (Kernel, Known) {
        (self.kernel, self.known)
    }

    pub(crate) fn register(&mut self) -> Result<Register> {
        let register = self.known.next;
        self.known.next = Some(register + 1)
            .filter(|next| *next < Register::MAX / 2)
            .ok_or(Bailout::Model)?;
        Ok(register)
    }

    pub(crate) fn span(&mut self, registers: Vec<Register>) -> Span {
        let start = self.kernel.registers.len() as u32;
        let len = registers.len() as u32;
        self.kernel.registers.extend(registers);
        Span { start, len }
    }

    pub(crate) fn products(&mut self, products: Vec<Product>) -> Span {
        let start = self.kernel.products.len() as u32;
        let len = products.len() as u32;
        self.kernel.products.extend(products);
        Span { start, len }
    }

    /// Appends an instruction that writes to a new register.
    pub(crate) fn emit(&mut self, inst: impl FnOnce(Register) -> Inst) -> Result<Register> {
        let to = self.register()?;
        self.kernel.ops.push(inst(to));
        Ok(to)
    }
}
