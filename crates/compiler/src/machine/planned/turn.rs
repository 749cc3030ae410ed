//! Contexts that turn: instructions with which a program writes down its state, and the interrupt
//! that makes it do so.
//!
//! ```text
//! word.get    class global.get, bias 1: frame_if_global -= top                          the queried word is top + immediate
//! dump        class load, bias 1: rise, bytes += second                                 address top + immediate; below 2^20 bytes
//! frame.get   product += frame                                                          the multiplier outputs it
//! record      result = byte of the resume that `return` would copy, + frame size [index = 3]
//! leave imm   result = here; end = return(frame size)
//! interrupt   excess = t - after - 2^34 (64 (class is not br_if, br_unless) + (class - br_if) + skip + left)
//!             end += 534 (relu(excess) - relu(excess - 1))                               at the end of a branch taken
//! ```
//! The class of `return` is between those of `record` and `leave`. The end token of an interrupted
//! branch leads to the handler, and pushes 256 times the branch's target: the end token's byte, 0,
//! precedes the three bytes of the target. So the handler returns by a shift and `br_stack`.

use weightware_isa::Op;

use super::super::columns::{Class, code, op_columns};
use super::super::{BIG, Machine, Parts};
use super::{Hooks, Planned};
use crate::form::LinearForm;

/// The instruction at which the handler begins.
pub const HANDLER: i64 = 16;

/// The code of the end of an interrupted branch, next to those of returns.
pub(super) const INTERRUPTED: i64 = code::RETURN + 256;

impl Machine {
    pub(super) fn word_get(&mut self, parts: &Parts, hooks: &Hooks) {
        let unless = unless_marked(parts, Class::GlobalGet);
        let graph = &mut self.graph;
        let number = graph.relu("word.get", parts.operands.top - unless * BIG);
        graph.add(hooks.frame_if_global, -1, number);
    }

    pub(super) fn dump(&mut self, parts: &Parts) {
        let unless = unless_marked(parts, Class::Load);
        let graph = &mut self.graph;
        let size = graph.relu("dump", parts.operands.second - unless * BIG);
        graph.add(parts.fetched.bytes, 1, size);
        graph.add(parts.fetched.rise, 1, size);
    }

    pub(super) fn frames(&mut self, parts: &Parts, hooks: &Hooks) {
        let class = &parts.fetched.class;
        let here = parts.fetched.here;
        self.add_byte("leave.here", 1, here, &class.unless(Class::Leave));

        // 2^20 outweighs the index, which a dump can make large.
        let other = class.unless(Class::Record) * (1 << 20) + class.one * 3 - parts.state.index;
        self.add_byte("record.size", 1, hooks.record.frame_size, &other);

        if let Some(product) = hooks.product {
            let graph = &mut self.graph;
            let unless = class.unless(Class::FrameGet);
            let frame = graph.relu("frame.get", parts.state.frame - unless * BIG);
            graph.add(product, 1, frame);
        }
    }

    pub(super) fn interrupt(&mut self, parts: &Parts, hooks: &Hooks) {
        let class = &parts.fetched.class;
        let branch = class.unless_either(Class::BrIf, Class::BrUnless) * 64;
        let not_taken = class.beyond(Class::BrIf) + hooks.wait.skip + hooks.wait.left.clone();
        let taken = op_columns(Op::BrIf).end;
        let graph = &mut self.graph;
        let after = graph.constant(interrupts_after(self.profile.last_position));
        let excess = graph.time() - after - (branch + not_taken) * BIG;
        let one = graph.one();
        for (offset, sign) in [(0, 1), (1, -1)] {
            let step = graph.relu("interrupt", excess.clone() - one * offset);
            graph.add(self.end, sign * (INTERRUPTED - taken), step);
        }
    }

    /// Two terms: one is 0 for the classes that output a return address, the other for those that
    /// output a frame size. Returns output both.
    pub(in super::super) fn unless_returning(&self, parts: &Parts) -> [LinearForm; 2] {
        let class = &parts.fetched.class;
        match self.planned.contains(&Planned::Frames) {
            true => [
                class.unless_either(Class::Record, Class::ReturnBetween),
                class.unless_either(Class::ReturnBetween, Class::Leave),
            ],
            false => [class.unless(Class::Return), class.unless(Class::Return)],
        }
    }
}

/// The last position that interrupts nothing: a sixteenth of the context remains for the handler.
#[must_use]
pub const fn interrupts_after(last_position: u64) -> i64 {
    (last_position - last_position / 16) as i64
}

/// 0 for the instructions of a class whose bias is 1.
fn unless_marked(parts: &Parts, class: Class) -> LinearForm {
    let fetched = &parts.fetched;
    fetched.class.unless(class) + fetched.class.one - fetched.bias
}
