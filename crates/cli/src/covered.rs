//! How far a model's contexts cover a run.

use serde_json::{Value, json};
use weightware::{Config, Profile};

/// The least tokens that a store takes, with those that push its operands: five each, and two.
const STORE_TOKENS: u64 = 12;

/// The length of a model's contexts, and what is exact beside it.
pub(crate) struct Covered {
    last_position: u64,
    /// `None`: no context is full.
    length: Option<u64>,
    /// Tokens that are exact beside a full context; `None` if none is full by the last position.
    tokens: Option<u64>,
    /// Stores that are exact beside those of a full context, if the profile is known.
    stores: Option<u64>,
}

impl Covered {
    pub(crate) fn of(config: &Config) -> Self {
        let length = config.context;
        let profile = config.profile.as_deref().and_then(Profile::named);
        let stores = length.zip(profile).and_then(|(length, profile)| {
            let own = length.div_ceil(STORE_TOKENS);
            profile.last_store().checked_sub(own)
        });
        Self {
            last_position: config.last_position,
            length,
            tokens: length.and_then(|length| (config.last_position + 1).checked_sub(length)),
            stores,
        }
    }

    /// States what is covered, and what that assumes.
    pub(crate) fn text(&self) -> String {
        let (length, tokens) = match (self.length, self.tokens) {
            (None, _) => {
                return format!(
                    "contexts: one alone, up to position {}: config.json has no `context`\n",
                    self.last_position
                );
            }
            (Some(length), None | Some(0)) => {
                return format!(
                    "contexts: one alone, up to position {}: it would be full after {length} tokens\n",
                    self.last_position
                );
            }
            (Some(length), Some(tokens)) => (length, tokens),
        };
        let stores = match self.stores {
            Some(stores) => format!(
                ", and make at most {stores} stores, since those of a full context take {STORE_TOKENS} tokens at least"
            ),
            None => String::new(),
        };
        format!(
            "contexts: full after {length} tokens; a run of any length is covered, one context at a time
assumed: the program has a handler; beside a full context, its prompt, the restored state, the instructions up to the next jump and the turn have at most {tokens} tokens{stores}; engines stop a run that exceeds a limit
"
        )
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "length": self.length,
            "tokens_beside": self.tokens,
            "stores_beside": self.stores,
        })
    }
}
