//! Programs, libraries and constants in the weights.

use std::sync::Arc;

use crate::common::{self, Random};
use crate::context::Context;
use crate::weights::{every_slot_of, follow};
use weightware_compiler::machine::{GrowthError, Machine, Profile, Rom};
use weightware_compiler::{default_model, rom_model};
use weightware_isa::{
    Immediate, Instruction, Interpreter, LIBRARY_AT, Op, Outcome, Program, Resident,
};
use weightware_model::{LayerWeights, Matrix, Model};

/// The profiles of both shapes.
const SHAPES: [Profile; 2] = [Profile::STOCK, Profile::FAR];

/// A program with its code in the weights, and with all data sections but the last.
fn specialised(program: Program, inputs: usize) -> (Program, Rom) {
    let program = program.specialised(inputs);
    let rom = Rom::of(&program);
    (program, rom)
}

/// A random program whose two functions are in blocks of a library, and which has constants there.
fn with_library(seed: u64, length: u32) -> Program {
    let mut program = common::random_program(seed, length);
    let mut random = Random(seed | 1);
    let calls = program.code.iter().filter(|call| call.op == Op::Call);
    let mut starts: Vec<u32> = calls.map(|call| call.low()).collect();
    starts.sort_unstable();
    starts.dedup();
    let mut blocks: Vec<(u32, Arc<[Instruction]>)> = vec![];
    let end = program.code.len() as u32;
    let main = starts.first().copied().unwrap_or(end);
    let mut firsts = vec![];
    let mut next = LIBRARY_AT + random.below(3);
    for (number, &start) in starts.iter().enumerate() {
        firsts.push((start, next));
        let until = starts.get(number + 1).copied().unwrap_or(end);
        next += until - start + random.pick(&[1, 2, 1000, 100_000]);
    }
    // The new number of an instruction; the end is that of the code that stays.
    let moved = |old: u32| match firsts.iter().rfind(|(start, _)| *start <= old) {
        _ if old == end => main,
        Some((start, first)) => first + old - start,
        None => old,
    };
    let code: Vec<Instruction> = (0..end)
        .map(|at| {
            let instruction = program.code[at as usize];
            let [.., fourth] = instruction.immediate;
            let next = program.code.get(at as usize + 1);
            match instruction.op.immediate_kind() {
                _ if instruction.op == Op::Resume => Instruction::new(Op::Resume, moved(at) + 1),
                Immediate::Target | Immediate::Call => {
                    Instruction::with_byte(instruction.op, moved(instruction.low()), fourth)
                }
                // The target of a `br.stack`.
                _ if instruction.op == Op::I32Const
                    && next.is_some_and(|next| next.op == Op::BrStack) =>
                {
                    Instruction::new(Op::I32Const, moved(instruction.immediate()))
                }
                _ => instruction,
            }
        })
        .collect();
    for (number, &(start, first)) in firsts.iter().enumerate() {
        let until = firsts.get(number + 1).map_or(end, |&(start, _)| start);
        blocks.push((first, code[start as usize..until as usize].into()));
    }
    program.code = code[..main as usize].to_vec();
    let base = program.code[0].low();
    let mut constants = |from: u32, most: u32| -> (u32, Vec<u8>) {
        let len = 1 + random.below(most);
        (from, (0..len).map(|_| random.below(256) as u8).collect())
    };
    program.resident = Some(Resident {
        code: false,
        memory: vec![
            constants(base + 41, 20),
            constants(base + 300, 300),
            constants(0x90_0000, 9),
        ],
        library: blocks,
    });
    program
}

