//! The text of kernels of small models: golden files `kernels/NAME.kernel`.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use common::{balance, copier, ids, machine};
use weightware_model::Model;
use weightware_runtime::{Decoder, Engine};

/// The kernels of a prompt's tokens, one by one, and of the tokens after it, each at its first run.
fn kernels(model: &Model, engine: Engine, prompt: &[u32], count: usize) -> Vec<String> {
    let mut decoder = Decoder::new(model, engine).unwrap();
    let mut kernels: Vec<String> = Vec::new();
    for at in 0..prompt.len() + count {
        match prompt.get(at) {
            Some(&id) => decoder.prefill(&ids(&[id])).unwrap(),
            None => assert!(decoder.generate(Some(1)).next().is_some()),
        }
        let kernel = decoder.kernel();
        kernels.extend(kernel.filter(|kernel| !kernels.contains(kernel)));
    }
    kernels
}

/// Compares the kernels of a run with a golden file; with `BLESS=1` in the environment, writes the
/// file.
fn check(name: &str, model: &Model, prompt: &[u32], count: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernels");
    let path = folder.join(format!("{name}.kernel"));
    for engine in Engine::available().filter(|engine| engine.is_planned()) {
        let mut actual = format!("; {name}: prompt {prompt:?}, tokens after it: {count}\n");
        for kernel in kernels(model, engine, prompt, count) {
            let _ = write!(actual, "\n{kernel}");
        }
        let blesses = std::env::var_os("BLESS").is_some_and(|value| value == "1");
        if blesses && engine == Engine::Plan {
            fs::write(&path, &actual).unwrap();
        }
        let golden = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; run with BLESS=1", path.display()));
        let (expected, found): (Vec<_>, Vec<_>) =
            (golden.lines().collect(), actual.lines().collect());
        let same = expected
            .iter()
            .zip(&found)
            .take_while(|(a, b)| a == b)
            .count();
        assert!(
            golden == actual,
            "{} and the kernels of {} differ from line {} on; if they should, run with BLESS=1\n- {}\n+ {}",
            path.display(),
            engine.name(),
            same + 1,
            expected.get(same).unwrap_or(&"(end)"),
            found.get(same).unwrap_or(&"(end)"),
        );
    }
}

/// One read of a token by position, and a prediction by one column.
#[test]
fn copying() {
    check("copy", &copier(6, 3), &[0, 1, 2], 6);
}

/// A gate that is open as long as a sum is not negative: it is computed only after a bailout.
#[test]
fn a_sum_that_falls_below_zero() {
    let mut model = balance();
    // It generates token 1 while the sum is above 1.
    model.weights.head.row_mut(1).fill(0.0);
    model.weights.head.row_mut(1)[5] = 1.0;
    check("balance", &model, &[0, 1, 2, 2, 2], 1);
}

/// Dispatch by class, kind and index, and links with guards.
#[test]
fn a_machine() {
    check("machine", &machine(12), &[0, 1, 2, 3, 4], 2);
}

/// The first token occurs again, so the analysis of keys no longer holds.
#[test]
fn a_machine_without_its_sentinel() {
    check("sentinel", &machine(12), &[0, 1, 0], 1);
}

/// The kernel that PLAN.md explains is one of a golden file.
#[test]
fn the_plan_shows_a_real_kernel() {
    let plan = include_str!("../PLAN.md");
    let (_, rest) = plan.split_once("```text\nkernel ").unwrap();
    let (kernel, _) = rest.split_once("```").unwrap();
    let golden = include_str!("kernels/machine.kernel");
    assert!(golden.contains(&format!("\nkernel {kernel}")));
}

/// No kernel runs before a plan is compiled, if none holds, and with the other engines.
#[test]
fn kernels_belong_to_plans() {
    let model = copier(6, 3);
    for engine in Engine::available() {
        let mut decoder = Decoder::new(&model, engine).unwrap();
        assert_eq!(decoder.kernel(), None);
        // The whole network computes the first token.
        decoder.prefill(&ids(&[0])).unwrap();
        assert_eq!(decoder.kernel(), None);
        decoder.prefill(&ids(&[1, 2])).unwrap();
        assert_eq!(decoder.kernel().is_some(), engine.is_planned());
        decoder.reset();
        assert_eq!(decoder.kernel(), None);
    }
    // Its numbers may overflow.
    let mut model = copier(6, 3);
    model.weights.layers[0].out_proj.row_mut(4)[0] = 1e280;
    let mut decoder = Decoder::new(&model, Engine::Plan).unwrap();
    decoder.prefill(&ids(&[0, 1, 2])).unwrap();
    let stats = decoder.stats();
    assert_eq!(decoder.kernel(), None);
    assert!(!stats.planned);
    assert_eq!(
        (stats.bailouts.to_string().as_str(), stats.deoptimizations),
        ("1 model", 0)
    );
}

/// Many tokens at once run the kernels that single tokens run.
#[test]
fn kernels_of_batches_are_those_of_single_tokens() {
    for seed in 0..30 {
        let model = machine(seed);
        for engine in Engine::available().filter(|engine| engine.is_planned()) {
            let [mut single, mut together] =
                [(); 2].map(|()| Decoder::new(&model, engine).unwrap());
            for decoder in [&mut single, &mut together] {
                decoder.prefill(&ids(&[0, 1, 2, 3, 4])).unwrap();
            }
            for count in 1..8 {
                let some = vec![weightware_model::TokenId(0); count];
                let filled = together.generate_into(&mut some.clone());
                assert_eq!(single.generate(Some(filled as u64)).count(), filled);
                assert_eq!(
                    single.kernel(),
                    together.kernel(),
                    "{seed}, {}",
                    engine.name()
                );
            }
        }
    }
}
