//! A run that was interrupted writes the bytes of one that was not.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use weightware_train::{Outcome, Run, Settings, files};

const SETTINGS: &str = r#"
seed = 5
[training]
steps = 20
batch = 3
learning_rate = 0.01
warmup = 4
record = 6
checkpoint = 7
[evaluation]
sequences = 4
every = 12
[task]
kind = "text"
characters = 3000
length = 24
[model]
d_model = 8
heads = 4
[sample]
characters = 20
prompt = "The "
"#;

fn settings() -> Settings {
    Settings::parse(SETTINGS, "the test").unwrap()
}

/// Runs until `steps` are done.
fn run(run: Run, dir: &Path, steps: usize) -> Outcome {
    let stop = AtomicBool::new(false);
    let report = |progress: weightware_train::Progress| {
        stop.store(progress.step >= steps, Ordering::Relaxed);
    };
    run.finish(dir, &stop, report).unwrap()
}

#[test]
fn interrupted_runs_continue_bit_for_bit() {
    let whole = tempfile::tempdir().unwrap();
    let parts = tempfile::tempdir().unwrap();
    assert!(matches!(
        run(Run::new(settings()).unwrap(), whole.path(), usize::MAX),
        Outcome::Finished(_)
    ));
    let first = run(Run::new(settings()).unwrap(), parts.path(), 10);
    assert!(matches!(first, Outcome::Stopped(10)), "{first:?}");
    assert!(!parts.path().join(files::RESULT).exists());
    let rest = Run::resume(settings(), parts.path()).unwrap();
    assert_eq!(rest.step(), 10);
    assert!(matches!(
        run(rest, parts.path(), usize::MAX),
        Outcome::Finished(_)
    ));
    for name in [
        files::CHECKPOINT,
        files::CURVE,
        files::PICTURE,
        files::SETTINGS,
        files::SAMPLE,
        "model.safetensors",
        "config.json",
        "tokenizer.json",
        "generation_config.json",
    ] {
        let [a, b] = [&whole, &parts].map(|dir| fs::read(dir.path().join(name)).unwrap());
        assert!(a == b, "{name} differs");
    }
    let curve = fs::read_to_string(whole.path().join(files::CURVE)).unwrap();
    let steps: Vec<&str> = curve
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert_eq!(steps, ["6", "12", "18", "20"]);
}

#[test]
fn checkpoints_of_other_settings_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    run(Run::new(settings()).unwrap(), dir.path(), 1);
    let mut other = settings();
    other.seed += 1;
    let message = Run::resume(other, dir.path()).err().unwrap().to_string();
    assert!(message.contains("other settings"), "{message}");
    let path = dir.path().join(files::CHECKPOINT);
    let bytes = fs::read(&path).unwrap();
    for length in [0, 7, 100, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(Run::resume(settings(), dir.path()).is_err());
    }
}
