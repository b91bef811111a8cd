//! Settings of one start, from flags or the environment.

use sightline_server::{Deployment, RoutingMode, readiness_from_settings, routing_from_settings};
use sightline_wire::readiness::ReadinessPolicy;
use std::{env, path::PathBuf, time::Duration};
use tracing_subscriber::EnvFilter;

/// Where the built-in server listens unless somebody else does.
const PORT: u16 = 8620;

const USAGE: &str = "\
sightline [FLAGS]
sightline selftest [FLAGS]    tests this desk without a window; --help says how

  --server URL        SIGHTLINE_SERVER         use that server; without it one is built in
  --data-dir FOLDER   SIGHTLINE_DATA_DIR       where settings, outbox and the built-in server's data live
  --port PORT         SIGHTLINE_PORT           the built-in server's, default 8620; a free one when taken
  --company NAME      SIGHTLINE_COMPANY        on whose behalf agents speak
                      SIGHTLINE_INVITE_TTL_S   how long a link works, default 900
                      SIGHTLINE_SEAT_S         how long a lost customer's seat is kept, default 60
                      SIGHTLINE_READINESS      required (default): video only after a passed self-test; or advised
                      SIGHTLINE_LEASE_H        how long a passed self-test counts, default 12 hours
                      SIGHTLINE_MINIMUM_VERSION   an older app is not ready
                      SIGHTLINE_ROUTING        pull (default): you take conversations; or push: you are asked to
                      SIGHTLINE_DOWNLOADS      where reports are saved, default the person's download folder
                      SIGHTLINE_PAINTER=canvas draw pictures in the page instead of over it
                      SIGHTLINE_LOG            what to log, default info";

/// What a start is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Settings, outbox, database.
    pub data_dir: PathBuf,
    /// Where reports are saved.
    pub downloads: PathBuf,
    /// A server that runs elsewhere.
    pub server: Option<String>,
    /// Draw pictures in the page even where they could be painted over it.
    pub canvas: bool,
    /// For the built-in server.
    pub embedded: Embedded,
}

/// Settings of the built-in server.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// Where to listen.
    pub port: u16,
    /// On whose behalf agents speak.
    pub company: Option<String>,
    /// How long a link works.
    pub invite_ttl: Option<Duration>,
    /// How long a lost customer's seat is kept.
    pub seat: Option<Duration>,
    /// What desks have to show before they are given video.
    pub readiness: ReadinessPolicy,
    /// Whether agents take conversations or are asked to.
    pub routing: RoutingMode,
    /// Connectors, queues and rules.
    pub deployment: Deployment,
}

impl Options {
    /// Reads flags and environment; an error is what to say on the terminal.
    pub fn read() -> Result<Self, String> {
        Self::of(&env::args().skip(1).collect::<Vec<_>>())
    }

    /// The same, of these flags.
    pub fn of(arguments: &[String]) -> Result<Self, String> {
        Self::parse(arguments, |name| env::var(name).ok())
    }

    fn parse(arguments: &[String], environment: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut given = Vec::new();
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            match (flag.as_str(), rest.next()) {
                ("--server" | "--data-dir" | "--port" | "--company", Some(value)) => given.push((flag, value)),
                _ => return Err(USAGE.into()),
            }
        }
        let text = |flag: &str, variable: &str| {
            let flagged = given
                .iter()
                .find(|(name, _)| *name == flag)
                .map(|(_, value)| value.to_string());
            flagged
                .or_else(|| environment(variable))
                .filter(|value| !value.trim().is_empty())
        };
        let number = |flag: &str, variable: &str| {
            text(flag, variable)
                .map(|value| {
                    value
                        .parse::<u64>()
                        .map_err(|_| format!("{variable} is not a number.\n\n{USAGE}"))
                })
                .transpose()
        };
        let port = match number("--port", "SIGHTLINE_PORT")? {
            Some(port) => u16::try_from(port).map_err(|_| format!("A port is at most 65535.\n\n{USAGE}"))?,
            None => PORT,
        };
        let data_dir = match text("--data-dir", "SIGHTLINE_DATA_DIR") {
            Some(chosen) => chosen.into(),
            None => dirs::data_dir()
                .ok_or("Sightline found no folder for its data: set SIGHTLINE_DATA_DIR.")?
                .join("app.sightline.desk"),
        };
        let downloads = match text("", "SIGHTLINE_DOWNLOADS") {
            Some(chosen) => chosen.into(),
            None => dirs::download_dir().unwrap_or_else(|| data_dir.join("saved")),
        };
        Ok(Self {
            data_dir,
            downloads,
            server: text("--server", "SIGHTLINE_SERVER").map(|url| url.trim_end_matches('/').to_owned()),
            canvas: text("", "SIGHTLINE_PAINTER").is_some_and(|painter| painter == "canvas"),
            embedded: Embedded {
                port,
                company: text("--company", "SIGHTLINE_COMPANY"),
                invite_ttl: number("", "SIGHTLINE_INVITE_TTL_S")?.map(Duration::from_secs),
                seat: number("", "SIGHTLINE_SEAT_S")?.map(Duration::from_secs),
                readiness: readiness_from_settings(|name| text("", name))
                    .map_err(|error| format!("{error}.\n\n{USAGE}"))?,
                routing: routing_from_settings(|name| text("", name))
                    .map_err(|error| format!("{error}.\n\n{USAGE}"))?,
                deployment: match text("", "SIGHTLINE_CONFIG") {
                    Some(file) => Deployment::read(file.as_ref())?,
                    None => Deployment::default(),
                },
            },
        })
    }
}

/// Logs to standard error; nothing personal is ever logged. `usual`: from which level on where nothing else is said.
pub fn start_log(usual: &str) {
    let filter = env::var("SIGHTLINE_LOG")
        .unwrap_or_else(|_| format!("{usual},turn_client_proto=error,stun_proto=error,webrtc=off,rtc=off"));
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(EnvFilter::new(filter))
        .init();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Options, String> {
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        let find = |name: &str| {
            environment
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.to_string())
        };
        Options::parse(&arguments, find)
    }

    #[test]
    fn flags_win_over_the_environment() {
        let options = parse(
            &["--port", "9000", "--data-dir", "/tmp/here"],
            &[
                ("SIGHTLINE_PORT", "1"),
                ("SIGHTLINE_INVITE_TTL_S", "5"),
                ("SIGHTLINE_SERVER", "https://a.example/"),
            ],
        )
        .unwrap();
        assert_eq!(options.embedded.port, 9000);
        assert_eq!(options.embedded.invite_ttl, Some(Duration::from_secs(5)));
        assert_eq!(options.server.as_deref(), Some("https://a.example"));
        assert_eq!(options.data_dir, PathBuf::from("/tmp/here"));
        assert!(options.embedded.readiness.required);
    }

    #[test]
    fn readiness_is_advised_where_somebody_says_so() {
        let readiness = |value| {
            parse(
                &[],
                &[("SIGHTLINE_READINESS", value), ("SIGHTLINE_DATA_DIR", "/tmp/here")],
            )
        };
        assert!(!readiness("advised").unwrap().embedded.readiness.required);
        assert!(readiness("maybe").unwrap_err().contains("required or advised"));
    }

    #[test]
    fn nonsense_is_answered_with_the_usage() {
        for arguments in [
            &["--port"][..],
            &["--prot", "1"],
            &["--port", "x"],
            &["--port", "70000"],
        ] {
            assert!(parse(arguments, &[]).unwrap_err().contains("--data-dir"));
        }
    }
}
