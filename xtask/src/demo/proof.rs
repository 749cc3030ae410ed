//! Evidence that the weights do the work: independent attention predicts the same tokens.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use weightware::{Computer, Engine, Model, Profile, Program, Rom, Source, TokenId, rom_model};

use super::{add, contexts, evidence, exit_code};
use crate::live::status_line;
use crate::thousands::thousands;
use crate::workspace::{self, shown};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Which network reads the runs: stock PyTorch where there is one, else candle
    #[arg(long, value_enum)]
    with: Option<Reader>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Reader {
    /// examples/pytorch/forward.py, with `nn.MultiheadAttention`
    Pytorch,
    /// crates/candle, with a plain softmax
    Candle,
}

/// The programs, the short ones first.
const MODULES: [&str; 4] = ["loops", "calls", "fib", "memory"];

/// The greatest length of a run. The readers' memory grows with the square of the length.
const MOST_TOKENS: usize = 5_000;

/// The arguments with which cargo builds and runs candle's reader.
const CANDLE: &str = "--release -p weightware-candle --example teacher_forced";

/// A run as token ids: prompt and trace.
pub(super) struct Recorded {
    pub(super) name: &'static str,
    pub(super) prompt: usize,
    pub(super) tokens: Vec<TokenId>,
}

impl Arguments {
    pub(super) fn run(self) -> Result<()> {
        let reader = Network::find(self.with)?;
        println!("{}\n", reader.announcement());
        reader.build()?;
        let computer = Computer::default();
        let model = computer.model();
        let folder = workspace::target().join("weightware-model");
        model.save(&folder)?;
        println!("Model folder: {}", shown(&folder));
        println!("Read again in one pass, without cache or hull, by {reader}.\n");

        println!(
            "{:8} {:>8} {:>8} {:>9} {:>11} {:>13}",
            "program", "prompt", "trace", "compared", "mismatches", "least margin"
        );
        let mut runs = vec![];
        for (name, program) in programs()? {
            for run in record(&computer, &[name], &program)? {
                if reader.compares(&folder, model, &run)? {
                    runs.push(run);
                }
            }
        }
        let Some(last) = runs.last() else {
            bail!("no program was checked")
        };
        println!("\nBy hand, for {}:", last.name);
        println!(
            "  {}",
            reader.by_hand(&folder, &file(last.name), last.prompt)
        );
        reader.compares_specialised()?;
        reader.compares_contexts()?;
        evidence::show(model, &runs)
    }
}

impl Network {
    /// Compares runs of programs in the weights, each on its own model.
    fn compares_specialised(&self) -> Result<()> {
        println!(
            "\nThe same programs in the weights, a model for each, without a program in the prompt:\n"
        );
        for (name, program) in programs()? {
            let program = program.specialised(0);
            let model = rom_model(Profile::STOCK, Rom::of(&program))?;
            let folder = workspace::target().join("weightware-model-specialised");
            model.save(&folder)?;
            let computer = Computer::new(model)?;
            for run in record(&computer, &[name], &program)? {
                self.compares(&folder, computer.model(), &run)?;
            }
        }
        Ok(())
    }

    /// Compares the contexts of a run that turns, by weights for short contexts.
    fn compares_contexts(&self) -> Result<()> {
        println!(
            "\nA loop in three contexts, full after {} tokens each, with the weights for such contexts.\n\
             Each context but the last contains a whole turn: the model writes down the program's state.\n",
            contexts::CONTEXT
        );
        let model = contexts::model();
        let folder = workspace::target().join("weightware-model-turns");
        model.save(&folder)?;
        let computer = Computer::new(model)?;
        for run in contexts::record(&computer)? {
            let compared = self.compares(&folder, computer.model(), &run)?;
            ensure!(compared, "{} is too long", run.name);
        }
        Ok(())
    }

    /// Whether this network predicts the tokens of a run again, in a line of the table; false if
    /// the run is too long.
    fn compares(&self, folder: &Path, model: &Model, run: &Recorded) -> Result<bool> {
        let file = write(model, run)?;
        let trace = run.tokens.len() - run.prompt;
        let counts = format!("{:8} {:>8} {trace:>8}", run.name, run.prompt);
        if run.tokens.len() > MOST_TOKENS {
            println!("{counts} too long to be read in one pass");
            return Ok(false);
        }
        let bar = status_line();
        bar.set_message(format!("{self} reads {} tokens", run.tokens.len()));
        let verdict = self.check(folder, &file, run.prompt);
        bar.finish_and_clear();
        let Verdict {
            compared,
            mismatches,
            margin,
        } = verdict?;
        println!(
            "{counts} {:>9} {mismatches:>11} {margin:>13}",
            thousands(compared)
        );
        ensure!(mismatches == 0, "wrong: {self} says other tokens");
        ensure!(
            compared == trace as u64,
            "{self} did not compare every token"
        );
        Ok(true)
    }
}

fn programs() -> Result<Vec<(&'static str, Program)>> {
    let mut programs = vec![("add", add::PROGRAM.parse()?)];
    for name in MODULES {
        let source: Source = workspace::program(&format!("{name}.wasm"))?;
        programs.push((name, source.program(b"")));
    }
    Ok(programs)
}

