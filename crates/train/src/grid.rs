//! Grids: many runs, each a process and a folder of its own.
//!
//! A grid is a TOML file of *experiments*, in the order of what they tell. An experiment is a base
//! of settings and *variants* that differ from it. Each variant is trained with every learning rate
//! by the first seed. The best rate, by the mean accuracy or loss of all tests, is then used with
//! the other seeds. The middle rate of all experiments comes first, then the other rates, then the
//! other seeds: every experiment has a result early. A run that has a result is skipped, so that a
//! grid continues where it was interrupted.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::checkpoint::replace;
use crate::error::{Error, Result};
use crate::run::{RunResult, files};
use crate::settings::{Settings, merge};

/// A grid file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Settings that all experiments begin from.
    #[serde(default)]
    pub base: Table,
    /// The experiments.
    #[serde(rename = "experiment")]
    pub experiments: Vec<Experiment>,
}

/// Variants of a base of settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// The name, a folder's.
    pub name: String,
    /// A sentence for the report.
    pub title: String,
    /// By which number the best learning rate is chosen, and which the report shows.
    pub measure: Measure,
    /// Peak learning rates.
    pub rates: Vec<f64>,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// Settings that differ from the grid's base.
    #[serde(default)]
    pub settings: Table,
    /// The variants, with their settings.
    #[serde(rename = "variant")]
    pub variants: Vec<Variant>,
}

/// A number of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// Right tokens, of all supervised ones: more is better.
    Accuracy,
    /// Sequences without a wrong token: more is better.
    Exact,
    /// Cross-entropy: less is better.
    Loss,
}

/// A variant of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// The name, a folder's.
    pub name: String,
    /// Settings that differ from the experiment's.
    #[serde(default)]
    pub settings: Table,
}

/// A run of a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Number of the experiment.
    pub experiment: usize,
    /// Number of the variant.
    pub variant: usize,
    /// The learning rate.
    pub rate: f64,
    /// The seed.
    pub seed: u64,
}

impl Measure {
    /// The mean of a run's tests; greater is better.
    #[must_use]
    pub fn score(self, result: &RunResult) -> f64 {
        let of = result.tests.iter().map(|test| match self {
            Self::Accuracy => test.accuracy,
            Self::Exact => test.exact,
            Self::Loss => -test.loss,
        });
        of.sum::<f64>() / result.tests.len().max(1) as f64
    }
}

impl Grid {
    /// The name of the grid in the folder of its results.
    pub const FILE: &str = "grid.toml";

