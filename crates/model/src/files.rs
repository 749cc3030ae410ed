//! The formats of the three JSON files.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::quoted;
use crate::validate::{MAX_LAYERS, MAX_NEURONS};
use crate::{
    Attention, Config, Error, KeyBound, LayerWeights, PositionFeature, Shape, Splitting, TokenId,
    Tokenizer, Weights,
};

pub(crate) const ARCHITECTURE: &str = "vanilla-transformer-2d-heads";
const DTYPE: &str = "float64";

/// The one key that the `config.json` of every architecture has.
#[derive(Deserialize)]
pub(crate) struct ArchitectureName {
    pub(crate) architecture: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ConfigFile {
    architecture: String,
    layers: usize,
    d_model: usize,
    heads: usize,
    d_ffn: Neurons,
    vocab: usize,
    dtype: String,
    attention: AttentionName,
    position_features: Vec<FeatureEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    modules: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<u64>,
    last_position: u64,
    key_bounds: Vec<BoundEntry>,
}

/// The neurons of all layers: a number if all have as many, else a list.
#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a number of neurons, or a list with one for each layer"
)]
pub(crate) enum Neurons {
    Equal(usize),
    Each(Vec<usize>),
}

impl Neurons {
    pub(crate) fn new(neurons: Vec<usize>) -> Self {
        match neurons.split_first() {
            Some((&first, rest)) if rest.iter().all(|&other| other == first) => Self::Equal(first),
            _ => Self::Each(neurons),
        }
    }

