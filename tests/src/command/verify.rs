//! `cargo xtask verify`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::Args;
use weightware::Computer;
use weightware_tests::FASTEST;
use weightware_tests::verify::{ROWS, Row, Verifier, edges, random, small};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Instructions, `i32.mul select`; all if none is named
    instructions: Vec<String>,
    /// Random operands for the plain interpreter
    #[arg(long, default_value_t = 1_000_000)]
    interpreter: usize,
    /// Random operands for the graph in exact integers, a thousand in about a second
    #[arg(long, default_value_t = 20_000)]
    exact: usize,
    /// Random operands for the weights
    #[arg(long, default_value_t = 10_000)]
    weights: usize,
    /// Leave out the exhaustive run over operands of one byte
    #[arg(long)]
    no_bytes: bool,
    /// Seed of the random operands
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Instructions that are checked at the same time
    #[arg(long)]
    jobs: Option<usize>,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<bool, String> {
        let known = |name: &String| ROWS.iter().any(|row| row.name == name);
        if let Some(name) = self.instructions.iter().find(|name| !known(name)) {
            return Err(format!("the table has no instruction {name}"));
        }
        let chosen = |row: &&Row| {
            self.instructions.is_empty() || self.instructions.iter().any(|name| name == row.name)
        };
        let rows: Vec<&Row> = ROWS.iter().filter(chosen).collect();
        let start = Instant::now();
        let computer = Computer::default();
        let verifier = Verifier::new(&computer, FASTEST);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let next = AtomicUsize::new(0);
        let failures = Mutex::new(vec![]);
        println!("| instruction | plain interpreter | exact evaluator | weights | |");
        println!("|---|---:|---:|---:|---|");
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.unwrap_or(cores) {
                scope.spawn(|| {
                    while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Err(problem) = self.row(&verifier, row) {
                            failures.lock().expect("no thread panics").push(problem);
                        }
                    }
                });
            }
        });
        let failures = failures.into_inner().expect("no thread panics");
        println!(
            "\n{} instructions, {} wrong, {:.1} s",
            rows.len(),
            failures.len(),
            start.elapsed().as_secs_f64()
        );
        failures.iter().for_each(|problem| println!("{problem}"));
        Ok(failures.is_empty())
    }

    fn row(&self, verifier: &Verifier<'_>, row: &Row) -> Result<(), String> {
        let start = Instant::now();
        let arity = row.meaning.arity();
        let mut always = edges(row.meaning.widths());
        if !self.no_bytes {
            always.extend(small(arity));
        }
        let operands = |count| [always.clone(), random(self.seed, count)].concat();
        let plain = Verifier::interpreter(row, &operands(self.interpreter));
        let exact = verifier.exact(row, &operands(self.exact));
        let weights = verifier.weights(row, &operands(self.weights));
        let cell = |result: &Result<usize, String>| match result {
            Ok(count) => count.to_string(),
            Err(_) => "wrong".to_owned(),
        };
        println!(
            "| {} | {} | {} | {} | {:.1} s |",
            row.name,
            cell(&plain),
            cell(&exact),
            cell(&weights),
            start.elapsed().as_secs_f64()
        );
        plain.and(exact).and(weights).map(|_| ())
    }
}
