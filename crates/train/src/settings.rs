//! The settings of a run: a TOML file.

use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};
use weightware_model::general::Config;

use crate::error::{Error, Result};
use crate::task::TaskSettings;

/// All that determines a run. Equal settings give equal weights, bit for bit, on one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Seed of the weights and of the batches; tests are the same for all seeds.
    #[serde(default)]
    pub seed: u64,
    /// The optimiser, and how long it works.
    pub training: Training,
    /// How the model is measured.
    #[serde(default)]
    pub evaluation: Evaluation,
    /// The task that the model learns.
    pub task: TaskSettings,
    /// Keys of `config.json` that differ from [the defaults](Settings::config).
    #[serde(default)]
    pub model: Table,
    /// Text that the model writes at the end; for the task `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
}

/// The optimiser: see [`crate::optimiser`] for the formulas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Updates of the weights.
    pub steps: usize,
    /// Sequences in a batch.
    pub batch: usize,
    /// The peak learning rate.
    pub learning_rate: f64,
    /// Steps in which the rate grows linearly.
    #[serde(default = "warmup")]
    pub warmup: usize,
    /// The last rate as a fraction of the peak.
    #[serde(default = "floor")]
    pub floor: f64,
    /// Decay of matrices, times the rate.
    #[serde(default = "weight_decay")]
    pub weight_decay: f64,
    /// Memory of the first moment.
    #[serde(default = "beta1")]
    pub beta1: f64,
    /// Memory of the second moment.
    #[serde(default = "beta2")]
    pub beta2: f64,
    /// The term that keeps the quotient from infinity.
    #[serde(default = "epsilon")]
    pub epsilon: f64,
    /// The greatest norm of the gradients of a step.
    #[serde(default = "clip")]
    pub clip: f64,
    /// Steps from one row of `curve.csv` to the next, whose loss is the mean of these steps.
    #[serde(default = "record")]
    pub record: usize,
    /// Steps from one checkpoint to the next.
    #[serde(default = "checkpoint")]
    pub checkpoint: usize,
}

fn warmup() -> usize {
    50
}
fn floor() -> f64 {
    0.1
}
fn weight_decay() -> f64 {
    0.1
}
fn beta1() -> f64 {
    0.9
}
fn beta2() -> f64 {
    0.98
}
fn epsilon() -> f64 {
    1e-8
}
fn clip() -> f64 {
    1.0
}
fn record() -> usize {
    20
}
fn checkpoint() -> usize {
    500
}

/// How the model is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// Sequences of each test, at most.
    #[serde(default = "sequences")]
    pub sequences: usize,
    /// Sequences that are computed at a time.
    #[serde(default = "at_a_time")]
    pub batch: usize,
    /// Steps from one measurement of the first test to the next, for `curve.csv`; 0: none.
    #[serde(default)]
    pub every: usize,
}

fn sequences() -> usize {
    256
}
fn at_a_time() -> usize {
    32
}

impl Default for Evaluation {
    fn default() -> Self {
        Self {
            sequences: sequences(),
            batch: at_a_time(),
            every: 0,
        }
    }
}

/// Text that the model writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Characters to write. Beyond the training length rotary positions are new to the model, and
    /// its text soon falls apart.
    pub characters: usize,
    /// Divides logits; 0 is greedy.
    #[serde(default = "temperature")]
    pub temperature: f64,
    /// The text to continue.
    #[serde(default = "prompt")]
    pub prompt: String,
    /// How many texts.
    #[serde(default = "texts")]
    pub texts: u64,
}

fn temperature() -> f64 {
    0.7
}
fn prompt() -> String {
    "\n".to_owned()
}
fn texts() -> u64 {
    1
}

/// Keys of `config.json` where settings say nothing else. `vocab` and `context` are the task's,
/// `d_ffn` is `4 * d_model`, or `8 / 3 * d_model` for gated functions.
const DEFAULTS: &str = r#"
architecture = "transformer"
layers = 2
d_model = 64
heads = 32
head_dim = 2
dtype = "float32"
norm = "rms"
activation = "gelu"
bias = false
positions = { kind = "rotary", base = 10000.0, spread = "heads" }
tied_embeddings = false
"#;

