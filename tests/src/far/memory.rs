//! Cases of the memory: accesses up to its ends and beyond, and growth.

use weightware_isa::Op;

use super::writer::{PAGE, Writer, words_of};

/// A load or store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    op: Op,
    /// The number of bytes in the memory.
    size: u32,
    /// The width of the value.
    width: u8,
    stores: bool,
}

impl Access {
    const ALL: [Self; 19] = [
        Self::load(Op::I32Load, 4, 4),
        Self::load(Op::I32Load8S, 1, 4),
        Self::load(Op::I32Load8U, 1, 4),
        Self::load(Op::I32Load16S, 2, 4),
        Self::load(Op::I32Load16U, 2, 4),
        Self::load(Op::I64Load, 8, 8),
        Self::load(Op::I64Load8S, 1, 8),
        Self::load(Op::I64Load8U, 1, 8),
        Self::load(Op::I64Load16S, 2, 8),
        Self::load(Op::I64Load16U, 2, 8),
        Self::load(Op::I64Load32S, 4, 8),
        Self::load(Op::I64Load32U, 4, 8),
        Self::store(Op::I32Store, 4, 4),
        Self::store(Op::I32Store8, 1, 4),
        Self::store(Op::I32Store16, 2, 4),
        Self::store(Op::I64Store, 8, 8),
        Self::store(Op::I64Store8, 1, 8),
        Self::store(Op::I64Store16, 2, 8),
        Self::store(Op::I64Store32, 4, 8),
    ];

    const fn load(op: Op, size: u32, width: u8) -> Self {
        Self {
            op,
            size,
            width,
            stores: false,
        }
    }

    const fn store(op: Op, size: u32, width: u8) -> Self {
        Self {
            op,
            size,
            width,
            stores: true,
        }
    }

    /// The access of an instruction; `None` if it does not access the memory.
    pub(super) fn of(op: Op) -> Option<Self> {
        Self::ALL.into_iter().find(|access| access.op == op)
    }

    fn pick(writer: &mut Writer, stores: bool) -> Self {
        let all = Self::ALL.into_iter();
        let fitting: Vec<Self> = all.filter(|access| access.stores == stores).collect();
        writer.pick(&fitting)
    }

    /// Emits the access, with a value for a store; uses the result of a load.
    fn write(self, writer: &mut Writer, address: u32, offset: u32, pages: u8) {
        writer.constant(4, (address - offset).into());
        if self.stores {
            let value = writer.value(self.width);
            writer.constant(self.width, value);
            writer.access(self.op, offset, pages);
        } else {
            writer.access(self.op, offset, pages);
            writer.result(self.width);
        }
    }

    /// Emits an access that traps, and drops its operands.
    fn trap(self, writer: &mut Writer, base: u32, offset: u32, pages: u8) {
        writer.constant(4, base.into());
        if self.stores {
            let value = writer.value(self.width);
            writer.constant(self.width, value);
            writer.access(self.op, offset, pages);
            writer.emit(Op::Drop, 0);
        } else {
            writer.access(self.op, offset, pages);
        }
        writer.emit(Op::Drop, 0);
    }
}

/// An access between others that overlap it, one at an address that may not be written, and
/// sometimes one beyond the memory.
pub(super) fn access(writer: &mut Writer, op: Op) {
    let its =
        Access::of(op).expect("a case of an access has an instruction that accesses the memory");
    let (address, offset) = writer.address(8);
    let pages = writer.pages(address, 8);
    let store = Access::pick(writer, true);
    store.write(writer, address, 0, pages);
    let shift = writer.below(4);
    its.write(
        writer,
        address + shift.min(8 - its.size),
        offset.min(address),
        pages,
    );
    let load = Access::pick(writer, false);
    let shift = writer.below(4);
    load.write(writer, address + shift.min(8 - load.size), 0, pages);
    let (address, offset) = writer.address(its.size);
    let pages = writer.pages(address, its.size);
    its.write(writer, address, offset, pages);
    if writer.below(3) == 0 {
        let far = writer.ground.looks_far;
        let pages = writer.pick(if far {
            &[0, 1, 2, 3, 255]
        } else {
            &[0, 1, 2, 3]
        });
        let end = PAGE * u32::from(pages);
        let fewest = (end + 1).saturating_sub(its.size);
        let any = if far { writer.value(4) as u32 } else { end + 1 };
        let first = writer.pick(&[fewest, fewest, end, fewest.max(any)]);
        let offset = writer.below(first.min((1 << 24) - 1) + 1);
        let offset = writer.pick(&[0, offset]);
        its.trap(writer, first - offset, offset, pages);
        if far {
            // The sum of address and offset has 33 bits.
            its.trap(writer, u32::MAX, (1 << 24) - 1, pages);
        }
    }
}

