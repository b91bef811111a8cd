//! What a desk starts with.

use crate::keyring::Keyring;
use sightline_wire::{Problem, account::FirstAccount};
use std::{fmt, future::Future, path::PathBuf, pin::Pin, time::Duration};

/// Migrations and the first accounts' password hashes take a second or two on a slow machine.
pub(crate) const SERVER_START_PATIENCE: Duration = Duration::from_secs(60);

/// After this long a start without an answer shows the sign-in page; the restore goes on behind it.
pub(crate) const START_PATIENCE: Duration = Duration::from_secs(3);

/// A signed-in desk waits this long for the first welcome before it shows itself as offline.
pub(crate) const WELCOME_PATIENCE: Duration = Duration::from_secs(2);

/// Closing in a call waits this long for the server to take the hang-up; it is kept on disk besides.
pub(crate) const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// Devices are listed this often while a window shows them.
pub(crate) const DEVICE_POLL: Duration = Duration::from_secs(5);

/// Where devices appear is glanced at this often, so that an unplugged one is noticed at once.
pub(crate) const DEVICE_GLANCE: Duration = Duration::from_millis(500);

/// Between two tests the relays are asked this often whether they still answer.
pub(crate) const RELAY_POLL: Duration = Duration::from_secs(10);

/// Everything a desk needs to know before it starts.
#[derive(Debug)]
pub struct DeskConfig {
    /// Settings and outbox live here.
    pub data_dir: PathBuf,
    /// Where the person finds what is saved.
    pub downloads: PathBuf,
    /// Which server.
    pub server: ServerSource,
    /// Where the refresh token is kept.
    pub keyring: Keyring,
}

/// Which server the desk belongs to.
pub enum ServerSource {
    /// One that runs elsewhere: `https://desk.example.org`.
    Url(String),
    /// One that is being started in this process.
    Starting(Pin<Box<dyn Future<Output = Result<StartedServer, Problem>> + Send>>),
}

impl ServerSource {
    /// A server that is being started in this process.
    pub fn starting(start: impl Future<Output = Result<StartedServer, Problem>> + Send + 'static) -> Self {
        Self::Starting(Box::pin(start))
    }
}

impl fmt::Debug for ServerSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.debug_tuple("Url").field(url).finish(),
            Self::Starting(_) => f.write_str("Starting"),
        }
    }
}

/// A server that was started in this process.
pub struct StartedServer {
    /// Its address, without a slash at the end.
    pub url: String,
    /// Accounts that were made at this very start.
    pub first_accounts: Vec<FirstAccount>,
}
