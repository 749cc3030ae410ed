//! A model as a folder of files.

use std::fs;
use std::io::Read;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::quoted;
use crate::files::{ARCHITECTURE, ArchitectureName, ConfigFile, GenerationFile, TokenizerFile};
use crate::{Error, Model, TokenId, general, tensors};

pub(crate) const CONFIG: &str = "config.json";
pub(crate) const TENSORS: &str = "model.safetensors";
pub(crate) const TOKENIZER: &str = "tokenizer.json";
pub(crate) const GENERATION: &str = "generation_config.json";

/// The greatest permitted size of a JSON file, far above that of any real model.
const MAX_JSON_BYTES: u64 = 1 << 28;
pub(crate) const MAX_TENSOR_BYTES: u64 = 1 << 34;

/// The kinds of model that a folder may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// A [`Model`].
    Plain,
    /// A [`general::Model`].
    General,
}

impl Architecture {
    /// Reads the kind of a folder's model from its `config.json`.
    ///
    /// # Errors
    /// If the file is missing or malformed, or names another architecture.
    pub fn of(dir: impl AsRef<Path>) -> Result<Self, Error> {
        let path = dir.as_ref().join(CONFIG);
        let ArchitectureName { architecture } = read_json(&path)?;
        let known = [
            (ARCHITECTURE, Self::Plain),
            (general::ARCHITECTURE, Self::General),
        ];
        let found = known.into_iter().find(|(name, _)| architecture == *name);
        found.map(|(_, kind)| kind).ok_or_else(|| {
            Error::invalid(
                format!(
                    "architecture is {}, must be {ARCHITECTURE:?} or {:?}",
                    quoted(&architecture),
                    general::ARCHITECTURE
                ),
                "use a model of one of these architectures",
            )
            .in_file(&path)
        })
    }
}

impl Model {
    /// Writes the four files of the model into `dir`, which is created if it does not exist.
    ///
    /// The same model always gives the same bytes.
    ///
    /// # Errors
    /// If the model is not consistent (nothing is written then), or a file cannot be written.
    pub fn save(&self, dir: impl AsRef<Path>) -> Result<(), Error> {
        let dir = dir.as_ref();
        let tensors = self.to_safetensors()?;
        fs::create_dir_all(dir).map_err(|e| Error::io(dir, e))?;
        write_json(
            &dir.join(CONFIG),
            &ConfigFile::new(&self.config, &self.weights),
        )?;
        write(&dir.join(TENSORS), &tensors)?;
        write_json(&dir.join(TOKENIZER), &TokenizerFile::new(&self.tokenizer))?;
        write_json(
            &dir.join(GENERATION),
            &GenerationFile::new(&self.end_tokens),
        )
    }

    /// The bytes of `model.safetensors`, as [`Model::save`] writes them.
    ///
    /// # Errors
    /// If the model is not consistent.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, Error> {
        self.validate()?;
        tensors::serialize(&self.weights, &self.config.shape)
            .map_err(|e| Error::format(Path::new(TENSORS), e, "make the model smaller"))
    }

    /// Reads a model from the four files in `dir`.
    ///
    /// For any content of the files, this does not panic, and memory stays proportional to their
    /// length.
    ///
    /// # Errors
    /// If a file is missing or malformed, or the files do not make a consistent model: the error
    /// names the file and the remedy.
    pub fn load(dir: impl AsRef<Path>) -> Result<Self, Error> {
        let dir = dir.as_ref();
        let path = dir.join(CONFIG);
        if Architecture::of(dir)? == Architecture::General {
            return Err(Error::invalid(
                "this is a general model, not a plain executor",
                "only `generate` with the engines softmax and sparse runs it",
            )
            .in_file(&path));
        }
        let (config, neurons) = read_json::<ConfigFile>(&path)?
            .into_config()
            .map_err(|e| e.in_file(&path))?;
        config.validate().map_err(|e| e.in_file(&path))?;

        let path = dir.join(TOKENIZER);
        let tokenizer = read_json::<TokenizerFile>(&path)?
            .into_tokenizer(config.shape.vocab)
            .map_err(|e| e.in_file(&path))?;

        let path = dir.join(TENSORS);
        let bytes = read(&path, MAX_TENSOR_BYTES)?;
        let weights = tensors::deserialize(&bytes, &config.shape, &neurons, &path)?;
        weights
            .validate(&config.shape)
            .map_err(|e| e.in_file(&path))?;

        let path = dir.join(GENERATION);
        let generation: GenerationFile = read_json(&path)?;
        let end_tokens = generation.eos_token_id.into_iter().map(TokenId).collect();
        let model = Self {
            config,
            weights,
            tokenizer,
            end_tokens,
        };
        model.validate_end_tokens().map_err(|e| e.in_file(&path))?;
        Ok(model)
    }
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    fs::write(path, bytes).map_err(|e| Error::io(path, e))
}

pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|e| Error::format(path, e, "make the model anew"))?;
    text.push('\n');
    write(path, text.as_bytes())
}

pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let file = fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let mut bytes = Vec::new();
    // The length in the metadata is wrong for devices and files that grow, so the limit is on the
    // bytes read.
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Error::io(path, e))?;
    if bytes.len() as u64 > limit {
        return Err(Error::invalid(
            format!("the file is longer than {limit} bytes"),
            "use the folder that an exporter wrote",
        )
        .in_file(path));
    }
    Ok(bytes)
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let bytes = read(path, MAX_JSON_BYTES)?;
    serde_json::from_slice(&bytes)
        .map_err(|e| Error::format(path, e, "use the folder that an exporter wrote"))
}
