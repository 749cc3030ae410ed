//! `cargo xtask hostile`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use peak_alloc::PeakAlloc;
use weightware_tests::hostile::{Campaign, Meter, Target};

/// The allocator, which counts allocated memory.
#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const METER: Meter = Meter {
    reset: || ALLOCATOR.reset_peak_usage(),
    usage: || (ALLOCATOR.current_usage(), ALLOCATOR.peak_usage()),
};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The reader under test: wasm, wat, tokens, trace, saved, tensors, config, tokenizer,
    /// generation, weights; all of them if left out
    #[arg(long, value_parser = target)]
    target: Vec<Target>,
    /// Time for each target
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Seed of the inputs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The first execution, to continue from
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Executions of each target at most
    #[arg(long, default_value_t = u64::MAX)]
    count: u64,
}

fn target(name: &str) -> Result<Target, String> {
    let mut all = Target::ALL.into_iter();
    all.find(|target| target.name() == name)
        .ok_or_else(|| "there is no such target".into())
}

impl Arguments {
    pub(crate) fn run(self) -> Result<bool, String> {
        let targets = match self.target.is_empty() {
            true => Target::ALL.to_vec(),
            false => self.target,
        };
        // A panic is a finding, and is reported as such.
        std::panic::set_hook(Box::new(|_| {}));
        let mut clean = true;
        println!("| target | executions | taken | most memory | longest | findings |");
        println!("|---|---:|---:|---:|---:|---:|");
        for target in targets {
            let campaign = Campaign::new(target, self.seed);
            let time = Duration::from_secs_f64(60.0 * self.minutes);
            let tally = campaign.run(self.from, time, self.count, METER);
            println!(
                "| {} | {} | {} | {:.1} MB | {:.2} s | {} |",
                target.name(),
                tally.executions,
                tally.taken,
                tally.memory as f64 / 1e6,
                tally.longest.as_secs_f64(),
                tally.findings.len()
            );
            for finding in tally.findings.iter().take(20) {
                let name = format!("{}_{}_{}", target.name(), self.seed, finding.number);
                let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("hostile")
                    .join(name);
                fs::write(&path, &finding.input).map_err(|error| error.to_string())?;
                eprintln!("{}: {}", path.display(), finding.what);
            }
            clean &= tally.findings.is_empty();
        }
        Ok(clean)
    }
}
