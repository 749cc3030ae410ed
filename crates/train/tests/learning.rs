//! Small models learn small tasks.

use std::sync::atomic::AtomicBool;

use weightware_train::{Outcome, Run, Settings};

fn final_accuracy(keys: &str) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings::parse(keys, "the test").unwrap();
    let outcome = Run::new(settings)
        .unwrap()
        .finish(dir.path(), &AtomicBool::new(false), |_| ());
    match outcome.unwrap() {
        Outcome::Finished(result) => result.tests[0].accuracy,
        Outcome::Stopped(step) => panic!("stopped at {step}"),
    }
}

#[test]
fn short_parities_are_learned() {
    for head_dim in [2, 8] {
        let accuracy = final_accuracy(&format!(
            "[training]\nsteps = 500\nbatch = 32\nlearning_rate = 0.003\nwarmup = 10\n\
             [task]\nkind = \"tracking\"\ngroup = \"z2\"\nlength = 4\ntests = [4]\n\
             [model]\nd_model = 16\nheads = {}\nhead_dim = {head_dim}\n",
            16 / head_dim
        ));
        assert!(accuracy > 0.9, "head dimension {head_dim}: {accuracy}");
    }
}
