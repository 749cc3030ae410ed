//! A sample of `cargo xtask far`: far positions, up to the horizon of every profile, and a fault
//! that it must notice.

use std::thread;

use weightware::{Computer, Engine, Model, Profile, default_model, profile_model};
use weightware_isa::Op;
use weightware_tests::far::{
    Case, Course, Coverage, Kind, PER_COURSE, Setting, courses, endings, endless, is_executed,
    reduce, run,
};
use weightware_tests::horizon::at_positions;
use weightware_tests::mutate::Names;

/// The number of cases of `cargo xtask far` without arguments.
const COUNT: u64 = 10_000;

#[test]
fn what_is_never_executed() {
    let never: Vec<Op> = Op::ALL
        .iter()
        .copied()
        .filter(|&op| !is_executed(op))
        .collect();
    assert_eq!(never, [Op::I64ConstHigh, Op::Resume, Op::Section]);
}

/// Every instruction occurs at two hundred positions, half of all cases after a million tokens, and
/// a tenth in the last twentieth.
#[test]
fn cases_are_everywhere() {
    thread::scope(|scope| {
        for profile in Profile::ALL {
            scope.spawn(move || {
                let (_, ends) = endless(profile_model(profile), profile);
                let mut coverage = Coverage::default();
                for (setting, cases) in courses(&ends, COUNT, 1, None) {
                    let course = Course::new(&ends, setting, &cases);
                    coverage.add(&course, ends.last_position);
                }
                let Coverage {
                    cases, far, late, ..
                } = coverage;
                let name = profile.name;
                // Random programs that trap among other cases are left out.
                assert!(cases > COUNT - COUNT / 100, "{name}: {cases}");
                assert!(
                    2 * far > COUNT && 10 * late > COUNT,
                    "{name}: {far}, {late}"
                );
                let (op, [all, far, late]) = coverage.rarest().expect("there are instructions");
                assert!(
                    all >= 200 && far >= 100 && late >= 20,
                    "{name}: {op} {all}, {far}, {late}"
                );
            });
        }
    });
}

/// One course up to the horizon.
fn course(model: Model, profile: Profile, seed: u64, setting: Setting, engines: &[Engine]) {
    let (model, ends) = endless(model, profile);
    let computer = Computer::new(model).expect("a model of the machine");
    let numbers = 0..PER_COURSE;
    let cases: Vec<Case> = numbers
        .map(|number| Case::new(number, seed, None, ends.last_position))
        .collect();
    let course = Course::new(&ends, setting, &cases);
    for &engine in engines {
        let name = format!("{}, {}, {}", profile.name, engine.name(), setting.name);
        let ran = match run(&computer, &course, engine) {
            Ok(ran) => ran,
            Err(difference) => panic!(
                "{}: {name}: {}",
                profile.name,
                reduce(&computer, &ends, engine, &course, difference)
            ),
        };
        if let Err(problem) = course.ends_as_it_must(&ends, &ran) {
            panic!("{name}: {problem}");
        }
        assert!(ran.leads.suffice(), "{name}: {:?}", ran.leads);
    }
}

/// A profile's model with a nearer horizon.
fn nearer(profile: Profile, last_position: u64) -> Model {
    let mut model = profile_model(profile);
    model.config.last_position = last_position;
    model
}

const EVERYTHING: Setting = Setting::ALL[Setting::ALL.len() - 1];

#[test]
fn every_instruction_up_to_the_horizon() {
    thread::scope(|scope| {
        let planned = [Engine::Plan];
        let translated = [Engine::Jit];
        scope.spawn(move || {
            let stock = Profile::STOCK;
            course(profile_model(stock), stock, 1, Setting::PLAIN, &planned);
            course(profile_model(stock), stock, 2, EVERYTHING, &translated);
        });
        scope.spawn(move || {
            let [far, long] = [Profile::FAR, Profile::LONG];
            course(profile_model(far), far, 3, EVERYTHING, &translated);
            course(profile_model(long), long, 4, EVERYTHING, &translated);
        });
    });
}

