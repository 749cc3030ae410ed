//! `cargo xtask tokens`.

use std::path::Path;

use clap::Args;
use weightware_tests::tokens;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write the page, tests/tokens.md
    #[arg(long)]
    bless: bool,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<bool, String> {
        let page = tokens::page()?;
        print!("{page}");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tokens.md");
        if self.bless {
            std::fs::write(&path, &page).map_err(|error| error.to_string())?;
            return Ok(true);
        }
        let same = std::fs::read_to_string(&path).is_ok_and(|old| old == page);
        if !same {
            println!("tests/tokens.md says something else; --bless writes it");
        }
        Ok(same)
    }
}
