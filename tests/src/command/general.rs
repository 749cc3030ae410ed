//! `cargo xtask general`.

use clap::Args;
use weightware_tests::general;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The Python that has torch [default: python3, else /usr/bin/python3]
    #[arg(long)]
    python: Option<String>,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<bool, String> {
        let python = match self.python {
            Some(python) => python,
            None => find()?,
        };
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let words = general::tokens()
            .into_iter()
            .map(|id| char::from(b'a' + id as u8));
        let tokens = folder.path().join("tokens.txt");
        std::fs::write(&tokens, words.collect::<String>()).map_err(|error| error.to_string())?;
        let (mut passed, mut worst) = (true, [0.0_f64; 2]);
        let models = general::models();
        for (name, model) in &models {
            let path = folder.path().join(name);
            model.save(&path).map_err(|error| error.to_string())?;
            let compared = general::pytorch(&python, &path, &tokens)
                .and_then(|logits| general::compare(model, &logits));
            match compared {
                Ok(difference) => {
                    let is_wide = model.config.dtype == weightware::general::Dtype::Float64;
                    let worst = &mut worst[usize::from(is_wide)];
                    *worst = worst.max(difference);
                }
                Err(error) => {
                    println!("model {name}: {error}\n{:?}", model.config);
                    passed = false;
                }
            }
        }
        println!(
            "{} models: the greatest difference of a logit from stock PyTorch is {:.1e} in 32 bits, {:.1e} in 64 bits",
            models.len(),
            worst[0],
            worst[1]
        );
        Ok(passed)
    }
}

fn find() -> Result<String, String> {
    let has_torch = |python: &&str| {
        let mut command = std::process::Command::new(python);
        let done = command.args(["-c", "import torch"]).output();
        done.is_ok_and(|output| output.status.success())
    };
    let found = ["python3", "/usr/bin/python3"].into_iter().find(has_torch);
    found.map(str::to_owned).ok_or_else(|| {
        "python3 finds no torch: pip install torch, or Debian's python3-torch".to_owned()
    })
}
