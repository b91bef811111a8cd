//! Whether the server can be reached, and what answers in its place when it is not the server.
//!
//! The way is walked step by step, because each step fails for another reason and with another remedy: the name, the
//! connection, the certificate, the answer.

use super::{Trust, certificate};
use crate::api;
use reqwest::{Url, header};
use rustls::RootCertStore;
use sightline_call::readiness::figures::{BackendAnswer, BackendMeasured, BackendTrouble};
use sightline_wire::{
    Problem,
    probe::{PRODUCT, Probed},
};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    time::Duration,
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout},
};

/// A resolver that knows the name answers within this time, even after it has asked another one.
const RESOLVE: Duration = Duration::from_secs(3);

/// For all addresses of the server together: the first SYN, and one more after a second.
const CONNECT: Duration = Duration::from_millis(2_500);

/// TLS takes two round trips.
const HANDSHAKE: Duration = Duration::from_millis(2_500);

/// Asking takes one round trip and no work.
const ANSWER: Duration = Duration::from_secs(3);

/// Plain HTTP is asked of a server only when it did not answer as it should.
const PLAIN: Duration = Duration::from_secs(2);

/// A portal's page may be long; what matters stands in its head.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Asks the server at this address who it is.
pub async fn backend(base: &str, trust: &Trust) -> BackendMeasured {
    if !base.starts_with("https:") {
        return backend_trusting(base, RootCertStore::empty()).await;
    }
    let trust = trust.clone();
    // Reading the authorities takes some milliseconds of disk.
    let roots = tokio::task::spawn_blocking(move || certificate::roots(&trust)).await;
    backend_trusting(base, roots.unwrap_or_else(|_| RootCertStore::empty())).await
}

pub(super) async fn backend_trusting(base: &str, roots: RootCertStore) -> BackendMeasured {
    let begun = Instant::now();
    let mut measured = BackendMeasured {
        server: base.into(),
        answer: Err(BackendTrouble::Broken),
        plain_sent_to: None,
        answered_ms: None,
        certificate_days: None,
    };
    let Some(place) = Place::of(base) else {
        return measured;
    };
    measured.server.clone_from(&place.host);
    measured.answer = match place.reach(roots, &mut measured.certificate_days).await {
        Ok(()) => place.ask().await,
        Err(trouble) => Err(trouble),
    };
    if measured.answer.is_ok() {
        measured.answered_ms = u32::try_from(begun.elapsed().as_millis()).ok();
    }
    let worth_asking = match measured.answer {
        Ok(BackendAnswer::Ours | BackendAnswer::Failing { .. }) => false,
        Ok(BackendAnswer::Foreign { .. }) => true,
        Err(BackendTrouble::Unresolved | BackendTrouble::NoNetwork) => false,
        Err(
            BackendTrouble::Refused | BackendTrouble::Silent | BackendTrouble::Certificate(_) | BackendTrouble::Broken,
        ) => true,
    };
    if place.tls && worth_asking {
        measured.plain_sent_to = place.sent_to_over_plain_http().await;
    }
    measured
}

/// Where the server is.
struct Place {
    url: Url,
    host: String,
    port: u16,
    tls: bool,
}

impl Place {
    fn of(base: &str) -> Option<Self> {
        let url = Url::parse(base).ok()?;
        let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        Some(Self {
            port: url.port_or_known_default()?,
            tls: url.scheme() == "https",
            host,
            url,
        })
    }

    /// Name, connection and certificate. The sockets of a desk take this way, whatever proxy the rest may use.
    async fn reach(&self, roots: RootCertStore, days: &mut Option<i32>) -> Result<(), BackendTrouble> {
        let stream = self.connect().await?;
        if !self.tls {
            return Ok(());
        }
        let looked = timeout(HANDSHAKE, certificate::look(stream, &self.host, roots)).await;
        let looked = looked.map_err(|_| BackendTrouble::Silent)?;
        let looked = looked.map_err(|error| {
            tracing::debug!(%error, "no TLS at the server's address");
            BackendTrouble::Broken
        })?;
        *days = looked.days;
        match looked.trouble {
            Some(trouble) => Err(BackendTrouble::Certificate(trouble)),
            None => Ok(()),
        }
    }

