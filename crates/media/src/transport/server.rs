//! The addresses of STUN and TURN servers (RFC 7064, RFC 7065). Pure.

use sightline_wire::{device::TransportProtocol, escalation::IceServer};

/// What a server is asked for.
#[derive(Clone, PartialEq, Eq)]
pub enum Server {
    /// How we look from outside.
    Stun {
        /// Name or address.
        host: String,
        /// UDP.
        port: u16,
    },
    /// A relay.
    Turn(TurnServer),
}

/// A relay and how to enter it.
#[derive(Clone, PartialEq, Eq)]
pub struct TurnServer {
    /// Name or address; over TLS its certificate must name it.
    pub host: String,
    /// Of the protocol.
    pub port: u16,
    /// How it is reached.
    pub protocol: TransportProtocol,
    /// Time-limited.
    pub username: String,
    /// Time-limited.
    pub credential: String,
}

impl TurnServer {
    /// The same relay, whatever the credentials.
    pub fn is_same_place(&self, other: &Self) -> bool {
        (&self.host, self.port, self.protocol) == (&other.host, other.port, other.protocol)
    }
}

/// All that make sense, in their order; the others are logged and left out.
pub fn parse(servers: &[IceServer]) -> Vec<Server> {
    let urls = servers
        .iter()
        .flat_map(|server| server.urls.iter().map(move |url| (server, url)));
    urls.filter_map(|(server, url)| {
        let parsed = parse_url(url, server);
        if parsed.is_none() {
            tracing::warn!("an ICE server's address that makes no sense is left out");
        }
        parsed
    })
    .collect()
}

fn parse_url(url: &str, server: &IceServer) -> Option<Server> {
    let (scheme, rest) = url.split_once(':')?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let protocol = match (scheme, query) {
        ("stun" | "turn", "" | "transport=udp") => TransportProtocol::Udp,
        ("turn", "transport=tcp") => TransportProtocol::Tcp,
        ("turns", "" | "transport=tcp") => TransportProtocol::Tls,
        _ => return None,
    };
    let usual = if protocol == TransportProtocol::Tls {
        5_349
    } else {
        3_478
    };
    let (host, port) = split_port(place, usual)?;
    if scheme == "stun" {
        return Some(Server::Stun { host, port });
    }
    Some(Server::Turn(TurnServer {
        host,
        port,
        protocol,
        username: server.username.clone()?,
        credential: server.credential.clone()?,
    }))
}

/// `name`, `name:port`, `1.2.3.4:port`, `[::1]:port`.
fn split_port(place: &str, usual: u16) -> Option<(String, u16)> {
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        (host, port.strip_prefix(':'))
    } else {
        match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        }
    };
    let port = match port {
        Some(port) => port.parse().ok()?,
        None => usual,
    };
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Option<(String, u16, TransportProtocol)> {
        let server = IceServer {
            urls: Vec::new(),
            username: Some("1700000000:ana".into()),
            credential: Some("hash".into()),
        };
        match parse_url(url, &server)? {
            Server::Stun { host, port } => Some((host, port, TransportProtocol::Udp)),
            Server::Turn(turn) => Some((turn.host, turn.port, turn.protocol)),
        }
    }

    #[test]
    fn addresses() {
        use TransportProtocol::{Tcp, Tls, Udp};
        let good = [
            ("stun:stun.example.org", ("stun.example.org", 3_478, Udp)),
            ("turn:192.0.2.1:443", ("192.0.2.1", 443, Udp)),
            (
                "turn:relay.example.org?transport=tcp",
                ("relay.example.org", 3_478, Tcp),
            ),
            (
                "turns:relay.example.org:443?transport=tcp",
                ("relay.example.org", 443, Tls),
            ),
            ("turns:[2001:db8::1]", ("2001:db8::1", 5_349, Tls)),
        ];
        for (url, (host, port, protocol)) in good {
            assert_eq!(read(url), Some((host.to_owned(), port, protocol)), "{url}");
        }
        for bad in [
            "",
            "turn:",
            "turn:host:port",
            "turns:host?transport=udp",
            "http://host",
            "turn:[::1",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_relay_without_credentials_is_none() {
        let server = IceServer {
            urls: vec!["turn:relay.example.org".into(), "stun:relay.example.org".into()],
            username: None,
            credential: None,
        };
        assert!(matches!(parse(&[server])[..], [Server::Stun { .. }]));
    }
}
