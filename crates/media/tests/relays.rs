//! Calls over real TURN servers, by UDP, TCP and TLS, judged by content: coturn, with the configuration that our server
//! writes for it, and the relay inside our server. And relays that say no.

mod common;
#[path = "common/network.rs"]
mod network;

use common::{Events, FarEnd, PATIENCE, config, share_of, start};
use network::{Namespace, Running};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use sightline_media::{MediaEvent, Session, SessionConfig};
use sightline_server::{
    EmbeddedTurn, RunningServer, Secret, ServerConfig, TurnConfig, TurnTls, coturn_configuration, serve,
};
use sightline_wire::{
    ErrorCode,
    device::{PathView, TransportProtocol},
    escalation::{IcePolicy, IceServer},
};
use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::runtime::Runtime;

const ADDRESS: &str = "10.76.0.1";
/// Where the other side is.
const FAR: &str = "10.76.1.1";
const SECRET: &str = "the test's own";

#[derive(Clone, Copy)]
enum Which {
    Coturn,
    Embedded,
}

/// What relays; ends when dropped.
enum Relay {
    Coturn { _program: Running },
    Embedded { _server: RunningServer, _runtime: Runtime },
}

/// A machine of its own with a relay, and everything that speaks to it, inside.
struct Place {
    // Ends before its network does.
    _relay: Relay,
    namespace: Namespace,
    folder: PathBuf,
}

