//! `cargo xtask modules`: the library modules, compiled from C.

use std::fs;

use anyhow::{Context, Result, ensure};
use clap::Args;
use weightware::Clang;
use weightware_modules::Module;

use crate::thousands::thousands;
use crate::workspace;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write nothing: check that the committed modules are what this clang makes
    #[arg(long)]
    check: bool,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        let folder = workspace::path("crates/modules/library");
        for module in Module::all() {
            let sources = module.sources().map(|file| folder.join(file.path));
            let clang = Clang::new(sources).as_library(module.address);
            let wasm = clang.compile()?.module;
            let path = folder.join(format!("{0}/{0}.wasm", module.name));
            match self.check {
                true => ensure!(
                    module.wasm == wasm,
                    "{}: this clang makes another module; cargo xtask modules writes it",
                    path.display()
                ),
                false => fs::write(&path, &wasm).with_context(|| path.display().to_string())?,
            }
            println!(
                "{:8} {:>7} bytes",
                module.name,
                thousands(wasm.len() as u64)
            );
        }
        Ok(())
    }
}