    /// Writes the grid into the folder of its results.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, dir: &Path) -> Result<()> {
        std::fs::create_dir_all(dir).map_err(|e| Error::io(dir, e))?;
        let text = toml::to_string(self).expect("a grid consists of numbers, strings and tables");
        replace(&dir.join(Self::FILE), text.as_bytes())
    }

    /// Reads a grid.
    ///
    /// # Errors
    /// If the file cannot be read, is no grid, or the settings of a run make no sense.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        let grid: Self = toml::from_str(&text).map_err(|e| {
            Error::invalid(path.display(), e.to_string().trim_end(), "correct the grid")
        })?;
        for (e, experiment) in grid.experiments.iter().enumerate() {
            let is_name = |name: &str| {
                let of_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
                !name.is_empty() && name.chars().all(of_name) && !name.starts_with('.')
            };
            let variants = experiment.variants.iter().map(|variant| &variant.name);
            if let Some(name) = variants
                .chain([&experiment.name])
                .find(|name| !is_name(name))
            {
                let problem = format!("{name:?} is no name of a folder");
                return Err(Error::invalid(
                    path.display(),
                    problem,
                    "use letters, digits, - and _",
                ));
            }
            let (Some(&rate), Some(&seed)) = (experiment.rates.first(), experiment.seeds.first())
            else {
                let problem = format!("{} has no rates or no seeds", experiment.name);
                return Err(Error::invalid(
                    path.display(),
                    problem,
                    "state at least one",
                ));
            };
            for variant in 0..experiment.variants.len() {
                grid.settings(&Cell {
                    experiment: e,
                    variant,
                    rate,
                    seed,
                })?;
            }
        }
        Ok(grid)
    }

    /// Replaces the text of all experiments of the task `text`.
    pub fn set_text(&mut self, path: &Path) {
        let path = Value::String(path.display().to_string());
        for experiment in &mut self.experiments {
            if let Some(Value::Table(task)) = experiment.settings.get_mut("task")
                && task.get("kind").and_then(Value::as_str) == Some("text")
            {
                task.insert("text".into(), path.clone());
            }
        }
    }

    /// The settings of a run.
    ///
    /// # Errors
    /// If they make no sense.
    pub fn settings(&self, cell: &Cell) -> Result<Settings> {
        let experiment = &self.experiments[cell.experiment];
        let variant = &experiment.variants[cell.variant];
        let mut table = self.base.clone();
        merge(&mut table, &experiment.settings);
        merge(&mut table, &variant.settings);
        let mut own = Table::new();
        let rate = Table::from_iter([("learning_rate".to_owned(), Value::Float(cell.rate))]);
        own.insert("training".into(), Value::Table(rate));
        own.insert("seed".into(), Value::Integer(cell.seed as i64));
        merge(&mut table, &own);
        Settings::from_table(table, &format!("{}/{}", experiment.name, variant.name))
    }

    /// The folder of a run within the grid's.
    #[must_use]
    pub fn folder(&self, cell: &Cell) -> PathBuf {
        let experiment = &self.experiments[cell.experiment];
        let variant = &experiment.variants[cell.variant];
        let run = format!("rate-{}-seed-{}", cell.rate, cell.seed);
        [&experiment.name, &variant.name, &run].iter().collect()
    }

    /// The runs of the first seed: all experiments by their middle rate, then by the other rates.
    #[must_use]
    pub fn first_cells(&self) -> Vec<Cell> {
        let most = self
            .experiments
            .iter()
            .map(|of| of.rates.len())
            .max()
            .unwrap_or(0);
        let mut cells = Vec::new();
        for turn in 0..most {
            for (experiment, of) in self.experiments.iter().enumerate() {
                if turn >= of.rates.len() {
                    continue;
                }
                let rate = of.rates[(turn + of.rates.len() / 2) % of.rates.len()];
                for variant in 0..of.variants.len() {
                    cells.push(Cell {
                        experiment,
                        variant,
                        rate,
                        seed: of.seeds[0],
                    });
                }
            }
        }
        cells
    }

    /// The runs of the other seeds, one seed after another, with the best rate of the first seed.
    ///
    /// # Errors
    /// If a result cannot be read.
    pub fn other_cells(&self, dir: &Path) -> Result<Vec<Cell>> {
        let most = self
            .experiments
            .iter()
            .map(|of| of.seeds.len())
            .max()
            .unwrap_or(0);
        let mut cells = Vec::new();
        for turn in 1..most {
            for (experiment, of) in self.experiments.iter().enumerate() {
                let Some(&seed) = of.seeds.get(turn) else {
                    continue;
                };
                for variant in 0..of.variants.len() {
                    if let Some((best, _)) = self.best(dir, experiment, variant)? {
                        cells.push(Cell { seed, ..best });
                    }
                }
            }
        }
        Ok(cells)
    }

    /// The best finished run of the first seed, and its result.
    ///
    /// # Errors
    /// If a result cannot be read.
    pub fn best(
        &self,
        dir: &Path,
        experiment: usize,
        variant: usize,
    ) -> Result<Option<(Cell, RunResult)>> {
        let of = &self.experiments[experiment];
        let mut best: Option<(Cell, RunResult)> = None;
        for &rate in &of.rates {
            let cell = Cell {
                experiment,
                variant,
                rate,
                seed: of.seeds[0],
            };
            let Some(result) = self.result(dir, &cell)? else {
                continue;
            };
            let score = of.measure.score(&result);
            if best
                .as_ref()
                .is_none_or(|(_, best)| score > of.measure.score(best))
            {
                best = Some((cell, result));
            }
        }
        Ok(best)
    }

    /// The result of a run, if it is finished with the grid's settings.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn result(&self, dir: &Path, cell: &Cell) -> Result<Option<RunResult>> {
        let path = dir.join(self.folder(cell)).join(files::RESULT);
        if !path.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
        let result: RunResult = serde_json::from_str(&text)
            .map_err(|e| Error::invalid(path.display(), e, "delete the file to run it again"))?;
        Ok((result.settings == self.settings(cell)?).then_some(result))
    }

    /// Starts the runs that are not finished, `jobs` processes at a time, each with one thread;
    /// `program` is this crate's binary. Returns how many runs failed.
    ///
    /// # Errors
    /// If a folder cannot be written, or a process cannot be started.
    pub fn run(
        &self,
        dir: &Path,
        program: &Path,
        jobs: usize,
        stop: &AtomicBool,
        report: impl Fn(&str) + Sync,
    ) -> Result<usize> {
        let first = self.run_all(&self.first_cells(), dir, program, jobs, stop, &report)?;
        let rest = self.other_cells(dir)?;
        Ok(first + self.run_all(&rest, dir, program, jobs, stop, &report)?)
    }

    fn run_all(
        &self,
        cells: &[Cell],
        dir: &Path,
        program: &Path,
        jobs: usize,
        stop: &AtomicBool,
        report: &(impl Fn(&str) + Sync),
    ) -> Result<usize> {
        let queue = Mutex::new(cells.iter().enumerate());
        let failures = Mutex::new(Ok(0));
        let next = || queue.lock().unwrap_or_else(|e| e.into_inner()).next();
        let work = || {
            while let Some((i, cell)) = next() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let done = self.run_one(cell, dir, program);
                let mut failures = failures.lock().unwrap_or_else(|e| e.into_inner());
                let place = format!("{}/{} {}", i + 1, cells.len(), self.folder(cell).display());
                match done {
                    Ok(Done::Skipped) => {}
                    Ok(Done::Finished(score)) => report(&format!("{place}: {score:.4}")),
                    Ok(Done::Failed) => {
                        report(&format!("{place}: failed, see its log.txt"));
                        if let Ok(failures) = &mut *failures {
                            *failures += 1;
                        }
                    }
                    Err(e) => {
                        *failures = Err(e);
                        return;
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            (0..jobs.max(1)).for_each(|_| {
                scope.spawn(work);
            });
        });
        failures.into_inner().unwrap_or_else(|e| e.into_inner())
    }

    fn run_one(&self, cell: &Cell, dir: &Path, program: &Path) -> Result<Done> {
        if self.result(dir, cell)?.is_some() {
            return Ok(Done::Skipped);
        }
        let folder = dir.join(self.folder(cell));
        std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
        let config = folder.join("run.toml");
        let settings = self.settings(cell)?;
        std::fs::write(&config, settings.to_toml()).map_err(|e| Error::io(&config, e))?;
        let log = folder.join("log.txt");
        let log_file = std::fs::File::create(&log).map_err(|e| Error::io(&log, e))?;
        let status = Command::new(program)
            .arg("run")
            .arg(&config)
            .arg("--out")
            .arg(&folder)
            .arg("--resume")
            .env("RAYON_NUM_THREADS", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log_file)
            .status()
            .map_err(|e| Error::io(program, e))?;
        match (status.success(), self.result(dir, cell)?) {
            (true, Some(result)) => Ok(Done::Finished(
                self.experiments[cell.experiment].measure.score(&result),
            )),
            _ => Ok(Done::Failed),
        }
    }
}

enum Done {
    Skipped,
    Finished(f64),
    Failed,
}
