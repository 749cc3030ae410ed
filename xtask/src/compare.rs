//! `cargo xtask compare`: the examples of the public reference implementation, from the same C
//! source, through the transformer.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use weightware::{Computer, Engine, Outcome, RunEnd, Source};

use crate::demo::{INKALA, INKALA_SOLUTION};
use crate::figures::rounded;
use crate::programs::{FREESTANDING, clang};
use crate::thousands::thousands;
use crate::workspace;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A checkout of <https://github.com/Percepta-Core/transformer-vm>, or of one of its forks
    folder: PathBuf,
}

/// The reference's compiler flags that affect code.
const FLAGS: [&str; 8] = [
    "--target=wasm32",
    "-nostdlib",
    "-O2",
    "-fno-builtin",
    "-fno-jump-tables",
    "-mllvm",
    "--combiner-store-merging=false",
    "-c",
];

/// Linker flags: two pages, where the reference has 160, since the machine is exact for 152 KiB.
/// Its programs use less.
const LINKED: [&str; 6] = [
    "--target=wasm32",
    "-nostdlib",
    "-Wl,--no-entry",
    "-Wl,-z,stack-size=4096",
    "-Wl,--initial-memory=131072",
    "-Wl,--strip-all",
];

/// The number of runs, since other processes disturb the time of one.
const RUNS: u32 = 5;

/// An example: its input, and a part that its output must contain.
struct Example {
    name: &'static str,
    input: &'static str,
    holds: &'static str,
}

/// The matrix of `programs/matching.c`, whose least cost was computed independently.
const MATRIX: &str = "10 61 58 35 86 32 39 41 27 21 42 59 77 97 99 78 21 89 72 35 63 88 85 37 57 59 97 37 29 69 94 \
                      32 82 53 20 77 96 21 70 50 61 15 44 81 10 64 36 56 78 20 69 76 35 87 69 16 55 26 37 30 66 \
                      86 32 74 94 32 14 24 12 31 70 97 63 20 64 90 21 28 49 89 10 58 52 27 76 61 35 17 91 37 66 \
                      42 79 61 26 55 98 70 17 26 86";

const EXAMPLES: [Example; 5] = [
    Example {
        name: "hello",
        input: "World",
        holds: "Hello World",
    },
    Example {
        name: "addition",
        input: "12345+6789",
        holds: "19134",
    },
    Example {
        name: "collatz",
        input: "27",
        holds: " 9232 4616 2308 ",
    },
    Example {
        name: "min_cost_matching",
        input: MATRIX,
        holds: "optimal cost: 206",
    },
    Example {
        name: "sudoku",
        input: INKALA,
        holds: INKALA_SOLUTION,
    },
];

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        let engines = [Engine::Plan, Engine::Jit];
        let engines: Vec<Engine> = engines
            .into_iter()
            .filter(|engine: &Engine| engine.is_available())
            .collect();
        let builder = Builder::new(&self.folder)?;
        print!("| program | prompt | trace |");
        engines
            .iter()
            .for_each(|engine| print!(" {}, ms |", engine.name()));
        println!("\n|---|---:|---:|{}", "---:|".repeat(engines.len()));
        for example in &EXAMPLES {
            let source = builder.build(example.name)?;
            let (mut counts, mut times) = (None, String::new());
            for &engine in &engines {
                let mut least = Duration::MAX;
                for _ in 0..RUNS {
                    let (prompt, tokens, time) = run(&source, example, engine)?;
                    counts.get_or_insert((prompt, tokens));
                    least = least.min(time);
                }
                times += &format!(" {} |", rounded(least.as_secs_f64() * 1e3));
            }
            let (prompt, tokens) = counts.context("an engine")?;
            println!(
                "| {} | {} | {} |{times}",
                example.name,
                thousands(prompt),
                thousands(tokens)
            );
        }
        println!(
            "\nTokens of prompt and trace; from the module to its end, lowered, weights and plan made, decoded: the least of {RUNS} runs. Every \
             output is right."
        );
        Ok(())
    }
}

/// Runs an example. Returns the tokens of prompt and trace, and the total time.
fn run(wasm: &[u8], example: &Example, engine: Engine) -> Result<(u64, u64, Duration)> {
    let start = Instant::now();
    let program = Source::parse(wasm)?.program(example.input.as_bytes());
    let computer = Computer::default();
    let mut run = computer.run(&program, engine, None)?;
    let end = run.finish();
    let time = start.elapsed();
    let name = example.name;
    ensure!(end == RunEnd::Outcome(Outcome::Halted), "{name}: {end:?}");
    let output = String::from_utf8_lossy(run.reader().output());
    ensure!(
        output.contains(example.holds),
        "wrong: {name} says {output:?}, without {:?}",
        example.holds
    );
    Ok((run.prompt_tokens(), run.reader().tokens(), time))
}

/// Compiles the examples without changes.
struct Builder {
    clang: String,
    examples: PathBuf,
    /// The reference's header, with the machine's name in place of the import that outputs a byte.
    header: PathBuf,
    folder: PathBuf,
}

impl Builder {
    fn new(checkout: &Path) -> Result<Self> {
        let package = checkout.join("transformer_vm");
        let header = package.join("compilation/runtime.h");
        let text = fs::read_to_string(&header).with_context(|| {
            let shown = header.display();
            format!("{shown}: give a checkout of the reference implementation")
        })?;
        let name = "import_name(\"output_byte\")";
        ensure!(text.contains(name), "{}: no {name}", header.display());
        let folder = workspace::target().join("xtask-compare");
        fs::create_dir_all(&folder)?;
        let header = folder.join("runtime.h");
        fs::write(&header, text.replace(name, "import_name(\"putchar\")"))?;
        Ok(Self {
            clang: clang(FREESTANDING)?,
            examples: package.join("examples"),
            header,
            folder,
        })
    }

    /// The module of an example.
    fn build(&self, name: &str) -> Result<Vec<u8>> {
        let source = self.examples.join(format!("{name}.c"));
        let object = self.folder.join(format!("{name}.o"));
        let mut command = workspace::command(&self.clang, &FLAGS);
        command.arg("-include").arg(&self.header);
        workspace::output(command.arg("-o").arg(&object).arg(&source))?;
        let module = self.folder.join(format!("{name}.wasm"));
        let mut command = workspace::command(&self.clang, &LINKED);
        command.args(["-O2", "-fno-builtin"]);
        command.arg("-o").arg(&module).arg(&object);
        workspace::output(command.arg(workspace::path("xtask/programs/compare.c")))?;
        fs::read(&module).with_context(|| module.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_is_that_of_our_own_program() {
        let source = fs::read_to_string(workspace::path("programs/matching.c")).unwrap();
        let rows = source.split("{0, ").skip(1).map(|row| {
            let (_, rest) = row.split_once('{').unwrap();
            let (row, _) = rest.split_once('}').unwrap();
            row.replace(',', "")
        });
        let rows: Vec<String> = ["10".to_owned()].into_iter().chain(rows).collect();
        assert_eq!(rows.join(" "), MATRIX);
    }
}
