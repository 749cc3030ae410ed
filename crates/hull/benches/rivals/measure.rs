//! Measures the rivals on the workloads.
//!
//! A step of a workload is a push and a query, or as many queries as were recorded. Only the last
//! steps before a size are measured.

use std::hint::black_box;
use std::time::Instant;

use crate::chart::{self, Series};
use crate::rivals::{Hull, Linear, OrderedMap, Rebuilt, Rival};
use crate::workloads::{self, Workload};

/// Seconds to spend on a size, roughly.
const SECONDS: f64 = 0.5;

/// The number of steps that are timed together.
const PIECE: usize = 20;

/// How many steps are measured at a size, at most.
pub(crate) fn steps(n: usize) -> usize {
    (n / 2).min(20_000)
}

/// The cost of a rival per operation, in nanoseconds.
struct Cell {
    rival: &'static str,
    n: usize,
    /// An operation when pushes and queries alternate.
    mixed: f64,
    push: f64,
    query: f64,
    bytes: Option<f64>,
    /// The winners found, to compare the rivals.
    found: Vec<u32>,
}

/// The nanoseconds of a step: the median over pieces of all steps, so that other work on the
/// machine hardly counts.
fn median(steps: usize, mut take: impl FnMut(usize)) -> f64 {
    let begin = Instant::now();
    let mut pieces = vec![];
    for from in (0..steps).step_by(PIECE) {
        let to = (from + PIECE).min(steps);
        let start = Instant::now();
        (from..to).for_each(&mut take);
        pieces.push(start.elapsed().as_secs_f64() * 1e9 / (to - from) as f64);
        if begin.elapsed().as_secs_f64() > SECONDS {
            break;
        }
    }
    pieces.sort_by(f64::total_cmp);
    pieces[pieces.len() / 2]
}

fn measure<R: Rival>(workload: &Workload, n: usize) -> Option<Cell> {
    if n > R::MOST || n > workload.most {
        return None;
    }
    let steps = steps(n);
    let mut rival = R::default();
    let mut keys = workload.keys(n);
    let start = Instant::now();
    for key in keys.by_ref().take(n - steps) {
        rival.push(key);
    }
    let push = start.elapsed().as_secs_f64() * 1e9 / (n - steps) as f64;
    let (queries, streams) = workload.queries(n, steps);
    let keys: Vec<_> = keys.collect();
    let mut found = vec![];
    let mixed = median(steps, |step| {
        rival.push(keys[step]);
        for (stream, &q) in queries[step * streams..][..streams].iter().enumerate() {
            let winner = rival.query(q, stream);
            if step < 100 {
                found.push(winner);
            }
        }
    }) / (1 + streams) as f64;
    let query = median(steps, |step| {
        for (stream, &q) in queries[step * streams..][..streams].iter().enumerate() {
            black_box(rival.query(q, stream));
        }
    }) / streams as f64;
    let bytes = rival.bytes().map(|bytes| bytes as f64 / n as f64);
    Some(Cell {
        rival: R::NAME,
        n,
        mixed,
        push,
        query,
        bytes,
        found,
    })
}

/// Measures at sizes up to `most`, or up to the size that the command line gives. `more` adds
/// workloads to the synthetic ones, for a number of keys and a list of sizes.
pub(crate) fn main(most: usize, more: impl Fn(usize, &[usize]) -> Vec<Workload>) {
    let mut arguments = std::env::args().skip(1);
    let (mut svg, mut most, mut filter) = (None, most, String::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--svg" => svg = arguments.next(),
            "--most" => {
                let most_keys = arguments.next().and_then(|n| n.parse().ok());
                most = most_keys.expect("--most N");
            }
            // Cargo passes this flag to a bench.
            "--bench" => {}
            name if !name.starts_with('-') => filter = argument,
            other => panic!("[WORKLOAD] --svg PATH --most N, not {other}"),
        }
    }
    let sizes: Vec<usize> = (3..=7)
        .map(|e| 10_usize.pow(e))
        .filter(|&n| n <= most)
        .collect();
    let mut panels = vec![];
    println!("Nanoseconds per operation. Mixed: pushes and queries in turn, near that size.\n");
    println!("| workload | n | rival | mixed | push | query | bytes/key | mixed, over hull |");
    println!("|---|---|---|---|---|---|---|---|");
    let all = workloads::made().into_iter().chain(more(most, &sizes));
    for workload in all.filter(|workload| workload.name.contains(&filter)) {
        let mut cells: Vec<Cell> = vec![];
        for &n in &sizes {
            let row = [
                measure::<Hull>(&workload, n),
                measure::<OrderedMap>(&workload, n),
                measure::<Rebuilt>(&workload, n),
                measure::<Linear>(&workload, n),
            ];
            let hull = row[0].as_ref().map_or(f64::NAN, |cell| cell.mixed);
            for cell in row.iter().flatten() {
                println!(
                    "| {} | {n} | {} | {:.0} | {:.0} | {:.0} | {} | {:.1} |",
                    workload.name,
                    cell.rival,
                    cell.mixed,
                    cell.push,
                    cell.query,
                    cell.bytes
                        .map_or(String::new(), |bytes| format!("{bytes:.1}")),
                    cell.mixed / hull,
                );
            }
            workloads::compare(
                &workload,
                row.iter().flatten().map(|c| (c.rival, &c.found[..])),
            );
            cells.extend(row.into_iter().flatten());
        }
        let series =
            [Hull::NAME, OrderedMap::NAME, Rebuilt::NAME, Linear::NAME].map(|name| Series {
                name,
                points: cells
                    .iter()
                    .filter(|cell| cell.rival == name)
                    .map(|cell| (cell.n as f64, cell.mixed))
                    .collect(),
            });
        panels.push((workload.name, series));
    }
    if let Some(path) = svg {
        std::fs::write(&path, chart::svg(&panels)).unwrap_or_else(|e| panic!("{path}: {e}"));
        println!("\nChart: {path}");
    }
}
