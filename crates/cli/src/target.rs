//! The machine that a program is lowered for.

use std::sync::Arc;

use weightware::{Library, Profile};

/// The machine that a program is lowered for: its profile, and the library in its weights.
#[derive(Debug, Clone, Default)]
pub(crate) struct Target {
    pub(crate) profile: Option<Profile>,
    pub(crate) library: Option<Arc<Library>>,
    /// Whether the machine is chosen by what the program imports.
    pub(crate) is_open: bool,
}

impl From<Option<Profile>> for Target {
    fn from(profile: Option<Profile>) -> Self {
        Self {
            profile,
            library: None,
            is_open: true,
        }
    }
}
