//! `sightline selftest`: the self-test without a window, for those who look after many desks.
//!
//! The same code as behind the button in the app measures and judges. Here stand the flags, who signs in, what is
//! written where, and the exit code. docs/selftest.md describes all of it.

mod flags;
mod junit;
mod terminal;

use crate::{data_dir, embedded::Embedded, options};
use flags::Flags;
use sightline_desk::{
    keyring::Keyring,
    selftest::{
        Wish,
        headless::{self, Credentials, Headless, Tested},
    },
};
use sightline_wire::{
    ErrorCode, Problem,
    readiness::{CheckKind, Extent, Outcome, Readiness},
};
use std::{env, fs, process::ExitCode, sync::Arc, time::Duration};
use tokio::time::timeout;

/// Everything with its own deadline ends before this; what hangs all the same is left behind.
const LONGEST: Duration = Duration::from_secs(270);

/// How a test went, as a script sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Ready for video, and nothing to say.
    Ready,
    /// Ready for video, with something to look at.
    Warnings,
    /// Not ready for video.
    NotReady,
    /// There was no test, or not the one that was asked for.
    CouldNotRun,
}

impl Verdict {
    /// For the shell.
    fn exit_code(self) -> u8 {
        match self {
            Self::Ready => 0,
            Self::Warnings => 1,
            Self::NotReady => 2,
            Self::CouldNotRun => 3,
        }
    }

    /// In JSON.
    fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Warnings => "warnings",
            Self::NotReady => "not_ready",
            Self::CouldNotRun => "could_not_run",
        }
    }
}

/// The flags behind `sightline selftest`, when that was asked for.
pub fn asked_for() -> Option<Vec<String>> {
    let mut arguments = env::args().skip(1);
    (arguments.next()? == "selftest").then(|| arguments.collect())
}

/// Tests, writes what was asked for, and says how it went.
pub fn run(arguments: &[String]) -> ExitCode {
    options::start_log("warn");
    let flags = match Flags::parse(arguments) {
        Ok(flags) => flags,
        Err(stop) => return stop.exit(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("The self-test cannot start: {error}");
            return Verdict::CouldNotRun.exit_code().into();
        }
    };
    let done = runtime.block_on(async {
        let late = || Err(Problem::new(ErrorCode::Internal).saying("The self-test did not end in time."));
        timeout(LONGEST, test(&flags)).await.unwrap_or_else(|_| late())
    });
    // A driver that hangs has a thread of its own; nobody waits for it.
    runtime.shutdown_background();
    write(&flags, &done).exit_code().into()
}

async fn test(flags: &Flags) -> Result<Tested, Problem> {
    let options = &flags.options;
    // While the app runs the folder is its own, and so is the session in the keyring.
    let lock = data_dir::lock(&options.data_dir);
    let embedded = Embedded::default();
    let (server, server_name) = match (&options.server, &lock) {
        (Some(url), _) => (url.clone(), url.clone()),
        (None, Err(_)) => (format!("http://127.0.0.1:{}", options.embedded.port), "embedded".into()),
        (None, Ok(_)) if !options.data_dir.join("server.sqlite").exists() => {
            // Its first start makes accounts, and shows their passwords in the window, once.
            return Err(Problem::new(ErrorCode::ServerUnreachable)
                .saying("No server is set, and Sightline has not been started here yet.")
                .advising("Name the server with --server, or start Sightline once."));
        }
        (None, Ok(_)) => (embedded.clone().start(options.clone()).await?.url, "embedded".into()),
    };
    let credentials = match (&flags.credentials, &lock) {
        (Some((email, password)), _) => Credentials::Password {
            email: email.clone(),
            password: password.clone(),
        },
        (None, Ok(_)) if needs_sign_in(&flags.kinds) => Credentials::Kept(Keyring::system()),
        (None, Ok(_)) => Credentials::Nobody(ErrorCode::NotSignedIn.into()),
        (None, Err(reason)) => Credentials::Nobody(
            Problem::new(ErrorCode::NotSignedIn)
                .saying(reason.as_str())
                .advising("Use the self-test in its window, or set SIGHTLINE_EMAIL and SIGHTLINE_PASSWORD."),
        ),
    };
    let what = Headless {
        server,
        server_name,
        data_dir: options.data_dir.clone(),
        credentials,
        keyring: Keyring::system(),
        wish: wish(flags),
    };
    let progress = Arc::new(terminal::Progress::new());
    let told = progress.clone();
    let tested = headless::run(what, move |news| told.tell(&news)).await;
    progress.clear();
    embedded.stop().await;
    tested
}

