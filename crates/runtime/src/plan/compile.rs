//! From forms to programs.

use super::analysis::{Analysis, HeadAt, Refusal};
use super::atoms::{Kind, TIME as TIME_ATOM};
use super::form::{Atom, Form, QuickMap, QuickSet, Range};
use super::interpret::Scope;
use super::program::{FREE, INDEX, ONE, Op, Output, Product, Program, Register, Span, TIME, ZERO};

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
    pub(super) forms: QuickMap<Form, Register>,
    /// Stores that hold what this token gives them.
    pub(super) given: QuickSet<Store>,
    pub(super) next: Register,
}

impl Known {
    pub(crate) fn new() -> Self {
        Self {
            next: FREE,
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
}

/// Registers that never change, from the last one down.
#[derive(Debug, Default)]
pub(crate) struct Constants {
    pub(crate) values: Vec<f64>,
}

impl Constants {
    fn register(&mut self, value: f64) -> Result<Register> {
        let known = self
            .values
            .iter()
            .position(|v| v.to_bits() == value.to_bits());
        let at = known.unwrap_or_else(|| {
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
                registers: vec![],
                output: Output::None,
            },
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

    /// The number by which programs are chosen: an answer, or the position less that.
    pub(crate) fn index(
        &mut self,
        (at, part): (HeadAt, usize),
        from_time: bool,
    ) -> Result<Register> {
        let answer = self.analysis.answers(self.scope, at)?[part].clone();
        let index = match from_time {
            true => Form::atom(TIME_ATOM)
                .plus(-1.0, &answer)
                .ok_or(Refusal::Model)?,
            false => answer,
        };
        self.form(&index)
    }

    /// The place that a head attends to.
    pub(crate) fn place_of(&mut self, at: HeadAt, part: usize) -> Result<Register> {
        let answer = self.analysis.answers(self.scope, at)?[part].clone();
        let place = answer.as_atom().map(|atom| self.analysis.atoms.kind(atom));
        match place {
            Some(&Kind::Read { place, .. }) => self.atom(place),
            // A constant: it attends to the first token.
            _ => Ok(ZERO),
        }
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

    /// The register of a form's value.
    pub(crate) fn form(&mut self, form: &Form) -> Result<Register> {
        if let Some(atom) = form.as_atom() {
            return self.atom(atom);
        }
        if let Some(&register) = self.known.forms.get(form) {
            return Ok(register);
        }
        let register = match form.as_constant() {
            Some(0.0) => ZERO,
            Some(1.0) => ONE,
            Some(value) => self.constants.register(value)?,
            None => {
                let mut start = 0.0;
                let mut products = Vec::new();
                for &((a, b), weight) in form.terms() {
                    if (a, b) == (0, 0) {
                        start = weight;
                        continue;
                    }
                    let register = self.atom(b)?;
                    let factor = if a == 0 { ONE } else { self.atom(a)? };
                    products.push(Product {
                        weight,
                        register,
                        factor,
                    });
                }
                let to = self.register()?;
                let linear = products.iter().all(|p| p.factor == ONE);
                let products = self.products(products);
                self.program.ops.push(if linear {
                    Op::Linear {
                        to,
                        start,
                        products,
                    }
                } else {
                    Op::Quadratic {
                        to,
                        start,
                        products,
                    }
                });
                to
            }
        };
        self.known.forms.insert(form.clone(), register);
        Ok(register)
    }

    pub(super) fn atom(&mut self, atom: Atom) -> Result<Register> {
        if let Some(&register) = self.known.atoms.get(&atom) {
            return Ok(register);
        }
        let register = self.compute(atom)?;
        self.known.atoms.insert(atom, register);
        Ok(register)
    }

    fn compute(&mut self, atom: Atom) -> Result<Register> {
        let op = match self.analysis.atoms.kind(atom).clone() {
            Kind::One => return Ok(ONE),
            Kind::Time => return Ok(TIME),
            Kind::Index { .. } => return Ok(INDEX),
            Kind::Sum { sum } => {
                self.add(sum)?;
                let to = self.register()?;
                Op::Sum { to, sum }
            }
            Kind::Near { of } => {
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
                let (start, products) = self.linear(&query)?;
                let to = self.register()?;
                Op::Recall {
                    to,
                    start,
                    products,
                    table,
                }
            }
            Kind::Read { place, table } => {
                let place = self.atom(place)?;
                let to = self.register()?;
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
                let to = self.register()?;
                Op::Mean { to, sum }
            }
            Kind::Latest { group, value } => {
                self.insert(group)?;
                let to = self.register()?;
                Op::Latest { to, group, value }
            }
            Kind::Entry { group, query } => {
                self.insert(group)?;
                let whole = self.is_whole(&query);
                let query = [self.form(&query[0])?, self.form(&query[1])?];
                let to = self.register()?;
                if whole {
                    let query = query[0];
                    Op::FindWhole { to, group, query }
                } else {
                    Op::Find { to, group, query }
                }
            }
            Kind::Found { entry, value } => {
                let Kind::Entry { group, query } = self.analysis.atoms.kind(entry).clone() else {
                    unreachable!("values are found at entries");
                };
                if !self.known.atoms.contains_key(&entry)
                    && self.is_whole(&query)
                    && is_linear(&query[0])
                {
                    self.insert(group)?;
                    let (start, products) = self.linear(&query[0])?;
                    let entry = self.register()?;
                    let entry_atom = self.entry_atom(atom);
                    self.known.atoms.insert(entry_atom, entry);
                    let to = self.register()?;
                    self.program.ops.push(Op::Look {
                        to,
                        entry,
                        group: group as u16,
                        value: value as u16,
                        start,
                        products,
                    });
                    return Ok(to);
                }
                let entry = self.atom(entry)?;
                let to = self.register()?;
                Op::Found {
                    to,
                    group,
                    entry,
                    value,
                }
            }
            Kind::Hull {
                head: hull, query, ..
            } => {
                self.push(hull)?;
                let registers = [self.form(&query[0])?, self.form(&query[1])?];
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
                        query: query.clone(),
                        part,
                    };
                    let range = || Range::of(0.0);
                    if self.analysis.atoms.has(&kind) {
                        let answer = self.analysis.atoms.get(kind, range);
                        self.known.atoms.insert(answer, to[usize::from(part)]);
                    }
                }
                return Ok(self.known.atoms[&atom]);
            }
            Kind::Rounded { base, terms } => {
                let base = match base {
                    Some(base) => self.form(&base)?,
                    None => ZERO,
                };
                let mut products = Vec::new();
                for (weight, form) in &terms {
                    let (weight, register) = (f64::from_bits(*weight), self.form(form)?);
                    products.push(Product {
                        weight,
                        register,
                        factor: ONE,
                    });
                }
                let products = self.products(products);
                let to = self.register()?;
                Op::Rounded { to, base, products }
            }
            Kind::Gated { gate, value } => {
                let [gate, value] = [self.form(&gate)?, self.form(&value)?];
                let to = self.register()?;
                Op::Gated { to, gate, value }
            }
            Kind::Product { gate, value } => {
                let [gate, value] = [self.form(&gate)?, self.form(&value)?];
                let to = self.register()?;
                Op::Product { to, gate, value }
            }
        };
        self.program.ops.push(op);
        Ok(self.known.next - 1)
    }

    /// Whether a query is `(q, 1)` with a whole q.
    fn is_whole(&self, query: &[Form; 2]) -> bool {
        query[1].as_constant() == Some(1.0) && self.analysis.atoms.range(&query[0]).grain >= 0
    }

    /// Whether a place has no register yet, and is the nearest to a whole linear form.
    fn is_new_and_whole(&self, place: Atom) -> bool {
        match self.analysis.atoms.kind(place) {
            Kind::Place { query, key } => {
                !self.known.atoms.contains_key(&place)
                    && key.map(f64::from_bits) == [2.0, 1.0]
                    && self.is_whole(query)
                    && is_linear(&query[0])
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

    /// The constant and the products of a linear form.
    fn linear(&mut self, form: &Form) -> Result<(f64, Span)> {
        let mut start = 0.0;
        let mut products = Vec::new();
        for &((_, atom), weight) in form.terms() {
            if atom == 0 {
                start = weight;
                continue;
            }
            let register = self.atom(atom)?;
            products.push(Product {
                weight,
                register,
                factor: ONE,
            });
        }
        Ok((start, self.products(products)))
    }

    fn head_number(&self, at: HeadAt) -> u32 {
        let before: usize = self.analysis.heads[..at.0].iter().map(Vec::len).sum();
        (before + at.1) as u32
    }

    fn place(&mut self, atom: Atom, query: [Form; 2], key: [f64; 2]) -> Result<Op> {
        let head = self.analysis.asker(atom);
        let head = self.head_number(head);
        if key == [2.0, 1.0] && query[1].as_constant() == Some(1.0) {
            let whole = self.is_whole(&query);
            let query = self.form(&query[0])?;
            let to = self.register()?;
            return Ok(if whole {
                Op::Whole { to, query }
            } else {
                Op::Close { to, query, head }
            });
        }
        let [a, b] = key;
        let query = [self.form(&query[0])?, self.form(&query[1])?];
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

fn is_linear(form: &Form) -> bool {
    form.terms().iter().all(|((a, _), _)| *a == 0)
}
