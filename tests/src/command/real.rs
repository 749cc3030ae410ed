//! `cargo xtask real`.

use clap::Args;
use weightware_tests::real::{Judge, Verdict, manifest, programs};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Programs, `lua zlib`; all if none is named
    names: Vec<String>,
    /// Stop a run after this many tokens [default: go on to the horizon]
    #[arg(long, value_name = "N")]
    max_tokens: Option<u64>,
    /// Write the page about all programs, docs/programs.md
    #[arg(long, conflicts_with_all = ["check", "max_tokens", "names"])]
    write: bool,
    /// Fail if docs/programs.md says something else, times left out
    #[arg(long, conflicts_with_all = ["max_tokens", "names"])]
    check: bool,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<bool, String> {
        let chosen = super::named(&self.names, manifest::programs()?, |real| &real.name)?;
        let mut judge = Judge::new(self.max_tokens);
        let mut done = vec![];
        println!("| program | bytes | prompt | trace | profile | seconds | outcome |");
        println!("|---|---:|---:|---:|---|---:|---|");
        for real in chosen {
            let measured = real.measure(&mut judge)?;
            super::show(&real.name, &measured);
            done.push((real, measured));
        }
        let is_wrong = |verdict: &Verdict| matches!(verdict, Verdict::Different(_));
        let mut passed = !done.iter().any(|(_, measured)| is_wrong(&measured.verdict));
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
