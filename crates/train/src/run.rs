//! A run: training, tests, and the files of the result.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use weightware_model::general::Model;

use crate::checkpoint::{Row, State, replace};
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::evaluation::{TestResult, evaluate};
use crate::optimiser::{self, Moments};
use crate::plot::{Plot, Series};
use crate::random::{Random, Stream};
use crate::settings::Settings;
use crate::task::Task;
use crate::transformer::Transformer;

/// The files of a run's folder, beside those of the model.
pub mod files {
    /// The state from which a run resumes.
    pub const CHECKPOINT: &str = "checkpoint.safetensors";
    /// The settings, all defaults stated.
    pub const SETTINGS: &str = "settings.toml";
    /// Training loss, norm of gradients and tests against steps.
    pub const CURVE: &str = "curve.csv";
    /// The curve as a picture.
    pub const PICTURE: &str = "curve.svg";
    /// Seconds that the run took so far.
    pub const SECONDS: &str = "seconds.txt";
    /// The results; it is written last.
    pub const RESULT: &str = "result.json";
    /// The text that the model wrote.
    pub const SAMPLE: &str = "sample.txt";
}

/// The results of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// The settings.
    pub settings: Settings,
    /// Numbers in the model's tensors.
    pub parameters: usize,
    /// Operations of a training step and of the run.
    pub cost: Cost,
    /// Seconds from start to end, tests included, interruptions not.
    pub seconds: f64,
    /// Mean training loss of the last row of the curve, in nats.
    pub loss: f64,
    /// The tests.
    pub tests: Vec<TestResult>,
}

/// The progress of a run.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Steps done.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// The loss of the last step.
    pub loss: f64,
    /// Seconds that the rest will take at the speed since the start.
    pub seconds_left: f64,
}

/// How a run ended.
#[derive(Debug)]
pub enum Outcome {
    /// All steps are done, and the folder is complete.
    Finished(Box<RunResult>),
    /// It was asked to stop; the checkpoint has this many steps.
    Stopped(usize),
}

/// A run between two steps.
pub struct Run {
    settings: Settings,
    task: Box<dyn Task>,
    model: Transformer,
    moments: Moments,
    state: State,
    /// Seconds of earlier parts of the run.
    seconds: f64,
}

impl Run {
    /// A run before its first step.
    ///
    /// # Errors
    /// If the settings are inconsistent or the text cannot be read.
    pub fn new(settings: Settings) -> Result<Self> {
        let task = settings.task.open()?;
        let vocab = task.tokenizer().strings().len();
        let config = settings.config(vocab, task.context())?;
        let model = Transformer::new(config, settings.seed)?;
        Ok(Self {
            moments: Moments::new(&model),
            state: State::new(&settings),
            seconds: 0.0,
            settings,
            task,
            model,
        })
    }

    /// Goes on from the checkpoint in a folder.
    ///
    /// # Errors
    /// If there is none, or it is not of these settings.
    pub fn resume(settings: Settings, dir: &Path) -> Result<Self> {
        let mut run = Self::new(settings)?;
        let path = dir.join(files::CHECKPOINT);
        run.state = State::load(&path, &run.settings, &run.model, &mut run.moments)?;
        let seconds = std::fs::read_to_string(dir.join(files::SECONDS));
        run.seconds = seconds
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0.0);
        Ok(run)
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Transformer {
        &self.model
    }

    /// Steps done.
    #[must_use]
    pub fn step(&self) -> usize {
        self.state.step
    }

    /// Does one step; returns its loss in nats.
    ///
    /// # Errors
    /// If the loss is not finite, or memory does not suffice.
    pub fn advance(&mut self) -> Result<f64> {
        let training = &self.settings.training;
        let step = self.state.step;
        let mut random = Random::new(self.settings.seed, Stream::Batch, step as u64);
        let batch = self.task.train(&mut random, training.batch);
        let loss = self.model.loss(&batch)?;
        let gradients = loss.backward()?;
        let loss: f64 = loss.to_dtype(candle_core::DType::F64)?.to_scalar()?;
        if !loss.is_finite() {
            return Err(Error::invalid(
                format!("step {step}"),
                format!("the loss is {loss}"),
                "use a lower training.learning_rate",
            ));
        }
        let norm = optimiser::step(&self.model, &mut self.moments, &gradients, training, step)?;
        self.state.step += 1;
        self.state.losses += loss;
        self.state.norms += norm;
        let done = self.state.step;
        if done.is_multiple_of(training.record) || done == training.steps {
            let since = done - self.state.curve.last().map_or(0, |row| row.step);
            let every = self.settings.evaluation.every;
            let test = if every > 0 && done.is_multiple_of(every) {
                let test = evaluate(&self.model, &*self.task, 0, &self.settings.evaluation)?;
                [test.loss, test.accuracy]
            } else {
                [f64::NAN; 2]
            };
            let (loss, norm) = (
                self.state.losses / since as f64,
                self.state.norms / since as f64,
            );
            self.state.curve.push(Row {
                step: done,
                loss,
                norm,
                test,
            });
            (self.state.losses, self.state.norms) = (0.0, 0.0);
        }
        Ok(loss)
    }

