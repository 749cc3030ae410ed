//! The next token of the executor is proved for all operands, and a meaningless number that grows
//! with the position is detected.

use weightware_certify::{NextTokens, next_tokens};
use weightware_compiler::machine::{Profile, Rom};
use weightware_compiler::{profile_model, rom_model};
use weightware_isa::{Instruction, LIBRARY_AT, Op};
use weightware_model::Model;

fn problems(next: &NextTokens) -> Vec<String> {
    next.problems().collect()
}

#[test]
fn every_profile_is_proved() {
    for profile in Profile::ALL {
        let next = next_tokens(&profile_model(profile));
        assert_eq!(problems(&next), Vec::<String>::new(), "{}", profile.name);
        // Bytes are neighbours. Codes are 2^30 apart, and the other columns take less than half of
        // that.
        let (_, _, least) = next.least().expect("instructions");
        assert_eq!(least.margin, 1.0, "{}", profile.name);
        let (name, at, least) = next.least_of_codes().expect("instructions");
        let what = format!("{}: {name} {at} {least:?}", profile.name);
        assert!(least.code_margin >= f64::from(1 << 29), "{what}");
        for name in ["div.digits", "i32.add", "call", "i64.popcnt"] {
            assert!(next.found.iter().any(|found| found.name == name), "{name}");
        }
    }
}

/// Instructions and constants in the weights, few or many, of a library and of a program.
#[test]
fn programs_in_the_weights_are_proved() {
    for (numbers, bytes) in [(40, (1..=200).collect()), (1, vec![7]), (1, vec![])] {
        in_the_weights_are_proved(numbers, bytes);
    }
}

fn in_the_weights_are_proved(numbers: u32, bytes: Vec<u8>) {
    let code: Vec<_> = (0..numbers)
        .flat_map(|number| [(Op::I32Const, number << 20), (Op::Output, 0)])
        .map(|(op, immediate)| Instruction::new(op, immediate))
        .collect();
    let memory = vec![(0x10_0000, bytes)];
    let library = Rom {
        library: vec![(LIBRARY_AT, code.clone().into())],
        memory: memory.clone(),
        ..Rom::default()
    };
    let specialised = Rom {
        program: code,
        memory,
        ..Rom::default()
    };
    for profile in [Profile::STOCK, Profile::FAR] {
        for (rom, name) in [(&library, "library"), (&specialised, "specialised")] {
            let next = next_tokens(&rom_model(profile, rom.clone()).expect("fits"));
            let name = format!("{}, {name}, {numbers}", profile.name);
            let problems = problems(&next);
            assert_eq!(problems.first(), None, "{name}, {}", problems.len());
            let (_, _, least) = next.least().expect("instructions");
            assert_eq!(least.margin, 1.0, "{name}");
            // Where the prompt may have code, too, weights alone do not bound the number of an
            // instruction.
            let shown = next.to_string();
            let is_shown = shown.contains("assumed: a table's argument");
            assert_eq!(is_shown, !next.limits.is_empty(), "{name}: {shown}");
            assert_eq!(is_shown, rom.program.is_empty(), "{name}: {shown}");
        }
    }
    assert_eq!(next_tokens(&profile_model(Profile::STOCK)).limits, [0.0; 0]);
}

/// The weights with a neuron cut off: none of its outputs reaches the residual stream.
fn without(model: &Model, layer: usize, neuron: usize) -> Model {
    let mut model = model.clone();
    let out = &mut model.weights.layers[layer].ff_out;
    (0..out.rows).for_each(|row| out.row_mut(row)[neuron] = 0.0);
    model
}

/// The neurons that push with that strength, alone in their column.
fn pushing(model: &Model, strength: f64) -> Vec<(usize, usize)> {
    let layers = model.weights.layers.iter().enumerate();
    let all = layers
        .flat_map(|(layer, weights)| (0..weights.ff_out.cols).map(move |neuron| (layer, neuron)));
    all.filter(|&(layer, neuron)| {
        let out = &model.weights.layers[layer].ff_out;
        (0..out.rows).any(|row| out.row(row)[neuron].abs() == strength)
    })
    .collect()
}

#[test]
fn a_division_that_finds_a_position_past_its_last_digit_is_noticed() {
    let model = profile_model(Profile::STOCK);
    let gates = pushing(&model, 2.0_f64.powi(42));
    assert_eq!(gates.len(), 3);
    let mut noticed = 0;
    for (layer, neuron) in gates {
        let problems = problems(&next_tokens(&without(&model, layer, neuron)));
        noticed += usize::from(
            problems
                .iter()
                .any(|problem| problem.contains("`div.digits`, byte 4")),
        );
    }
    assert!(
        noticed >= 1,
        "none of three neurons is missed past the last digit"
    );
}

#[test]
fn two_tokens_of_one_code_are_noticed() {
    let mut model = profile_model(Profile::STOCK);
    let id = |string: &str| model.tokenizer.id(string).expect("a token").0 as usize;
    let [halt, exit] = ["halt", "halt(exit)"].map(id);
    let row = model.weights.head.row(halt).to_vec();
    model.weights.head.row_mut(exit).copy_from_slice(&row);
    let problems = problems(&next_tokens(&model));
    assert!(
        problems
            .iter()
            .any(|problem| problem.contains("`}`, byte 0")),
        "{problems:?}"
    );
}

#[test]
fn a_model_without_a_counter_is_refused() {
    let model = weightware_compiler::parity::model();
    let next = next_tokens(&model);
    assert!(next.found.is_empty());
    assert!(next.refused.is_some());
}
