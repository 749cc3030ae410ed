//! From forms to programs.

use weightware_analysis::{
    Analysis, Atom, FormId, HeadAt, Kind, QuickMap, QuickSet, Refusal, Scope,
};

use super::chain::Staying;
use super::program::{Fixed, INDEX, ONE, Op, Output, Product, Program, Register, Span, TIME, ZERO};

type Result<T> = std::result::Result<T, Refusal>;

/// Keys that are proven so far below the parabola are left out of tables: further than the squared distance between any two keys
/// inside a box.
pub(crate) fn cleared(bound: Option<[f64; 2]>) -> f64 {
    const LEAST: f64 = (1_u64 << 38) as f64;
    bound.map_or(LEAST, |[greatest_x, _]| LEAST.max(greatest_x * greatest_x))
}

/// What tokens give keys and values to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Store {
    Sum(u32),
    Stream(u32),
    Group(u32),
    Hull(u32),
}

/// What a program has computed so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(super) atoms: QuickMap<Atom, Register>,
    pub(super) forms: QuickMap<FormId, Register>,
    /// Registers of linear forms, by the form without its constant, and the constant.
    pub(super) bases: QuickMap<FormId, (Register, f64)>,
    /// Where those tokens stood that tables were read at, if that has no register: as a register and a constant to add.
    pub(super) recalled: QuickMap<Atom, (Register, f64)>,
    /// Stores that hold what this token gives them.
    pub(super) given: QuickSet<Store>,
    pub(super) next: Register,
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

/// Writes one program.
pub(crate) struct Compiler<'c> {
    pub(crate) analysis: &'c mut Analysis,
    pub(crate) scope: &'c mut Scope,
    pub(crate) known: Known,
    /// The highest keys so far, of groups of which only that counts.
    pub(crate) heights: &'c [f64],
    pub(super) constants: &'c mut Constants,
    pub(super) program: Program,
    /// What the program of the token before had computed.
    pub(super) carried: Option<&'c Known>,
    /// Groups that the token changes.
    pub(super) touched: QuickSet<u32>,
    pub(super) staying: Staying,
}

/// Registers that never change, from the last one down; and what else all programs share.
#[derive(Debug, Default)]
pub(crate) struct Constants {
    pub(crate) values: Vec<f64>,
    known: QuickMap<u64, usize>,
    pub(super) fixed: Fixed,
    /// By bounds of the columns that the unembedding reads: the token that wins for all numbers within them.
    pub(super) certain: QuickMap<Box<[[u64; 2]]>, Option<u32>>,
}

impl Constants {
    /// None yet, beside the registers that sums and highest keys have.
    pub(super) fn new(fixed: Fixed) -> Self {
        Self {
            fixed,
            ..Self::default()
        }
    }

    /// Whether a register never changes.
    pub(super) fn holds(&self, register: Register) -> bool {
        let from_last = usize::from(Register::MAX - register);
        register == ONE || register == ZERO || from_last < self.values.len()
    }

    pub(super) fn register(&mut self, value: f64) -> Result<Register> {
        let at = *self.known.entry(value.to_bits()).or_insert_with(|| {
            self.values.push(value);
            self.values.len() - 1
        });
        // The other half of the registers is for programs.
        if at < usize::from(Register::MAX) / 2 {
            Ok(Register::MAX - at as Register)
        } else {
            Err(Refusal::Model)
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
            program: Program {
                ops: vec![],
                products: vec![],
                quads: vec![],
                gathered: vec![],
                registers: vec![],
                output: Output::None,
                guards: vec![],
                runs: 0,
                code: None,
            },
            carried: None,
            touched: QuickSet::default(),
            staying: Staying::default(),
        }
    }

    pub(crate) fn finish(self) -> (Program, Known) {
        (self.program, self.known)
    }

    pub(super) fn register(&mut self) -> Result<Register> {
        let register = self.known.next;
        self.known.next = Some(register + 1)
            .filter(|next| *next < Register::MAX / 2)
            .ok_or(Refusal::Model)?;
        Ok(register)
    }

    pub(super) fn span(&mut self, registers: Vec<Register>) -> Span {
        let start = self.program.registers.len() as u32;
        let len = registers.len() as u32;
        self.program.registers.extend(registers);
        Span { start, len }
    }

    pub(super) fn products(&mut self, products: Vec<Product>) -> Span {
        let start = self.program.products.len() as u32;
        let len = products.len() as u32;
        self.program.products.extend(products);
        Span { start, len }
    }

