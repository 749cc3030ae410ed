//! Programs whose code and data are in the weights.

use crate::common;
use crate::context::Context;
use weightware_compiler::machine::{Machine, Profile, Rom};
use weightware_isa::Program;

/// A program with its code in the weights, and with all data sections but the last.
fn specialised(program: Program) -> (Program, Rom) {
    let program = program.specialised(1);
    let rom = Rom::of(&program);
    (program, rom)
}

#[test]
fn random_programs_in_the_weights() {
    for (profile, seeds) in [(Profile::STOCK, 0..30), (Profile::FAR, 30..40)] {
        let mut total = 0;
        for seed in seeds {
            let (program, rom) = specialised(common::random_program(seed, 60));
            let machine = Machine::with_rom(profile, rom);
            let mut context = Context::empty(&machine);
            context.read(program.full_prompt());
            total += context.follow(&program);
        }
        assert!(total > 2_000, "{total} tokens are too few to tell");
    }
}
