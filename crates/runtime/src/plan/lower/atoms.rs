//! Lowering of atoms: instruction selection for each kind.

use weightware_analysis::{Atom, AtomKind, Bailout, PolyId};

use crate::plan::ir::{INDEX, Inst, ONE, Product, Register, TIME, ZERO};
use crate::plan::lower::compiler::{Compiler, Result};

impl Compiler<'_> {
    /// The register of an atom's value.
    pub(crate) fn atom(&mut self, atom: Atom) -> Result<Register> {
        if let Some(&register) = self.known.atoms.get(&atom) {
            return Ok(register);
        }
        let register = match self.carried_atom(atom)? {
            Some(register) => register,
            None => self.new_atom(atom)?,
        };
        self.known.atoms.insert(atom, register);
        Ok(register)
    }

    fn new_atom(&mut self, atom: Atom) -> Result<Register> {
        match self.analysis.interner.kind(atom).clone() {
            AtomKind::One => Ok(ONE),
            AtomKind::Time => Ok(TIME),
            AtomKind::Index { .. } => Ok(INDEX),
            AtomKind::Within { of, .. } => self.atom(of),
            AtomKind::Token { slot, .. } => self.emit(|to| Inst::Token { to, slot }),
            AtomKind::Sum { sum } => self.running_sum(sum),
            AtomKind::Mean { sum } => {
                let sum = self.running_sum(sum)?;
                self.emit(|to| Inst::Mean { to, sum })
            }
            AtomKind::Latest { group, value } => self.latest(group, value),
            AtomKind::Near { of } => self.nearest_integer(of),
            AtomKind::Place { query, key } => self.place(atom, query, key.map(f64::from_bits)),
            AtomKind::Read { place, table } => self.read(atom, place, table),
            AtomKind::Kept { place, stream } => {
                self.keep(stream)?;
                let place = self.atom(place)?;
                self.emit(|to| Inst::LoadStream { to, place, stream })
            }
            AtomKind::Entry { group, query } => self.entry(group, query),
            AtomKind::Found { entry, value } => self.found(entry, value),
            AtomKind::Hull { head, query, part } => self.hull(head, query, part),
            AtomKind::Rounded { base, terms } => self.rounded(base, &terms),
            AtomKind::Looked {
                table,
                column,
                argument,
            } => {
                let argument = self.form(argument)?;
                let table = table.map(|at| at as usize);
                let column = self.analysis.rows.column_number(table, column as usize) as u32;
                self.emit(|to| Inst::Look {
                    to,
                    argument,
                    column,
                })
            }
            AtomKind::Gated { gate, value } => {
                let [gate, value] = [self.form(gate)?, self.form(value)?];
                self.emit(|to| Inst::Gated { to, gate, value })
            }
            AtomKind::Product { gate, value } => {
                let [gate, value] = [self.form(gate)?, self.form(value)?];
                self.emit(|to| Inst::Product { to, gate, value })
            }
        }
    }

    /// A running sum that includes the token's own summand.
    fn running_sum(&mut self, sum: u32) -> Result<Register> {
        self.add(sum)?;
        Ok(self.constants.layout.sum(sum))
    }

    /// A value at a group's highest key, the token's own included.
    fn latest(&mut self, group: u32, value: u32) -> Result<Register> {
        self.insert(group)?;
        Ok(self.constants.layout.latest(group, value as usize))
    }

    /// The integer nearest to an atom.
    fn nearest_integer(&mut self, of: Atom) -> Result<Register> {
        if let &AtomKind::Latest { group, value } = self.analysis.interner.kind(of) {
            // The register after that of the value holds its nearest integer.
            return Ok(self.latest(group, value)? + 1);
        }
        let of = self.atom(of)?;
        self.emit(|to| Inst::RoundToInt { to, of })
    }

    /// The position whose key `(a t, -b t^2)` has the greatest score.
    fn place(&mut self, atom: Atom, query: [PolyId; 2], [a, b]: [f64; 2]) -> Result<Register> {
        let head = self.analysis.head_of_place(atom);
        let head = self.analysis.layout.number_of(head) as u32;
        let is_unit = self.analysis.interner[query[1]].as_constant() == Some(1.0);
        if [a, b] == [2.0, 1.0] && is_unit {
            let is_whole = self.is_whole(query);
            let query = self.form(query[0])?;
            return self.emit(|to| match is_whole {
                true => Inst::ClampIndex { to, query },
                false => Inst::NearestIndex { to, query, head },
            });
        }
        let query = [self.form(query[0])?, self.form(query[1])?];
        let scale = [a, b].map(|weight| Product {
            weight,
            register: ZERO,
            factor: ONE,
        });
        let scale = self.products(scale.into()).start;
        self.emit(|to| Inst::ArgmaxIndex {
            to,
            query,
            scale,
            head,
        })
    }

    /// The entry of a table for the token at a place. If the place has no register and is the
    /// nearest to an integer, one instruction finds both.
    fn read(&mut self, atom: Atom, place: Atom, table: u32) -> Result<Register> {
        if !self.is_new_and_whole(place) {
            let place = self.atom(place)?;
            let table = self.start_of(table)?;
            return self.emit(|to| Inst::Load { to, place, table });
        }
        let (from, plus) = self.near(self.query_of_place(place)[0])?;
        self.known.recalled.insert(atom, (from, plus));
        let table = self.start_of(table)?;
        self.emit(|to| Inst::LoadNearest {
            to,
            from,
            plus,
            table,
        })
    }

    /// The entry of a group's table that has the greatest score.
    fn entry(&mut self, group: u32, query: [PolyId; 2]) -> Result<Register> {
        self.insert(group)?;
        let is_whole = self.is_whole(query);
        let query = [self.form(query[0])?, self.form(query[1])?];
        let group = group as u16;
        self.emit(|to| match is_whole {
            true => Inst::FindIndex {
                to,
                group,
                query: query[0],
            },
            false => Inst::Find { to, group, query },
        })
    }

    /// A value of an entry. If the entry has no register and is the nearest to an integer, one
    /// instruction finds both.
    fn found(&mut self, entry_atom: Atom, value: u32) -> Result<Register> {
        let &AtomKind::Entry { group, query } = self.analysis.interner.kind(entry_atom) else {
            unreachable!("an atom of kind `Found` has an entry of kind `Entry`");
        };
        let value = value as u16;
        if self.known.atoms.contains_key(&entry_atom) || !self.is_whole(query) {
            let entry = self.atom(entry_atom)?;
            let group = group as u16;
            return self.emit(|to| Inst::LoadEntry {
                to,
                group,
                entry,
                value,
            });
        }
        self.insert(group)?;
        let (from, plus) = self.near(query[0])?;
        let entry = self.register()?;
        self.known.atoms.insert(entry_atom, entry);
        let group = group as u16;
        self.emit(|to| Inst::FindLoad {
            to,
            entry,
            group,
            value,
            from,
            plus,
        })
    }

    /// A part of a hull's output. One instruction finds both parts.
    fn hull(&mut self, hull: u32, query: [PolyId; 2], part: bool) -> Result<Register> {
        self.push(hull)?;
        let registers = [self.form(query[0])?, self.form(query[1])?];
        let to = [self.register()?, self.register()?];
        self.kernel.ops.push(Inst::QueryHull {
            hull,
            query: registers,
            to,
        });
        let other = AtomKind::Hull {
            head: hull,
            query,
            part: !part,
        };
        if let Some(other) = self.analysis.interner.find(&other) {
            self.known.atoms.insert(other, to[usize::from(!part)]);
        }
        Ok(to[usize::from(part)])
    }

    /// `base + (products added up in order)`, every operation rounded. Constants before the first
    /// variable are folded.
    fn rounded(&mut self, base: PolyId, terms: &[(u64, PolyId)]) -> Result<Register> {
        let base = self.form(base)?;
        let mut variable = Vec::new();
        let mut start = 0.0;
        for &(weight, form) in terms {
            let weight = f64::from_bits(weight);
            match self.analysis.interner[form].as_constant() {
                Some(number) if variable.is_empty() => start += weight * number,
                _ => variable.push((weight, self.form(form)?)),
            }
        }
        let to = self.register()?;
        let quad = self.quad(&variable);
        if variable.len() <= 4 {
            self.kernel.ops.push(Inst::Rounded {
                to,
                base,
                start,
                quad,
            });
        } else {
            self.kernel.ops.push(Inst::Linear { to, start, quad });
            self.add_further(to, &variable);
            self.kernel.ops.push(Inst::AddBase { to, base });
        }
        Ok(to)
    }

    /// Whether a query is `(q, 1)` with an integer q.
    fn is_whole(&self, query: [PolyId; 2]) -> bool {
        let interner = &self.analysis.interner;
        interner[query[1]].as_constant() == Some(1.0) && interner.bounds(query[0]).grain >= 0
    }

    /// Whether a place has no register yet, and is the position nearest to an integer.
    pub(crate) fn is_new_and_whole(&self, place: Atom) -> bool {
        match self.analysis.interner.kind(place) {
            AtomKind::Place { query, key } => {
                !self.known.atoms.contains_key(&place)
                    && key.map(f64::from_bits) == [2.0, 1.0]
                    && self.is_whole(*query)
            }
            _ => false,
        }
    }

    /// The query that finds a place.
    pub(crate) fn query_of_place(&self, place: Atom) -> [PolyId; 2] {
        match *self.analysis.interner.kind(place) {
            AtomKind::Place { query, .. } => query,
            ref other => unreachable!("a table is read at an atom of kind `Place`, not {other:?}"),
        }
    }

    /// The index of a table's first entry in the list of all tables' entries.
    pub(crate) fn start_of(&self, table: u32) -> Result<u32> {
        let start = table as usize * (self.analysis.rows.vocab + 1);
        start.try_into().map_err(|_| Bailout::Model)
    }
}
