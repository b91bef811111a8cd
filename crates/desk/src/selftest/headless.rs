//! A self-test without a window and without a controller: what `sightline selftest` runs.

use super::{Progress, Subject, Wish, start};
use crate::{
    api::{Api, is_passing},
    keyring::Keyring,
    probe::Trust,
    settings::Settings,
};
use sightline_wire::{
    ErrorCode, Problem,
    agent::DEFAULT_MAX_BITRATE,
    device::DeviceKind,
    ids::DeskId,
    readiness::{Extent, MyReadiness, Report},
};
use std::{path::PathBuf, time::Duration};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

/// A keyring that is locked asks for a password that nobody types; its own patience is shorter.
const SIGN_IN: Duration = Duration::from_secs(30);

/// All checks together end long before: each has a deadline of its own.
const LONGEST: Duration = Duration::from_secs(150);

/// A report that the server could not take is sent so often.
const ATTEMPTS: usize = 3;
const PAUSE: Duration = Duration::from_secs(2);

/// Who signs in.
pub enum Credentials {
    /// With a password, for this one test.
    Password {
        /// Sign-in name.
        email: String,
        /// Secret; never logged.
        password: String,
    },
    /// Whoever is signed in on this desk. Nobody else may use its session meanwhile: it is renewed by this.
    Kept(Keyring),
    /// Nobody, and why.
    Nobody(Problem),
}

/// Where and how to test.
pub struct Headless {
    /// The server's address.
    pub server: String,
    /// What the session is kept under besides the desk's id, as the app does: the server's address, or `embedded`.
    pub server_name: String,
    /// Settings, with the chosen devices; the outbox.
    pub data_dir: PathBuf,
    /// Who signs in.
    pub credentials: Credentials,
    /// For the check of the keyring.
    pub keyring: Keyring,
    /// What to test.
    pub wish: Wish,
}

/// What came of it.
pub struct Tested {
    /// All checks.
    pub report: Report,
    /// Why nobody is signed in, when nobody is.
    pub not_signed_in: Option<Problem>,
    /// What the server made of the report, when it was one to send.
    pub sent: Option<Result<MyReadiness, Problem>>,
}

/// Signs in, tests, and sends a full report to the server. An error means that there was no test.
pub async fn run(what: Headless, tell: impl Fn(Progress) + Send + Sync + 'static) -> Result<Tested, Problem> {
    let settings = Settings::open(&what.data_dir);
    let desk = settings.desk();
    let for_now = matches!(what.credentials, Credentials::Password { .. });
    let signing_in = timeout(
        SIGN_IN,
        sign_in(&what.server, &what.server_name, desk, what.credentials),
    );
    let (api, signed_in) = match signing_in.await {
        Ok(signed_in) => signed_in?,
        Err(_) => {
            let api = client(&what.server, Keyring::of(Vec::new(), SIGN_IN), String::new())?;
            let locked = Problem::new(ErrorCode::KeyringUnavailable).saying("The keyring did not answer in time.");
            (api, Err(locked))
        }
    };
    let mine = match &signed_in {
        Ok(()) => api.readiness(desk).await.ok(),
        Err(_) => None,
    };
    let (before, minimum) = match mine {
        Some(mine) => (
            mine.lease.map(|lease| lease.devices).unwrap_or_default(),
            Some(mine.policy.minimum_version),
        ),
        None => (Vec::new(), None),
    };
    let whole = what.wish.extent == Extent::Full && !what.wish.relay_only;
    let subject = Subject {
        api: api.clone(),
        signed_in: signed_in.is_ok(),
        trust: Trust::of_environment(),
        camera: settings.device(DeviceKind::Camera),
        other_cameras: settings.other_cameras(),
        microphone: settings.device(DeviceKind::Microphone),
        speaker: settings.device(DeviceKind::Speaker),
        before,
        minimum_version: minimum,
        data_dir: what.data_dir,
        keyring: what.keyring,
        max_bitrate: DEFAULT_MAX_BITRATE,
        painter: None,
        somebody_listens: false,
    };
    let report = test(what.wish, subject, tell).await?;
    let sent = match signed_in.is_ok() && whole {
        true => Some(send(&api, desk, &report).await),
        false => None,
    };
    if for_now && signed_in.is_ok() {
        api.sign_out().await;
    }
    Ok(Tested {
        report,
        not_signed_in: signed_in.err(),
        sent,
    })
}

fn client(server: &str, keyring: Keyring, kept_as: String) -> Result<Api, Problem> {
    // A session that is lost meanwhile shows in the checks that need it.
    let (lost, _) = mpsc::unbounded_channel();
    Api::new(server, keyring, kept_as, lost)
}

async fn sign_in(
    server: &str,
    server_name: &str,
    desk: DeskId,
    credentials: Credentials,
) -> Result<(Api, Result<(), Problem>), Problem> {
    // What is signed in for one test is kept nowhere.
    let memory = || Keyring::of(Vec::new(), SIGN_IN);
    match credentials {
        Credentials::Password { email, password } => {
            let api = client(server, memory(), "self-test".into())?;
            let signed_in = api.sign_in(email, password).await.map(drop);
            Ok((api, signed_in))
        }
        Credentials::Kept(keyring) => {
            let api = client(server, keyring, format!("{server_name}|{desk}"))?;
            let restored = match api.restore().await {
                Ok(Some(_)) => Ok(()),
                Ok(None) => Err(ErrorCode::NotSignedIn.into()),
                Err(problem) => Err(problem),
            };
            Ok((api, restored))
        }
        Credentials::Nobody(why) => Ok((client(server, memory(), String::new())?, Err(why))),
    }
}

async fn test(
    wish: Wish,
    subject: Subject,
    tell: impl Fn(Progress) + Send + Sync + 'static,
) -> Result<Report, Problem> {
    let (finish, mut finished) = mpsc::unbounded_channel();
    let running = start(wish, subject, move |progress| {
        if let Progress::Over(report) = &progress {
            let _ = finish.send(report.clone());
        }
        tell(progress);
    });
    let report = timeout(LONGEST, finished.recv()).await;
    drop(running);
    let broke = || Problem::new(ErrorCode::Internal).saying("The self-test broke off. The log says where.");
    report.ok().flatten().ok_or_else(broke)
}

async fn send(api: &Api, desk: DeskId, report: &Report) -> Result<MyReadiness, Problem> {
    for _ in 1..ATTEMPTS {
        match api.send_report(desk, report).await {
            Err(problem) if is_passing(&problem) => sleep(PAUSE).await,
            answered => return answered,
        }
    }
    api.send_report(desk, report).await
}