    /// Trains to the end, or until `stop` is set, and writes all files into `dir`.
    ///
    /// # Errors
    /// Those of [`advance`](Self::advance), or if a file cannot be written.
    pub fn finish(
        mut self,
        dir: &Path,
        stop: &AtomicBool,
        mut report: impl FnMut(Progress),
    ) -> Result<Outcome> {
        std::fs::create_dir_all(dir).map_err(|e| Error::io(dir, e))?;
        replace(
            &dir.join(files::SETTINGS),
            self.settings.to_toml().as_bytes(),
        )?;
        let (start, first) = (Instant::now(), self.state.step);
        let steps = self.settings.training.steps;
        while self.state.step < steps {
            if stop.load(Ordering::Relaxed) {
                self.save(dir, start)?;
                return Ok(Outcome::Stopped(self.state.step));
            }
            let loss = self.advance()?;
            let step = self.state.step;
            let each = start.elapsed().as_secs_f64() / (step - first) as f64;
            report(Progress {
                step,
                steps,
                loss,
                seconds_left: each * (steps - step) as f64,
            });
            if step.is_multiple_of(self.settings.training.checkpoint) && step < steps {
                self.save(dir, start)?;
            }
        }
        self.save(dir, start)?;
        self.export()?.save(dir)?;
        if let Some(sample) = &self.settings.sample {
            let texts = crate::sample::texts(&self.export()?, sample)?;
            let text = texts.join("\n----\n");
            replace(&dir.join(files::SAMPLE), text.as_bytes())?;
        }
        let tests = self.tests()?;
        let result = RunResult {
            parameters: self.model.config().parameters(),
            cost: Cost::new(self.model.config(), &*self.task, &self.settings.training),
            seconds: self.seconds + start.elapsed().as_secs_f64(),
            loss: self.state.curve.last().map_or(f64::NAN, |row| row.loss),
            settings: self.settings,
            tests,
        };
        let mut json = serde_json::to_string_pretty(&result).expect("results are plain");
        json.push('\n');
        replace(&dir.join(files::RESULT), json.as_bytes())?;
        Ok(Outcome::Finished(Box::new(result)))
    }

    /// Runs all tests.
    ///
    /// # Errors
    /// Those of [`evaluate`].
    pub fn tests(&self) -> Result<Vec<TestResult>> {
        (0..self.task.tests().len())
            .map(|test| evaluate(&self.model, &*self.task, test, &self.settings.evaluation))
            .collect()
    }

    /// The model as it is now.
    ///
    /// # Errors
    /// If memory does not suffice.
    pub fn export(&self) -> Result<Model> {
        Ok(Model {
            config: self.model.config().clone(),
            weights: self.model.weights()?,
            tokenizer: self.task.tokenizer(),
            end_tokens: vec![],
        })
    }

    /// Writes checkpoint and curve.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn save(&self, dir: &Path, start: Instant) -> Result<()> {
        self.state
            .save(&dir.join(files::CHECKPOINT), &self.model, &self.moments)?;
        let seconds = self.seconds + start.elapsed().as_secs_f64();
        replace(
            &dir.join(files::SECONDS),
            format!("{seconds:.3}\n").as_bytes(),
        )?;
        let mut csv = String::from("step,loss,gradient_norm,test_loss,test_accuracy\n");
        for Row {
            step,
            loss,
            norm,
            test,
        } in &self.state.curve
        {
            let test = test.map(|x| {
                if x.is_nan() {
                    String::new()
                } else {
                    format!("{x}")
                }
            });
            csv.push_str(&format!("{step},{loss},{norm},{},{}\n", test[0], test[1]));
        }
        replace(&dir.join(files::CURVE), csv.as_bytes())?;
        let points = |of: fn(&Row) -> f64| -> Vec<(f64, f64)> {
            let rows = self
                .state
                .curve
                .iter()
                .map(|row| (row.step as f64, of(row)));
            rows.filter(|(_, y)| !y.is_nan()).collect()
        };
        let picture = Plot {
            title: "Loss".into(),
            x: "step".into(),
            y: "nats".into(),
            logarithmic_x: false,
            series: vec![
                Series {
                    name: "training".into(),
                    points: points(|row| row.loss),
                },
                Series {
                    name: "test".into(),
                    points: points(|row| row.test[0]),
                },
            ],
        };
        replace(&dir.join(files::PICTURE), picture.svg().as_bytes())
    }
}
