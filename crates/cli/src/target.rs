//! The machine that a program is lowered for.

use std::sync::Arc;

use weightware::{Computer, Library, Profile};

/// The machine that a program is lowered for: its profile, and the library in its weights.
#[derive(Debug, Clone, Default)]
pub(crate) struct Target {
    pub(crate) profile: Option<Profile>,
    pub(crate) library: Option<Arc<Library>>,
    /// Whether the machine is chosen by what the program imports.
    pub(crate) is_open: bool,
}

impl Target {
    /// A model with a library in its weights.
    pub(crate) fn of(computer: &Computer, library: Library) -> Self {
        Self {
            profile: computer.profile(),
            library: Some(library)
                .filter(|library| !library.modules.is_empty())
                .map(Arc::new),
            is_open: false,
        }
    }
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
