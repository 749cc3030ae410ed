//! Locals, globals, memory and data sections.

use weightware_isa::{Instruction, Op};

use crate::{line, lines, program, text_lines};

#[test]
fn locals_and_globals_are_one_space() {
    let found = text_lines(
        "{ i32.const 05 00 00 00  local.tee 02 00 00 00  local.set ff ff ff 00
           i32.const 00 01 00 80  global.set 03 00 00 00
           local.get 02 00 00 00  local.get 03 00 00 00  global.get ff ff ff 00 }",
    );
    let expected = [
        "05 00 00 00 commit(+1,sts=1,bt=0)",
        "05 00 00 00 commit(0,sts=0,bt=0)",
        "05 00 00 00 commit(-1,sts=0,bt=0)",
        "00 01 00 80 commit(+1,sts=1,bt=0)",
        "00 01 00 80 commit(-1,sts=0,bt=0)",
        "05 00 00 00 commit(+1,sts=1,bt=0)",
        "00 01 00 80 commit(+1,sts=1,bt=0)",
        "05 00 00 00 commit(+1,sts=1,bt=0)",
        "halt",
    ];
    assert_eq!(found, expected);
}

#[test]
fn loads_extend_and_stores_write_their_bytes() {
    let word = 0x8182_83f4;
    let rows = [
        (Op::I32Load, "f4 83 82 81"),
        (Op::I32Load8U, "f4 00 00 00"),
        (Op::I32Load8S, "f4 ff ff ff"),
        (Op::I32Load16U, "f4 83 00 00"),
        (Op::I32Load16S, "f4 83 ff ff"),
    ];
    for (op, bytes) in rows {
        let code = [
            Instruction::new(Op::I32Const, 100),
            Instruction::new(Op::I32Const, word),
            Instruction::with_byte(Op::I32Store, 7, 1),
            Instruction::new(Op::I32Const, 90),
            Instruction::with_byte(op, 17, 1),
        ];
        let found = lines(&program(&code));
        assert_eq!(found[2], "f4 83 82 81 commit(-2,sts=0,bt=0)");
        assert_eq!(found[4], format!("{bytes} commit(0,sts=1,bt=0)"), "{op}");
    }
    let rows = [
        (Op::I32Store, "f4 83 82 81", "f4 83 82 81"),
        (Op::I32Store8, "f4", "f4 ff ff ff"),
        (Op::I32Store16, "f4 83", "f4 83 ff ff"),
    ];
    for (op, written, read) in rows {
        let code = [
            Instruction::new(Op::I32Const, 0),
            Instruction::new(Op::I32Const, u32::MAX),
            Instruction::with_byte(Op::I32Store, 0, 1),
            Instruction::new(Op::I32Const, 0),
            Instruction::new(Op::I32Const, word),
            Instruction::with_byte(op, 0, 1),
            Instruction::new(Op::I32Const, 0),
            Instruction::with_byte(Op::I32Load, 0, 1),
        ];
        let found = lines(&program(&code));
        assert_eq!(found[5], format!("{written} commit(-2,sts=0,bt=0)"), "{op}");
        assert_eq!(found[7], format!("{read} commit(0,sts=1,bt=0)"), "{op}");
    }
}

#[test]
fn accesses_beyond_the_memory_trap() {
    let sizes = [
        (Op::I32Load, 4),
        (Op::I32Load8S, 1),
        (Op::I32Load8U, 1),
        (Op::I32Load16S, 2),
        (Op::I32Load16U, 2),
        (Op::I32Store, 4),
        (Op::I32Store8, 1),
        (Op::I32Store16, 2),
    ];
    for (op, size) in sizes {
        let access = |base: u32, offset: u32, pages: u8| {
            let instruction = Instruction::with_byte(op, offset, pages);
            let loads = op.spec().end == Op::I32Load.spec().end;
            line(instruction, &[base, 9][..if loads { 1 } else { 2 }])
        };
        for pages in [1, 2, 255] {
            let limit = u32::from(pages) << 16;
            for offset in [0, 1, 5, limit - size] {
                let last = access(limit - size - offset, offset, pages);
                assert!(last.contains("commit"), "{op} {pages} {offset}: {last}");
                let beyond = access(limit - size - offset + 1, offset, pages);
                assert_eq!(beyond, "trap(out_of_bounds)", "{op} {pages} {offset}");
            }
        }
        // The address does not wrap, and a memory of 0 pages has no valid address.
        assert_eq!(access(u32::MAX, 1, 255), "trap(out_of_bounds)");
        assert_eq!(access(u32::MAX, 0x00ff_ffff, 255), "trap(out_of_bounds)");
        assert_eq!(access(0, 0, 0), "trap(out_of_bounds)");
    }
}

#[test]
fn sections_are_loaded_in_order() {
    let found = text_lines(
        "{ section fe ff 00 00  section ff ff 00 00  section 00 00 00 00
           i32.const fc ff 00 00  i32.load 00 00 00 01
           i32.const fe ff 00 00  i32.load 00 00 00 02 }
         01 02 03 loaded  04 loaded  loaded",
    );
    assert_eq!(found[1], "00 00 01 04 commit(0,sts=1,bt=0)");
    assert_eq!(found[3], "01 04 03 00 commit(0,sts=1,bt=0)");
}