    async fn connect(&self) -> Result<TcpStream, BackendTrouble> {
        let found = timeout(RESOLVE, lookup_host((self.host.as_str(), self.port))).await;
        let addresses: Vec<SocketAddr> = match found {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(error)) => {
                tracing::debug!(%error, "the server's name has no address");
                Vec::new()
            }
            Err(_) => Vec::new(),
        };
        if addresses.is_empty() {
            // Without a network no name has an address, and the name is not to blame.
            return Err(match has_network() {
                true => BackendTrouble::Unresolved,
                false => BackendTrouble::NoNetwork,
            });
        }
        match timeout(CONNECT, TcpStream::connect(addresses.as_slice())).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => {
                tracing::debug!(%error, "no connection to the server");
                Err(trouble_of(error.kind()))
            }
            Err(_) => Err(BackendTrouble::Silent),
        }
    }

    /// The question itself, over the client that everything else goes over.
    async fn ask(&self) -> Result<BackendAnswer, BackendTrouble> {
        let http = api::client(&self.url).map_err(|_| BackendTrouble::Broken)?;
        let address = format!("{}/v1/probe", self.url.as_str().trim_end_matches('/'));
        let asking = async {
            let mut answer = http.get(address).send().await?;
            let status = answer.status().as_u16();
            let to = answer.headers().get(header::LOCATION);
            let to = to.and_then(|to| to.to_str().ok()).and_then(|to| self.host_of(to));
            let mut body = Vec::new();
            while let Some(piece) = answer.chunk().await? {
                body.extend_from_slice(&piece);
                if body.len() > LONGEST_ANSWER {
                    break;
                }
            }
            Ok::<_, reqwest::Error>(read(status, to, &body))
        };
        match timeout(ANSWER, asking).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if error.is_timeout() => Err(BackendTrouble::Silent),
            Ok(Err(error)) => {
                tracing::debug!(error = %error.without_url(), "the server's answer broke off");
                Err(BackendTrouble::Broken)
            }
            Err(_) => Err(BackendTrouble::Silent),
        }
    }

    /// The foreign host that plain HTTP is sent to: a portal answers there even where it cannot answer over TLS.
    async fn sent_to_over_plain_http(&self) -> Option<String> {
        let mut plain = self.url.clone();
        plain.set_scheme("http").ok()?;
        plain.set_port(None).ok()?;
        plain.set_path("/v1/probe");
        let http = api::client(&plain).ok()?;
        let answer = timeout(PLAIN, http.get(plain).send()).await.ok()?.ok()?;
        let to = answer.headers().get(header::LOCATION)?.to_str().ok()?;
        self.host_of(to).filter(|host| *host != self.host)
    }

    /// The host of a redirection.
    fn host_of(&self, location: &str) -> Option<String> {
        let to = self.url.join(location).ok()?;
        to.host_str().map(str::to_owned)
    }
}

/// What an answer says about who gave it.
fn read(status: u16, to: Option<String>, body: &[u8]) -> BackendAnswer {
    let ours = serde_json::from_slice::<Probed>(body).is_ok_and(|probed| probed.product == PRODUCT);
    // A server without this route refuses in its own words.
    let refused = serde_json::from_slice::<Problem>(body).is_ok();
    match status {
        200..=299 if ours => BackendAnswer::Ours,
        400..=499 if refused => BackendAnswer::Ours,
        // "Network Authentication Required": only a portal says this (RFC 6585, 6).
        511 => BackendAnswer::Foreign { status, to },
        500..=599 => BackendAnswer::Failing { status },
        _ => BackendAnswer::Foreign { status, to },
    }
}

fn trouble_of(kind: io::ErrorKind) -> BackendTrouble {
    match kind {
        io::ErrorKind::ConnectionRefused => BackendTrouble::Refused,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => BackendTrouble::NoNetwork,
        io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable => BackendTrouble::Silent,
        _ => BackendTrouble::Broken,
    }
}

/// Whether the system knows a way out. Connecting a datagram socket asks it, and sends nothing; the address is one of
/// documentation (RFC 5737).
fn has_network() -> bool {
    let far = (Ipv4Addr::new(192, 0, 2, 1), 9);
    UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).is_ok_and(|socket| socket.connect(far).is_ok())
}

#[cfg(test)]
mod tests;
