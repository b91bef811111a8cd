//! The desk's controller: joins the server's client, the call and the media behind a [`Shell`].
//! It knows no Tauri and no window.
//!
//! One task owns all state and takes one input at a time: commands of the window, frames of the two
//! sockets, answers of the server, media events and timers. Whatever takes time runs in tasks of its
//! own and comes back as an input, so nothing in here waits for anything else:
//!
//! * [`api`] speaks HTTP and keeps the access token fresh, `link` keeps the agent's socket, `room` the
//!   call's socket;
//! * `courier` owns the outbox, a small SQLite file: a message is shown once it is on disk, and leaves
//!   the disk once the server has it;
//! * the call on the stage is [`sightline_call::desk_call::DeskCall`], a pure state machine;
//! * [`keyring`] keeps the refresh token in the system's keyring and never in a file;
//! * [`selftest`] measures this desk before a customer does, with what [`probe`] and the media engine find out; it runs
//!   without a controller too.

pub mod api;
pub mod canvas;
pub mod config;
mod controller;
mod courier;
pub mod desk;
mod devices;
pub mod keyring;
mod link;
mod outbox;
pub mod probe;
mod room;
pub mod selftest;
mod settings;
pub mod shell;
mod socket;

pub use config::{DeskConfig, ServerSource, StartedServer};
pub use desk::{Desk, DeskHandle, NewFile};
pub use shell::Shell;

use sightline_wire::UnixMillis;
use std::time::{SystemTime, UNIX_EPOCH};

/// The only place that reads the wall clock.
fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis::try_from(since.as_millis()).unwrap_or(UnixMillis::MAX)
}
