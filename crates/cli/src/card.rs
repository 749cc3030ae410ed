//! The model card of a model folder, in the form that model hubs expect. Every figure comes from
//! the model.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use anyhow::Error;
use weightware::{Extension, Library, Model, Names};

use crate::failure::{Failure, Result};
use crate::names;
use crate::thousands::thousands;

pub(crate) const FILE: &str = "README.md";

/// Marks a card that this command wrote and may overwrite.
const MARK: &str =
    "<!-- Written by `weightware weights`, which overwrites it while this line stands. -->";

/// The mark stands within this many bytes.
const MARKED_WITHIN: u64 = 4096;

/// Writes card and names into a model folder. A card that this command did not write stays; returns
/// whether it was written.
pub(crate) fn write_with_names(
    model: &Model,
    names: &Names,
    contents: &Contents<'_>,
    folder: &Path,
) -> Result<bool> {
    names::write(names, folder)?;
    write(&card(model, names, contents), folder)
}

/// Writes the card into a model folder, unless a file is there that this command did not write;
/// returns whether it did.
fn write(card: &str, folder: &Path) -> Result<bool> {
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

/// The code in a model's weights.
pub(crate) enum Contents<'a> {
    /// The machine with these modules beside the core.
    Machine(&'a [Extension]),
    /// The machine, and a library.
    Library(&'a Library),
    /// One program.
    Program {
        name: &'a str,
        instructions: usize,
        bytes: usize,
    },
}

impl Contents<'_> {
    /// The model and its prompts, as sentences.
    fn sentences(&self) -> String {
        let of_machine = "Put a program into the prompt and decode greedily: the generated tokens are the program's execution.";
        match self {
            Contents::Machine(modules) if modules.len() == Extension::ALL.len() => {
                format!("{of_machine} It has all instructions of the machine.")
            }
            Contents::Machine(modules) => {
                let modules = modules.iter().map(|module| module.name());
                let names: Vec<_> = std::iter::once(Extension::CORE).chain(modules).collect();
                format!(
                    "{of_machine} It has only the instructions of {}; what it answers for others means nothing.",
                    names.join(", ")
                )
            }
            Contents::Library(library) => {
                let modules = library.modules.iter().map(|module| &module.name[..]);
                let mut listed = match modules.collect::<Vec<_>>()[..] {
                    [] => "no library module".to_owned(),
                    ref names => format!("the library modules {}", names.join(", ")),
                };
                let programs = library.programs.len();
                listed += &match programs {
                    0 => String::new(),
                    1 => ", and a program that runs by name".to_owned(),
                    _ => format!(", and {programs} programs that run by name"),
                };
                format!(
                    "{of_machine} It has all instructions of the machine. Beside the machine, the weights have {listed} (`library.json`). Every prompt begins with a preamble of 999 tokens."
                )
            }
            Contents::Program {
                name,
                instructions,
                bytes,
            } => format!(
                "It has one program in its weights, `{name}`: {} instructions and {} bytes of data. The prompt has a preamble and the program's input. Decode greedily: the generated tokens are the program's execution.",
                thousands(*instructions as u64),
                thousands(*bytes as u64)
            ),
        }
    }

    /// Commands that decode the model.
    fn commands(&self) -> &'static str {
        match self {
            Contents::Program { .. } => {
                "\
weightware run --model .                            # its input from stdin
weightware explain --model . --token 0              # the forward pass of one token
weightware generate --model . --prompt @prompt.txt  # without input"
            }
            _ => {
                "\
weightware run program.wasm --model .               # .wasm, .wat, .c or a token program
weightware explain program.wasm --model . --token 0 # the forward pass of one token
weightware tokens program.wasm --model . --full > prompt.txt
weightware generate --model . --prompt @prompt.txt"
            }
        }
    }
}

/// The numbers of neurons of the layers, as one if they are equal.
fn widths(model: &Model) -> String {
    let widths = model.weights.layers.iter().map(|layer| layer.neurons());
    let widths: Vec<u64> = widths.map(|width| width as u64).collect();
    match widths.windows(2).all(|pair| pair[0] == pair[1]) {
        true => widths.first().copied().map_or_else(String::new, thousands),
        false => {
            let widths: Vec<_> = widths.into_iter().map(thousands).collect();
            widths.join("; ")
        }
    }
}

/// The card of a model with these contents.
fn card(model: &Model, names: &Names, contents: &Contents<'_>) -> String {
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
    let (sentences, commands) = (contents.sentences(), contents.commands());
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
not trained. {sentences}

| | |
|---|---|
| layers | {} |
| `d_model` | {} |
| heads a layer, of dimension 2 | {} |
| neurons a layer, gated ReLU | {} |
| tokens in the vocabulary | {} |
| weights, f64 | {}, of which {} are not zero; {} bytes, {} if sparse |
| profile | `{profile}` |
| last certified position | {last}, the prompt included, counted from 0 |
| tokens of a full context | {context} |

There are no biases and no norms. The position adds polynomials to {} slots (`config.json`).

## Decode

With the `weightware` command, from <{REPOSITORY}>:

```sh
{commands}
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
        widths(model),
        shape.vocab,
        thousands(weights.weights),
        thousands(weights.nonzero),
        thousands(weights.dense_bytes),
        thousands(weights.sparse_bytes),
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