fn wish(flags: &Flags) -> Wish {
    Wish {
        extent: if flags.only { Extent::Single } else { Extent::Full },
        kinds: flags.kinds.clone(),
        relay_only: flags.relay_only,
        ..Wish::full()
    }
}

/// Whether one of them asks the server for more than who it is.
fn needs_sign_in(kinds: &[CheckKind]) -> bool {
    kinds.iter().any(|kind| match kind {
        CheckKind::Line
        | CheckKind::Stun
        | CheckKind::RelayUdp
        | CheckKind::RelayTcp
        | CheckKind::RelayTls
        | CheckKind::Call
        | CheckKind::RelayedCall
        | CheckKind::Version => true,
        CheckKind::Camera
        | CheckKind::Microphone
        | CheckKind::Speaker
        | CheckKind::Echo
        | CheckKind::Permissions
        | CheckKind::Encoder
        | CheckKind::Backend
        | CheckKind::Clock
        | CheckKind::Storage
        | CheckKind::Keyring => false,
    })
}

/// How it went. A server that cannot be reached is a finding; a server that lets nobody in is none: then what was asked
/// for could not be done.
fn verdict(flags: &Flags, tested: &Tested) -> Verdict {
    let checks = &tested.report.checks;
    let any = |outcome| checks.iter().any(|check| check.outcome == outcome);
    let unreachable = checks
        .iter()
        .any(|check| check.kind == CheckKind::Backend && check.outcome == Outcome::Fail);
    if tested.not_signed_in.is_some() && needs_sign_in(&flags.kinds) && !unreachable {
        return Verdict::CouldNotRun;
    }
    let ready = match flags.only {
        // What a few checks come to is not known: they are what counts.
        true => !any(Outcome::Fail),
        false => tested.report.readiness == Readiness::Video,
    };
    match ready {
        false => Verdict::NotReady,
        true if any(Outcome::Fail) || any(Outcome::Warn) => Verdict::Warnings,
        true => Verdict::Ready,
    }
}

fn write(flags: &Flags, done: &Result<Tested, Problem>) -> Verdict {
    let verdict = match done {
        Ok(tested) => verdict(flags, tested),
        Err(_) => Verdict::CouldNotRun,
    };
    if flags.json {
        println!("{:#}", json(verdict, done));
    } else {
        print!("{}", terminal::summary(verdict, done));
    }
    if let Some(path) = &flags.junit
        && let Err(error) = fs::write(path, junit::document(done))
    {
        eprintln!("{} cannot be written: {error}", path.display());
        return Verdict::CouldNotRun;
    }
    verdict
}

fn json(verdict: Verdict, done: &Result<Tested, Problem>) -> serde_json::Value {
    let (report, problem, sent) = match done {
        Ok(tested) => (
            Some(&tested.report),
            tested.not_signed_in.as_ref(),
            tested.sent.as_ref().map(Result::is_ok),
        ),
        Err(problem) => (None, Some(problem), None),
    };
    serde_json::json!({
        "verdict": verdict.name(),
        "exit_code": verdict.exit_code(),
        "problem": problem,
        "report_sent": sent,
        "report": report,
    })
}

#[cfg(test)]
mod tests;