    pub(super) fn atom(&mut self, atom: Atom) -> Result<Register> {
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
            Kind::One => return Ok(ONE),
            Kind::Time => return Ok(TIME),
            Kind::Index { .. } => return Ok(INDEX),
            Kind::Within { of, .. } => return self.atom(of),
            Kind::Sum { sum } => {
                self.add(sum)?;
                return Ok(self.constants.fixed.sum(sum));
            }
            Kind::Near { of } => {
                // The rounded value stands beside the value.
                if let &Kind::Latest { group, value } = self.analysis.atoms.kind(of) {
                    self.insert(group)?;
                    return Ok(self.constants.fixed.latest(group, value as usize) + 1);
                }
                let of = self.atom(of)?;
                let to = self.register()?;
                Op::Near { to, of }
            }
            Kind::Token { slot, .. } => {
                let to = self.register()?;
                Op::Token { to, slot }
            }
            Kind::Place { query, key } => self.place(atom, query, key.map(f64::from_bits))?,
            Kind::Read { place, table } if self.is_new_and_whole(place) => {
                let Kind::Place {
                    query: [query, _], ..
                } = self.analysis.atoms.kind(place).clone()
                else {
                    unreachable!("tables are read at places");
                };
                let (from, plus) = self.near(query)?;
                self.known.recalled.insert(atom, (from, plus));
                let to = self.register()?;
                let table = self.start_of(table)?;
                Op::Recall {
                    to,
                    from,
                    plus,
                    table,
                }
            }
            Kind::Read { place, table } => {
                let place = self.atom(place)?;
                let to = self.register()?;
                let table = self.start_of(table)?;
                Op::Read { to, place, table }
            }
            Kind::Kept { place, stream } => {
                self.keep(stream)?;
                let place = self.atom(place)?;
                let to = self.register()?;
                Op::Kept { to, place, stream }
            }
            Kind::Mean { sum } => {
                self.add(sum)?;
                let sum = self.constants.fixed.sum(sum);
                let to = self.register()?;
                Op::Mean { to, sum }
            }
            Kind::Latest { group, value } => {
                self.insert(group)?;
                return Ok(self.constants.fixed.latest(group, value as usize));
            }
            Kind::Entry { group, query } => {
                self.insert(group)?;
                let whole = self.is_whole(query);
                let query = [self.form(query[0])?, self.form(query[1])?];
                let to = self.register()?;
                if whole {
                    let query = query[0];
                    let group = group as u16;
                    Op::FindWhole { to, group, query }
                } else {
                    let group = group as u16;
                    Op::Find { to, group, query }
                }
            }
            Kind::Found { entry, value } => {
                let Kind::Entry { group, query } = self.analysis.atoms.kind(entry).clone() else {
                    unreachable!("values are found at entries");
                };
                if !self.known.atoms.contains_key(&entry) && self.is_whole(query) {
                    self.insert(group)?;
                    let (from, plus) = self.near(query[0])?;
                    let entry = self.register()?;
                    let entry_atom = self.entry_atom(atom);
                    self.known.atoms.insert(entry_atom, entry);
                    let to = self.register()?;
                    self.program.ops.push(Op::Look {
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
                Op::Found {
                    to,
                    group: group as u16,
                    entry,
                    value: value as u16,
                }
            }
            Kind::Hull {
                head: hull, query, ..
            } => {
                self.push(hull)?;
                let registers = [self.form(query[0])?, self.form(query[1])?];
                let to = [self.register()?, self.register()?];
                self.program.ops.push(Op::Ask {
                    hull,
                    query: registers,
                    to,
                });
                // Both answers are there now.
                for part in [false, true] {
                    let kind = Kind::Hull {
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
            Kind::Rounded { base, terms } => {
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
                    Op::Rounded {
                        to,
                        base,
                        start,
                        quad,
                    }
                } else {
                    self.program.ops.push(Op::Linear { to, start, quad });
                    self.add_further(to, &known);
                    Op::Onto { to, base }
                }
            }
            Kind::Gated { gate, value } => {
                let [gate, value] = [self.form(gate)?, self.form(value)?];
                let to = self.register()?;
                Op::Gated { to, gate, value }
            }
            Kind::Product { gate, value } => {
                let [gate, value] = [self.form(gate)?, self.form(value)?];
                let to = self.register()?;
                Op::Product { to, gate, value }
            }
        };
        self.program.ops.push(op);
        Ok(self.known.next - 1)
    }

    /// Whether a query is `(q, 1)` with a whole q.
    fn is_whole(&self, query: [FormId; 2]) -> bool {
        let atoms = &self.analysis.atoms;
        atoms[query[1]].as_constant() == Some(1.0) && atoms.bounds(query[0]).grain >= 0
    }

    /// Whether a place has no register yet, and is the nearest to a whole linear form.
    pub(super) fn is_new_and_whole(&self, place: Atom) -> bool {
        match self.analysis.atoms.kind(place) {
            Kind::Place { query, key } => {
                !self.known.atoms.contains_key(&place)
                    && key.map(f64::from_bits) == [2.0, 1.0]
                    && self.is_whole(*query)
            }
            _ => false,
        }
    }

    fn entry_atom(&self, found: Atom) -> Atom {
        match *self.analysis.atoms.kind(found) {
            Kind::Found { entry, .. } => entry,
            _ => unreachable!("asked of values found"),
        }
    }

    /// Where a table begins.
    pub(super) fn start_of(&self, table: u32) -> Result<u32> {
        let start = table as usize * (self.analysis.rows.vocab + 1);
        start.try_into().map_err(|_| Refusal::Model)
    }

    fn head_number(&self, at: HeadAt) -> u32 {
        let before: usize = self.analysis.heads[..at.0].iter().map(Vec::len).sum();
        (before + at.1) as u32
    }

    fn place(&mut self, atom: Atom, query: [FormId; 2], key: [f64; 2]) -> Result<Op> {
        let head = self.analysis.asker(atom);
        let head = self.head_number(head);
        if key == [2.0, 1.0] && self.analysis.atoms[query[1]].as_constant() == Some(1.0) {
            let whole = self.is_whole(query);
            let query = self.form(query[0])?;
            let to = self.register()?;
            return Ok(if whole {
                Op::Whole { to, query }
            } else {
                Op::Close { to, query, head }
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
        Ok(Op::Nearest {
            to,
            query,
            scale: products.start,
            head,
        })
    }
}