/// A program that calls a function of a library, which calls itself 6 times, and at last another
/// block of the library.
fn recursion() -> Program {
    const AT: u32 = LIBRARY_AT + 7;
    const OTHER: u32 = LIBRARY_AT + 70_000;
    let new = Instruction::new;
    let call = |at| Instruction::with_byte(Op::Call, at, 12);
    let main = vec![
        new(Op::I32Const, 6),
        call(AT),
        new(Op::Resume, 3),
        new(Op::Exit, 0),
    ];
    let function = [
        new(Op::LocalSet, 4),
        new(Op::LocalGet, 4),
        new(Op::BrUnless, AT + 10),
        new(Op::LocalGet, 4),
        new(Op::I32Const, 1),
        new(Op::I32Sub, 0),
        call(AT),
        new(Op::Resume, AT + 8),
        new(Op::Output, 0),
        new(Op::Br, AT + 13),
        new(Op::I32Const, 0x90_0002),
        call(OTHER),
        new(Op::Resume, AT + 13),
        new(Op::LocalGet, 4),
        new(Op::Return, 0),
    ];
    let other = [
        Instruction::with_byte(Op::I64Load16S, 1, 255),
        new(Op::I64Const, 0x8765_4321),
        new(Op::I64ConstHigh, 0xfedc_ba98),
        new(Op::I64Add, 0),
        new(Op::I64High, 0),
        new(Op::Output, 0),
        new(Op::I32Const, 77),
        new(Op::Output, 0),
        new(Op::Return, 0),
    ];
    Program {
        code: main,
        resident: Some(Resident {
            code: false,
            memory: vec![(0x90_0000, vec![1, 2, 3, 4, 0x95])],
            library: vec![(AT, function.into()), (OTHER, other.into())],
        }),
        ..Program::default()
    }
}

fn model(profile: Profile, rom: &Rom) -> Model {
    rom_model(profile, rom.clone()).expect("the committed schedule fits")
}

#[test]
fn random_programs_in_the_weights() {
    for (profile, seeds) in [(Profile::STOCK, 0..30), (Profile::FAR, 30..40)] {
        let mut total = 0;
        for seed in seeds {
            let (program, rom) = specialised(common::random_program(seed, 60), 1);
            let machine = Machine::with_rom(profile, rom);
            let mut context = Context::empty(&machine);
            context.read(program.full_prompt());
            total += context.follow(&program);
        }
        assert!(total > 2_000, "{total} tokens are too few to tell");
    }
}

/// After every half-layer, every slot holds the value of its dimension in the exact evaluator.
#[test]
fn every_slot() {
    for profile in SHAPES {
        // Without any byte in the context, a lookup's distance has no meaning, so a section stays
        // in the prompt.
        let (whole, _) = specialised(with_library(3, 30), 1);
        for program in [whole, with_library(3, 30)] {
            assert!(!program.sections[0].is_empty());
            let rom = Rom::of(&program);
            let schedule = profile.rom_schedule(rom.is_specialised());
            every_slot_of(&Machine::with_rom(profile, rom), schedule, &program);
        }
    }
}

/// Weights of the committed schedules, run by a plain softmax pass.
#[test]
fn specialised_programs_in_stock_softmax() {
    for (profile, seeds) in [(Profile::STOCK, 0..6), (Profile::FAR, 6..9)] {
        let mut total = 0;
        for seed in seeds {
            let (program, rom) = specialised(common::random_program(seed, 40), seed as usize % 2);
            let name = format!("{}, program {seed}", profile.name);
            total += follow(&model(profile, &rom), &program, &name);
        }
        assert!(total > 250, "{total} tokens are too few to tell");
    }
}

#[test]
fn libraries_in_stock_softmax() {
    let program = recursion();
    program.validate().expect("valid");
    let mut run = Interpreter::new(&program);
    if let Some(Err(fault)) = run.by_ref().find(Result::is_err) {
        panic!("{fault}")
    }
    assert_eq!(run.outcome(), Some(Outcome::Exited(6)));
    let (mut total, mut blocks) = (0, 0);
    for (profile, seeds) in [(Profile::STOCK, 0..6), (Profile::FAR, 6..9)] {
        for seed in seeds {
            let program = with_library(seed, 30);
            let name = format!("{}, program {seed}", profile.name);
            total += follow(&model(profile, &Rom::of(&program)), &program, &name);
            blocks += Rom::of(&program).library.len();
        }
        follow(&model(profile, &Rom::of(&program)), &program, "recursion");
    }
    assert!(total > 900, "{total} tokens are too few to tell");
    assert!(blocks > 6, "{blocks} blocks are too few to tell");
}

