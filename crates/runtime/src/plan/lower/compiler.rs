//! The compiler of one kernel: from polynomials and atoms to instructions, driven by demand.

use weightware_analysis::{
    Analysis, Atom, AtomKind, Bailout, HeadAt, PolyId, QuickMap, QuickSet, Scope,
};

use crate::plan::ir::{
    INDEX, Inst, Kernel, ONE, Output, Product, Register, RegisterLayout, Span, TIME, ZERO,
};
use crate::plan::lower::available::Available;

type Result<T> = std::result::Result<T, Bailout>;

/// What tokens give keys and values to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Store {
    Sum(u32),
    Stream(u32),
    Group(u32),
    Hull(u32),
}

/// What a kernel has computed so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) atoms: QuickMap<Atom, Register>,
    pub(crate) forms: QuickMap<PolyId, Register>,
    /// Registers of linear forms, by the form without its constant, and the constant.
    pub(crate) bases: QuickMap<PolyId, (Register, f64)>,
    /// Where those tokens stood that tables were read at, if that has no register: as a register
    /// and a constant to add.
    pub(crate) recalled: QuickMap<Atom, (Register, f64)>,
    /// Stores that hold what this token gives them.
    pub(crate) given: QuickSet<Store>,
    pub(crate) next: Register,
}

impl Known {
    /// Nothing yet; `next` is the first free register.
    pub(crate) fn new(next: Register) -> Self {
        Self {
            next,
            ..Self::default()
        }
    }
}

/// Writes one kernel.
pub(crate) struct Compiler<'c> {
    pub(crate) analysis: &'c mut Analysis,
    pub(crate) scope: &'c mut Scope,
    pub(crate) known: Known,
    /// The highest keys so far, of groups of which only that counts.
    pub(crate) heights: &'c [f64],
    pub(crate) constants: &'c mut Constants,
    pub(crate) kernel: Kernel,
    /// What the kernel of the token before had computed.
    pub(crate) carried: Option<&'c Known>,
    /// Groups that the token changes.
    pub(crate) touched: QuickSet<u32>,
    pub(crate) available: Available,
}

/// Registers that never change, from the last one down; and what else all kernels share.
#[derive(Debug, Default)]
pub(crate) struct Constants {
    pub(crate) values: Vec<f64>,
    known: QuickMap<u64, usize>,
    pub(crate) fixed: RegisterLayout,
    /// By bounds of the columns that the unembedding reads: the token that wins for all numbers
    /// within them.
    pub(crate) certain: QuickMap<Box<[[u64; 2]]>, Option<u32>>,
}

impl Constants {
    /// None yet, beside the registers that sums and highest keys have.
    pub(crate) fn new(fixed: RegisterLayout) -> Self {
        Self {
            fixed,
            ..Self::default()
        }
    }

    /// The number that a register holds for all kernels; none for `one` and `zero`, which have
    /// names.
    pub(crate) fn value(&self, register: Register) -> Option<f64> {
        self.values
            .get(usize::from(Register::MAX - register))
            .copied()
    }

    /// Whether a register never changes.
    pub(crate) fn holds(&self, register: Register) -> bool {
        let from_last = usize::from(Register::MAX - register);
        register == ONE || register == ZERO || from_last < self.values.len()
    }

