//! Values that nobody but a platform may see.

use serde::Deserialize;
use subtle::ConstantTimeEq;

/// A key, a token, a password. It can be read from settings and is shown nowhere.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// From where secrets are kept.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Whether `other` is the same, in a time that does not tell how much of it is. Nothing is the same as an empty
    /// one: that is a setting that was forgotten.
    pub fn matches(&self, other: &str) -> bool {
        !self.is_empty() && bool::from(self.0.as_bytes().ct_eq(other.as_bytes()))
    }

    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For a header or a signature.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}