/// Reading gives the instructions and the memory that were put into the weights.
#[test]
fn what_is_read_is_what_was_written() {
    let mut roms = vec![Rom::default(), Rom::of(&recursion())];
    for seed in 0..12 {
        roms.push(specialised(common::random_program(seed, 50), 0).1);
        roms.push(Rom::of(&with_library(seed, 50)));
        // A specialised program beside a library.
        roms.push(specialised(with_library(seed, 50), 0).1);
    }
    for profile in SHAPES {
        for rom in &roms {
            let read = Rom::read(&model(profile, rom)).expect("a machine");
            assert_eq!(&read, rom);
            assert!(read.is_like(rom));
        }
    }
    assert_eq!(Rom::read(&default_model()), None);
}

/// Gaps between sections, zeros at their ends, and the greatest address.
#[test]
fn memory_in_the_weights() {
    let gaps = [0, 1, 2, 3, 62, 63, 64, 65, 66, 67, 500, 1 << 20];
    let mut memory = vec![];
    let mut address = 3;
    for gap in gaps {
        let bytes = [vec![0; gap as usize % 4], vec![200, 0, 255, 1]].concat();
        let len = bytes.len() as u32;
        memory.push((address, bytes));
        address += len + gap;
    }
    memory.push((0xff_ffff, vec![9]));
    let program = Program {
        resident: Some(Resident {
            memory: memory.clone(),
            ..Resident::default()
        }),
        ..Program::default()
    };
    let rom = Rom::of(&program);
    let byte = |runs: &[(u32, Vec<u8>)], address: u32| {
        let mut runs = runs.iter();
        let run = runs.find_map(|(first, run)| run.get(address.checked_sub(*first)? as usize));
        run.copied().unwrap_or(0)
    };
    let model = model(Profile::FAR, &rom);
    let read = Rom::read(&model).expect("a machine");
    assert_eq!(read, rom);
    for address in (0..address + 9).chain([0xff_fffe, 0xff_ffff]) {
        assert_eq!(
            byte(&read.memory, address),
            byte(&memory, address),
            "{address}"
        );
    }
    for (_, run) in &read.memory {
        assert!(run[0] != 0 && run[run.len() - 1] != 0, "{run:?}");
        assert!(run.len() < 1000, "long gaps are not read as bytes");
    }
    // A machine whose gaps are one byte, or one instruction, long can grow.
    assert_eq!(rom.grow(&model).expect("nothing changes"), model);
}

/// Both of two.
fn joined(old: &Rom, new: &Rom) -> Rom {
    let mut both = Rom {
        program: [&old.program[..], &new.program].concat(),
        memory: [&old.memory[..], &new.memory].concat(),
        library: [&old.library[..], &new.library].concat(),
        handler: old.handler,
    };
    both.memory.sort();
    both.library.sort_by_key(|block| block.0);
    both
}

/// A ROM, moved to greater numbers and addresses.
fn beyond(mut rom: Rom, numbers: u32, addresses: u32) -> Rom {
    rom.library.iter_mut().for_each(|block| block.0 += numbers);
    rom.memory.iter_mut().for_each(|run| run.0 += addresses);
    rom
}

/// Every weight of a matrix is in another one, with the same bits, in the same place of each part
/// of its rows.
#[track_caller]
fn is_part(old: &Matrix, new: &Matrix, parts: usize) {
    let bits = |row: &[f64]| {
        row.iter()
            .map(|weight| weight.to_bits())
            .collect::<Vec<_>>()
    };
    let [olds, news] = [old.rows / parts, new.rows / parts];
    for row in 0..old.rows {
        let same = row / olds * news + row % olds;
        assert_eq!(
            bits(old.row(row)),
            bits(&new.row(same)[..old.cols]),
            "row {row}"
        );
    }
}