/// Runs a program with the hull cache, and returns its contexts under these names, which suffice.
pub(super) fn record(
    computer: &Computer,
    names: &[&'static str],
    program: &Program,
) -> Result<Vec<Recorded>> {
    let tokenizer = &computer.model().tokenizer;
    let mut run = computer.run(program, Engine::Hull, None)?;
    let mut contexts: Vec<Recorded> = vec![];
    loop {
        if run.contexts() > contexts.len() as u64 {
            let name = names.get(contexts.len());
            contexts.push(Recorded {
                name: name.context("more contexts than expected")?,
                prompt: run.prompt().len(),
                tokens: run.prompt().to_vec(),
            });
        }
        let (Some((token, _)), Some(context)) = (run.step(), contexts.last_mut()) else {
            break;
        };
        let string = token.to_string();
        context.tokens.push(tokenizer.id(&string).context(string)?);
    }
    exit_code(&run.end()).with_context(|| names.join(", "))?;
    Ok(contexts)
}

fn file(name: &str) -> PathBuf {
    workspace::target()
        .join("weightware-runs")
        .join(format!("{}.txt", name.replace(' ', "-")))
}

fn write(model: &Model, run: &Recorded) -> Result<PathBuf> {
    let path = file(run.name);
    fs::create_dir_all(path.parent().expect("the file is in a folder"))?;
    let (prompt, trace) = run.tokens.split_at(run.prompt);
    let tokenizer = &model.tokenizer;
    let text = format!(
        "{}\n{}\n",
        tokenizer.decode(prompt),
        tokenizer.decode(trace)
    );
    fs::write(&path, text).with_context(|| shown(&path))?;
    Ok(path)
}

/// A network that reads whole runs.
enum Network {
    /// The Python that has torch, and torch's version.
    Pytorch {
        python: &'static str,
        version: String,
    },
    Candle,
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pytorch { version, .. } => write!(f, "stock PyTorch {version}"),
            Self::Candle => f.write_str("candle"),
        }
    }
}

/// The result of a network.
#[derive(Debug, PartialEq)]
struct Verdict {
    compared: u64,
    mismatches: u64,
    margin: String,
}

impl Network {
    fn find(wanted: Option<Reader>) -> Result<Self> {
        if wanted != Some(Reader::Candle) {
            for python in ["python3", "/usr/bin/python3"] {
                let mut command = Command::new(python);
                command.args(["-c", "import torch; print(torch.__version__)"]);
                if let Ok(version) = workspace::output(&mut command) {
                    return Ok(Self::Pytorch {
                        python,
                        version: version.trim().to_owned(),
                    });
                }
            }
            if wanted == Some(Reader::Pytorch) {
                bail!("python3 finds no torch: pip install torch, or Debian's python3-torch");
            }
            eprintln!("python3 finds no torch (Debian: `apt install python3-torch`).");
        }
        Ok(Self::Candle)
    }

    /// The steps of the demo, and the time and memory that they take.
    fn announcement(&self) -> String {
        let reading = "reads each program's prompt and trace in one pass and predicts every token of the trace again";
        let (first, reading) = match self {
            Self::Pytorch { version, .. } => (
                "",
                format!(
                    "Stock PyTorch {version} {reading}: about two minutes on two cores, up to 5 GB of memory."
                ),
            ),
            Self::Candle => (
                "Builds candle: several minutes, once.\n",
                format!("Candle {reading}: minutes."),
            ),
        };
        format!(
            "{first}Writes the weights to a model folder and decodes {} programs and one in several contexts: a second.\n{reading}\n\
             Searches the decoder's sources for instructions, and decodes with every token renamed: a second.",
            1 + MODULES.len(),
        )
    }

    /// Builds the reader; cargo shows how far it is.
    fn build(&self) -> Result<()> {
        if let Self::Candle = self {
            let command = format!("build {CANDLE}");
            let words: Vec<_> = command.split(' ').collect();
            let built = workspace::cargo(&words).status().context("cargo")?;
            ensure!(built.success(), "candle cannot be built: cargo {command}");
        }
        Ok(())
    }

    /// The command, for the workspace's root.
    fn arguments(&self, model: &Path, tokens: &Path, prompt: usize) -> Vec<String> {
        let (model, tokens, prompt) = (shown(model), shown(tokens), prompt.to_string());
        let candle = format!("cargo run {CANDLE} --");
        let words = match self {
            Self::Pytorch { python, .. } => {
                let check = [
                    &model,
                    "check",
                    "--tokens",
                    &tokens,
                    "--prompt-length",
                    &prompt,
                ];
                [&[*python, "examples/pytorch/forward.py"], &check[..]].concat()
            }
            Self::Candle => {
                let run: Vec<_> = candle.split(' ').collect();
                [&run[..], &[&model, &tokens, &prompt]].concat()
            }
        };
        words.into_iter().map(str::to_owned).collect()
    }

    fn by_hand(&self, model: &Path, tokens: &Path, prompt: usize) -> String {
        self.arguments(model, tokens, prompt).join(" ")
    }

    fn check(&self, model: &Path, tokens: &Path, prompt: usize) -> Result<Verdict> {
        let arguments = self.arguments(model, tokens, prompt);
        let mut command = workspace::command(&arguments[0], &[]);
        let output = command
            .args(&arguments[1..])
            .output()
            .with_context(|| arguments.join(" "))?;
        let said = String::from_utf8_lossy(&output.stdout);
        // The exit status is that of a failure also for mismatches, which the verdict counts.
        said.lines().find_map(Verdict::read).with_context(|| {
            format!(
                "{}\n{}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr)
            )
        })
    }
}

impl Verdict {
    /// Reads `compared 12, mismatches 0, least margin 0.5`.
    fn read(line: &str) -> Option<Self> {
        let mut parts = line.split(", ");
        let mut next = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix(' ');
        let compared = next("compared")?.parse().ok()?;
        let mismatches = next("mismatches")?.parse().ok()?;
        let margin = next("least margin")?.to_owned();
        Some(Self {
            compared,
            mismatches,
            margin,
        })
    }
}
