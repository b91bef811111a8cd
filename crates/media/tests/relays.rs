//! Calls over a real TURN server (coturn), by UDP, TCP and TLS, judged by content; and relays that say no.

mod common;
#[path = "common/network.rs"]
mod network;

use common::{Events, FarEnd, PATIENCE, config, share_of, start};
use network::{Namespace, Running};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use sightline_media::{MediaEvent, Session, SessionConfig};
use sightline_wire::{
    ErrorCode,
    device::{PathView, TransportProtocol},
    escalation::{IcePolicy, IceServer},
};
use std::{
    fs,
    net::{IpAddr, TcpStream},
    path::PathBuf,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const ADDRESS: &str = "10.76.0.1";
const SECRET: &str = "the test's own";

/// A machine of its own with coturn, and everything that speaks to it, inside.
struct Place {
    // Ends before its network does.
    _coturn: Running,
    namespace: Namespace,
    folder: PathBuf,
}

impl Place {
    fn new(name: &str) -> Self {
        let namespace = Namespace::new(name);
        namespace.connect(
            ("here", &format!("{ADDRESS}/24")),
            &namespace,
            ("there", "10.76.1.1/24"),
        );
        let folder = std::env::temp_dir().join(format!("sightline-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        write_certificates(&folder);
        let file = |name: &str| folder.join(name).display().to_string();
        let coturn = Running::start(namespace.command("turnserver").args([
            "-n",
            "--no-cli",
            "--no-dtls",
            "--no-stdout-log",
            "--log-file=/dev/null",
            "--use-auth-secret",
            "--realm=sightline",
            "--listening-port=3478",
            "--tls-listening-port=5349",
            &format!("--static-auth-secret={SECRET}"),
            &format!("--listening-ip={ADDRESS}"),
            &format!("--relay-ip={ADDRESS}"),
            &format!("--userdb={}", file("users")),
            &format!("--pidfile={}", file("pid")),
            &format!("--cert={}", file("server.pem")),
            &format!("--pkey={}", file("server.key")),
        ]));
        let deadline = Instant::now() + PATIENCE;
        while !namespace.enter(|| TcpStream::connect((ADDRESS, 5_349)).is_ok()) {
            assert!(
                Instant::now() < deadline,
                "coturn is installed (scripts/setup) and starts"
            );
            pause();
        }
        Self {
            _coturn: coturn,
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
fn write_certificates(folder: &std::path::Path) {
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

fn a_call_over(name: &str, url: &str, protocol: TransportProtocol) {
    let place = Place::new(name);
    let (session, ours, mut events) = place.session(url, 300);
    session.offer(1);
    let offer = events.offer();
    assert!(!offer.contains("a=candidate"), "no address of ours: {offer}");
    let ip: IpAddr = ADDRESS.parse().expect("an address");
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

#[test]
fn a_call_over_a_relay_by_udp() {
    a_call_over("udp", "turn:10.76.0.1:3478", TransportProtocol::Udp);
}

#[test]
fn a_call_over_a_relay_by_tcp() {
    a_call_over("tcp", "turn:10.76.0.1:3478?transport=tcp", TransportProtocol::Tcp);
}

#[test]
fn a_call_over_a_relay_by_tls() {
    a_call_over("tls", "turns:10.76.0.1:5349?transport=tcp", TransportProtocol::Tls);
}

#[test]
fn relays_that_refuse_or_are_not_there_are_named_at_once_and_new_credentials_mend_it() {
    let place = Place::new("no");
    for (url, lifetime, expected) in [
        ("turn:10.76.0.1:3478", -10, ErrorCode::RelayRefused),
        ("turn:10.76.0.1:3478?transport=tcp", -10, ErrorCode::RelayRefused),
        ("turn:10.76.0.1:3999", 300, ErrorCode::RelayUnreachable),
        ("turn:10.76.0.1:3999?transport=tcp", 300, ErrorCode::RelayUnreachable),
    ] {
        let (session, _ours, mut events) = place.session(url, lifetime);
        session.offer(1);
        assert_eq!(problem(&mut events), expected, "{url}");
    }

    let (session, _ours, mut events) = place.session("turn:10.76.0.1:3478", -10);
    session.offer(1);
    assert_eq!(problem(&mut events), ErrorCode::RelayRefused);
    session.set_ice_servers(vec![server("turn:10.76.0.1:3478", 300)]);
    events.wait_for(|event| matches!(event, MediaEvent::Candidate { negotiation: 1, .. }).then_some(()));
}

#[test]
fn a_relay_whose_certificate_nobody_vouches_for_is_not_used() {
    let place = Place::new("ca");
    let (session, _ours, mut events) = place.start(SessionConfig {
        ice_servers: vec![server("turns:10.76.0.1:5349", 300)],
        ice_policy: IcePolicy::RelayOnly,
        ..config()
    });
    session.offer(1);
    assert_eq!(problem(&mut events), ErrorCode::RelayUnreachable);
}
