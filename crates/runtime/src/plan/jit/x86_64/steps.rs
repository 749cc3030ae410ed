//! The templates: the code of every instruction.

use dynasmrt::{DynasmApi, DynasmLabelApi, dynasm};

use super::abi::{Needs, REFUSED, UNKNOWN, field};
use super::emit::{Emitter, LAST, NOTHING, RESULT, Source, TERM, WAY, arithmetic, place};
use crate::plan::exec::columns::{Column, Run};
use crate::plan::exec::predictions::{LENGTH, MIDDLE};
use crate::plan::float::{CERTAIN, TO_INTEGER};
use crate::plan::ir::{Inst, Output, Product, Register, Span, TIME, ZERO};

/// The state of a step after its template.
enum Done {
    /// The result is in [`RESULT`], to be stored in a register.
    Result(Register),
    /// The step is complete.
    All,
    /// The step has no template: the interpreter runs it.
    Not,
}

impl Emitter<'_> {
    /// Emits the code of the whole kernel.
    pub(super) fn kernel(mut self) -> Needs {
        self.guards();
        let kernel = self.kernel;
        for (at, op) in (0..).zip(&kernel.ops) {
            match self.op(at, op) {
                Done::Result(to) => self.define(to),
                Done::All => {}
                Done::Not => self.call(field::STEP, at),
            }
        }
        self.output(&kernel.output);
        self.finish()
    }

    /// Emits the guards: the code ends unless all guarded places lie before the position of the
    /// token before. The current token has begun already.
    fn guards(&mut self) {
        let kernel = self.kernel;
        if kernel.guards.is_empty() {
            return;
        }
        let unguarded = self.unguarded();
        let one = self.number(-1.0);
        self.load(WAY, one);
        arithmetic!(self, vaddsd WAY, WAY, Source::Memory(place(TIME)));
        for &(register, plus) in &kernel.guards {
            self.add_number(TERM, Source::Memory(place(register)), plus);
            dynasm!(self.code ; vucomisd Rx(WAY), Rx(TERM) ; jbe =>unguarded);
        }
    }

    fn op(&mut self, at: u32, op: &Inst) -> Done {
        let to = match *op {
            Inst::Token { to, slot } => {
                self.embedded(RESULT, slot, at);
                to
            }
            Inst::Offset { to, from, plus } => {
                let from = self.source(from);
                self.add_number(RESULT, from, plus);
                to
            }
            Inst::Scaled {
                to,
                from,
                plus,
                weight,
            } => {
                self.sum(plus, [(weight, from)]);
                to
            }
            Inst::Linear { to, start, quad } => {
                if is_negative_zero(start) {
                    return Done::Not;
                }
                self.sum(start, self.quad(quad));
                to
            }
            Inst::Accumulate { to, quad } => {
                // The sum began with a start that is not -0, so it is not -0.
                let base = self.loaded(to, RESULT);
                self.add(base, self.quad(quad));
                to
            }
            Inst::Quadratic {
                to,
                start,
                products,
            } => {
                let Span { start: from, len } = products;
                let products = &self.kernel.products[from as usize..][..len as usize];
                self.quadratic(start, products);
                to
            }
            Inst::Rounded {
                to,
                base,
                start,
                quad,
            } => {
                if is_negative_zero(start) {
                    return Done::Not;
                }
                self.sum(start, self.quad(quad));
                arithmetic!(self, vaddsd RESULT, RESULT, self.source(base));
                to
            }
            Inst::AddBase { to, base } => {
                let sum = self.loaded(to, RESULT);
                arithmetic!(self, vaddsd RESULT, sum, self.source(base));
                to
            }
            Inst::Gated { to, gate, value } => {
                // Bounds prove that a gate is not NaN. A gate of -0 becomes 0, like in the
                // interpreter.
                let gate = self.loaded(gate, TERM);
                self.zero();
                dynasm!(self.code ; vmaxsd Rx(TERM), Rx(gate), Rx(NOTHING));
                arithmetic!(self, vmulsd RESULT, TERM, self.source(value));
                to
            }
            Inst::Product { to, gate, value } => {
                let gate = self.loaded(gate, TERM);
                arithmetic!(self, vmulsd RESULT, gate, self.source(value));
                to
            }
            Inst::Look {
                to,
                argument,
                column,
            } => {
                self.look(argument, column, at);
                to
            }
            Inst::Limit { number, most } => {
                let number = self.loaded(number, WAY);
                let most = self.number(most);
                self.load(TERM, most);
                // The interpreter decides what follows.
                let leave = self.leave(at);
                dynasm!(self.code ; vucomisd Rx(TERM), Rx(number) ; jb =>leave);
                return Done::All;
            }
            Inst::ClampIndex { to, query } => {
                let query = self.loaded(query, WAY);
                self.clamp(query);
                to
            }
            Inst::NearestIndex { to, query, .. } => {
                let query = self.loaded(query, WAY);
                self.nearest(query, at);
                to
            }
            Inst::RoundToInt { to, of } => {
                let of = self.loaded(of, WAY);
                self.round(RESULT, of);
                to
            }
            Inst::ArgmaxIndex {
                to, query, scale, ..
            } => {
                let [a, b] = [0, 1].map(|i| self.kernel.products[scale as usize + i].weight);
                let y = self.loaded(query[1], TERM);
                self.zero();
                let leave = self.leave(at);
                dynasm!(self.code ; vucomisd Rx(y), Rx(NOTHING) ; jbe =>leave);
                let (a, b) = (self.number(a), self.number(2.0 * b));
                self.load(WAY, a);
                arithmetic!(self, vmulsd WAY, WAY, self.source(query[0]));
                arithmetic!(self, vmulsd TERM, y, b);
                dynasm!(self.code ; vdivsd Rx(WAY), Rx(WAY), Rx(TERM));
                self.nearest(WAY, at);
                to
            }
            Inst::Load { to, place, table } => {
                let place = self.loaded(place, RESULT);
                self.id(place, at);
                self.entry(RESULT, table);
                to
            }
            Inst::LoadNearest {
                to,
                from,
                plus,
                table,
            } => {
                let from = self.source(from);
                self.add_number(RESULT, from, plus);
                self.clamp(RESULT);
                self.id(RESULT, at);
                self.entry(RESULT, table);
                to
            }
            Inst::Gather {
                to,
                start,
                from,
                items: Span { start: first, len },
            } => {
                if is_negative_zero(start) {
                    return Done::Not;
                }
                let items = &self.kernel.gathered[first as usize..][..len as usize];
                let start = self.number(start);
                self.load(WAY, start);
                for item in items {
                    let from = self.source(from);
                    self.add_number(RESULT, from, item.plus);
                    self.clamp(RESULT);
                    self.id(RESULT, at);
                    self.entry(TERM, item.table);
                    self.add_term(WAY, WAY, item.weight, Source::Xmm(TERM));
                }
                dynasm!(self.code ; vmovapd Rx(RESULT), Rx(WAY));
                to
            }
            Inst::Mean { to, sum } => {
                self.last();
                let one = self.number(1.0);
                arithmetic!(self, vaddsd TERM, LAST, one);
                let sum = self.loaded(sum, WAY);
                dynasm!(self.code ; vdivsd Rx(RESULT), Rx(sum), Rx(TERM));
                to
            }
            Inst::UpdateMax {
                y, values, height, ..
            } => return self.raise(at, y, values, height),
            Inst::Insert { x, y, .. } => {
                // The arguments are in `xmm0` and `xmm1`.
                let (x, y) = (self.source(x), self.source(y));
                self.load(TERM, x);
                self.load(1, y);
                self.load(0, Source::Xmm(TERM));
                self.call(field::INSERT, at);
                return Done::All;
            }
            Inst::FindIndex { to, group, query } => {
                let query = self.source(query);
                self.load(0, query);
                self.find(group);
                dynasm!(self.code ; vcvtsi2sd Rx(RESULT), Rx(RESULT), rax);
                to
            }
            Inst::LoadEntry {
                to,
                group,
                entry,
                value,
            } => {
                let entry = self.loaded(entry, WAY);
                self.index(entry);
                self.found(group, value);
                to
            }
            Inst::FindLoad {
                to,
                entry,
                group,
                value,
                from,
                plus,
            } => {
                let from = self.source(from);
                self.add_number(0, from, plus);
                self.find(group);
                let at = place(entry);
                dynasm!(self.code
                    ; vcvtsi2sd Rx(RESULT), Rx(RESULT), rax
                    ; vmovsd QWORD [rdi + at], Rx(RESULT)
                );
                self.found(group, value);
                to
            }
            Inst::LoadStream { .. }
            | Inst::StoreStream { .. }
            | Inst::Add { .. }
            | Inst::Find { .. }
            | Inst::PushHull { .. }
            | Inst::QueryHull { .. } => return Done::Not,
        };
        Done::Result(to)
    }

    /// Loads the entry of a column. Beyond its limit, the interpreter continues from step `at` on.
    fn look(&mut self, argument: Register, column: u32, at: u32) {
        let Column { limit, runs, .. } = &self.layout.columns[column as usize];
        let argument = self.source(argument);
        self.zero();
        let leave = self.leave(at);
        let [none, zero, done] = [(); 3].map(|()| self.code.new_dynamic_label());
        for (number, &Run { first, start, len }) in runs.iter().enumerate().rev() {
            self.needs.columns = self.needs.columns.max(start + len);
            // Nothing is before the first run, and no limit.
            let below = match number {
                0 => zero,
                _ => self.code.new_dynamic_label(),
            };
            self.add_number(RESULT, argument, -first);
            let (start, len) = (8 * start as i32, len as i32);
            // A number that is no 64-bit integer becomes a negative one.
            dynasm!(self.code
                ; vucomisd Rx(RESULT), Rx(NOTHING)
                ; jb =>below
                ; vcvttsd2si rax, Rx(RESULT)
                ; cmp rax, len
                ; jae =>none
                ; mov rcx, [rbx + field::COLUMNS]
                ; vmovsd Rx(RESULT), QWORD [rcx + rax * 8 + start]
                ; jmp =>done
            );
            if number > 0 {
                dynasm!(self.code ; =>below);
            }
        }
        let limit = self.number(*limit);
        dynasm!(self.code ; =>none);
        self.load(TERM, limit);
        self.load(RESULT, argument);
        dynasm!(self.code
            ; vucomisd Rx(TERM), Rx(RESULT)
            ; jb =>leave
            ; =>zero
            ; vmovapd Rx(RESULT), Rx(NOTHING)
            ; =>done
        );
    }

    /// Finds the entry nearest to the integer in `xmm0`; its number is then in `eax`.
    fn find(&mut self, group: u16) {
        let (refused, group, none) = (self.refused(), i32::from(group), REFUSED as i32);
        dynasm!(self.code
            ; mov rdi, rbx
            ; mov esi, group
            ; call QWORD [rbx + field::FIND]
            ; mov eax, eax
            ; cmp eax, none
            ; je =>refused
        );
        self.called();
    }

    /// Reads a value of the entry in `eax`.
    fn found(&mut self, group: u16, value: u16) {
        let (group, value) = (i32::from(group), i32::from(value));
        dynasm!(self.code
            ; mov rdi, rbx
            ; mov esi, group
            ; mov edx, eax
            ; mov ecx, value
            ; call QWORD [rbx + field::FOUND]
            ; vmovapd Rx(RESULT), xmm0
        );
        self.called();
    }

    /// The terms of a quad without the zeros that fill it up, which change no sum except -0.
    fn quad(&self, quad: u32) -> impl Iterator<Item = (f64, Register)> + use<> {
        let quad = self.kernel.quads[quad as usize];
        quad.into_iter().filter(|&term| term != (0.0, ZERO))
    }

    /// Emits `start + terms`, in order.
    fn sum(&mut self, start: f64, terms: impl IntoIterator<Item = (f64, Register)>) {
        let base = if start.to_bits() == 0 {
            self.zero();
            NOTHING
        } else {
            let start = self.number(start);
            self.load(RESULT, start);
            RESULT
        };
        self.add(base, terms);
    }

    /// Emits `base + terms`, in order.
    fn add(&mut self, mut base: u8, terms: impl IntoIterator<Item = (f64, Register)>) {
        for (weight, register) in terms {
            let source = self.source(register);
            self.add_term(RESULT, base, weight, source);
            base = RESULT;
        }
        if base != RESULT {
            self.load(RESULT, Source::Xmm(base));
        }
    }

    /// Emits `to = base + weight * source`. Products with 1 and -1 are exact and left out.
    fn add_term(&mut self, to: u8, base: u8, weight: f64, source: Source) {
        if weight == 1.0 {
            arithmetic!(self, vaddsd to, base, source);
        } else if weight == -1.0 {
            arithmetic!(self, vsubsd to, base, source);
        } else {
            let weight = self.number(weight);
            match source {
                Source::Xmm(number) => arithmetic!(self, vmulsd TERM, number, weight),
                _ => {
                    self.load(TERM, weight);
                    arithmetic!(self, vmulsd TERM, TERM, source);
                }
            }
            dynasm!(self.code ; vaddsd Rx(to), Rx(base), Rx(TERM));
        }
    }

    /// Emits `to = source + number`.
    fn add_number(&mut self, to: u8, source: Source, number: f64) {
        let number = self.number(number);
        match source {
            Source::Xmm(register) => arithmetic!(self, vaddsd to, register, number),
            _ => {
                self.load(to, number);
                arithmetic!(self, vaddsd to, to, source);
            }
        }
    }

    fn quadratic(&mut self, start: f64, products: &[Product]) {
        let start = self.number(start);
        self.load(RESULT, start);
        for product in products {
            let register = self.loaded(product.register, TERM);
            arithmetic!(self, vmulsd TERM, register, self.source(product.factor));
            self.add_term(RESULT, RESULT, product.weight, Source::Xmm(TERM));
        }
    }

    /// Clamps a number to the range from 0 to the position.
    fn clamp(&mut self, number: u8) {
        self.zero();
        self.last();
        dynasm!(self.code
            ; vmaxsd Rx(RESULT), Rx(number), Rx(NOTHING)
            ; vminsd Rx(RESULT), Rx(RESULT), Rx(LAST)
        );
    }

    /// Rounds a number to the nearest integer.
    fn round(&mut self, to: u8, number: u8) {
        let magic = self.number(TO_INTEGER);
        arithmetic!(self, vaddsd to, number, magic);
        arithmetic!(self, vsubsd to, to, magic);
    }

    /// Finds the position nearest to a number. If the number is about in the middle of two
    /// positions, the interpreter continues. The number must not be in [`TERM`].
    fn nearest(&mut self, number: u8, at: u32) {
        self.round(TERM, number);
        let (magnitude, certain) = (self.magnitude(), self.number(CERTAIN));
        dynasm!(self.code
            ; vsubsd Rx(RESULT), Rx(number), Rx(TERM)
            ; vandpd Rx(RESULT), Rx(RESULT), OWORD [=>magnitude]
        );
        self.load(WAY, certain);
        let leave = self.leave(at);
        dynasm!(self.code
            ; vucomisd Rx(WAY), Rx(RESULT)
            ; jbe =>leave
        );
        self.clamp(TERM);
    }

    /// Replaces the highest key if `y` is higher. Its values follow its y, in every other register.
    fn raise(&mut self, at: u32, y: Register, values: Span, height: Register) -> Done {
        let values = &self.kernel.registers[values.start as usize..][..values.len as usize];
        let end = height + 2 * values.len() as Register;
        if values.iter().any(|value| (height..=end).contains(value)) {
            return Done::Not;
        }
        let y = self.loaded(y, WAY);
        let (leave, below) = (self.leave(at), self.code.new_dynamic_label());
        let highest = place(height);
        dynasm!(self.code
            ; vucomisd Rx(y), QWORD [rdi + highest]
            ; je =>leave
            ; jb =>below
            ; vmovsd QWORD [rdi + highest], Rx(y)
        );
        for (&value, to) in values.iter().zip((height + 1..).step_by(2)) {
            let value = self.loaded(value, TERM);
            let to = place(to);
            dynasm!(self.code ; vmovsd QWORD [rdi + to], Rx(value));
        }
        dynasm!(self.code ; =>below);
        for register in height..=end {
            self.forget(register);
        }
        Done::All
    }

    /// Emits the prediction, if code can compute it.
    fn output(&mut self, output: &Output) {
        let unknown = UNKNOWN as i32;
        match *output {
            Output::Token(token) => {
                let token = token as i32;
                dynasm!(self.code ; mov eax, token ; pop rbx ; ret);
            }
            Output::Column { register, line } => {
                let end = (line as usize + 1) * LENGTH;
                let start = (2 * (end - LENGTH)) as i32;
                self.needs.lines = self.needs.lines.max(end);
                let column = self.loaded(register, WAY);
                let middle = self.number(MIDDLE);
                arithmetic!(self, vaddsd RESULT, column, middle);
                self.index(RESULT);
                let length = LENGTH as i32;
                let not = self.code.new_dynamic_label();
                dynasm!(self.code
                    ; cmp eax, length
                    ; jae =>not
                    ; vcvtsi2sd Rx(RESULT), Rx(RESULT), eax
                );
                arithmetic!(self, vsubsd RESULT, RESULT, middle);
                // Entries are one more than the token, and 0 before it is known: 0 - 1 is
                // `UNKNOWN`.
                dynasm!(self.code
                    ; vucomisd Rx(RESULT), Rx(column)
                    ; jne =>not
                    ; jp =>not
                    ; mov rcx, [rbx + field::LINES]
                    ; movzx eax, WORD [rcx + rax * 2 + start]
                    ; dec eax
                    ; pop rbx
                    ; ret
                    ; =>not
                    ; mov eax, unknown
                    ; pop rbx
                    ; ret
                );
            }
            Output::None | Output::Columns(_) => {
                dynasm!(self.code ; mov eax, unknown ; pop rbx ; ret);
            }
        }
    }
}

fn is_negative_zero(number: f64) -> bool {
    number.to_bits() == (-0.0_f64).to_bits()
}