#[test]
fn growth_keeps_every_neuron() {
    for profile in SHAPES {
        for seed in 0..4 {
            let old = match seed {
                0 => Rom::default(),
                1 => specialised(common::random_program(1, 40), 0).1,
                _ => Rom::of(&with_library(seed, 30)),
            };
            let new = beyond(Rom::of(&with_library(seed + 9, 30)), 400_000, 0x4_0000);
            let new = Rom {
                // Between those of the old one and far beyond.
                memory: [new.memory, vec![(0x80_0000, vec![1, 2, 3])]].concat(),
                ..new
            };
            let both = joined(&old, &new);
            let before = model(profile, &old);
            let after = both.grow(&before).expect("nothing changes");
            after.validate().expect("a sound model");
            let read = Rom::read(&after).expect("a machine");
            assert!(read.is_like(&both), "{read:?}, not {both:?}");
            assert!(after.weights.count().weights > before.weights.count().weights);
            for (old, new) in before.weights.layers.iter().zip(&after.weights.layers) {
                assert_eq!((&old.in_proj, &old.out_proj), (&new.in_proj, &new.out_proj));
                is_part(&old.ff_in, &new.ff_in, 2);
                is_part(&old.ff_out, &new.ff_out, 1);
            }
            assert_eq!(before.weights.tok, after.weights.tok);
            assert_eq!(before.weights.head, after.weights.head);
            assert_eq!(before.tokenizer, after.tokenizer);
            // It is the model that is made at once, except for the order of neurons.
            let neurons = |model: &Model| -> Vec<usize> {
                model
                    .weights
                    .layers
                    .iter()
                    .map(LayerWeights::neurons)
                    .collect()
            };
            assert_eq!(neurons(&after), neurons(&model(profile, &both)));
            // Growing by nothing, and back.
            assert_eq!(both.grow(&after).as_ref(), Ok(&after));
            assert!(matches!(old.grow(&after), Err(GrowthError::Changes(_))));
        }
    }
    // A grown model runs both.
    let program = recursion();
    let first = with_library(2, 30);
    let old = Rom::of(&first);
    let both = joined(&old, &beyond(Rom::of(&program), 400_000, 0x1000));
    assert!(both.library.len() > old.library.len());
    let grown = both
        .grow(&model(Profile::STOCK, &old))
        .expect("nothing changes");
    follow(&grown, &first, "the old program");
}

/// Changes what the weights shall have.
type Change = fn(&mut Rom);

#[test]
fn growth_that_changes_something_is_refused() {
    let old = Rom::of(&recursion());
    let model = model(Profile::STOCK, &old);
    let with = |change: Change| {
        let mut new = old.clone();
        change(&mut new);
        new.grow(&model).map(|_| ())
    };
    assert_eq!(with(|_| ()), Ok(()));
    let changes: [(&str, Change); 9] = [
        // Between 1 and 3 on a line, where no neuron bends: new ones would do.
        ("rom.memory", |rom| rom.memory[0].1[1] += 1),
        ("rom.memory", |rom| rom.memory[0].1[4] += 1),
        ("rom.memory", |rom| rom.memory.clear()),
        // Next to the last byte: its bend is in the way.
        ("rom.memory", |rom| rom.memory[0].1.push(8)),
        ("rom.code", |rom| rom.library[0].0 += 1),
        ("rom.code", |rom| _ = rom.library.pop()),
        ("the program", |rom| {
            rom.program = vec![Instruction::new(Op::Output, 0)];
        }),
        ("rom.code", |rom| {
            let mut code = rom.library[1].1.to_vec();
            code[3] = Instruction::new(Op::I64Sub, 0);
            rom.library[1].1 = code.into();
        }),
        ("rom.bytes", |rom| {
            let mut code = rom.library[1].1.to_vec();
            code[2] = Instruction::new(Op::I64ConstHigh, 1);
            rom.library[1].1 = code.into();
        }),
    ];
    for (table, change) in changes {
        assert_eq!(with(change), Err(GrowthError::Changes(table)));
    }
    assert_eq!(old.grow(&default_model()), Err(GrowthError::NoTables));
    // Its immediate is 0, as are those around it.
    let block: Arc<[Instruction]> = [Op::I32Const; 9].map(|op| Instruction::new(op, 0)).into();
    let zeros = with_block(block.to_vec());
    let mut code = block.to_vec();
    code[4] = Instruction::new(Op::I32Const, 5);
    let other = with_block(code);
    let changed = other.grow(&self::model(Profile::STOCK, &zeros));
    assert_eq!(changed, Err(GrowthError::Changes("rom.code")));
    // Two in one place.
    let twice = |change: Change| {
        let mut new = old.clone();
        change(&mut new);
        new.grow(&model)
    };
    let overlaps = twice(|rom| rom.memory.push((0x90_0004, vec![1])));
    assert_eq!(
        overlaps,
        Err(GrowthError::Overlap("runs of the memory", 0x90_0004))
    );
    let overlaps = twice(|rom| {
        rom.library
            .push((LIBRARY_AT + 70_007, rom.library[0].1.clone()))
    });
    let at = LIBRARY_AT + 70_007;
    assert_eq!(
        overlaps,
        Err(GrowthError::Overlap("blocks of the library", at))
    );
    // Offsets by turns the least and the greatest sum up to more than is exact.
    let with_offsets = |count: usize| {
        let offsets = [0, 0xffff].map(|low| Instruction::new(Op::I32Load, low));
        let block: Vec<Instruction> = offsets.into_iter().cycle().take(count).collect();
        with_block(block)
    };
    let model = self::model(Profile::STOCK, &Rom::default());
    assert!(with_offsets(1_000).grow(&model).is_ok());
    let full = with_offsets(20_000).grow(&model);
    assert!(matches!(full, Err(GrowthError::Full(_))));
}

