//! The report of a grid: a page of tables and plots from the results of its runs.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use crate::checkpoint::replace;
use crate::error::{Error, Result};
use crate::evaluation::TestResult;
use crate::grid::{Cell, Experiment, Grid, Measure, Variant};
use crate::plot::{Plot, Series};
use crate::run::RunResult;
use crate::settings::Settings;

/// A finished run, as the collected results have it.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Entry {
    experiment: String,
    variant: String,
    head_dim: usize,
    learning_rate: f64,
    seed: u64,
    parameters: usize,
    operations: f64,
    seconds: f64,
    loss: f64,
    tests: Vec<TestResult>,
}

/// The runs of a variant with its best learning rate.
struct Row {
    name: String,
    head_dim: usize,
    rate: f64,
    runs: Vec<RunResult>,
}

/// Writes `page` (Markdown) and, into the folder of its name without extension, `results.json` and
/// a plot for each experiment whose variants differ in head dimension. Experiments without a
/// finished run are named as such. `introduction` is the page's text before the tables.
///
/// # Errors
/// If a result cannot be read, or a file not be written.
pub fn report(grid: &Grid, dir: &Path, page: &Path, introduction: &str) -> Result<()> {
    let folder = page.with_extension("");
    std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
    let stem = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let stem = stem.unwrap_or_default();
    let mut text = introduction.trim_end().to_owned();
    text.push('\n');
    let mut entries = Vec::new();
    for (number, experiment) in grid.experiments.iter().enumerate() {
        entries.extend(all_entries(grid, dir, number)?);
        let rows = rows(grid, dir, number)?;
        let title = wrapped(&experiment.title);
        let _ = write!(text, "\n## {}\n\n{title}\n\n", experiment.name);
        if rows.is_empty() {
            text.push_str("No run is finished.\n");
            continue;
        }
        text.push_str(&table(experiment, &rows));
        if let Some(plot) = plot(experiment, &rows) {
            let name = format!("{}.svg", experiment.name);
            replace(&folder.join(&name), plot.svg().as_bytes())?;
            let _ = write!(text, "\n![{}]({stem}/{name})\n", plot.title);
        }
    }
    let mut json = serde_json::to_string(&entries).expect("results are plain");
    json = json.replace("{\"experiment\"", "\n{\"experiment\"");
    json.push('\n');
    replace(&folder.join("results.json"), json.as_bytes())?;
    replace(page, text.as_bytes())
}

