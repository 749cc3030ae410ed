//! Programs as blocks of code in the weights.

use weightware_isa::{Instruction, Interpreter, LIBRARY_AT, Op, Program};

/// Outputs the bytes of a section at an address, then the first byte of its input.
fn outputs(address: u32, data: &[u8], start: u32) -> Program {
    let input = address + data.len() as u32 + 100;
    let addresses = (address..).take(data.len()).chain([input]);
    let loads = addresses.flat_map(|address| {
        [
            Instruction::new(Op::I32Const, 0),
            Instruction::with_byte(Op::I32Load8U, address, u8::MAX),
            Instruction::new(Op::Output, 0),
        ]
    });
    let heads = [address, input].map(|at| Instruction::with_byte(Op::Section, at, 0));
    let program = Program {
        code: heads.into_iter().chain(loads).collect(),
        sections: vec![data.to_vec(), vec![b'!']],
        ..Program::default()
    };
    let first = program.first_in_block(start, 1).expect("it is in reach");
    // The two sections, too, have numbers.
    let stored = first + 2 - start;
    let program = program.into_block(start, 1).expect("it is in reach");
    let loads = program.instruction((start + stored) as usize + 1);
    assert_eq!(loads.map(|load| load.op), Some(Op::I32Load8U));
    program
}

#[test]
fn blocks_store_data_of_any_length() {
    for length in 0..20 {
        let data: Vec<u8> = (1..=length).collect();
        let program = outputs(1000, &data, LIBRARY_AT);
        assert_eq!(program.validate(), Ok(()));
        assert_eq!((program.code.len(), program.sections.len()), (2, 1));
        let mut run = Interpreter::new(&program);
        run.run(10_000).expect("no fault");
        assert_eq!(run.output(), [&data[..], b"!"].concat());
        assert!(run.outcome().is_some(), "it ends");
    }
}

#[test]
fn stores_reach_255_pages() {
    let end = 255 << 16;
    let data = [1, 2, 3];
    let program = Program {
        code: vec![Instruction::with_byte(Op::Section, end - 3, 0)],
        sections: vec![data.to_vec()],
        ..Program::default()
    };
    let mut far = program.clone();
    far.sections[0].push(4);
    assert!(program.into_block(LIBRARY_AT, 0).is_ok());
    let error = far.into_block(LIBRARY_AT, 0).expect_err("it is too far");
    assert!(error.to_string().contains("data from address"), "{error}");
    assert!(error.remedy().contains("smaller memory"), "{error}");
}
