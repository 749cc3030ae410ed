//! The model card of a model folder, in the form that model hubs expect. Every figure comes from
//! the model.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use anyhow::Error;
use weightware::{Extension, Model, Names};

use crate::failure::{Failure, Result};

pub(crate) const FILE: &str = "README.md";

/// Marks a card that this command wrote and may overwrite.
const MARK: &str =
    "<!-- Written by `weightware weights`, which overwrites it while this line stands. -->";

/// The mark stands within this many bytes.
const MARKED_WITHIN: u64 = 4096;

/// Writes the card into a model folder, unless a file is there that this command did not write;
/// returns whether it did.
pub(crate) fn write(card: &str, folder: &Path) -> Result<bool> {
    let path = folder.join(FILE);
    let written = match is_ours(&path) {
        Ok(true) => fs::write(&path, card).map(|()| true),
        Ok(false) => Ok(false),
        Err(error) => Err(error),
    };
    written.map_err(|error| Failure::Failed(Error::new(error).context(path.display().to_string())))
}

/// Whether the file is missing or marked.
fn is_ours(path: &Path) -> std::io::Result<bool> {
    let mut head = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(MARKED_WITHIN).read_to_end(&mut head)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    Ok(String::from_utf8_lossy(&head).contains(MARK))
}

/// The card of a machine with `modules` beside the core.
pub(crate) fn card(model: &Model, names: &Names, modules: &[Extension]) -> String {
    let config = &model.config;
    let shape = &config.shape;
    let profile = config.profile.as_deref().unwrap_or("none");
    let last = config.last_position;
    let context = config.context.map_or_else(
        || "none is ever full".to_owned(),
        |tokens| {
            format!("{tokens} beside prompt and restored state; the program goes on in another one")
        },
    );
    let weights = model.weights.count();
    let instructions = match modules.len() == Extension::ALL.len() {
        true => "all instructions of the machine".to_owned(),
        false => {
            let names =
                std::iter::once(Extension::CORE).chain(modules.iter().map(|module| module.name()));
            let names: Vec<_> = names.collect();
            format!(
                "only the instructions of {}; what it answers for others means nothing",
                names.join(", ")
            )
        }
    };
    let mut card = format!(
        "---
license:
- mit
- apache-2.0
tags:
- weightware
- webassembly
- transformer
- compiled-weights
- interpretability
- pytorch
- safetensors
---

{MARK}

# Weightware, profile {profile}

A WebAssembly machine in the weights of a plain decoder-only transformer. The weights are compiled,
not trained. Put a program into the prompt and decode greedily: the generated tokens are the
program's execution. It has {instructions}.

| | |
|---|---|
| layers | {} |
| `d_model` | {} |
| heads a layer, of dimension 2 | {} |
| neurons a layer, gated ReLU | {} |
| tokens in the vocabulary | {} |
| weights, f64 | {}, of which {} are not zero |
| profile | `{profile}` |
| last certified position | {last}, the prompt included, counted from 0 |
| tokens of a full context | {context} |

There are no biases and no norms. The position adds polynomials to {} slots (`config.json`).

## Decode

With the `weightware` command, from <{REPOSITORY}>:

```sh
weightware run program.wasm --model .               # .wasm, .wat, .c or a token program
weightware explain program.wasm --model . --token 0 # the forward pass of one token
weightware tokens program.wasm --full > prompt.txt
weightware generate --model . --prompt @prompt.txt
```

With stock PyTorch, by `examples/pytorch/forward.py` of the same repository, which shares no line
with that command:

```sh
python3 forward.py . greedy --prompt prompt.txt
```

Decode in f64. No sampling: the next token is the argmax of the logits, of equal ones the lowest id.

## Exactness

- Attention is hard-max: a head returns the average value of all keys whose score is greatest,
  compared exactly. Stock softmax in f64 is saturated and gives the same, as far as
  `weightware certify --model .` proves it from these weights.
- Nothing is certified beyond position {last}, or for keys outside the boxes of `key_bounds` in
  `config.json`. The engines of `weightware` stop there; other software must do so itself. Layers and
  heads count from 0.
",
        shape.layers,
        shape.d_model,
        shape.heads,
        shape.d_ffn,
        shape.vocab,
        weights.weights,
        weights.nonzero,
        config.position_features.len(),
    );
    if !config.key_bounds.is_empty() {
        card.push_str("\n| layer | head | greatest index | greatest lift |\n|---|---|---|---|\n");
        for bound in &config.key_bounds {
            let name = names.head(bound.layer, bound.head);
            let _ = writeln!(
                card,
                "| {} | {} `{}` | {} | {} |",
                bound.layer,
                bound.head,
                name.map_or("?", |name| &name.name),
                bound.max_abs_x / 2.0,
                bound.max_lift
            );
        }
    }
    let _ = write!(
        card,
        "
## Files

| file | holds |
|---|---|
| `config.json` | shape, position features, profile and its limits |
| `model.safetensors` | the matrices, under the names of PyTorch's modules |
| `tokenizer.json` | the tokens: words separated by white space |
| `generation_config.json` | end tokens; greedy decoding |
| `names.json` | names of heads, neurons and slots; no decoder reads it |

Licensed under either of MIT or Apache-2.0, at your option.
"
    );
    card
}

const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
