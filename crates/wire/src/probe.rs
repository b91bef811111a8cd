//! What a desk asks of its server to measure the line between the two: `GET /v1/probe` and what stands below it.

use crate::UnixMillis;
use serde::{Deserialize, Serialize};

/// What `product` says. Whatever else answers at a server's address is not our server.
pub const PRODUCT: &str = "sightline";

/// Largest transfer in one request, either way, in bytes.
pub const MAX_TRANSFER_BYTES: usize = 1024 * 1024;

/// The answer to `GET /v1/probe`: who is there, and what time it is. For anybody, like `/healthz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// [`PRODUCT`].
    pub product: String,
    /// Of the server.
    pub version: String,
    /// The server's clock while it answered.
    pub at: UnixMillis,
}

/// The answer to `POST /v1/probe/up`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploaded {
    /// How many bytes came.
    pub bytes: u64,
}
