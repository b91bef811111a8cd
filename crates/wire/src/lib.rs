//! The messages between desk, server and customer pages: serde types, no I/O, no clock, no randomness.
//!
//! Everything that crosses a process boundary is defined here once. `tests/typescript.rs` writes the
//! same definitions to `ui/shared/wire.ts`, and fails when that file has drifted.
//!
//! Times are milliseconds since the Unix epoch ([`UnixMillis`]); durations are milliseconds and end in
//! `_ms`. Enumerations travel as snake_case strings; sums carry their variant in a `type` field.

pub mod account;
pub mod agent;
pub mod audit;
pub mod cards;
pub mod connectors;
pub mod conversation;
pub mod desk;
pub mod device;
pub mod directline;
pub mod escalation;
pub mod fuzz;
pub mod history;
pub mod ids;
pub mod link;
pub mod meeting;
pub mod probe;
pub mod problem;
pub mod readiness;
pub mod room;
pub mod routing;
pub mod screen;
pub mod stage;
pub mod stats;
pub mod survey;
pub mod views;
pub mod wall;

pub use problem::{ErrorCode, Problem};

/// Milliseconds since the Unix epoch.
pub type UnixMillis = i64;

/// Largest text frame any of the sockets accepts, in bytes. An SDP with candidates is about 6 KB.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;

/// Longest message a person can send, in Unicode scalar values.
pub const MAX_MESSAGE_CHARS: usize = 4_000;

/// Largest file that anybody can send, in bytes: Direct Line's own limit.
pub const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;

/// Most context variables one conversation can carry (Dynamics 365's own limit).
pub const MAX_CONTEXT_VARIABLES: usize = 100;
