//! What a self-test measures besides devices and calls: the way to the server, and this machine.
//!
//! Nothing here judges: each probe fills one structure of [`sightline_call::readiness::figures`]. Every probe has
//! deadlines of its own, shorter than the self-test's, so that a slow answer is told apart from none.

pub mod backend;
mod certificate;
pub mod line;
pub mod machine;

pub use backend::backend;

use std::path::PathBuf;

/// Whom the server's certificate may be signed by, besides those whom the system trusts.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// A file in PEM, as for relays.
    pub extra_ca: Option<PathBuf>,
}

impl Trust {
    /// As the environment says: `SIGHTLINE_EXTRA_CA`.
    pub fn of_environment() -> Self {
        Self {
            extra_ca: std::env::var_os("SIGHTLINE_EXTRA_CA").map(Into::into),
        }
    }
}

/// Bytes that no compression makes fewer. Xorshift (Marsaglia 2003): nobody has to guess them.
pub(crate) fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        noise.extend(words.next().unwrap_or_default());
    }
    noise.truncate(bytes);
    noise
}