impl Settings {
    /// Reads settings.
    ///
    /// # Errors
    /// If the file cannot be read, or is not settings: the error names the line.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Parses settings; `place` is for the error.
    ///
    /// # Errors
    /// If the text is not settings, or its numbers make no sense.
    pub fn parse(text: &str, place: &str) -> Result<Self> {
        let settings: Self = toml::from_str(text)
            .map_err(|e| Error::invalid(place, e.to_string().trim_end(), "correct the settings"))?;
        settings
            .validate()
            .map_err(|problem| Error::invalid(place, problem, "correct the settings"))?;
        Ok(settings)
    }

    /// Settings from a table, as the grid makes them.
    pub(crate) fn from_table(table: Table, place: &str) -> Result<Self> {
        let settings: Self = Value::Table(table)
            .try_into()
            .map_err(|e: toml::de::Error| Error::invalid(place, e.message(), "correct the grid"))?;
        settings
            .validate()
            .map_err(|e| Error::invalid(place, e, "correct the grid"))?;
        Ok(settings)
    }

    /// The settings with another text, for the task `text`.
    ///
    /// # Errors
    /// If the task is another one.
    pub fn with_text(mut self, path: Option<std::path::PathBuf>) -> Result<Self> {
        match (&mut self.task, path) {
            (_, None) => Ok(self),
            (TaskSettings::Text(task), path) => {
                task.text = path;
                Ok(self)
            }
            _ => Err(Error::invalid(
                "--text",
                "the task reads no text",
                "leave the option out",
            )),
        }
    }

    /// The settings as TOML, all defaults stated.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("settings consist of numbers, strings and tables")
    }

    fn validate(&self) -> core::result::Result<(), String> {
        let Training {
            steps,
            batch,
            record,
            checkpoint,
            learning_rate,
            clip,
            ..
        } = self.training;
        let counts = [
            ("training.steps", steps),
            ("training.batch", batch),
            ("training.record", record),
            ("training.checkpoint", checkpoint),
            ("evaluation.sequences", self.evaluation.sequences),
            ("evaluation.batch", self.evaluation.batch),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(format!("{name} is 0, must be positive"));
        }
        if !(learning_rate > 0.0 && learning_rate.is_finite()) {
            return Err(format!(
                "training.learning_rate is {learning_rate}, must be positive"
            ));
        }
        if clip.is_nan() || clip <= 0.0 {
            return Err(format!("training.clip is {clip}, must be positive"));
        }
        if let Some(sample) = &self.sample
            && !(sample.temperature >= 0.0 && sample.temperature.is_finite())
        {
            return Err(format!("sample.temperature is {}", sample.temperature));
        }
        self.task.validate()
    }

    /// The configuration of the model, for a task of `vocab` tokens and sequences of `context`.
    ///
    /// # Errors
    /// If the keys of `[model]` make no consistent configuration.
    pub fn config(&self, vocab: usize, context: usize) -> Result<Config> {
        let mut table: Table = toml::from_str(DEFAULTS).expect("the defaults are TOML");
        merge(&mut table, &self.model);
        let number = |table: &Table, key: &str| table.get(key).and_then(Value::as_integer);
        if !table.contains_key("d_ffn") {
            let is_gated = matches!(
                table.get("activation").and_then(Value::as_str),
                Some("gated_relu" | "swiglu")
            );
            let width = number(&table, "d_model").unwrap_or(0).max(0);
            let neurons = if is_gated {
                width.saturating_mul(8) / 3
            } else {
                width.saturating_mul(4)
            };
            table.insert("d_ffn".into(), Value::Integer(neurons));
        }
        table.insert("vocab".into(), Value::Integer(vocab as i64));
        table.insert("context".into(), Value::Integer(context as i64));
        Value::Table(table)
            .try_into()
            .map_err(|e: toml::de::Error| {
                Error::invalid(
                    "[model]",
                    e.message(),
                    "use the keys of a general model's config.json",
                )
            })
    }
}

/// Replaces the values of `table` by those of `with`; tables are merged, except the one of
/// positions, whose keys depend on its kind.
pub(crate) fn merge(table: &mut Table, with: &Table) {
    for (key, value) in with {
        match (table.get_mut(key), value) {
            (Some(Value::Table(old)), Value::Table(new)) if key != "positions" => merge(old, new),
            _ => {
                table.insert(key.clone(), value.clone());
            }
        }
    }
}