impl Place {
    fn new(which: Which, name: &str) -> Self {
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

    fn session(&self, url: &str, lifetime: i64) -> (Session, std::sync::mpsc::Receiver<u32>, Events) {
        let config = SessionConfig {
            ice_servers: vec![server(url, lifetime)],
            ice_policy: IcePolicy::RelayOnly,
            extra_ca: Some(self.folder.join("ca.pem")),
            ..config()
        };
        self.start(config)
    }

    fn start(&self, config: SessionConfig) -> (Session, std::sync::mpsc::Receiver<u32>, Events) {
        let (session, _, ours, events) = self.namespace.enter(|| start(config));
        (session, ours, events)
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
fn server(url: &str, lifetime: i64) -> IceServer {
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

fn problem(events: &mut Events) -> ErrorCode {
    events.wait_for(|event| match event {
        MediaEvent::NoRelay { problem, .. } => Some(problem.code),
        _ => None,
    })
}

fn a_call_over(which: Which, name: &str, url: &str, protocol: TransportProtocol) {
    let place = Place::new(which, name);
    let (session, ours, mut events) = place.session(url, 300);
    session.offer(1);
    let offer = events.offer();
    assert!(!offer.contains("a=candidate"), "no address of ours: {offer}");
    let ip: IpAddr = FAR.parse().expect("an address");
    let far = place.namespace.enter(|| FarEnd::answering_at(ip, &offer));
    session.answer(1, far.answer.clone());
    session.admit(1);
    let candidate = events.wait_for(|event| match event {
        MediaEvent::Candidate {
            negotiation: 1,
            candidate,
        } => Some(candidate),
        _ => None,
    });
    assert!(candidate.contains("typ relay"), "{candidate}");
    far.candidate(&candidate);
    events.wait_for(|event| matches!(event, MediaEvent::Flowing { negotiation: 1, .. }).then_some(()));
    for barcodes in [&ours, &far.barcodes] {
        let times: Vec<u32> = (0..30)
            .map(|_| barcodes.recv_timeout(PATIENCE).expect("pictures keep coming"))
            .collect();
        assert!(times.is_sorted(), "in order: {times:?}");
    }
    let loudest = (0..50)
        .map(|_| far.sound.recv_timeout(PATIENCE).expect("sound keeps coming"))
        .collect::<Vec<_>>()
        .concat()
        .chunks(4_800)
        .map(|part| share_of(1_000.0, part))
        .fold(0.0, f32::max);
    assert!(loudest > 0.9, "the test tone is heard through the relay: {loudest:.2}");
    let path = events.wait_for(|event| match event {
        MediaEvent::Quality(quality) => quality.path,
        _ => None,
    });
    assert_eq!(
        path,
        PathView {
            relayed: true,
            protocol
        }
    );
}

const UDP: (&str, TransportProtocol) = ("turn:10.76.0.1:3478", TransportProtocol::Udp);
const TCP: (&str, TransportProtocol) = ("turn:10.76.0.1:3478?transport=tcp", TransportProtocol::Tcp);
const TLS: (&str, TransportProtocol) = ("turns:10.76.0.1:5349?transport=tcp", TransportProtocol::Tls);

#[test]
fn a_call_over_coturn_by_udp() {
    a_call_over(Which::Coturn, "udp", UDP.0, UDP.1);
}

#[test]
fn a_call_over_coturn_by_tcp() {
    a_call_over(Which::Coturn, "tcp", TCP.0, TCP.1);
}

#[test]
fn a_call_over_coturn_by_tls() {
    a_call_over(Which::Coturn, "tls", TLS.0, TLS.1);
}

#[test]
fn a_call_over_the_relay_inside_the_server_by_udp() {
    a_call_over(Which::Embedded, "own-udp", UDP.0, UDP.1);
}

#[test]
fn a_call_over_the_relay_inside_the_server_by_tcp() {
    a_call_over(Which::Embedded, "own-tcp", TCP.0, TCP.1);
}

#[test]
fn a_call_over_the_relay_inside_the_server_by_tls() {
    a_call_over(Which::Embedded, "own-tls", TLS.0, TLS.1);
}

fn relays_that_refuse_are_named(which: Which, name: &str) {
    let place = Place::new(which, name);
    for (url, lifetime, expected) in [
        (UDP.0, -10, ErrorCode::RelayRefused),
        (TCP.0, -10, ErrorCode::RelayRefused),
        ("turn:10.76.0.1:3999", 300, ErrorCode::RelayUnreachable),
        ("turn:10.76.0.1:3999?transport=tcp", 300, ErrorCode::RelayUnreachable),
    ] {
        let (session, _ours, mut events) = place.session(url, lifetime);
        session.offer(1);
        assert_eq!(problem(&mut events), expected, "{url}");
    }

    let (session, _ours, mut events) = place.session(UDP.0, -10);
    session.offer(1);
    assert_eq!(problem(&mut events), ErrorCode::RelayRefused);
    session.set_ice_servers(vec![server(UDP.0, 300)]);
    found(&mut events);
}

/// The relay's address.
fn found(events: &mut Events) {
    events.wait_for(|event| matches!(event, MediaEvent::Candidate { negotiation: 1, .. }).then_some(()));
}

#[test]
fn a_coturn_that_refuses_or_is_not_there_is_named_at_once_and_new_credentials_mend_it() {
    relays_that_refuse_are_named(Which::Coturn, "no");
}

#[test]
fn our_relay_that_refuses_or_is_not_there_is_named_at_once_and_new_credentials_mend_it() {
    relays_that_refuse_are_named(Which::Embedded, "own-no");
}

/// Nobody is given more than twelve at a time.
#[test]
fn allocations_are_given_back_when_a_session_ends() {
    let place = Place::new(Which::Embedded, "own-back");
    for _ in 0..13 {
        let (session, _ours, mut events) = place.session(UDP.0, 300);
        session.offer(1);
        found(&mut events);
    }
}

#[test]
fn a_relay_whose_certificate_nobody_vouches_for_is_not_used() {
    let place = Place::new(Which::Coturn, "ca");
    let (session, _ours, mut events) = place.start(SessionConfig {
        ice_servers: vec![server("turns:10.76.0.1:5349", 300)],
        ice_policy: IcePolicy::RelayOnly,
        ..config()
    });
    session.offer(1);
    assert_eq!(problem(&mut events), ErrorCode::RelayUnreachable);
}
