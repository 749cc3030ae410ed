//! `cargo xtask real`.

use clap::Args;
use weightware_real::Program;
use weightware_tests::real::{Judge, Measured, Verdict, programs};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Programs, `lua zlib`; all if none is named
    names: Vec<String>,
    /// Stop a run after this many tokens [default: go on to the horizon]
    #[arg(long, value_name = "N")]
    max_tokens: Option<u64>,
    /// Compare with native programs, too: the same sources, compiled by cc
    #[arg(long)]
    native: bool,
    /// Write the page about all programs, docs/programs.md
    #[arg(long, conflicts_with_all = ["check", "max_tokens", "names"])]
    write: bool,
    /// Fail if docs/programs.md says something else, times left out
    #[arg(long, conflicts_with_all = ["max_tokens", "names"])]
    check: bool,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<bool, String> {
        let chosen = super::named(&self.names, weightware_real::programs()?, |one| &one.name)?;
        let mut judge = Judge::new(self.max_tokens);
        let mut done = vec![];
        super::show_head();
        for program in chosen {
            let measured = programs::measure(&program, &mut judge, self.native)?;
            super::show(&program.title(), &measured);
            if let Some(Some(difference)) = &measured.native {
                eprintln!("{}: the native program: {difference}", program.title());
            }
            done.push((program, measured));
        }
        let is_wrong = |(_, measured): &(Program, Measured)| {
            matches!(measured.verdict, Verdict::Different(_))
                || matches!(measured.native, Some(Some(_)))
        };
        let mut passed = !done.iter().any(is_wrong);
        if self.write || self.check {
            let same = programs::keep(&done, self.write)?;
            if !same {
                eprintln!("docs/programs.md says something else; --write writes it");
            }
            passed &= same;
        }
        Ok(passed)
    }
}
