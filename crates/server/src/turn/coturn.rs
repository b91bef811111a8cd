//! A configuration for coturn that keeps the same rules as the relay inside the server.

use super::{
    allocation::LIFETIME,
    config::{EmbeddedTurn, PORT, TLS_PORT},
    credentials::REALM,
    peers::SPECIAL,
    service::{ALLOCATIONS, ALLOCATIONS_PER_USER},
};
use ipnet::IpNet;
use std::fmt::Write;

/// The text of `turnserver.conf`.
pub fn configuration(config: &EmbeddedTurn, secret: &str) -> String {
    let mut text = String::from(
        "# Written by `sightline-server coturn-config`. It holds a secret: chmod 600.\n\
         use-auth-secret\n",
    );
    let mut line = |key: &str, value: &dyn std::fmt::Display| {
        let _ = writeln!(text, "{key}={value}");
    };
    line("static-auth-secret", &secret);
    line("realm", &REALM);
    let listen = config.listen;
    line("listening-port", &listen.map_or(PORT, |at| at.port()));
    if let Some(at) = listen.filter(|at| !at.ip().is_unspecified()) {
        line("listening-ip", &at.ip());
        line("relay-ip", &at.ip());
    }
    for public in &config.public {
        if listen.is_none_or(|at| at.ip() != *public) {
            line("external-ip", public);
        }
    }
    line("min-port", config.ports.start());
    line("max-port", config.ports.end());
    match &config.tls {
        Some(tls) => {
            line("tls-listening-port", &tls.listen.port());
            line("cert", &tls.certificate.display());
            line("pkey", &tls.key.display());
        }
        None => line("tls-listening-port", &TLS_PORT),
    }
    line("user-quota", &ALLOCATIONS_PER_USER);
    line("total-quota", &ALLOCATIONS);
    line("max-allocate-lifetime", &LIFETIME.as_secs());
    line("stale-nonce", &600);
    // Allowed ranges win over denied ones, as inside the server.
    for range in &config.allow {
        line("allowed-peer-ip", &ends(range));
    }
    for range in SPECIAL {
        line("denied-peer-ip", &ends(&range.parse().expect("the table is right")));
    }
    if config.allow.iter().any(|range| range.addr().is_loopback()) {
        text.push_str("allow-loopback-peers\n");
    }
    if config.tls.is_none() {
        text.push_str("no-tls\n");
    }
    text.push_str("no-dtls\nno-tcp-relay\nno-multicast-peers\nno-tlsv1\nno-tlsv1_1\nno-cli\nno-rfc5780\n");
    text.push_str("no-stun-backward-compatibility\nno-software-attribute\nfingerprint\n");
    text
}

/// coturn wants the first and the last address.
fn ends(range: &IpNet) -> String {
    format!("{}-{}", range.network(), range.broadcast())
}
