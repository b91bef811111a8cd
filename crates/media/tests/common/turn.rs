//! A machine of its own with a relay: coturn, with the configuration that our server writes for it, or the relay
//! inside our server.

#![allow(dead_code, reason = "each test uses the part of it that it needs")]

use crate::{
    common::PATIENCE,
    network::{Namespace, Running},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use sightline_server::{
    EmbeddedTurn, RunningServer, Secret, ServerConfig, TurnConfig, TurnTls, coturn_configuration, serve,
};
use sightline_wire::{device::TransportProtocol, escalation::IceServer};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::runtime::Runtime;

pub const UDP: (&str, TransportProtocol) = ("turn:10.76.0.1:3478", TransportProtocol::Udp);
pub const TCP: (&str, TransportProtocol) = ("turn:10.76.0.1:3478?transport=tcp", TransportProtocol::Tcp);
pub const TLS: (&str, TransportProtocol) = ("turns:10.76.0.1:5349?transport=tcp", TransportProtocol::Tls);

pub const ADDRESS: &str = "10.76.0.1";
/// Where the other side is.
pub const FAR: &str = "10.76.1.1";
const SECRET: &str = "the test's own";

/// Which relay.
#[derive(Clone, Copy)]
pub enum Which {
    Coturn,
    Embedded,
}

/// What relays; ends when dropped.
enum Relay {
    Coturn { _program: Running },
    Embedded { _server: RunningServer, _runtime: Runtime },
}

/// A machine of its own with a relay, and everything that speaks to it, inside.
pub struct Place {
    // Ends before its network does.
    _relay: Relay,
    pub namespace: Namespace,
    pub folder: PathBuf,
}

impl Place {
    pub fn new(which: Which, name: &str) -> Self {
        let namespace = Namespace::new(name);
        namespace.connect(
            ("here", &format!("{ADDRESS}/24")),
            &namespace,
            ("there", &format!("{FAR}/24")),
        );
        let folder = std::env::temp_dir().join(format!("sightline-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        write_certificates(&folder);
        let relay = match which {
            Which::Coturn => coturn(&namespace, &folder),
            Which::Embedded => embedded(&namespace, &folder),
        };
        Self {
            _relay: relay,
            namespace,
            folder,
        }
    }
}

/// As an intranet has it: the other side's network is named, because it is a private one.
fn settings(folder: &Path) -> EmbeddedTurn {
    let at = |port| SocketAddr::new(ADDRESS.parse().expect("an address"), port);
    EmbeddedTurn {
        listen: Some(at(3_478)),
        tls: Some(TurnTls {
            listen: at(5_349),
            certificate: folder.join("server.pem"),
            key: folder.join("server.key"),
        }),
        allow: vec![format!("{FAR}/24").parse().expect("a range")],
        secret: Some(Secret::new(SECRET)),
        ..EmbeddedTurn::default()
    }
}

fn coturn(namespace: &Namespace, folder: &Path) -> Relay {
    let file = |name: &str| folder.join(name).display().to_string();
    fs::write(file("turnserver.conf"), coturn_configuration(&settings(folder), SECRET)).expect("writes");
    let program = Running::start(namespace.command("turnserver").args([
        "-c",
        &file("turnserver.conf"),
        "--no-stdout-log",
        "--log-file=/dev/null",
        &format!("--userdb={}", file("users")),
        &format!("--pidfile={}", file("pid")),
    ]));
    let deadline = Instant::now() + PATIENCE;
    while !namespace.enter(|| TcpStream::connect((ADDRESS, 5_349)).is_ok()) {
        assert!(
            Instant::now() < deadline,
            "coturn is installed (scripts/setup) and starts"
        );
        pause();
    }
    Relay::Coturn { _program: program }
}

fn embedded(namespace: &Namespace, folder: &Path) -> Relay {
    let mut config = ServerConfig::new((Ipv4Addr::LOCALHOST, 0).into(), folder.join("server.sqlite"));
    config.first_accounts.clear();
    config.turn = TurnConfig::Embedded(settings(folder));
    // Its threads are born inside, where its sockets are then opened.
    let (server, runtime) = namespace.enter(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        (runtime.block_on(serve(config)).expect("the server starts"), runtime)
    });
    Relay::Embedded {
        _server: server,
        _runtime: runtime,
    }
}

#[expect(clippy::disallowed_methods, reason = "coturn says nowhere when it listens")]
fn pause() {
    thread::sleep(Duration::from_millis(20));
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Credentials as the server makes them (draft-uberti-behave-turn-rest): until when, and that signed.
pub fn server(url: &str, lifetime: i64) -> IceServer {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs() as i64;
    let username = format!("{}:ana", now + lifetime);
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET.as_bytes());
    let signature = aws_lc_rs::hmac::sign(&key, username.as_bytes());
    use base64::Engine;
    IceServer {
        urls: vec![url.into()],
        username: Some(username),
        credential: Some(base64::engine::general_purpose::STANDARD.encode(signature)),
    }
}

/// An authority and a server certificate for the address.
fn write_certificates(folder: &Path) {
    let authority_key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = authority.self_signed(&authority_key).expect("signs");
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().expect("a key");
    let server = CertificateParams::new(vec![ADDRESS.to_owned()])
        .expect("an address is a name")
        .signed_by(&key, &issuer)
        .expect("signs");
    for (name, text) in [
        ("ca.pem", certificate.pem()),
        ("server.pem", server.pem()),
        ("server.key", key.serialize_pem()),
    ] {
        fs::write(folder.join(name), text).expect("writes");
    }
}
