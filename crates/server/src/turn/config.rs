//! How relaying is set up, from settings as text.

use super::credentials::LONGEST;
use crate::config::Secret;
use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

/// The port of STUN and TURN.
pub const PORT: u16 = 3478;
/// The port of TURN over TLS.
pub const TLS_PORT: u16 = 5349;

/// Who relays calls that cannot be direct.
#[derive(Debug, Clone)]
pub enum TurnConfig {
    /// Nobody.
    Off,
    /// This server.
    Embedded(EmbeddedTurn),
    /// Another program that shares a secret with this server: coturn with `use-auth-secret`.
    External {
        /// `turn:` and `turns:` addresses.
        urls: Vec<String>,
        /// What both know.
        secret: Secret,
        /// How long a credential works; never more than 300 s.
        ttl: Duration,
    },
}

/// The relay inside this server.
#[derive(Debug, Clone)]
pub struct EmbeddedTurn {
    /// Where to listen, UDP and TCP. `None` listens where the server does, at port 3478 or a free one, and not at
    /// all on a server that only its own machine reaches.
    pub listen: Option<SocketAddr>,
    /// Under which addresses others reach it, one of a family; the address it listens at by default.
    pub public: Vec<IpAddr>,
    /// What stands in its address instead of the first of `public`; a certificate needs a name.
    pub host: Option<String>,
    /// Ports of relayed calls.
    pub ports: RangeInclusive<u16>,
    /// With a certificate it is reached over TLS too.
    pub tls: Option<TurnTls>,
    /// Special-purpose ranges (an intranet's) that may be relayed to all the same.
    pub allow: Vec<IpNet>,
    /// How long a credential works; never more than 300 s.
    pub ttl: Duration,
    /// Made at the start when absent.
    pub secret: Option<Secret>,
}

/// TURN over TLS.
#[derive(Debug, Clone)]
pub struct TurnTls {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The certificate's chain as PEM.
    pub certificate: PathBuf,
    /// Its key as PEM.
    pub key: PathBuf,
}

impl Default for EmbeddedTurn {
    fn default() -> Self {
        Self {
            listen: None,
            public: Vec::new(),
            host: None,
            ports: 49_152..=65_535,
            tls: None,
            allow: Vec::new(),
            ttl: LONGEST,
            secret: None,
        }
    }
}

impl Default for TurnConfig {
    fn default() -> Self {
        Self::Embedded(EmbeddedTurn::default())
    }
}

impl TurnConfig {
    /// Reads the `SIGHTLINE_TURN...` settings; the error is a sentence for the operator.
    pub fn from_settings(get: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let secret = get("SIGHTLINE_TURN_SECRET").map(Secret::new);
        let ttl = match get("SIGHTLINE_TURN_TTL_S") {
            None => LONGEST,
            Some(text) => parse::<u64>("SIGHTLINE_TURN_TTL_S", &text).map(Duration::from_secs)?,
        };
        if ttl > LONGEST || ttl.is_zero() {
            return Err("SIGHTLINE_TURN_TTL_S is between 1 and 300".into());
        }
        if let Some(urls) = get("SIGHTLINE_TURN_URLS") {
            return Ok(Self::External {
                urls: urls.split_whitespace().map(turn_url).collect::<Result<_, _>>()?,
                secret: secret.ok_or("SIGHTLINE_TURN_URLS needs SIGHTLINE_TURN_SECRET, which the relay knows too")?,
                ttl,
            });
        }
        let listen = match get("SIGHTLINE_TURN").as_deref() {
            Some("off") => return Ok(Self::Off),
            None => None,
            Some(text) => Some(parse("SIGHTLINE_TURN", text)?),
        };
        let mut config = EmbeddedTurn {
            listen,
            public: list("SIGHTLINE_TURN_PUBLIC", &get)?,
            host: get("SIGHTLINE_TURN_HOST"),
            allow: list("SIGHTLINE_TURN_ALLOW", &get)?,
            ttl,
            secret,
            ..EmbeddedTurn::default()
        };
        if let Some(text) = get("SIGHTLINE_TURN_PORTS") {
            let (first, last) = text
                .split_once('-')
                .ok_or("SIGHTLINE_TURN_PORTS is written FIRST-LAST")?;
            config.ports = parse("SIGHTLINE_TURN_PORTS", first)?..=parse("SIGHTLINE_TURN_PORTS", last)?;
            if config.ports.is_empty() || *config.ports.start() < 1_024 {
                return Err("SIGHTLINE_TURN_PORTS begins at 1024 or later and ends after its begin".into());
            }
        }
        config.tls = match (get("SIGHTLINE_TURN_CERT"), get("SIGHTLINE_TURN_KEY")) {
            (Some(certificate), Some(key)) => Some(TurnTls {
                listen: match get("SIGHTLINE_TURN_TLS") {
                    Some(text) => parse("SIGHTLINE_TURN_TLS", &text)?,
                    None => SocketAddr::new(
                        listen
                            .ok_or("SIGHTLINE_TURN_CERT needs SIGHTLINE_TURN, the address to listen at")?
                            .ip(),
                        TLS_PORT,
                    ),
                },
                certificate: certificate.into(),
                key: key.into(),
            }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err("SIGHTLINE_TURN_CERT and SIGHTLINE_TURN_KEY go together".into());
            }
        };
        Ok(Self::Embedded(config))
    }
}

