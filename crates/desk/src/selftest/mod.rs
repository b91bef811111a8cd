//! The self-test: measures this desk, with or without a window.
//!
//! [`start`] runs a [`Wish`] on a [`Subject`] and tells its [`Progress`]; the app and `sightline selftest` call the same.
//! Which checks run when is the [`plan`]'s to say, what a check does stands in `checks`, and what its figures mean is
//! judged by [`sightline_call::readiness`]. Nothing here waits for ever: what a device or a server does not answer in its
//! time is given up, and named.

mod call;
mod checks;
pub mod headless;
pub mod plan;
mod report;
mod run;
mod watcher;

pub(crate) use report::over;
pub use report::{file_name, rfc3339};

use crate::{api::Api, keyring::Keyring, probe::Trust};
use sightline_media::Painter;
use sightline_wire::{
    device::DeviceKind,
    readiness::{Check, CheckKind, DeviceIdentity, Extent, Report},
};
use std::{path::PathBuf, sync::Arc};
use tokio::{sync::watch, task::AbortHandle};

/// What is to be tested.
#[derive(Debug, Clone)]
pub struct Wish {
    /// How much.
    pub extent: Extent,
    /// Which checks; the others stand nowhere in the report.
    pub kinds: Vec<CheckKind>,
    /// The test call goes over a relay, and there is no second one.
    pub relay_only: bool,
    /// Of the test before, for a single check that is done again.
    pub earlier: Vec<Check>,
}

impl Wish {
    /// Everything.
    pub fn full() -> Self {
        Self {
            extent: Extent::Full,
            kinds: CheckKind::ALL.into(),
            relay_only: false,
            earlier: Vec::new(),
        }
    }

    /// The devices, in three seconds.
    pub fn quick() -> Self {
        Self {
            extent: Extent::Quick,
            kinds: CheckKind::QUICK.into(),
            ..Self::full()
        }
    }

    /// One check.
    pub fn single(kind: CheckKind, earlier: Vec<Check>) -> Self {
        Self {
            extent: Extent::Single,
            kinds: vec![kind],
            earlier,
            ..Self::full()
        }
    }
}

/// What is tested, and with what.
#[derive(Clone)]
pub struct Subject {
    /// The server, seen by whoever is signed in.
    pub api: Api,
    /// Whether somebody is: without, the server tells nothing but who it is.
    pub signed_in: bool,
    /// Whom its certificate may be signed by.
    pub trust: Trust,
    /// Chosen camera; the system's default without one.
    pub camera: Option<String>,
    /// Cameras to fall back on in a call.
    pub other_cameras: Vec<String>,
    /// Chosen microphone.
    pub microphone: Option<String>,
    /// Chosen speaker.
    pub speaker: Option<String>,
    /// The devices of the test before.
    pub before: Vec<DeviceIdentity>,
    /// The oldest version that is allowed; absent when the server did not say.
    pub minimum_version: Option<String>,
    /// Where recordings and the outbox live.
    pub data_dir: PathBuf,
    /// Where the session is kept.
    pub keyring: Keyring,
    /// What a call may use, bits a second.
    pub max_bitrate: u32,
    /// Shows live pictures; `None` without a window.
    pub painter: Option<Arc<dyn Painter>>,
    /// Somebody is there to say whether the tone is heard.
    pub somebody_listens: bool,
}

impl Subject {
    fn before(&self, kind: DeviceKind) -> Option<DeviceIdentity> {
        self.before.iter().find(|device| device.kind == kind).cloned()
    }
}

/// What a running test tells.
#[derive(Debug, Clone)]
pub enum Progress {
    /// These checks run now.
    Running(Vec<CheckKind>),
    /// One has ended.
    Done(Check),
    /// The microphone's level, 0 to 1.
    Level(f64),
    /// Whether a tone plays that somebody is asked about; answer with [`Running::tone_heard`].
    AsksForTone(bool),
    /// The test has ended.
    Over(Report),
}

/// A test that runs. Dropping it stops it: a call is hung up, and devices are closed as soon as they let go.
#[derive(Debug)]
pub struct Running {
    task: AbortHandle,
    heard: watch::Sender<Option<bool>>,
}

impl Running {
    /// Whether the person hears the tone.
    pub fn tone_heard(&self, heard: bool) {
        self.heard.send_replace(Some(heard));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts a test on the current runtime.
pub fn start(wish: Wish, subject: Subject, tell: impl Fn(Progress) + Send + Sync + 'static) -> Running {
    let (heard, answer) = watch::channel(None);
    let task = tokio::spawn(run::run(wish, subject, Arc::new(tell), answer));
    Running {
        task: task.abort_handle(),
        heard,
    }
}