    /// The number for each layer.
    pub(crate) fn of_layers(self, layers: usize) -> Result<Vec<usize>, Error> {
        match self {
            // A count of layers that is too great is refused by the shape.
            Self::Equal(neurons) => Ok(vec![neurons; layers.min(MAX_LAYERS + 1)]),
            Self::Each(neurons) if neurons.len() == layers => {
                let is_wrong = |&(_, count): &(usize, &usize)| !(1..=MAX_NEURONS).contains(count);
                if let Some((layer, count)) = neurons.iter().enumerate().find(is_wrong) {
                    return Err(Error::invalid(
                        format!("d_ffn[{layer}] = {count} is not within 1 to {MAX_NEURONS}"),
                        "state the neurons of each layer",
                    ));
                }
                Ok(neurons)
            }
            Self::Each(neurons) => Err(Error::invalid(
                format!("d_ffn has {} numbers for {layers} layers", neurons.len()),
                "state one number, or one for each layer",
            )),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AttentionName {
    Softmax,
    Hardmax,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct FeatureEntry {
    pub(crate) slot: usize,
    pub(crate) coefficients: [f64; 3],
}

#[derive(Serialize, Deserialize)]
struct BoundEntry {
    layer: usize,
    head: usize,
    max_abs_x: f64,
    max_lift: f64,
}

impl ConfigFile {
    pub(crate) fn new(config: &Config, weights: &Weights) -> Self {
        let Shape {
            layers,
            d_model,
            heads,
            vocab,
            ..
        } = config.shape;
        let neurons: Vec<usize> = weights.layers.iter().map(LayerWeights::neurons).collect();
        Self {
            architecture: ARCHITECTURE.to_owned(),
            layers,
            d_model,
            heads,
            d_ffn: Neurons::new(neurons),
            vocab,
            dtype: DTYPE.to_owned(),
            attention: match config.attention {
                Attention::Softmax => AttentionName::Softmax,
                Attention::Hardmax => AttentionName::Hardmax,
            },
            position_features: config
                .position_features
                .iter()
                .map(|&PositionFeature { slot, coefficients }| FeatureEntry { slot, coefficients })
                .collect(),
            profile: config.profile.clone(),
            modules: config.modules.clone(),
            context: config.context,
            last_position: config.last_position,
            key_bounds: config
                .key_bounds
                .iter()
                .map(
                    |&KeyBound {
                         layer,
                         head,
                         max_abs_x,
                         max_lift,
                     }| BoundEntry {
                        layer,
                        head,
                        max_abs_x,
                        max_lift,
                    },
                )
                .collect(),
        }
    }

    /// The configuration, and the neurons of each layer.
    pub(crate) fn into_config(self) -> Result<(Config, Vec<usize>), Error> {
        for (name, is, must) in [
            ("architecture", &self.architecture, ARCHITECTURE),
            ("dtype", &self.dtype, DTYPE),
        ] {
            if is != must {
                return Err(Error::invalid(
                    format!("{name} is {}, must be {must:?}", quoted(is)),
                    "use a model of this architecture",
                ));
            }
        }
        let neurons = self.d_ffn.of_layers(self.layers)?;
        let config = Config {
            shape: Shape {
                layers: self.layers,
                d_model: self.d_model,
                heads: self.heads,
                d_ffn: neurons.iter().copied().max().unwrap_or(0),
                vocab: self.vocab,
            },
            attention: match self.attention {
                AttentionName::Softmax => Attention::Softmax,
                AttentionName::Hardmax => Attention::Hardmax,
            },
            position_features: self
                .position_features
                .into_iter()
                .map(|FeatureEntry { slot, coefficients }| PositionFeature { slot, coefficients })
                .collect(),
            profile: self.profile,
            modules: self.modules,
            context: self.context,
            last_position: self.last_position,
            key_bounds: self
                .key_bounds
                .into_iter()
                .map(
                    |BoundEntry {
                         layer,
                         head,
                         max_abs_x,
                         max_lift,
                     }| KeyBound {
                        layer,
                        head,
                        max_abs_x,
                        max_lift,
                    },
                )
                .collect(),
        };
        Ok((config, neurons))
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct GenerationFile {
    pub(crate) eos_token_id: Vec<u32>,
    #[serde(default)]
    do_sample: bool,
    #[serde(default = "one")]
    num_beams: u32,
}

fn one() -> u32 {
    1
}

impl GenerationFile {
    pub(crate) fn new(end_tokens: &[TokenId]) -> Self {
        Self {
            eos_token_id: end_tokens.iter().map(|t| t.0).collect(),
            do_sample: false,
            num_beams: 1,
        }
    }
}

/// The form in which the Hugging Face `tokenizers` libraries keep a word-level vocabulary.
#[derive(Serialize, Deserialize)]
pub(crate) struct TokenizerFile {
    version: String,
    truncation: Option<()>,
    padding: Option<()>,
    added_tokens: [(); 0],
    normalizer: Option<()>,
    pre_tokenizer: PreTokenizer,
    post_processor: Option<()>,
    decoder: Option<Decoder>,
    model: WordLevel,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(tag = "type", deny_unknown_fields)]
enum PreTokenizer {
    WhitespaceSplit {},
    Split {
        pattern: Pattern,
        behavior: String,
        invert: bool,
    },
}

#[derive(Serialize, Deserialize, PartialEq)]
enum Pattern {
    Regex(String),
}

/// Joins the strings of tokens without spaces.
#[derive(Serialize, Deserialize, PartialEq)]
#[serde(tag = "type")]
enum Decoder {
    Fuse,
}

impl PreTokenizer {
    fn of(splitting: Splitting) -> Self {
        match splitting {
            Splitting::Words => Self::WhitespaceSplit {},
            // Each character, line ends too, is a match, and stands alone.
            Splitting::Characters => Self::Split {
                pattern: Pattern::Regex("(?s:.)".to_owned()),
                behavior: "Isolated".to_owned(),
                invert: false,
            },
        }
    }
}

#[derive(Serialize, Deserialize)]
struct WordLevel {
    #[serde(rename = "type")]
    kind: String,
    vocab: Vocab,
    unk_token: String,
}

/// Entries in the order of the file, so that a repeated string is detected.
struct Vocab(Vec<(String, u32)>);

const WORD_LEVEL: &str = "WordLevel";

impl TokenizerFile {
    pub(crate) fn new(tokenizer: &Tokenizer) -> Self {
        // The format demands a name. If it is not a token, the libraries refuse an unknown word.
        let mut unk_token = "<unk>".to_owned();
        while tokenizer.id(&unk_token).is_some() {
            unk_token = format!("<{unk_token}>");
        }
        Self {
            version: "1.0".to_owned(),
            truncation: None,
            padding: None,
            added_tokens: [],
            normalizer: None,
            pre_tokenizer: PreTokenizer::of(tokenizer.splitting()),
            post_processor: None,
            decoder: match tokenizer.splitting() {
                Splitting::Words => None,
                Splitting::Characters => Some(Decoder::Fuse),
            },
            model: WordLevel {
                kind: WORD_LEVEL.to_owned(),
                vocab: Vocab(tokenizer.strings().iter().cloned().zip(0..).collect()),
                unk_token,
            },
        }
    }

    pub(crate) fn into_tokenizer(self, vocab: usize) -> Result<Tokenizer, Error> {
        const REMEDY: &str = "use the tokenizer.json that came with config.json";
        if self.model.kind != WORD_LEVEL {
            return Err(Error::invalid(
                format!(
                    "model.type is {}, must be {WORD_LEVEL:?}",
                    quoted(&self.model.kind)
                ),
                REMEDY,
            ));
        }
        let kinds = [Splitting::Words, Splitting::Characters];
        let splits = |&kind: &Splitting| self.pre_tokenizer == PreTokenizer::of(kind);
        let Some(splitting) = kinds.into_iter().find(splits) else {
            return Err(Error::invalid(
                "pre_tokenizer splits neither at white space nor into characters",
                REMEDY,
            ));
        };
        let entries = self.model.vocab.0;
        if entries.len() != vocab {
            return Err(Error::invalid(
                format!(
                    "model.vocab has {} tokens, config.json says {vocab}",
                    entries.len()
                ),
                REMEDY,
            ));
        }
        let mut strings = vec![None; vocab];
        for (string, id) in entries {
            match strings.get_mut(id as usize) {
                Some(free @ None) => *free = Some(string),
                _ => {
                    return Err(Error::invalid(
                        format!(
                            "the id {id} of {} comes twice or is not below {vocab}",
                            quoted(&string)
                        ),
                        REMEDY,
                    ));
                }
            }
        }
        // There are as many ids as strings and none occurs twice, so none is missing.
        let strings = strings.into_iter().flatten().collect();
        let tokenizer = match splitting {
            Splitting::Words => Tokenizer::new(strings),
            Splitting::Characters => Tokenizer::characters(strings),
        };
        tokenizer.validate()?;
        // If the unknown token were in the vocabulary, every typing error would be read as that
        // token.
        if tokenizer.id(&self.model.unk_token).is_some() {
            return Err(Error::invalid(
                format!("unk_token {} is a token", quoted(&self.model.unk_token)),
                "name an unk_token outside the vocabulary, so that an unknown word is an error",
            ));
        }
        Ok(tokenizer)
    }
}

impl Serialize for Vocab {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (string, id) in &self.0 {
            map.serialize_entry(string, id)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Vocab {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Vocab;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from token strings to ids")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocab, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Vocab(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
