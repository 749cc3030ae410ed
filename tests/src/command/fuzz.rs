//! `cargo xtask fuzz`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Args;
use weightware::Computer;
use weightware_tests::fuzz::{Difference, Fuzzed, fuzz};
use weightware_tests::{Executor, FASTEST};

use super::How;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Modules
    #[arg(long, default_value_t = 10_000)]
    count: u64,
    /// The first module's seed; the next ones count up
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    how: How,
    /// Without --engine: one of this many modules goes through the weights as well as the plain
    /// interpreter
    #[arg(long, default_value_t = 20)]
    weights_every: u64,
    /// Modules that are run at the same time
    #[arg(long)]
    jobs: Option<usize>,
}

#[derive(Debug, Default)]
struct Tally {
    same: u64,
    trapped: u64,
    tokens: u64,
    through_weights: u64,
    skipped: BTreeMap<&'static str, u64>,
    different: u64,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<bool, String> {
        let start = Instant::now();
        let computer = Computer::default();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let next = AtomicU64::new(0);
        let tally = Mutex::new(Tally::default());
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.unwrap_or(cores) {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        if at >= self.count {
                            return;
                        }
                        self.module(self.seed.wrapping_add(at), at, &computer, &tally);
                    }
                });
            }
        });
        let tally = tally.into_inner().expect("no thread panics");
        for (reason, count) in &tally.skipped {
            println!("{count:8} not compared: {reason}");
        }
        println!(
            "{} modules: {} alike ({} of them trap, {} through the weights too), {} different; {} tokens, {:.1} s",
            self.count,
            tally.same,
            tally.trapped,
            tally.through_weights,
            tally.different,
            tally.tokens,
            start.elapsed().as_secs_f64()
        );
        Ok(tally.different == 0)
    }

    fn module(&self, seed: u64, at: u64, computer: &Computer, tally: &Mutex<Tally>) {
        let first = match self.how.chosen() {
            true => self.how.executor(computer),
            false => Executor::Interpreter,
        };
        let mut fuzzed = fuzz(seed, &first);
        let mut through = matches!(first, Executor::Weights(..));
        if matches!(fuzzed, Fuzzed::Same(..))
            && !self.how.chosen()
            && self.weights_every > 0
            && at.is_multiple_of(self.weights_every)
        {
            through = true;
            fuzzed = fuzz(seed, &Executor::Weights(computer, FASTEST));
        }
        let mut tally = tally.lock().expect("no thread panics");
        match fuzzed {
            Fuzzed::Same(tokens, ended) => {
                tally.same += 1;
                tally.trapped += u64::from(!ended);
                tally.tokens += tokens;
                tally.through_weights += u64::from(through);
            }
            Fuzzed::Skipped(reason) => *tally.skipped.entry(reason).or_default() += 1,
            Fuzzed::Different(difference) => {
                tally.different += 1;
                report(seed, &difference);
            }
        }
    }
}

/// Prints a failure, and writes it as a case of the corpus.
fn report(seed: u64, difference: &Difference) {
    println!(
        "cargo xtask fuzz --seed {seed} --count 1: {}",
        difference.problem
    );
    let about = format!("A random module, found by fuzzing with seed {seed}.");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("cases/fuzz_{seed}.toml"));
    match difference.case(&about) {
        Ok(text) => match std::fs::write(&path, text) {
            Ok(()) => println!("written as tests/cases/fuzz_{seed}.toml"),
            Err(error) => println!("{}: {error}", path.display()),
        },
        Err(error) => println!("the module cannot be printed: {error}"),
    }
}