/// A library of one block.
fn with_block(block: Vec<Instruction>) -> Rom {
    Rom {
        library: vec![(LIBRARY_AT, block.into())],
        ..Rom::default()
    }
}

/// Weights that no compiler wrote: what is read is nothing, and nothing grows, without a panic and
/// in little time.
#[test]
fn hostile_weights_are_no_memory_and_no_code() {
    let rom = Rom::of(&recursion());
    let good = model(Profile::STOCK, &rom);
    let spoil: [fn(&mut Model); 4] = [
        |model| _ = model.weights.layers.pop(),
        |model| model.config.shape.d_model = 34,
        |model| model.config.profile = None,
        |model| model.config.modules = None,
    ];
    for spoil in spoil {
        let mut model = good.clone();
        spoil(&mut model);
        model.config.shape.layers = model.weights.layers.len();
        assert_eq!(Rom::read(&model), None);
        assert_eq!(rom.grow(&model), Err(GrowthError::NoTables));
    }
    let shape = good.config.shape;
    let mut refused = 0;
    for layer in 0..shape.layers {
        let neurons = good.weights.layers[layer].neurons();
        let least = good.weights.layers.iter().map(LayerWeights::neurons).min();
        for neuron in (least.unwrap()..neurons).take(3) {
            for wild in [0.5, 1e9, -1e9, 1e15, 1e18, 1e300, -1e300, 5e-324] {
                for part in 0..2 {
                    let mut model = good.clone();
                    let weights = &mut model.weights.layers[layer];
                    let matrix = match part {
                        0 => &mut weights.ff_in,
                        _ => &mut weights.ff_out,
                    };
                    for row in 0..matrix.rows {
                        let entry = match part {
                            0 if row == neuron => {
                                matrix.row_mut(row).iter_mut().find(|w| w.abs() > 1.0)
                            }
                            0 => None,
                            _ => matrix.row_mut(row).get_mut(neuron).filter(|w| **w != 0.0),
                        };
                        if let Some(entry) = entry {
                            *entry = wild;
                        }
                    }
                    let read = Rom::read(&model);
                    let grown = rom.grow(&model);
                    refused += usize::from(read.is_none());
                    assert!(model == good || grown.is_err(), "{layer}, {neuron}, {wild}");
                }
            }
        }
    }
    assert!(refused > 20, "{refused}");
}
