//! `cargo xtask toolchains`.

use std::path::PathBuf;

use clap::Args;
use weightware_tests::real::manifest::{self, Toolchain};
use weightware_tests::real::toolchains::{self, Places};
use weightware_tests::real::{Judge, Verdict};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Toolchains, `c zig`; all if none is named
    names: Vec<String>,
    /// A folder to look in before PATH: one of `--install`, or one with programs in `bin`
    #[arg(long, value_name = "DIR")]
    dir: Vec<PathBuf>,
    /// Install what pip and npm can into a folder, and look there
    #[arg(long, value_name = "DIR")]
    install: Option<PathBuf>,
    /// Stop a run after this many tokens [default: go on to the horizon]
    #[arg(long, value_name = "N")]
    max_tokens: Option<u64>,
    /// Write what was found into docs/toolchains.md
    #[arg(long, conflicts_with_all = ["check", "max_tokens"])]
    write: bool,
    /// Fail if docs/toolchains.md says something else of what is installed
    #[arg(long, conflicts_with = "max_tokens")]
    check: bool,
}

impl Arguments {
    pub(crate) fn run(mut self) -> Result<bool, String> {
        let chosen = self.chosen(manifest::toolchains()?)?;
        if let Some(folder) = &self.install {
            toolchains::install(folder, &chosen)?;
            self.dir.push(folder.clone());
        }
        let places = Places::new(&self.dir)?;
        let mut judge = Judge::new(self.max_tokens);
        let mut passed = true;
        let mut missing = vec![];
        println!(
            "| toolchain | program | bytes | prompt | trace | contexts | reread | profile | seconds | outcome | native |"
        );
        println!("|---|---|---:|---:|---:|---:|---:|---|---:|---|---|");
        for toolchain in &chosen {
            let Some(tried) = places.try_out(toolchain, &mut judge)? else {
                missing.push(toolchain);
                continue;
            };
            for (example, measured) in toolchain.examples.iter().zip(&tried.examples) {
                passed &= !matches!(measured.verdict, Verdict::Different(_));
                super::show(&format!("{} | {}", toolchain.name, example.name), measured);
            }
            if self.write || self.check {
                let same = toolchains::keep(toolchain, &tried, self.write)?;
                if !same {
                    eprintln!(
                        "docs/toolchains.md says something else of {}; here it is {}; --write writes it",
                        toolchain.name, tried.version
                    );
                }
                passed &= same;
            }
        }
        for toolchain in missing {
            println!(
                "skipped: {} is not installed: {}",
                toolchain.name, toolchain.install
            );
        }
        Ok(passed)
    }

    fn chosen(&self, all: Vec<Toolchain>) -> Result<Vec<Toolchain>, String> {
        super::named(&self.names, all, |toolchain| &toolchain.name)
    }
}
