//! Relaying of calls whose networks let nothing else through: TURN over UDP, TCP and TLS (RFC 8656).
//!
//! The rules are [`service::Service`], which knows neither sockets nor time; [`relay`] moves the datagrams and
//! [`streams`] the TCP and TLS connections. What is relayed stays encrypted between desk and browser: this
//! server has no key to it. A larger deployment uses coturn with the same credentials instead ([`coturn`]).

mod allocation;
mod config;
mod coturn;
mod credentials;
mod frames;
mod peers;
mod relay;
mod service;
mod streams;
mod stun;

pub use config::{EmbeddedTurn, TurnConfig, TurnTls};
pub use coturn::configuration as coturn_configuration;
pub use relay::RelayError;

use crate::{app::now, config::Secret, secrets};
use credentials::Credentials;
use sightline_wire::{escalation::IceServer, ids::RoomId, room::Party};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// Who relays this server's calls.
pub enum Turn {
    /// Nobody.
    Off,
    /// This process.
    Embedded(relay::Relay),
    /// Another program.
    External {
        urls: Vec<String>,
        credentials: Credentials,
    },
}

impl Turn {
    /// Starts relaying where the configuration says so; `server` is where the API listens.
    pub async fn start(config: &TurnConfig, server: SocketAddr) -> Result<Self, RelayError> {
        match config {
            TurnConfig::Off => Ok(Self::Off),
            TurnConfig::External { urls, secret, ttl } => Ok(Self::External {
                urls: urls.clone(),
                credentials: Credentials::new(secret.clone(), *ttl),
            }),
            // Whoever reaches such a server is on its machine, and needs no relay.
            TurnConfig::Embedded(config) if config.listen.is_none() && server.ip().is_loopback() => Ok(Self::Off),
            TurnConfig::Embedded(config) => {
                let secret = config.secret.clone().unwrap_or_else(|| Secret::new(secrets::token()));
                let credentials = Credentials::new(secret, config.ttl);
                Ok(Self::Embedded(
                    relay::Relay::start(config, server.ip(), credentials).await?,
                ))
            }
        }
    }

    /// Whether there is one.
    pub fn relays(&self) -> bool {
        match self {
            Self::Off => false,
            Self::Embedded(_) | Self::External { .. } => true,
        }
    }

    /// Relays for one side of a room, with fresh credentials.
    pub fn servers(&self, party: Party, room: RoomId) -> Vec<IceServer> {
        let (urls, credentials) = match self {
            Self::Off => return Vec::new(),
            Self::Embedded(relay) => (relay.urls(), relay.credentials()),
            Self::External { urls, credentials } => (urls.as_slice(), credentials),
        };
        let credential = credentials.issue(&user(party, room), u64::try_from(now() / 1_000).unwrap_or(0));
        vec![IceServer {
            urls: urls.to_vec(),
            username: Some(credential.username),
            credential: Some(credential.password),
        }]
    }

    /// How long before credentials should be given anew, where there are any.
    pub fn renew_after(&self) -> Option<Duration> {
        match self {
            Self::Off => None,
            Self::Embedded(relay) => Some(relay.credentials().ttl() / 2),
            Self::External { credentials, .. } => Some(credentials.ttl() / 2),
        }
    }

    /// The call is over: nothing is relayed for it any more.
    pub fn end(&self, room: RoomId) {
        if let Self::Embedded(relay) = self {
            for party in [Party::Agent, Party::Customer] {
                relay.end_user(&user(party, room));
            }
        }
    }
}

/// The name behind a credential: quotas count by it, and it says nothing about a person.
fn user(party: Party, room: RoomId) -> String {
    match party {
        Party::Agent => format!("agent-{room}"),
        Party::Customer => format!("customer-{room}"),
    }
}

/// The addresses in `turn:` URLs.
fn urls(host: &str, plain: SocketAddr, tls: Option<SocketAddr>) -> Vec<String> {
    let host = match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
        Ok(IpAddr::V4(_)) | Err(_) => host.to_string(),
    };
    let port = plain.port();
    let mut urls = vec![
        format!("turn:{host}:{port}?transport=udp"),
        format!("turn:{host}:{port}?transport=tcp"),
    ];
    urls.extend(tls.map(|tls| format!("turns:{host}:{}?transport=tcp", tls.port())));
    urls
}