/// Memory that was never written is 0 up to the end of the address range, in a memory of 4 GiB and
/// between other computations.
#[test]
fn loads_as_far_as_addresses_reach() {
    for profile in Profile::ALL {
        let (model, ends) = endless(nearer(profile, 100_000), profile);
        let computer = Computer::new(model).expect("a model of the machine");
        let kind = Kind::Op(Op::MemoryGrown);
        let cases: Vec<Case> = (0..60)
            .map(|number| Case::new(number, 1, Some(kind), ends.last_position))
            .collect();
        let setting = Setting {
            looks_far: true,
            ..Setting::PLAIN
        };
        let course = Course::new(&ends, setting, &cases);
        if let Err(difference) = run(&computer, &course, Engine::Plan) {
            let failure = reduce(&computer, &ends, Engine::Plan, &course, difference);
            panic!("{}: {failure}", profile.name);
        }
    }
}

/// The logits of all tokens of cases, by hulls: bytes lead by 1, ends by far.
#[test]
fn tokens_lead() {
    for profile in Profile::ALL {
        course(
            nearer(profile, 400_000),
            profile,
            5,
            Setting::PLAIN,
            &[Engine::Hull],
        );
    }
}

#[test]
fn every_way_to_end() {
    for profile in Profile::ALL {
        let model = nearer(profile, 1_200_000);
        let (_, ends) = endless(model.clone(), profile);
        let computer = Computer::new(model).expect("a model of the machine");
        for ending in endings() {
            let ran = ending.run(&computer, &ends, Engine::Jit);
            assert!(ran.is_ok(), "{}, {}: {ran:?}", profile.name, ending.name);
        }
    }
}

/// Stock softmax in cases predicts the tokens of the run.
#[test]
fn stock_softmax_in_cases() {
    let profile = Profile::STOCK;
    let (model, ends) = endless(nearer(profile, 40_000), profile);
    let computer = Computer::new(model).expect("a model of the machine");
    let numbers = 0..60;
    let cases: Vec<Case> = numbers
        .map(|number| Case::new(number, 6, None, ends.last_position))
        .collect();
    let course = Course::new(&ends, Setting::PLAIN, &cases);
    let positions = course.positions(30, ends.last_position);
    let sampled =
        at_positions(&computer, &course.program, &positions).expect("a program that runs");
    assert_eq!(sampled.len(), 30);
    for at in sampled {
        assert!(at.is_right() && at.lead() >= 1.0 - 1e-6, "{at:?}");
    }
}

/// A division that finds a digit past its last one, like the machine's before its divisor was made
/// great there. Nothing is wrong for a million tokens.
#[test]
fn a_division_without_its_gate_is_noticed() {
    let mut model = default_model();
    let names = Names::default();
    let neurons: Vec<(usize, usize)> = names.neurons("div.past").collect();
    assert_eq!(neurons.len(), 2, "two neurons make the step");
    for (layer, neuron) in neurons {
        let out = &mut model.weights.layers[layer].ff_out;
        for row in 0..out.rows {
            out.row_mut(row)[neuron] = 0.0;
        }
    }
    let (model, ends) = endless(model, Profile::STOCK);
    let computer = Computer::new(model).expect("a model of the machine");
    // The cases of divisions alone; every one of the sample would do.
    let kind = Kind::Op(Op::DivDigits);
    let cases: Vec<Case> = (0..40)
        .map(|number| Case::new(number, 1, Some(kind), 2_000_000))
        .collect();
    let course = Course::new(&ends, Setting::PLAIN, &cases);
    let difference = run(&computer, &course, Engine::Plan).expect_err("the fault shows");
    let failure = reduce(&computer, &ends, Engine::Plan, &course, difference);
    assert_eq!(failure.with, 0, "{failure}");
    let from = failure.from.expect("a case alone fails");
    assert!((1_000_000..1_200_000).contains(&from), "{failure}");
}