/// A paragraph in lines of at most 100 columns.
fn wrapped(paragraph: &str) -> String {
    let mut text = String::new();
    let mut column = 0;
    for word in paragraph.split_whitespace() {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > 100 {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += width;
    }
    text
}

fn head_dim(settings: &Settings) -> usize {
    settings.config(2, 1).map_or(0, |config| config.head_dim)
}

fn all_entries(grid: &Grid, dir: &Path, experiment: usize) -> Result<Vec<Entry>> {
    let of = &grid.experiments[experiment];
    let mut entries = Vec::new();
    for variant in 0..of.variants.len() {
        for &rate in &of.rates {
            for &seed in &of.seeds {
                let cell = Cell {
                    experiment,
                    variant,
                    rate,
                    seed,
                };
                let Some(result) = grid.result(dir, &cell)? else {
                    continue;
                };
                entries.push(Entry {
                    experiment: of.name.clone(),
                    variant: of.variants[variant].name.clone(),
                    head_dim: head_dim(&result.settings),
                    learning_rate: rate,
                    seed,
                    parameters: result.parameters,
                    operations: result.cost.run,
                    seconds: result.seconds,
                    loss: result.loss,
                    tests: result.tests,
                });
            }
        }
    }
    Ok(entries)
}

fn rows(grid: &Grid, dir: &Path, experiment: usize) -> Result<Vec<Row>> {
    let of = &grid.experiments[experiment];
    let mut rows = Vec::new();
    for (variant, Variant { name, .. }) in of.variants.iter().enumerate() {
        let Some((best, _)) = grid.best(dir, experiment, variant)? else {
            continue;
        };
        let mut runs = Vec::new();
        for &seed in &of.seeds {
            runs.extend(grid.result(
                dir,
                &Cell {
                    seed,
                    ..best.clone()
                },
            )?);
        }
        let head_dim = runs.first().map_or(0, |run| head_dim(&run.settings));
        rows.push(Row {
            name: name.clone(),
            head_dim,
            rate: best.rate,
            runs,
        });
    }
    Ok(rows)
}

fn shown(measure: Measure, test: &TestResult) -> f64 {
    match measure {
        Measure::Accuracy => test.accuracy,
        Measure::Exact => test.exact,
        Measure::Loss => test.loss,
    }
}

/// The mean of the runs, and their standard deviation.
fn statistics(numbers: &[f64]) -> (f64, f64) {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let square = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
    (mean, (square / (count - 1.0).max(1.0)).sqrt())
}

fn table(experiment: &Experiment, rows: &[Row]) -> String {
    let measure = match experiment.measure {
        Measure::Accuracy => "accuracy",
        Measure::Exact => "exact sequences",
        Measure::Loss => "nats",
    };
    let tests: Vec<&str> = rows[0].runs[0]
        .tests
        .iter()
        .map(|test| test.name.as_str())
        .collect();
    let mut text =
        String::from("| variant | head dim. | parameters | 10^12 op. | s | rate | runs |");
    for test in &tests {
        let _ = write!(text, " {test}: {measure} |");
    }
    if experiment.measure == Measure::Loss {
        text.push_str(" perplexity |");
    }
    let columns = text.matches('|').count() - 1;
    let _ = writeln!(text, "\n|{}", "---|".repeat(columns));
    for row in rows {
        let (seconds, _) = statistics(&row.runs.iter().map(|run| run.seconds).collect::<Vec<_>>());
        let first = &row.runs[0];
        let _ = write!(
            text,
            "| {} | {} | {} | {:.2} | {seconds:.0} | {} | {} |",
            row.name,
            row.head_dim,
            first.parameters,
            first.cost.run / 1e12,
            row.rate,
            row.runs.len()
        );
        for test in 0..tests.len() {
            let of = row
                .runs
                .iter()
                .map(|run| shown(experiment.measure, &run.tests[test]));
            let (mean, deviation) = statistics(&of.collect::<Vec<_>>());
            match row.runs.len() {
                1 => _ = write!(text, " {mean:.3} |"),
                _ => _ = write!(text, " {mean:.3} ± {deviation:.3} |"),
            }
        }
        if experiment.measure == Measure::Loss {
            let of = row.runs.iter().map(|run| run.tests[0].perplexity());
            let _ = write!(text, " {:.3} |", statistics(&of.collect::<Vec<_>>()).0);
        }
        text.push('\n');
    }
    text
}

/// A test's measure against the head dimension, if variants differ in it.
fn plot(experiment: &Experiment, rows: &[Row]) -> Option<Plot> {
    let mut dims: Vec<usize> = rows.iter().map(|row| row.head_dim).collect();
    dims.sort_unstable();
    dims.dedup();
    if dims.len() < 3 || dims.len() < rows.len() {
        return None;
    }
    let tests = rows[0].runs[0].tests.iter().enumerate();
    let series = tests.map(|(test, TestResult { name, .. })| {
        let mut points: Vec<(f64, f64)> = rows
            .iter()
            .map(|row| {
                let of = row
                    .runs
                    .iter()
                    .map(|run| shown(experiment.measure, &run.tests[test]));
                (row.head_dim as f64, statistics(&of.collect::<Vec<_>>()).0)
            })
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Series {
            name: name.clone(),
            points,
        }
    });
    Some(Plot {
        title: format!("{}: mean over seeds", experiment.name),
        x: "head dimension".into(),
        y: match experiment.measure {
            Measure::Accuracy => "accuracy".into(),
            Measure::Exact => "exact sequences".into(),
            Measure::Loss => "nats per character".into(),
        },
        logarithmic_x: true,
        series: series.collect(),
    })
}