    pub(crate) fn register(&mut self, value: f64) -> Result<Register> {
        let at = *self.known.entry(value.to_bits()).or_insert_with(|| {
            self.values.push(value);
            self.values.len() - 1
        });
        // The other half of the registers is for kernels.
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

    pub(crate) fn atom(&mut self, atom: Atom) -> Result<Register> {
        if let Some(&register) = self.known.atoms.get(&atom) {
            return Ok(register);
        }
        let register = match self.carried_atom(atom)? {
            Some(register) => register,
            None => self.compute(atom)?,
        };
        self.known.atoms.insert(atom, register);
        Ok(register)
    }

    fn compute(&mut self, atom: Atom) -> Result<Register> {
        let op = match self.analysis.atoms.kind(atom).clone() {
            AtomKind::One => return Ok(ONE),
            AtomKind::Time => return Ok(TIME),
            AtomKind::Index { .. } => return Ok(INDEX),
            AtomKind::Within { of, .. } => return self.atom(of),
            AtomKind::Sum { sum } => {
                self.add(sum)?;
                return Ok(self.constants.fixed.sum(sum));
            }
            AtomKind::Near { of } => {
                // The rounded value stands beside the value.
                if let &AtomKind::Latest { group, value } = self.analysis.atoms.kind(of) {
                    self.insert(group)?;
                    return Ok(self.constants.fixed.latest(group, value as usize) + 1);
                }
                let of = self.atom(of)?;
                let to = self.register()?;
                Inst::RoundToInt { to, of }
            }
            AtomKind::Token { slot, .. } => {
                let to = self.register()?;
                Inst::Token { to, slot }
            }
            AtomKind::Place { query, key } => self.place(atom, query, key.map(f64::from_bits))?,
            AtomKind::Read { place, table } if self.is_new_and_whole(place) => {
                let AtomKind::Place {
                    query: [query, _], ..
                } = self.analysis.atoms.kind(place).clone()
                else {
                    unreachable!("tables are read at places");
                };
                let (from, plus) = self.near(query)?;
                self.known.recalled.insert(atom, (from, plus));
                let to = self.register()?;
                let table = self.start_of(table)?;
                Inst::LoadNearest {
                    to,
                    from,
                    plus,
                    table,
                }
            }
            AtomKind::Read { place, table } => {
                let place = self.atom(place)?;
                let to = self.register()?;
                let table = self.start_of(table)?;
                Inst::Load { to, place, table }
            }
            AtomKind::Kept { place, stream } => {
                self.keep(stream)?;
                let place = self.atom(place)?;
                let to = self.register()?;
                Inst::LoadStream { to, place, stream }
            }
            AtomKind::Mean { sum } => {
                self.add(sum)?;
                let sum = self.constants.fixed.sum(sum);
                let to = self.register()?;
                Inst::Mean { to, sum }
            }
            AtomKind::Latest { group, value } => {
                self.insert(group)?;
                return Ok(self.constants.fixed.latest(group, value as usize));
            }
            AtomKind::Entry { group, query } => {
                self.insert(group)?;
                let whole = self.is_whole(query);
                let query = [self.form(query[0])?, self.form(query[1])?];
                let to = self.register()?;
                if whole {
                    let query = query[0];
                    let group = group as u16;
                    Inst::FindIndex { to, group, query }
                } else {
                    let group = group as u16;
                    Inst::Find { to, group, query }
                }
            }
            AtomKind::Found { entry, value } => {
                let AtomKind::Entry { group, query } = self.analysis.atoms.kind(entry).clone()
                else {
                    unreachable!("values are found at entries");
                };
                if !self.known.atoms.contains_key(&entry) && self.is_whole(query) {
                    self.insert(group)?;
                    let (from, plus) = self.near(query[0])?;
                    let entry = self.register()?;
                    let entry_atom = self.entry_atom(atom);
                    self.known.atoms.insert(entry_atom, entry);
                    let to = self.register()?;
                    self.kernel.ops.push(Inst::FindLoad {
                        to,
                        entry,
                        group: group as u16,
                        value: value as u16,
                        from,
                        plus,
                    });
                    return Ok(to);
                }
                let entry = self.atom(entry)?;
                let to = self.register()?;
                Inst::LoadEntry {
                    to,
                    group: group as u16,
                    entry,
                    value: value as u16,
                }
            }
            AtomKind::Hull {
                head: hull, query, ..
            } => {
                self.push(hull)?;
                let registers = [self.form(query[0])?, self.form(query[1])?];
                let to = [self.register()?, self.register()?];
                self.kernel.ops.push(Inst::QueryHull {
                    hull,
                    query: registers,
                    to,
                });
                // Both answers are there now.
                for part in [false, true] {
                    let kind = AtomKind::Hull {
                        head: hull,
                        query,
                        part,
                    };
                    if let Some(answer) = self.analysis.atoms.find(&kind) {
                        self.known.atoms.insert(answer, to[usize::from(part)]);
                    }
                }
                return Ok(self.known.atoms[&atom]);
            }
            AtomKind::Rounded { base, terms } => {
                let base = self.form(base)?;
                let mut known = Vec::new();
                let mut start = 0.0;
                for &(weight, form) in &terms {
                    let weight = f64::from_bits(weight);
                    // What is known before the first number that is not, is added up now.
                    match self.analysis.atoms[form].as_constant() {
                        Some(number) if known.is_empty() => start += weight * number,
                        _ => known.push((weight, self.form(form)?)),
                    }
                }
                let to = self.register()?;
                let quad = self.quad(&known);
                if known.len() <= 4 {
                    Inst::Rounded {
                        to,
                        base,
                        start,
                        quad,
                    }
                } else {
                    self.kernel.ops.push(Inst::Linear { to, start, quad });
                    self.add_further(to, &known);
                    Inst::AddBase { to, base }
                }
            }
            AtomKind::Gated { gate, value } => {
                let [gate, value] = [self.form(gate)?, self.form(value)?];
                let to = self.register()?;
                Inst::Gated { to, gate, value }
            }
            AtomKind::Product { gate, value } => {
                let [gate, value] = [self.form(gate)?, self.form(value)?];
                let to = self.register()?;
                Inst::Product { to, gate, value }
            }
        };
        self.kernel.ops.push(op);
        Ok(self.known.next - 1)
    }

    /// Whether a query is `(q, 1)` with a whole q.
    fn is_whole(&self, query: [PolyId; 2]) -> bool {
        let atoms = &self.analysis.atoms;
        atoms[query[1]].as_constant() == Some(1.0) && atoms.bounds(query[0]).grain >= 0
    }

    /// Whether a place has no register yet, and is the nearest to a whole linear form.
    pub(crate) fn is_new_and_whole(&self, place: Atom) -> bool {
        match self.analysis.atoms.kind(place) {
            AtomKind::Place { query, key } => {
                !self.known.atoms.contains_key(&place)
                    && key.map(f64::from_bits) == [2.0, 1.0]
                    && self.is_whole(*query)
            }
            _ => false,
        }
    }

    fn entry_atom(&self, found: Atom) -> Atom {
        match *self.analysis.atoms.kind(found) {
            AtomKind::Found { entry, .. } => entry,
            _ => unreachable!("asked of values found"),
        }
    }

    /// Where a table begins.
    pub(crate) fn start_of(&self, table: u32) -> Result<u32> {
        let start = table as usize * (self.analysis.rows.vocab + 1);
        start.try_into().map_err(|_| Bailout::Model)
    }

    fn head_number(&self, at: HeadAt) -> u32 {
        let before: usize = self.analysis.heads[..at.0].iter().map(Vec::len).sum();
        (before + at.1) as u32
    }

    fn place(&mut self, atom: Atom, query: [PolyId; 2], key: [f64; 2]) -> Result<Inst> {
        let head = self.analysis.asker(atom);
        let head = self.head_number(head);
        if key == [2.0, 1.0] && self.analysis.atoms[query[1]].as_constant() == Some(1.0) {
            let whole = self.is_whole(query);
            let query = self.form(query[0])?;
            let to = self.register()?;
            return Ok(if whole {
                Inst::ClampIndex { to, query }
            } else {
                Inst::NearestIndex { to, query, head }
            });
        }
        let [a, b] = key;
        let query = [self.form(query[0])?, self.form(query[1])?];
        let products = self.products(vec![
            Product {
                weight: a,
                register: ZERO,
                factor: ONE,
            },
            Product {
                weight: b,
                register: ZERO,
                factor: ONE,
            },
        ]);
        let to = self.register()?;
        Ok(Inst::ArgmaxIndex {
            to,
            query,
            scale: products.start,
            head,
        })
    }
}
