//! Lowering of polynomials to linear and quadratic sums, with reuse of common subexpressions.

use weightware_analysis::{Atom, AtomKind, PolyId, Polynomial};
use weightware_hull::exact_sum;

use crate::plan::ir::{Gathered, Inst, ONE, Product, Register, Span, ZERO};
use crate::plan::lower::compiler::{Compiler, Result};

impl Compiler<'_> {
    /// The register of a form's value.
    pub(crate) fn form(&mut self, id: PolyId) -> Result<Register> {
        if let Some(&register) = self.known.forms.get(&id) {
            return Ok(register);
        }
        let form = self.analysis.interner[id].clone();
        if let Some(atom) = form.as_atom() {
            return self.atom(atom);
        }
        if let Some(register) = self.carried_form(id)? {
            if form.is_linear() {
                let (constant, rest) = self.split(&form);
                self.known.bases.insert(rest, (register, constant));
            }
            self.known.forms.insert(id, register);
            return Ok(register);
        }
        let register = match form.as_constant() {
            Some(0.0) => ZERO,
            Some(1.0) => ONE,
            Some(value) => self.constants.register(value)?,
            None if form.is_linear() => self.linear(id, &form)?,
            None => {
                let (start, products) = self.products_of(&form)?;
                let to = self.register()?;
                self.kernel.ops.push(Inst::Quadratic {
                    to,
                    start,
                    products,
                });
                to
            }
        };
        self.known.forms.insert(id, register);
        Ok(register)
    }

    /// The register of a linear form with atoms.
    fn linear(&mut self, id: PolyId, form: &Polynomial) -> Result<Register> {
        let (constant, rest) = self.split(form);
        let op = if let Some((from, plus)) = self.offset(constant, rest)? {
            let to = self.register()?;
            Inst::Offset { to, from, plus }
        } else if let [((0, atom), weight)] = *self.analysis.interner[rest].terms() {
            let (from, plus) = (self.atom(atom)?, constant);
            let to = self.register()?;
            Inst::Scaled {
                to,
                from,
                plus,
                weight,
            }
        } else {
            let to = self.sum_of(constant, form)?;
            self.remember(id, rest, constant, to);
            return Ok(to);
        };
        self.kernel.ops.push(op);
        let to = self.known.next - 1;
        self.remember(id, rest, constant, to);
        Ok(to)
    }

    /// Lowers a linear form of several atoms to a sum.
    fn sum_of(&mut self, constant: f64, form: &Polynomial) -> Result<Register> {
        let (mut terms, mut gathered) = (Vec::new(), Vec::new());
        let mut near = None;
        for &((_, atom), weight) in form.terms() {
            if atom == 0 {
                continue;
            }
            match self.recalled(atom, near)? {
                Some((from, plus, table)) => {
                    near = Some(from);
                    let item = Gathered {
                        weight,
                        plus,
                        table,
                    };
                    gathered.push((atom, item));
                }
                None => terms.push((weight, self.atom(atom)?)),
            }
        }
        if let [(atom, item)] = gathered[..] {
            gathered.clear();
            terms.push((item.weight, self.atom(atom)?));
        }
        let to = self.register()?;
        let Some(from) = near.filter(|_| !gathered.is_empty()) else {
            let quad = self.quad(&terms);
            let start = constant;
            self.kernel.ops.push(Inst::Linear { to, start, quad });
            self.add_further(to, &terms);
            return Ok(to);
        };
        let items = Span {
            start: self.kernel.gathered.len() as u32,
            len: gathered.len() as u32,
        };
        self.kernel
            .gathered
            .extend(gathered.into_iter().map(|(_, item)| item));
        self.kernel.ops.push(Inst::Gather {
            to,
            start: constant,
            from,
            items,
        });
        for terms in terms.chunks(4) {
            let quad = self.quad(terms);
            self.kernel.ops.push(Inst::Accumulate { to, quad });
        }
        Ok(to)
    }

    /// The place of a table's read, as a register and a constant to add, and the table, if neither
    /// the read nor its place has a register. If `near` is a register, the place is relative to it.
    fn recalled(
        &mut self,
        atom: Atom,
        near: Option<Register>,
    ) -> Result<Option<(Register, f64, u32)>> {
        let &AtomKind::Read { place, table } = self.analysis.interner.kind(atom) else {
            return Ok(None);
        };
        if self.known.atoms.contains_key(&atom) || !self.is_new_and_whole(place) {
            return Ok(None);
        }
        if let Some(register) = self.carried_atom(atom)? {
            self.known.atoms.insert(atom, register);
            return Ok(None);
        }
        let (from, plus) = self.near(self.query_of_place(place)[0])?;
        if near.is_some_and(|near| near != from) {
            return Ok(None);
        }
        self.known.recalled.insert(atom, (from, plus));
        Ok(Some((from, plus, self.start_of(table)?)))
    }

    fn remember(&mut self, id: PolyId, rest: PolyId, constant: f64, register: Register) {
        self.known.forms.insert(id, register);
        self.known.bases.insert(rest, (register, constant));
    }

    /// A quad of the first four terms.
    pub(crate) fn quad(&mut self, terms: &[(f64, Register)]) -> u32 {
        let mut quad = [(0.0, ZERO); 4];
        for (place, &term) in quad.iter_mut().zip(terms) {
            *place = term;
        }
        self.kernel.quads.push(quad);
        self.kernel.quads.len() as u32 - 1
    }

    /// Adds the terms after the first four. A sum that began with +0 is never -0, so the zeros of
    /// an incomplete quad change no bit.
    pub(crate) fn add_further(&mut self, to: Register, terms: &[(f64, Register)]) {
        for terms in terms.chunks(4).skip(1) {
            let quad = self.quad(terms);
            self.kernel.ops.push(Inst::Accumulate { to, quad });
        }
    }

    /// Splits a form into its constant and the rest.
    fn split(&mut self, form: &Polynomial) -> (f64, PolyId) {
        let constant = form.coefficient((0, 0));
        (constant, self.analysis.interner.id(form.without_constant()))
    }

    /// A register and a constant whose sum is a form, if there is such a register. The sum is
    /// exact, because it is a form.
    fn offset(&mut self, constant: f64, rest: PolyId) -> Result<Option<(Register, f64)>> {
        if let Some(atom) = self.analysis.interner[rest].as_atom() {
            return Ok(Some((self.atom(atom)?, constant)));
        }
        let base = match self.known.bases.get(&rest) {
            Some(&base) => Some(base),
            None => {
                let base = self.carried_base(rest)?;
                if let Some(base) = base {
                    self.known.bases.insert(rest, base);
                }
                base
            }
        };
        Ok(base.and_then(|(register, other)| Some((register, exact_sum(constant, -other)?))))
    }

    /// Lowers a form to the sum of a register and a constant.
    pub(crate) fn near(&mut self, id: PolyId) -> Result<(Register, f64)> {
        let form = self.analysis.interner[id].clone();
        if !self.known.forms.contains_key(&id) && form.is_linear() && form.as_constant().is_none() {
            let (constant, rest) = self.split(&form);
            if let Some(near) = self.offset(constant, rest)? {
                return Ok(near);
            }
        }
        Ok((self.form(id)?, 0.0))
    }

    /// The constant and the products of a form.
    fn products_of(&mut self, form: &Polynomial) -> Result<(f64, Span)> {
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
        Ok((start, self.products(products)))
    }
}