/// Plans decide by a table that addresses this far beyond the writable ones were never written.
const NEAR: u64 = 1 << 19;

/// Grows the memory by any number of pages. The last bytes inside are read, and those beyond trap.
pub(super) fn growth(writer: &mut Writer) {
    const SIZES: [u32; 10] = [0, 1, 2, 255, 256, 257, 0xfffe, 0xffff, 0x1_0000, u32::MAX];
    let any = writer.value(4) as u32;
    let size = writer.pick(&SIZES);
    // The whole range of addresses.
    let whole = if writer.ground.looks_far { PAGE } else { size };
    let grown = writer.pick(&[size, size, whole, any]);
    writer.constant(4, grown.into());
    writer.emit(Op::MemoryGrown, 0);
    let pages = writer.pick(&[0, 1, 3, 254]);
    let end = u64::from(PAGE) * (u64::from(pages) + u64::from(grown));
    let load = Access::pick(writer, false);
    // The base and the offset of an access that ends at `end`, if they are in range.
    let named = |end: u64, offset: u64| {
        let base = end.checked_sub(u64::from(load.size) + offset)?;
        Some((u32::try_from(base).ok()?, offset as u32))
    };
    let greatest = (1_u32 << 24) - 1;
    let offsets = [0, writer.below(1 << 24), greatest].map(u64::from);
    let near = u64::from(writer.ground.last_address) + NEAR;
    let looks = writer.ground.looks_far || end < near;
    let all_named = |end: u64| offsets.iter().filter_map(move |&offset| named(end, offset));
    let mut inside: Vec<_> = all_named(end).collect();
    let beyond: Vec<_> = all_named(end + 1).collect();
    if end > u64::from(u32::MAX) + u64::from(greatest) + 8 {
        inside.push((u32::MAX, greatest));
    }
    if looks && end > 1 << 32 {
        let base = u32::MAX - writer.below(1 << 31);
        writer.constant(4, base.into());
        beside(writer);
        writer.access(Op::I64Load, 0, pages);
        writer.result(8);
        inside.push((base, 0));
    }
    if looks && !inside.is_empty() {
        let (base, offset) = writer.pick(&inside);
        writer.constant(4, base.into());
        beside(writer);
        writer.access(load.op, offset, pages);
        writer.result(load.width);
    }
    if looks && !beyond.is_empty() {
        let (base, offset) = writer.pick(&beyond);
        load.trap(writer, base, offset, pages);
    }
    writer.constant(4, 0);
    writer.emit(Op::MemoryGrown, 0);
}

/// Other work while an address is the second operand. Its results must never be mistaken for bytes
/// of the memory at that address.
fn beside(writer: &mut Writer) {
    let width = writer.pick(&[4, 8]);
    let value = writer.value(width) | 0xa1a2_a3a4_a5a6_a7a8;
    match writer.below(5) {
        0 | 1 => {
            writer.constant(8, value);
            writer.emit_all(&[Op::I32WrapI64, Op::Drop]);
        }
        2 => {
            let address = writer.below(100);
            let load = Access::pick(writer, false);
            writer.constant(4, address.into());
            writer.access(load.op, 0, 1);
            writer.emit(Op::Drop, 0);
        }
        3 => {
            let (set, get) = words_of(width);
            writer.constant(width, value);
            writer.emit(set, 0);
            writer.emit(get, 0);
            writer.emit(Op::Drop, 0);
        }
        _ => {
            writer.constant(width, value);
            writer.emit(Op::Drop, 0);
        }
    }
}
