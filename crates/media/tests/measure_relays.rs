//! What a self-test says of relays: each transport by itself, blocked one by one with nftables, refused, and with a
//! certificate that nobody vouches for. Over coturn and over the relay inside our server.

mod common;
#[path = "common/network.rs"]
mod network;
#[path = "common/turn.rs"]
mod turn;

use sightline_call::readiness::figures::{CertificateTrouble, RelayMeasured, RelayTrouble, StunMeasured};
use sightline_media::measure;
use sightline_wire::{device::TransportProtocol, escalation::IceServer};
use std::{path::PathBuf, time::Duration};
use turn::{Place, TCP, TLS, UDP, Which, server};

const ALL: [(&str, TransportProtocol); 3] = [UDP, TCP, TLS];
/// For what answers.
const LONG: Duration = Duration::from_secs(20);
/// For what does not.
const SHORT: Duration = Duration::from_millis(1_500);

impl Place {
    fn run<T: Send>(&self, act: impl AsyncFnOnce() -> T + Send) -> T {
        self.namespace.enter(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(act())
        })
    }

    fn relay(&self, servers: &[IceServer], protocol: TransportProtocol, deadline: Duration) -> RelayMeasured {
        self.relay_trusting(servers, protocol, deadline, Some(self.folder.join("ca.pem")))
    }

    fn relay_trusting(
        &self,
        servers: &[IceServer],
        protocol: TransportProtocol,
        deadline: Duration,
        ca: Option<PathBuf>,
    ) -> RelayMeasured {
        self.run(async || measure::relay(servers, protocol, ca, deadline).await)
    }

    fn stun(&self, servers: &[IceServer], deadline: Duration) -> StunMeasured {
        self.run(async || measure::stun(servers, deadline).await)
    }

    /// What comes in and fits is swallowed, as by a firewall; nothing else is.
    fn swallow(&self, rule: &str) {
        let rules = format!(
            "flush ruleset; add table inet wall; add chain inet wall in {{ type filter hook input priority 0; }}; \
             add rule inet wall in {rule} drop"
        );
        let done = self.namespace.command("nft").arg(rules).output();
        let done = done.expect("this test needs `nft` from the package nftables");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

fn listed(lifetime: i64) -> Vec<IceServer> {
    ALL.iter().map(|(url, _)| server(url, lifetime)).collect()
}

fn every_transport_by_itself(which: Which, name: &str) {
    let place = Place::new(which, name);
    for (_, protocol) in ALL {
        let up = place.relay(&listed(300), protocol, LONG);
        assert!(up.up_ms.is_ok_and(|ms| ms > 0.0), "{up:?}");
        let port = if protocol == TransportProtocol::Tls {
            5_349
        } else {
            3_478
        };
        assert_eq!((up.protocol, up.server), (protocol, format!("10.76.0.1:{port}")));
    }
    let seen = place.stun(&listed(300), LONG);
    assert_eq!(
        (seen.servers, seen.answered, seen.translated, seen.by_destination),
        (1, 1, Some(false), None)
    );

    for (rule, blocked) in [
        ("udp dport 3478", TransportProtocol::Udp),
        ("tcp dport 3478", TransportProtocol::Tcp),
        ("tcp dport 5349", TransportProtocol::Tls),
    ] {
        place.swallow(rule);
        for (_, protocol) in ALL {
            let deadline = if protocol == blocked { SHORT } else { LONG };
            let found = place.relay(&listed(300), protocol, deadline).up_ms;
            if protocol == blocked {
                assert_eq!(found, Err(RelayTrouble::Blocked), "{rule}");
            } else {
                assert!(found.is_ok(), "{protocol:?} without {rule}: {found:?}");
            }
        }
        let seen = place.stun(
            &listed(300),
            if blocked == TransportProtocol::Udp { SHORT } else { LONG },
        );
        assert_eq!(seen.answered, u16::from(blocked != TransportProtocol::Udp), "{rule}");
    }
}

#[test]
fn coturn_by_each_transport_and_without_it() {
    every_transport_by_itself(Which::Coturn, "mc");
}

#[test]
fn our_relay_by_each_transport_and_without_it() {
    every_transport_by_itself(Which::Embedded, "me");
}

fn refusals_are_told_from_walls(which: Which, name: &str) {
    let place = Place::new(which, name);
    for (_, protocol) in ALL {
        let refused = place.relay(&listed(-10), protocol, LONG).up_ms;
        assert_eq!(refused, Err(RelayTrouble::Refused { code: 401 }), "{protocol:?}");
    }
    let untrusted = place
        .relay_trusting(&listed(300), TransportProtocol::Tls, LONG, None)
        .up_ms;
    assert_eq!(untrusted, Err(RelayTrouble::Certificate(CertificateTrouble::Untrusted)));
    // Nobody listens there, and the machine says so.
    let closed = [server("turn:10.76.0.1:3999?transport=tcp", 300)];
    assert_eq!(
        place.relay(&closed, TransportProtocol::Tcp, LONG).up_ms,
        Err(RelayTrouble::Blocked)
    );
    assert_eq!(
        place.relay(&closed, TransportProtocol::Udp, LONG).up_ms,
        Err(RelayTrouble::Absent)
    );
}

#[test]
fn coturn_that_refuses_is_told_from_a_wall() {
    refusals_are_told_from_walls(Which::Coturn, "mcr");
}

#[test]
fn our_relay_that_refuses_is_told_from_a_wall() {
    refusals_are_told_from_walls(Which::Embedded, "mer");
}

/// Nobody is given more than twelve at a time.
#[test]
fn what_is_measured_is_given_back() {
    let place = Place::new(Which::Embedded, "meb");
    for (_, protocol) in ALL {
        for _ in 0..13 {
            let up = place.relay(&listed(300), protocol, LONG);
            assert!(up.up_ms.is_ok(), "{up:?}");
        }
    }
}