fn turn_url(text: &str) -> Result<String, String> {
    if text.starts_with("turn:") || text.starts_with("turns:") {
        Ok(text.into())
    } else {
        Err(format!(
            "SIGHTLINE_TURN_URLS: {text} does not begin with turn: or turns:"
        ))
    }
}

fn list<T: std::str::FromStr>(name: &str, get: impl Fn(&str) -> Option<String>) -> Result<Vec<T>, String> {
    let text = get(name).unwrap_or_default();
    text.split_whitespace().map(|item| parse(name, item)).collect()
}

fn parse<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("{name}: {text} is not understood"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &[(&str, &str)]) -> Result<TurnConfig, String> {
        let settings: Vec<(String, String)> = settings
            .iter()
            .map(|(name, value)| (format!("SIGHTLINE_TURN{name}"), (*value).to_string()))
            .collect();
        TurnConfig::from_settings(|wanted| {
            settings
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.clone())
        })
    }

    #[test]
    fn settings_are_read_and_wrong_ones_are_named() {
        assert!(matches!(read(&[("", "off")]), Ok(TurnConfig::Off)));
        let Ok(TurnConfig::Embedded(config)) = read(&[
            ("", "0.0.0.0:3478"),
            ("_PUBLIC", "203.0.113.4 2001:db8::4"),
            ("_PORTS", "50000-50999"),
            ("_ALLOW", "10.0.0.0/8 fd00::/8"),
            ("_CERT", "a.pem"),
            ("_KEY", "b.pem"),
            ("_TTL_S", "60"),
        ]) else {
            panic!("a relay");
        };
        assert_eq!(
            (config.public.len(), config.allow.len(), config.ports),
            (2, 2, 50_000..=50_999)
        );
        assert_eq!(config.tls.map(|tls| tls.listen.port()), Some(TLS_PORT));
        assert_eq!(config.ttl, Duration::from_secs(60));
        for (wrong, named) in [
            (&[("_TTL_S", "301")][..], "TTL"),
            (&[("_PORTS", "50000-40000")], "PORTS"),
            (&[("_ALLOW", "10.0.0.0/33")], "ALLOW"),
            (&[("_CERT", "a.pem")], "KEY"),
            (&[("_URLS", "turn:relay.example:3478")], "SECRET"),
            (&[("_URLS", "https://relay.example"), ("_SECRET", "x")], "URLS"),
            (&[("", "nonsense")], "SIGHTLINE_TURN:"),
        ] {
            let error = read(wrong).expect_err("it is wrong");
            assert!(error.contains(named), "{error}");
        }
    }
}
