//! What `sightline selftest` is told. Secrets come from the environment, never from the command line, where every
//! program on the machine can read them.

use super::Verdict;
use crate::options::Options;
use sightline_wire::readiness::CheckKind;
use std::{env, path::PathBuf, process::ExitCode};

const USAGE: &str = "\
sightline selftest [FLAGS]

  --json              the result as JSON on standard output
  --junit FILE        the result as JUnit XML in a file
  --only CHECK,CHECK  these checks alone; nothing is sent to the server
  --relay-only        the test call goes over a relay
  --server URL        SIGHTLINE_SERVER      test against that server; without it the built-in one
  --data-dir FOLDER   SIGHTLINE_DATA_DIR    the desk's folder, with its chosen devices
                      SIGHTLINE_EMAIL       who signs in; without them whoever is signed in on this desk
                      SIGHTLINE_PASSWORD
                      SIGHTLINE_EXTRA_CA    a file in PEM with an authority of the company's own
                      SIGHTLINE_LOG         what to log to standard error, default warn

It ends with 0 when the desk is ready for video, 1 when it is, with warnings, 2 when it is not, and 3 when the test
could not be run.

Checks: ";

/// What the test is told.
pub struct Flags {
    /// Those of the app.
    pub options: Options,
    /// JSON on standard output.
    pub json: bool,
    /// JUnit XML in this file.
    pub junit: Option<PathBuf>,
    /// Not everything was asked for.
    pub only: bool,
    /// What was.
    pub kinds: Vec<CheckKind>,
    /// The call goes over a relay.
    pub relay_only: bool,
    /// Sign-in name and password.
    pub credentials: Option<(String, String)>,
}

/// What to say instead of testing.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// Somebody asked.
    Help(String),
    /// Something was not understood.
    Usage(String),
}

impl Stop {
    /// Says it.
    pub fn exit(self) -> ExitCode {
        match self {
            Self::Help(text) => {
                println!("{text}");
                ExitCode::SUCCESS
            }
            Self::Usage(text) => {
                eprintln!("{text}");
                Verdict::CouldNotRun.exit_code().into()
            }
        }
    }
}

impl Flags {
    /// Reads flags and environment.
    pub fn parse(arguments: &[String]) -> Result<Self, Stop> {
        let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        Self::with(arguments, set, Options::of)
    }

    pub(super) fn with(
        arguments: &[String],
        environment: impl Fn(&str) -> Option<String>,
        options: impl FnOnce(&[String]) -> Result<Options, String>,
    ) -> Result<Self, Stop> {
        let (mut json, mut junit, mut only, mut relay_only) = (false, None, None, false);
        let mut apps = Vec::new();
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let mut value = || {
                let wants = || wrong(&format!("{flag} wants a value."));
                rest.next().cloned().ok_or_else(wants)
            };
            match flag.as_str() {
                "--help" | "-h" => return Err(Stop::Help(usage())),
                "--json" => json = true,
                "--relay-only" => relay_only = true,
                "--junit" => junit = Some(PathBuf::from(value()?)),
                "--only" => only = Some(checks(&value()?)?),
                "--server" | "--data-dir" | "--port" => {
                    let value = value()?;
                    apps.extend([flag.clone(), value]);
                }
                _ => return Err(wrong(&format!("{flag} is not known."))),
            }
        }
        let credentials = match (environment("SIGHTLINE_EMAIL"), environment("SIGHTLINE_PASSWORD")) {
            (Some(email), Some(password)) => Some((email, password)),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(wrong("SIGHTLINE_EMAIL and SIGHTLINE_PASSWORD belong together."));
            }
        };
        Ok(Self {
            options: options(&apps).map_err(Stop::Usage)?,
            json,
            junit,
            only: only.is_some(),
            kinds: only.unwrap_or_else(|| CheckKind::ALL.into()),
            relay_only,
            credentials,
        })
    }
}

fn checks(names: &str) -> Result<Vec<CheckKind>, Stop> {
    let find = |name: &str| {
        let mut kinds = CheckKind::ALL.into_iter();
        let unknown = || wrong(&format!("There is no check {name}."));
        kinds.find(|kind| kind.name() == name).ok_or_else(unknown)
    };
    let mut kinds = names
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(find)
        .collect::<Result<Vec<_>, _>>()?;
    if kinds.is_empty() {
        return Err(wrong("--only wants the name of a check."));
    }
    kinds.sort();
    kinds.dedup();
    Ok(kinds)
}

fn wrong(why: &str) -> Stop {
    Stop::Usage(format!("{why}\n\n{}", usage()))
}

fn usage() -> String {
    let names: Vec<_> = CheckKind::ALL.into_iter().map(CheckKind::name).collect();
    format!("{USAGE}{}", names.join(", "))
}
