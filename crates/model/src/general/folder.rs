//! A general model as a folder of files.

use std::fs;
use std::path::Path;

use super::files::ConfigFile;
use super::{Model, tensors};
use crate::files::{GenerationFile, TokenizerFile};
use crate::folder::{
    Architecture, CONFIG, GENERATION, MAX_TENSOR_BYTES, TENSORS, TOKENIZER, read, read_json, write,
    write_json,
};
use crate::{Error, TokenId};

impl Model {
    /// Writes the four files of the model into `dir`, which is created if it does not exist.
    ///
    /// Equal models give equal bytes.
    ///
    /// # Errors
    /// If the model is not consistent (nothing is written then), or a file cannot be written.
    pub fn save(&self, dir: impl AsRef<Path>) -> Result<(), Error> {
        let dir = dir.as_ref();
        self.validate()?;
        let tensors = tensors::serialize(&self.weights, self.config.dtype)
            .map_err(|e| Error::format(Path::new(TENSORS), e, "make the model smaller"))?;
        fs::create_dir_all(dir).map_err(|e| Error::io(dir, e))?;
        write_json(&dir.join(CONFIG), &ConfigFile::new(&self.config))?;
        write(&dir.join(TENSORS), &tensors)?;
        write_json(&dir.join(TOKENIZER), &TokenizerFile::new(&self.tokenizer))?;
        write_json(
            &dir.join(GENERATION),
            &GenerationFile::new(&self.end_tokens),
        )
    }

    /// Reads a model from the four files in `dir`: a general one, or a plain executor.
    ///
    /// For any content of the files, this does not panic, and memory stays proportional to their
    /// length.
    ///
    /// # Errors
    /// If a file is missing or malformed, or the files do not make a consistent model: the error
    /// names the file and the remedy.
    pub fn load(dir: impl AsRef<Path>) -> Result<Self, Error> {
        let dir = dir.as_ref();
        if Architecture::of(dir)? == Architecture::Plain {
            return Ok(Self::from(&crate::Model::load(dir)?));
        }
        let path = dir.join(CONFIG);
        let config = read_json::<ConfigFile>(&path)?
            .into_config()
            .map_err(|e| e.in_file(&path))?;

        let path = dir.join(TOKENIZER);
        let tokenizer = read_json::<TokenizerFile>(&path)?
            .into_tokenizer(config.vocab)
            .map_err(|e| e.in_file(&path))?;

        let path = dir.join(TENSORS);
        let bytes = read(&path, MAX_TENSOR_BYTES)?;
        let weights = tensors::deserialize(&bytes, &config, &path)?;

        let generation: GenerationFile = read_json(&dir.join(GENERATION))?;
        let model = Self {
            config,
            weights,
            tokenizer,
            end_tokens: generation.eos_token_id.into_iter().map(TokenId).collect(),
        };
        model.validate().map_err(|e| e.in_file(dir))?;
        Ok(model)
    }
}
